"""Real processes on loopback: the relay, a next hop that does as it is told, a DNS server."""

import base64
import collections
import functools
import json
import os
import random
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
import unittest

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from . import toml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("RELAY_BINARY", os.path.join(ROOT, "build/release/bin/srs-relay"))


@functools.cache
def is_sanitized():
    """Whether the relay was built with a sanitizer, whose run time is linked into it."""
    with open(BINARY, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


def changed_by_sanitizers(why):
    """For a test of what is different in a sanitized build; the plain one is there to be tested."""
    return unittest.skipIf(is_sanitized(), "sanitized build: " + why)


# Names that say which ports this process has handed out, so that no other test takes one before its owner listens.
reservations = collections.deque(maxlen=500)


def free_port():
    """A port nobody has, below those the system gives to outgoing connections: it is still free
    when its owner comes back after a restart."""
    while True:
        port = random.randrange(10_000, 30_000)
        reservation = socket.socket(socket.AF_UNIX)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                reservation.bind(f"\0srs-relay-test-port-{port}")  # no file: it ends with its process
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                reservation.close()
                continue
        reservations.append(reservation)
        return port


def wait_for(condition, timeout=20.0, what="condition", step=0.05):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    raise AssertionError(f"timed out after {timeout} s waiting for {what}")


def scratch_folder(case, mode=0o700):
    """A folder that is gone when the test case has ended; with mode 0755 programs that change user come in."""
    folder = tempfile.mkdtemp(prefix="srs-relay-test-")
    case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, mode)
    return folder


class Delivered:
    def __init__(self, envelope, session):
        self.client, self.helo = session.peer[0], session.host_name
        self.mail_from = "" if envelope.mail_from == "<>" else envelope.mail_from
        self.rcpt_tos = list(envelope.rcpt_tos)
        self.content = envelope.content
        self.options = list(envelope.mail_options)
        self.tls = session.ssl is not None


class Liberal(SMTP):
    """Lines of any length: we pass on what we took."""
    line_length_limit = 1 << 20


class Sink:
    """A next hop. `replies` maps a stage (MAIL, RCPT, DATA) to replies used up one by one, or to a
    function of the address; what is not in it is accepted."""

    smtp = Liberal

    def __init__(self, port=None, replies=None):
        self.port = port or free_port()
        self.replies = replies or {}
        self.messages = []
        self.controller = None

    def reply(self, stage, address, otherwise):
        planned = self.replies.get(stage)
        if callable(planned):
            return planned(address) or otherwise
        return planned.pop(0) if planned else otherwise

    async def handle_MAIL(self, server, session, envelope, address, options):
        reply = self.reply("MAIL", address, "250 2.1.0 ok")
        if reply.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.reply("RCPT", address, "250 2.1.5 ok")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        reply = self.reply("DATA", envelope.rcpt_tos[0], "250 2.0.0 taken")
        if reply.startswith("2"):
            self.messages.append(Delivered(envelope, session))
        return reply

    def start(self):
        sink = self

        class Patient(Controller):
            def factory(self):
                return sink.smtp(sink, enable_SMTPUTF8=True, decode_data=False,
                                 data_size_limit=100 << 20, hostname="sink.test")

        self.controller = Patient(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None


# Most tests are one client that is in a hurry.
PACES = {"new_per_ip": "1000000/s", "handshakes_per_ip": "1000000/s"}


class Relay:
    """One srs-relay with a folder, keys and a configuration of its own."""

    def __init__(self, next_hop, hostname="mx.fwd.test", domain="fwd.test", srs="relay.test",
                 aliases=None, extra="", tls=False, routes=None, verify=False, source=None, dns=None, config=None):
        """`verify`: of incoming mail; it needs a DNS that answers, at port `dns`. `source`: from where mail leaves;
        without, the relay does not know that address. `config`: tables merged into the configuration;
        `extra`: text at its end, which is in [queue] until it begins a section of its own."""
        self.folder = tempfile.mkdtemp(prefix="srs-relay-test-")
        self.port = free_port()
        self.hostname, self.domain, self.srs = hostname, domain, srs
        self.aliases = aliases or {"user": ["target@dest.test"],
                                   "two": ["a@dest.test", "b@other.test"]}
        self.routes = routes or [("*", next_hop)]
        self.extra = extra
        self.config = config or {}
        self.tls = tls
        self.verify = verify
        self.source = source
        self.dns = dns
        self.process = None
        try:
            self.make_keys()
            self.write_config()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_keys(self):
        self.records = {}
        secret = self.path("srs.key")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
            f.write(base64.b64encode(os.urandom(24)))
        for kind in ("rsa", "ed25519"):
            out = subprocess.run(
                [BINARY, "--json", "dkim", "new", "--domain", self.srs, "--selector", kind,
                 "--type", kind, "--out", self.path(kind + ".pem")],
                check=True, capture_output=True, text=True).stdout
            record = json.loads(out)
            self.records[record["name"]] = record["value"]
        if self.tls:
            self.make_certificate()

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=" + self.hostname, "-keyout", self.path("tls.key"),
             "-out", self.path("tls.crt")], check=True, capture_output=True)
        os.chmod(self.path("tls.key"), 0o600)

    def settings(self):
        """The configuration as tables. `config` of the constructor changes single values of it."""
        keys = [{"selector": "ed25519", "file": "ed25519.pem"}, {"selector": "rsa", "file": "rsa.pem"}]
        table = {"schema": 1, "hostname": self.hostname, "threads": 2,
                 "listener": [{"address": f"127.0.0.1:{self.port}"}],
                 "domain": [{"name": self.domain, "alias": self.aliases}],
                 "srs": {"domain": self.srs, "secret": [{"id": "k", "file": "srs.key"}]},
                 "dkim": [{"domain": self.srs, "keys": keys}],
                 "route": [{"match": match, "via": [f"smtp://127.0.0.1:{port}"]}
                           for match, port in self.routes],
                 "outbound": {"allow_private": True},
                 "control": {"socket": "control.sock"}}
        if self.tls:
            table["tls"] = {"cert": "tls.crt", "key": "tls.key"}
        if not self.verify:
            table.update(auth={"verify": False}, bounces={"to": "anyone"})
        if self.source:
            table["outbound"]["source"] = [self.source]
        if self.dns:
            table["dns"] = {"forward_to": [f"127.0.0.1@{self.dns}"]}
        # The last one: lines at the beginning of `extra` go on in it.
        table["queue"] = {"store": "sqlite:queue/queue.db", "min_free": "1MiB", "retry_schedule": ["1s"]}
        return toml.merged(table, self.config)

    def configure(self, **tables):
        """Merges these into the configuration; a list takes the place of what was there."""
        self.config = toml.merged(self.config, tables)
        self.write_config()

    def write_config(self, extra=None):
        extra = self.extra if extra is None else extra
        settings = self.settings()
        if "[limits]\n" in extra:  # the table may stand there once
            paces = "".join(f"{line}\n" for line in toml.text_of(PACES).splitlines() if line.split()[0] not in extra)
            extra = extra.replace("[limits]\n", "[limits]\n" + paces)
        else:
            settings = toml.merged({"limits": PACES}, settings)
        text = toml.text_of(settings) + "\n" + extra
        with open(self.path("relay.toml"), "w", encoding="utf-8") as f:
            f.write(text)

    def start(self):
        self.log = open(self.path("log"), "ab")
        self.log_start = self.log.tell()
        self.process = subprocess.Popen([BINARY, "serve", "-c", self.path("relay.toml")],
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        wait_for(lambda: self.events("started", since=self.log_start) or self.process.poll(),
                 what="the relay to start")
        if self.process.poll() is not None:
            raise AssertionError("the relay did not start: " + self.log_text())
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=90)
            self.log.close()
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        said = self.log_text() if os.path.exists(self.path("log")) else ""
        shutil.rmtree(self.folder, ignore_errors=True)
        found = re.search(r"(?s)(ThreadSanitizer|AddressSanitizer|LeakSanitizer|runtime error:).*", said)
        if found:  # in a build with sanitizers
            raise AssertionError("the relay has a defect: " + found.group(0)[:4000])

    def log_text(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def settle_log(self, quiet=0.03, patience=0.6):
        """A line is written a moment after what it tells of: until no more come, while the relay runs."""
        end, size = time.monotonic() + patience, -1
        while self.process and self.process.poll() is None and time.monotonic() < end:
            now = os.path.getsize(self.path("log"))
            if now == size:
                return
            size = now
            time.sleep(quiet)

    def events(self, name=None, since=0):
        self.settle_log()
        with open(self.path("log"), "rb") as f:
            f.seek(since)
            lines = f.read().decode("utf-8", "replace").splitlines()
        found = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if name is None or event.get("event") == name:
                found.append(event)
        return found

    def cli(self, *words, check=False):
        return subprocess.run([BINARY, "-c", self.path("relay.toml"), *words],
                              capture_output=True, text=True, check=check, timeout=60)

    def rows(self):
        out = self.cli("--json", "queue", "list").stdout
        return [json.loads(line) for line in out.splitlines()]

    def is_empty(self):
        """Nothing waits, nothing is held, and no DSN is owed."""
        out = self.cli("--json", "status").stdout
        return bool(out) and json.loads(out)["queue"]["messages"] == 0

    def send(self, content, sender="ann@sender.test", to=None, **options):
        """Sends one message; returns the id of the 250. Raises smtplib's exceptions."""
        to = to or ["user@" + self.domain]
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.test", timeout=30) as s:
            if options.pop("tls", False):
                s.starttls()
            s.ehlo()
            code, text = s.mail(sender, options.pop("mail_options", []))
            if code != 250:
                raise smtplib.SMTPResponseException(code, text)
            for rcpt in to:
                code, text = s.rcpt(rcpt)
                if code != 250:
                    raise smtplib.SMTPResponseException(code, text)
            code, text = s.data(content)
            if code != 250:
                raise smtplib.SMTPResponseException(code, text)
            return text.decode().split()[-1]


def both_of(relay):
    """The relay's certificate and key in one file."""
    path = relay.path("both.pem")
    with open(path, "w", encoding="ascii") as both:
        for part in ("tls.crt", "tls.key"):
            with open(relay.path(part), encoding="ascii") as f:
                both.write(f.read())
    return path


MESSAGE = (b"From: Ann <ann@sender.test>\r\nTo: user@fwd.test\r\nSubject:  two  spaces \r\n"
           b"X-Odd:\tTab\r\n folded\r\nMessage-ID: <1@sender.test>\r\n\r\n"
           b"Hello.  \r\n..dots\r\n.\r\n\r\nend\r\n\r\n")
