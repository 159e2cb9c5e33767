"""The mail systems of others, doing our work: Postfix + PostSRSd + OpenDKIM, and Exim.

Each accepts user@fwd.test on its port, rewrites the envelope sender with SRS, signs with DKIM, makes
the message durable before its 250 and relays to the sink. They are unpacked by scripts/setup-peers
and run from there; both need root, as they change user. tests/system/hops has them do other work.
"""

import grp
import os
import pwd
import subprocess

from .accounting import Account
from .peer import PEERS, POSTFIX, POSTFIX_ENVIRONMENT, Peer, free_port, wait_for_port, write

EXIM = os.path.join(PEERS, "exim")


class Postfix(Peer):
    """Postfix in a folder: relays to the sink whatever its settings let in."""

    name = "postfix"

    def start(self):
        self.write_configuration()
        self.make_queue()
        environment = dict(POSTFIX_ENVIRONMENT, MAIL_CONFIG=self.path("etc"))
        master = [os.path.join(POSTFIX, "usr/lib/postfix/sbin/master"), "-c", self.path("etc"), "-d"]
        with open(self.path("master.out"), "wb") as out:
            process = subprocess.Popen(master, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       start_new_session=True)
        self.roots.append(process.pid)
        wait_for_port(self.port)
        return self

    def settings(self):
        """main.cf."""
        lib = os.path.join(POSTFIX, "usr/lib/postfix")
        return {
            "compatibility_level": "3.6", "queue_directory": self.path("queue"),
            "command_directory": os.path.join(POSTFIX, "usr/sbin"), "daemon_directory": lib + "/sbin",
            "shlib_directory": lib, "data_directory": self.path("data"), "mail_owner": "postfix",
            "setgid_group": "postdrop", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "myhostname": "mx.relay.test", "mydestination": "", "alias_maps": "", "alias_database": "",
            "relayhost": f"[127.0.0.1]:{self.sink_port}", "mynetworks": "", "smtpd_peername_lookup": "no",
            "smtpd_relay_restrictions": "reject_unauth_destination",  # 554; the default defers with 454
            "smtp_tls_security_level": "none", "smtpd_tls_security_level": "none",
            "maillog_file": self.path("mail.log"), "maillog_file_prefixes": self.folder,
            "import_environment": "MAIL_CONFIG LD_LIBRARY_PATH", "export_environment": "LD_LIBRARY_PATH PATH",
            "smtp_destination_concurrency_limit": "50", "default_destination_concurrency_limit": "50",
            "smtpd_client_connection_count_limit": "0", "in_flow_delay": "0", "default_process_limit": "250",
            "message_size_limit": "52428800", "smtp_destination_recipient_limit": "1",
        }

    def services(self):
        """master.cf."""
        return [f"{self.port} inet n - n - - smtpd", "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup",
                "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
                "proxymap unix - - n - - proxymap", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache",
                "postlog unix-dgram n - n - 1 postlogd", "bounce unix - - n - 0 bounce",
                "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "flush unix n - n 1000? 0 flush",
                "smtp unix - - n - - smtp", "relay unix - - n - - smtp", "error unix - - n - - error",
                "retry unix - - n - - error", "tlsmgr unix - - n 1000? 1 tlsmgr"]

    def write_configuration(self):
        os.makedirs(self.path("etc"))
        write(self.path("etc/main.cf"), "".join(f"{k} = {v}\n" for k, v in self.settings().items()))
        write(self.path("etc/master.cf"), "\n".join(self.services()) + "\n")

    def make_queue(self):
        owner = pwd.getpwnam("postfix")
        postdrop = grp.getgrnam("postdrop").gr_gid
        private = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()
        for name, mode in [(n, 0o700) for n in private] + [("maildrop", 0o730), ("public", 0o710), ("pid", 0o755)]:
            folder = self.path("queue/" + name)
            os.makedirs(folder)
            os.chmod(folder, mode)
            if name != "pid":
                os.chown(folder, owner.pw_uid, postdrop if name in ("maildrop", "public") else -1)
        os.makedirs(self.path("data"))
        os.chown(self.path("data"), owner.pw_uid, owner.pw_gid)


class PostfixStack(Postfix):
    """Postfix with PostSRSd by tcp: tables and OpenDKIM over a Unix socket: over TCP the milter's
    delayed acknowledgements would cost Postfix half its speed."""

    name = "postfix+postsrsd+opendkim"
    share = 0.25

    def start(self):
        self.srs_ports = (free_port(), free_port())
        write(self.path("srs.secret"), "bench/bench/bench/bench/0123456789ab\n", 0o600)
        if self.signature != "none":
            self.start_opendkim()
        self.start_postsrsd()
        return super().start()

    def start_opendkim(self):
        key = self.rsa_key()
        write(self.path("opendkim.conf"),
              f"Socket local:{self.path('dkim.sock')}\nMode s\nInternalHosts 0.0.0.0/0\nRequireSafeKeys false\n"
              f"Canonicalization relaxed/relaxed\nSigningTable refile:{self.path('signing')}\n"
              f"KeyTable file:{self.path('keys')}\nPidFile {self.path('opendkim.pid')}\nBackground yes\nUMask 000\n"
              "Domain relay.test\nSelector s1\n")
        write(self.path("signing"), "* k\n")
        write(self.path("keys"), f"k relay.test:s1:{key}\n")
        subprocess.run([os.path.join(POSTFIX, "usr/sbin/opendkim"), "-x", self.path("opendkim.conf")],
                       env=POSTFIX_ENVIRONMENT, check=True)
        self.roots.append(self.pid_in(self.path("opendkim.pid")))

    def start_postsrsd(self):
        subprocess.run([os.path.join(POSTFIX, "usr/sbin/postsrsd"), "-D", "-d", "relay.test", "-s",
                        self.path("srs.secret"), "-p", self.path("postsrsd.pid"), "-u", "nobody", "-f",
                        str(self.srs_ports[0]), "-r", str(self.srs_ports[1])], env=POSTFIX_ENVIRONMENT, check=True)
        self.roots.append(self.pid_in(self.path("postsrsd.pid")))

    def settings(self):
        forward, reverse = self.srs_ports
        settings = {
            **super().settings(),
            "virtual_alias_domains": "fwd.test", "virtual_alias_maps": "inline:{ user@fwd.test=target@dest.test }",
            "sender_canonical_maps": f"tcp:127.0.0.1:{forward}", "sender_canonical_classes": "envelope_sender",
            "recipient_canonical_maps": f"tcp:127.0.0.1:{reverse}",
            "recipient_canonical_classes": "envelope_recipient", "milter_default_action": "tempfail",
        }
        if self.signature != "none":
            settings["smtpd_milters"] = "unix:" + self.path("dkim.sock")
        return settings


class Exim(Peer):
    """Its deliveries leave the daemon's tree of processes, so a control group counts them."""

    name = "exim"
    share = 0.05

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.account = Account.open("exim")
        self.counts_cpu = self.account is not None

    def start(self):
        self.write_configuration()
        with open(self.path("exim.out"), "wb") as out:
            process = subprocess.Popen([os.path.join(EXIM, "usr/sbin/exim4"), "-C", self.path("exim.conf"), "-bdf", "-q1m",
                                        "-oP", self.path("exim.pid")], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       preexec_fn=self.account.join if self.account else None)
        self.roots = [process.pid]
        wait_for_port(self.port)
        return self

    def write_configuration(self):
        write(self.path("exim.conf"), self.configuration())
        self.own(self.path("spool"), self.path("log"))

    def own(self, *paths):
        """Makes the user as whom Exim runs their owner; a path that does not exist becomes a folder."""
        user = pwd.getpwnam("Debian-exim")
        for path in paths:
            if not os.path.exists(path):
                os.makedirs(path)
            os.chown(path, user.pw_uid, user.pw_gid)

    def configuration(self):
        dkim = ""
        if self.signature != "none":
            key = self.rsa_key()
            self.own(key)
            dkim = (f"  dkim_domain = relay.test\n  dkim_selector = s1\n  dkim_private_key = {key}\n"
                    "  dkim_canon = relaxed\n")
        return self.filled_in(os.path.join(os.path.dirname(__file__), "exim.conf"), {"DKIM_OPTIONS\n": dkim})

    def filled_in(self, path, values):
        """The text of a file, with its @NAMEs replaced by what differs from run to run."""
        with open(path, encoding="utf-8") as f:
            text = f.read()
        values = {"EXIM": os.path.join(EXIM, "usr/sbin/exim4"), "FOLDER": self.folder, "SINK": str(self.sink_port),
                  "PORT": str(self.port), **values}
        for name, value in values.items():
            text = text.replace("@" + name, value)
        return text

    def pids(self):
        return self.account.pids() if self.account else super().pids()

    def cpu_seconds(self):
        return self.account.seconds() if self.account else super().cpu_seconds()

    def stop(self):
        super().stop()
        if self.account:
            self.account.close()
