"""Calls that the running process may not make, settings it refuses to start with, and secrets it never
reveals."""

import os
import re
import smtplib
import socket
import subprocess
import time
import unittest

from .harness import BINARY, MESSAGE, Relay, Sink, changed_by_sanitizers, wait_for

SECRET = "canary-of-the-srs-secret-0123456789"


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


class RunTime(unittest.TestCase):
    @changed_by_sanitizers("it has no sandbox")
    def test_every_thread_is_in_the_sandbox(self):
        """At run time, not in the documentation."""
        relay = Relay(1).start()
        self.addCleanup(relay.remove)
        tasks = os.listdir(f"/proc/{relay.process.pid}/task")
        self.assertGreater(len(tasks), 3)
        for task in tasks:
            status = status_of(f"{relay.process.pid}/task/{task}")
            self.assertEqual(status["Seccomp"].strip(), "2", status["Name"])  # a filter
            self.assertEqual(status["NoNewPrivs"].strip(), "1", status["Name"])

    @changed_by_sanitizers("it has no sandbox")
    def test_no_core_file_and_no_tracing(self):
        relay = Relay(1).start()
        self.addCleanup(relay.remove)
        # A process that is not dumpable belongs to root and has no core file (prctl(2)).
        self.assertEqual(os.stat(f"/proc/{relay.process.pid}/environ").st_uid, 0)
        with open(f"/proc/{relay.process.pid}/limits", encoding="ascii") as f:
            limits = f.read()
        self.assertRegex(limits, r"Max core file size +0 ")

    def test_it_runs_as_nobody(self):
        """No privilege is needed with a high port and a folder of its own."""
        if os.getuid() != 0:
            self.skipTest("needs root to become somebody else")
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port)
        self.addCleanup(relay.remove)
        subprocess.run(["chown", "-R", "nobody", relay.folder], check=True)
        plain_popen = subprocess.Popen

        def as_nobody(words, **options):
            return plain_popen(words, user="nobody", group="nogroup", extra_groups=[], **options)
        subprocess.Popen = as_nobody
        try:
            relay.start()
        finally:
            subprocess.Popen = plain_popen
        relay.send(MESSAGE)
        wait_for(lambda: sink.messages, what="delivery")
        status = status_of(relay.process.pid)
        self.assertNotIn("0", status["Uid"].split())
        self.assertEqual(int(status["CapEff"], 16), 0)

    def test_socket_activation(self):
        """systemd opens the port; connections wait in the backlog until the relay is there."""
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port)
        self.addCleanup(relay.remove)
        with open(relay.path("log"), "ab") as log:
            relay.log = log
            relay.process = subprocess.Popen(
                ["systemd-socket-activate", "-l", f"127.0.0.1:{relay.port}",
                 BINARY, "serve", "-c", relay.path("relay.toml")], stderr=log)
            wait_for(lambda: "Listening on" in relay.log_text(), what="the socket")
            relay.send(MESSAGE)
            wait_for(lambda: sink.messages, what="delivery")
            for _ in range(20):
                relay.send(MESSAGE)
            wait_for(lambda: len(sink.messages) == 21, what="delivery of all")
            self.assertEqual(relay.stop(), 0)

    def test_a_socket_that_the_configuration_does_not_name_is_refused(self):
        relay = Relay(1)
        self.addCleanup(relay.remove)
        other = Relay(1)  # only for its port
        self.addCleanup(other.remove)
        with open(relay.path("log"), "ab") as log:
            relay.log = log
            relay.process = subprocess.Popen(
                ["systemd-socket-activate", "-l", f"127.0.0.1:{other.port}",
                 BINARY, "serve", "-c", relay.path("relay.toml")], stderr=log)
            wait_for(lambda: "Listening on" in relay.log_text(), what="the socket")
            with socket.create_connection(("127.0.0.1", other.port)):
                self.assertNotEqual(relay.process.wait(timeout=20), 0)
        self.assertIn("which no [[listener]] names", relay.log_text())


class KeysInMemory(unittest.TestCase):
    """A key is in memory in the form that is used, and the text it was read from is not."""

    @staticmethod
    def memory(pid):
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                where, rights = line.split()[:2]
                if rights.startswith("rw"):
                    begin, end = (int(x, 16) for x in where.split("-"))
                    try:
                        mem.seek(begin)
                        yield mem.read(end - begin)
                    except OSError:
                        pass

    @changed_by_sanitizers("the shadow is too large to be searched, and freed memory stays")
    def test_the_text_of_private_keys_is_wiped(self):
        if os.getuid() != 0:
            self.skipTest("needs root to read the memory of what is not dumpable")
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, tls=True).start()
        self.addCleanup(relay.remove)
        relay.send(MESSAGE, tls=True)
        self.assertEqual(relay.cli("reload").returncode, 0)
        wait_for(lambda: sink.messages, what="delivery")
        lines = {}
        for name in ("rsa.pem", "ed25519.pem", "tls.key"):
            with open(relay.path(name), "rb") as f:
                for line in f.read().splitlines():
                    if b"-----" not in line and len(line) > 32:
                        lines[line] = name
        self.assertGreater(len(lines), 30)
        found, control = set(), False
        for area in self.memory(relay.process.pid):
            control = control or b"srs.relay.test" in area or b"relay.test" in area
            found |= {lines[line] for line in lines if line in area}
        self.assertTrue(control, "the search can find something")
        self.assertEqual(found, set())


class FileModes(unittest.TestCase):
    def refused(self, relay, *words):
        done = subprocess.run([BINARY, "serve", "-c", relay.path("relay.toml")],
                              capture_output=True, text=True, timeout=20)
        self.assertNotEqual(done.returncode, 0)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_others_must_not_read_secrets_nor_change_anything(self):
        for name, mode, words in (
                ("srs.key", 0o644, ("srs.key", "mode 0644")),
                ("srs.key", 0o620, ("srs.key", "mode 0620")),
                ("rsa.pem", 0o604, ("rsa.pem", "mode 0604")),
                ("tls.key", 0o644, ("tls.key", "mode 0644")),
                ("relay.toml", 0o646, ("relay.toml", "others can change it")),
                ("queue", 0o777, ("queue can be written to by others",))):
            with self.subTest(name=name, mode=oct(mode)):
                relay = Relay(1, tls=True)
                self.addCleanup(relay.remove)
                if name == "queue":
                    os.mkdir(relay.path(name))
                os.chmod(relay.path(name), mode)
                self.refused(relay, *words)

    def test_what_it_makes_is_its_own(self):
        relay = Relay(1)
        self.addCleanup(relay.remove)
        before = os.umask(0)  # the worst umask there is
        try:
            relay.start()
        finally:
            os.umask(before)
        relay.send(MESSAGE)
        folder = relay.path("queue")
        self.assertEqual(os.stat(folder).st_mode & 0o077, 0)
        for name in os.listdir(folder):
            self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)
        self.assertEqual(os.stat(relay.path("control.sock")).st_mode & 0o007, 0)


class Canaries(unittest.TestCase):
    """A secret in every secret field, and a search for it in all that comes out."""

    def test_nothing_that_comes_out_holds_a_secret(self):
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, tls=True)
        self.addCleanup(relay.remove)
        with open(relay.path("srs.key"), "w", encoding="ascii") as f:
            f.write(SECRET)
        relay.start()
        canaries = [SECRET.encode()]
        for name in ("rsa.pem", "ed25519.pem", "tls.key"):
            with open(relay.path(name), "rb") as f:
                canaries += [line for line in f.read().splitlines() if b"-----" not in line]
        heard = [self.converse(relay)]
        relay.send(MESSAGE)
        relay.send(MESSAGE, to=["two@fwd.test"])
        wait_for(lambda: len(sink.messages) >= 2, what="delivery")
        reverse_path = sink.messages[0].mail_from
        for words in (["status"], ["--json", "status"], ["queue", "list"], ["reload"],
                      ["srs", "explain", reverse_path], ["srs", "decode", reverse_path],
                      ["check", relay.path("relay.toml")], ["--help"]):
            done = relay.cli(*words)
            heard += [done.stdout.encode(), done.stderr.encode()]
        # An error in the very line that names a secret.
        os.chmod(relay.path("srs.key"), 0o644)
        done = relay.cli("check", relay.path("relay.toml"))
        self.assertNotEqual(done.returncode, 0)
        heard += [done.stdout.encode(), done.stderr.encode()]
        for name in ("cmdline", "environ"):
            with open(f"/proc/{relay.process.pid}/{name}", "rb") as f:
                heard.append(f.read())
        heard += [m.content for m in sink.messages]
        relay.stop()
        heard.append(relay.log_text().encode())
        queue = relay.path("queue")
        for name in os.listdir(queue):
            with open(os.path.join(queue, name), "rb") as f:
                heard.append(f.read())
        self.assertGreater(sum(len(h) for h in heard), 10_000)
        self.assertIn(b"ann@sender.test", b"".join(heard), "the search can find something")
        for canary in canaries:
            for text in heard:
                self.assertNotIn(canary, text)

    @staticmethod
    def converse(relay):
        with smtplib.SMTP("127.0.0.1", relay.port) as s:
            out = [s.docmd(line)[1] for line in
                   ("EHLO x", "HELP", "VRFY root", "MAIL FROM:<a@b>", "NONSENSE", "EXPN list",
                    "RCPT TO:<SRS0=AAAAAAAA=AA=x.test=y@relay.test>")]
        return b"\n".join(out)


if __name__ == "__main__":
    unittest.main()
