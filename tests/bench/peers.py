"""The mail systems measured side by side: ours, Postfix + PostSRSd + OpenDKIM, and Exim.

Each accepts user@fwd.test on PORT, rewrites the envelope sender with SRS, signs with DKIM, makes
the message durable before its 250 and relays to the sink. Postfix and Exim are unpacked by
scripts/setup-peers and run from there; both need root, as they change user.
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.environ.get("RELAY_PEERS") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "srs-relay/peers")
POSTFIX = os.path.join(PEERS, "postfix")
EXIM = os.path.join(PEERS, "exim")
LIBRARIES = ":".join(POSTFIX + p for p in ("/usr/lib/postfix", "/usr/lib/x86_64-linux-gnu", "/usr/lib"))
POSTFIX_ENVIRONMENT = dict(os.environ, LD_LIBRARY_PATH=LIBRARIES)
SMTP_SOURCE = os.path.join(POSTFIX, "usr/sbin/smtp-source")
SMTP_SINK = os.path.join(POSTFIX, "usr/sbin/smtp-sink")
TICKS = os.sysconf("SC_CLK_TCK")


def write(path, text, mode=0o644):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as f:
        f.write(text)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as s:
            s.settimeout(1)
            try:
                if s.connect_ex(("127.0.0.1", port)) == 0 and s.recv(3) == b"220":
                    return
            except OSError:  # it listens, and has no time yet
                pass
        time.sleep(0.05)
    raise RuntimeError(f"nothing answered on port {port} within {seconds} s")


def wait_for_listener(port, seconds=10):
    """Until something listens there; does not connect, as smtp-sink counts every session."""
    end = time.monotonic() + seconds
    wanted = f":{port:04X} "
    while time.monotonic() < end:
        with open("/proc/net/tcp", encoding="ascii") as f:
            if any(wanted in line.split(maxsplit=3)[1] + " " and line.split()[3] == "0A" for line in f):
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


def processes():
    """pid -> (parent, CPU seconds with those of reaped children)."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(entry)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICKS)
    return found


class Peer:
    """A mail system in a folder of its own. `roots` are the pids its processes descend from."""

    name = ""
    counts_cpu = True  # false when its processes leave the tree and take their CPU time with them

    def __init__(self, folder, sink_port, signature="rsa"):
        self.folder, self.sink_port, self.signature = folder, sink_port, signature
        self.port = free_port()
        self.roots = []
        os.makedirs(folder)
        os.chmod(folder, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def tree(self):
        """Its living processes: pid -> CPU seconds."""
        everyone = processes()
        mine = {pid: everyone[pid][1] for pid in self.roots if pid in everyone}
        grew = True
        while grew:
            new = {p: cpu for p, (parent, cpu) in everyone.items() if parent in mine and p not in mine}
            mine.update(new)
            grew = bool(new)
        return mine

    def cpu_seconds(self):
        return sum(self.tree().values())

    def memory(self):
        """Proportional set size of all its processes, octets."""
        total = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                    total += next(int(line.split()[1]) for line in f if line.startswith("Pss:")) * 1024
            except (OSError, StopIteration):
                pass
        return total

    def stop(self):
        for pid in reversed(self.roots):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
            end = time.monotonic() + 20
            while time.monotonic() < end and self.alive(pid):
                time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def alive(pid):
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        return os.path.exists(f"/proc/{pid}/stat")

    def rsa_key(self):
        path = self.path("dkim.pem")
        subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
        os.chmod(path, 0o600)
        return path

    def pid_in(self, path, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with open(path, encoding="ascii") as f:
                    return int(f.read().strip())
            except (OSError, ValueError):
                time.sleep(0.05)
        raise RuntimeError(f"{self.name}: no pid in {path}")


class SrsRelay(Peer):
    name = "srs-relay"

    def start(self, binary=os.path.join(ROOT, "build/release/bin/srs-relay"), extra="", threads=2):
        write(self.path("srs.key"), "bench/bench/bench/bench/0123456789ab", 0o600)
        keys = {"rsa": ["rsa"], "ed25519": ["ed25519"], "both": ["ed25519", "rsa"], "none": []}[self.signature]
        for kind in keys:
            subprocess.run([binary, "dkim", "new", "--domain", "relay.test", "--selector", kind, "--type",
                            kind, "--out", self.path(kind + ".pem")], check=True, capture_output=True)
        dkim = [f'{{selector="{k}", file="{k}.pem"}}' for k in keys]
        lines = ["schema = 1", 'hostname = "mx.relay.test"', f"threads = {threads}", "[[listener]]",
                 f'address = "127.0.0.1:{self.port}"', "[[domain]]", 'name = "fwd.test"', "[domain.alias]",
                 'user = "target@dest.test"', "[srs]", 'domain = "relay.test"', "[[srs.secret]]", 'id = "k"',
                 'file = "srs.key"', "[[route]]", 'match = "*"', f'via = ["smtp://127.0.0.1:{self.sink_port}"]',
                 # The peers do not verify either.
                 "[auth]", "verify = false", "[bounces]", 'to = "anyone"',
                 "[outbound]", "allow_private = true", "connections = 50", "[limits]", "per_ip = 2000",
                 "per_network = 2000", "max_connections = 4000", "[control]", 'socket = "control.sock"',
                 "[queue]", 'store = "sqlite:queue/queue.db"', 'min_free = "1MiB"', "[log]",
                 'file = "relay.log"']
        if dkim:
            lines += ["[[dkim]]", 'domain = "relay.test"', f"keys = [{', '.join(dkim)}]"]
        write(self.path("relay.toml"), "\n".join(lines) + "\n" + extra)
        with open(self.path("stderr"), "wb") as errors:
            process = subprocess.Popen([binary, "serve", "-c", self.path("relay.toml")], stderr=errors,
                                       stdin=subprocess.DEVNULL)
        self.roots = [process.pid]
        wait_for_port(self.port)
        return self


class PostfixStack(Peer):
    """Postfix with PostSRSd by tcp: tables and OpenDKIM over a Unix socket: over TCP the milter's
    delayed acknowledgements would cost Postfix half its speed."""

    name = "postfix+postsrsd+opendkim"

    def start(self):
        self.roots = []
        srs_ports = (free_port(), free_port())
        write(self.path("srs.secret"), "bench/bench/bench/bench/0123456789ab\n", 0o600)
        if self.signature != "none":
            self.start_opendkim()
        self.start_postsrsd(srs_ports)
        self.write_configuration(srs_ports)
        self.make_queue()
        environment = dict(POSTFIX_ENVIRONMENT, MAIL_CONFIG=self.path("etc"))
        master = [os.path.join(POSTFIX, "usr/lib/postfix/sbin/master"), "-c", self.path("etc"), "-d"]
        with open(self.path("master.out"), "wb") as out:
            process = subprocess.Popen(master, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       start_new_session=True)
        self.roots.append(process.pid)
        wait_for_port(self.port)
        return self

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

    def start_postsrsd(self, ports):
        subprocess.run([os.path.join(POSTFIX, "usr/sbin/postsrsd"), "-D", "-d", "relay.test", "-s",
                        self.path("srs.secret"), "-p", self.path("postsrsd.pid"), "-u", "nobody", "-f",
                        str(ports[0]), "-r", str(ports[1])], env=POSTFIX_ENVIRONMENT, check=True)
        self.roots.append(self.pid_in(self.path("postsrsd.pid")))

    def write_configuration(self, srs_ports):
        os.makedirs(self.path("etc"))
        lib = os.path.join(POSTFIX, "usr/lib/postfix")
        settings = {
            "compatibility_level": "3.6", "queue_directory": self.path("queue"),
            "command_directory": os.path.join(POSTFIX, "usr/sbin"), "daemon_directory": lib + "/sbin",
            "shlib_directory": lib, "data_directory": self.path("data"), "mail_owner": "postfix",
            "setgid_group": "postdrop", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "myhostname": "mx.relay.test", "mydestination": "", "alias_maps": "", "alias_database": "",
            "virtual_alias_domains": "fwd.test", "virtual_alias_maps": "inline:{ user@fwd.test=target@dest.test }",
            "relayhost": f"[127.0.0.1]:{self.sink_port}", "mynetworks": "", "smtpd_peername_lookup": "no",
            "smtp_tls_security_level": "none", "smtpd_tls_security_level": "none",
            "sender_canonical_maps": f"tcp:127.0.0.1:{srs_ports[0]}", "sender_canonical_classes": "envelope_sender",
            "recipient_canonical_maps": f"tcp:127.0.0.1:{srs_ports[1]}",
            "recipient_canonical_classes": "envelope_recipient", "milter_default_action": "tempfail",
            "maillog_file": self.path("mail.log"), "maillog_file_prefixes": self.folder,
            "import_environment": "MAIL_CONFIG LD_LIBRARY_PATH", "export_environment": "LD_LIBRARY_PATH PATH",
            "smtp_destination_concurrency_limit": "50", "default_destination_concurrency_limit": "50",
            "smtpd_client_connection_count_limit": "0", "in_flow_delay": "0", "default_process_limit": "250",
            "message_size_limit": "52428800", "smtp_destination_recipient_limit": "1",
        }
        if self.signature != "none":
            settings["smtpd_milters"] = "unix:" + self.path("dkim.sock")
        write(self.path("etc/main.cf"), "".join(f"{k} = {v}\n" for k, v in settings.items()))
        services = [f"{self.port} inet n - n - - smtpd", "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup",
                    "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
                    "proxymap unix - - n - - proxymap", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache",
                    "postlog unix-dgram n - n - 1 postlogd", "bounce unix - - n - 0 bounce",
                    "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "flush unix n - n 1000? 0 flush",
                    "smtp unix - - n - - smtp", "relay unix - - n - - smtp", "error unix - - n - - error",
                    "retry unix - - n - - error", "tlsmgr unix - - n 1000? 1 tlsmgr"]
        write(self.path("etc/master.cf"), "\n".join(services) + "\n")

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


class Exim(Peer):
    name = "exim"
    counts_cpu = False

    def start(self):
        key = self.rsa_key() if self.signature != "none" else ""
        dkim = (f"  dkim_domain = relay.test\n  dkim_selector = s1\n  dkim_private_key = {key}\n"
                "  dkim_canon = relaxed\n") if key else ""
        text = open(os.path.join(os.path.dirname(__file__), "exim.conf"), encoding="utf-8").read()
        for name, value in (("EXIM", os.path.join(EXIM, "usr/sbin/exim4")), ("FOLDER", self.folder), ("SINK", str(self.sink_port)), ("PORT", str(self.port)),
                            ("DKIM_OPTIONS\n", dkim)):
            text = text.replace("@" + name, value)
        write(self.path("exim.conf"), text)
        user = pwd.getpwnam("Debian-exim")
        for name in ("spool", "log"):
            os.makedirs(self.path(name))
            os.chown(self.path(name), user.pw_uid, user.pw_gid)
        if key:
            os.chown(key, user.pw_uid, user.pw_gid)
        with open(self.path("exim.out"), "wb") as out:
            process = subprocess.Popen([os.path.join(EXIM, "usr/sbin/exim4"), "-C", self.path("exim.conf"), "-bdf", "-q1m",
                                        "-oP", self.path("exim.pid")], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.roots = [process.pid]
        wait_for_port(self.port)
        return self
