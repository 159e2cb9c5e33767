"""OpenSMTPD as the next hop. Its paths and users are compiled in, so it lives in a mount namespace where
these paths are other folders and the list of users is longer. It asks the doorman through a filter.

It has no limit of connections at once (its backlog of five is what there is) and offers no PIPELINING. As
a TLS server the version of Debian 12 fails every handshake: it was made for OpenSSL 1.1 (its issue 1171).
"""

import os
import shutil
import signal
import subprocess
import sys

from tests.bench.peer import PEERS, Peer, wait_for_port, write

from . import hop, mix

PROGRAM = os.path.join(PEERS, "opensmtpd/usr/sbin/smtpd")
USERS = {"opensmtpd": 64_001, "opensmtpq": 64_002}

# All its files lie in memory, and vanish with the namespace.
NAMESPACE = """set -e
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/group /etc/group
for place in /var/spool /var/lib /run; do mount -t tmpfs -o mode=755 none $place; done
mkdir -m 711 /var/spool/smtpd
mkdir -p /var/lib/opensmtpd/empty
cp {program} /run/smtpd
exec /run/smtpd -d -f {folder}/smtpd.conf
"""


class OpenSmtpdHop(hop.Hop, Peer):
    name = "opensmtpd"
    log_files = ("smtpd.log",)
    complaints_of = r'result="50[0-5]|reason="?(io-error(?!: error:0A)|protocol)|Line too long'

    def __init__(self, folder, sink_port, terms, doorman, certificate):
        super().__init__(folder, sink_port, "none")
        self.adopt(terms, doorman, certificate)
        self.process = None

    def start(self):
        for name, line in (("passwd", "{0}:x:{1}:{1}::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n"),
                           ("group", "{0}:x:{1}:\n")):
            shutil.copy("/etc/" + name, self.path(name))
            with open(self.path(name), "a", encoding="utf-8") as f:
                f.writelines(line.format(user, number) for user, number in USERS.items())
        write(self.path("smtpd.conf"), self.configuration())
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "smtpd_filter.py"), self.path("filter.py"))
        with open(self.path("smtpd.log"), "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                 NAMESPACE.format(folder=self.folder, program=PROGRAM)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for_port(self.port)
        return self

    def configuration(self):
        terms, tls, lines = self.terms, "", []
        if terms.connections or terms.tls not in (hop.NONE, hop.BROKEN, hop.BROKEN_REQUIRED):
            raise NotImplementedError(__doc__)
        if terms.recipients:
            lines.append(f"smtp limit max-rcpt {terms.recipients}")
        if terms.messages:
            lines.append(f"smtp limit max-mails {terms.messages}")
        if terms.tls != hop.NONE:
            key, certificate = self.certificate
            lines += [f'pki hop key "{key}"', f'pki hop cert "{certificate}"']
            tls = ("tls" if terms.tls == hop.BROKEN else "tls-require") + " pki hop "
        return "\n".join([
            *lines,
            f'filter door proc-exec "{sys.executable} {self.path("filter.py")} {self.doorman.port}"',
            f'listen on 127.0.0.1 port {self.port} {tls}hostname mx.{mix.DOMAIN} filter door',
            f'action sink relay host "smtp://127.0.0.1:{self.sink_port}"',
            f'match from any for domain "{mix.DOMAIN}" action sink', ""])

    def pids(self):
        return [self.process.pid]

    def stop(self):
        """The namespace of processes ends with its first one, which ends with `unshare`."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
