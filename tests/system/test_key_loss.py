"""A signing key that is gone, damaged or replaced. No mail leaves unsigned, none is lost, and the operator
is told."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

import dkim

from .harness import BINARY, MESSAGE, Relay, Sink, wait_for
from .senders import fields_of


class Load(threading.Thread):
    """Sends message after message until it is told to stop. An answer but 250 ends it: trouble."""

    def __init__(self, relay):
        super().__init__()
        self.relay, self.sent, self.trouble = relay, 0, None
        self.enough = threading.Event()

    def __enter__(self):
        self.start()
        wait_for(lambda: self.sent > 5 or self.trouble, what="mail to flow")
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.join()

    def run(self):
        try:
            while not self.enough.wait(0.005):
                self.relay.send(MESSAGE)
                self.sent += 1
        except Exception as trouble:
            self.trouble = trouble

    def goes_on(self, messages=20):
        """So many more are taken."""
        wanted = self.sent + messages
        wait_for(lambda: self.sent >= wanted or self.trouble, what="mail to go on")


class KeyLoss(unittest.TestCase):
    def setUp(self):
        self.sink = Sink()
        self.relay = Relay(self.sink.port, config={
            "arc": {"domain": "relay.test", "selector": "rsa", "file": "arc.pem"}})
        shutil.copy(self.relay.path("rsa.pem"), self.relay.path("arc.pem"))
        self.records = dict(self.relay.records)

    def tearDown(self):
        self.relay.stop()
        self.relay.remove()
        self.sink.stop()

    def selectors_of(self, content):
        """s= of our signatures, each of which must hold."""
        fields = fields_of(content, "DKIM-Signature")
        for index in range(len(fields)):
            self.assertTrue(dkim.DKIM(content).verify(idx=index, dnsfunc=self.record), fields[index])
        return tuple(re.search(r"\bs=([^;]*);", field).group(1) for field in fields)

    def record(self, name, **_):
        return self.records[name.decode().rstrip(".")].encode()

    def arrived(self, number):
        wait_for(lambda: len(self.sink.messages) >= number, timeout=60, what=f"{number} deliveries")
        return self.sink.messages

    def refusals_to_reload(self):
        return [e for e in self.relay.events("reload") if not e["applied"]]

    def test_a_lost_key_is_told_and_all_mail_still_leaves_signed(self):
        """The reload is refused, the keys in memory sign on."""
        kept = b""
        self.sink.start()
        self.relay.start()
        losses = {
            "removed": lambda path: None,
            "a folder": os.mkdir,
            "empty": lambda path: self.write(path, b""),
            "garbage": lambda path: self.write(path, os.urandom(2000)),
            "half of it": lambda path: self.write(path, kept[:len(kept) // 2]),
            "open to everybody": lambda path: self.write(path, kept, 0o644),
        }
        with Load(self.relay) as load:
            for name in ("rsa.pem", "ed25519.pem", "arc.pem"):
                path = self.relay.path(name)
                with open(path, "rb") as f:
                    kept = f.read()
                for loss, make in losses.items():
                    os.remove(path)
                    make(path)
                    with self.subTest(key=name, loss=loss):
                        self.reload_is_refused(name)
                        load.goes_on(5)
                    if os.path.isdir(path):
                        os.rmdir(path)
                    self.write(path, kept)
            self.assertEqual(self.relay.cli("reload").returncode, 0, "all keys are back")
            load.goes_on(5)
        self.assertIsNone(load.trouble)
        for got in self.arrived(load.sent):
            self.assertEqual(self.selectors_of(got.content), ("ed25519", "rsa"))

    def write(self, path, octets, mode=0o600):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as f:
            f.write(octets)
        os.chmod(path, mode)

    def reload_is_refused(self, key_file):
        """By both ways of asking for it; answer and log say which key it is."""
        named = "arc" if key_file == "arc.pem" else key_file
        before = len(self.refusals_to_reload())
        self.relay.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(self.refusals_to_reload()) > before, what="the refusal in the log")
        event = self.refusals_to_reload()[-1]
        self.assertEqual(event["level"], "error", event)
        self.assertIn(named, " ".join(event["problems"]))
        answer = self.relay.cli("reload")
        self.assertEqual(answer.returncode, 4, answer.stdout)
        self.assertIn(named, answer.stdout + answer.stderr)

    def test_no_start_without_a_key_and_the_queue_waits(self):
        self.relay.start()  # the next hop is down
        self.relay.send(MESSAGE)
        wait_for(lambda: self.relay.events("attempt"), what="an attempt")
        self.relay.stop()
        path = self.relay.path("rsa.pem")
        os.rename(path, path + ".away")
        with self.assertRaisesRegex(AssertionError, r"(?s)did not start: .*rsa\.pem"):
            self.relay.start()
        self.relay.log.close()
        self.assertNotEqual(self.relay.process.returncode, 0)
        self.assertEqual(self.sink.messages, [])
        os.rename(path + ".away", path)
        self.sink.start()
        self.relay.start()
        got = self.arrived(1)[0]
        self.assertEqual(self.selectors_of(got.content), ("ed25519", "rsa"))
        wait_for(self.relay.is_empty, what="an empty queue")

    def rotate(self):
        """A new RSA key under a new selector takes the place of the old one; both are published."""
        made = subprocess.run([BINARY, "--json", "dkim", "new", "--domain", self.relay.srs, "--selector", "next",
                               "--type", "rsa", "--out", self.relay.path("next.pem")],
                              check=True, capture_output=True, text=True).stdout
        record = json.loads(made)
        self.records[record["name"]] = record["value"]
        keys = [{"selector": "ed25519", "file": "ed25519.pem"}, {"selector": "next", "file": "next.pem"}]
        self.relay.config = {"dkim": [{"domain": self.relay.srs, "keys": keys}]}
        self.relay.write_config()
        os.remove(self.relay.path("rsa.pem"))
        answer = self.relay.cli("reload")
        self.assertEqual(answer.returncode, 0, answer.stdout)

    def test_a_rotation_under_load_leaves_nothing_unsigned(self):
        self.sink.start()
        self.relay.start()
        with Load(self.relay) as load:
            load.goes_on(30)
            self.rotate()
            load.goes_on(1)  # was perhaps under way
            before = load.sent
            load.goes_on(30)
        self.assertIsNone(load.trouble)
        used = [self.selectors_of(got.content) for got in self.arrived(load.sent)]
        self.assertEqual(len(used), load.sent)
        self.assertEqual(set(used), {("ed25519", "rsa"), ("ed25519", "next")})
        self.assertGreaterEqual(used.count(("ed25519", "next")), load.sent - before)

    def test_queued_mail_keeps_the_signature_that_it_was_accepted_with(self):
        self.relay.start()  # the next hop is down
        for _ in range(5):
            self.relay.send(MESSAGE)
        wait_for(lambda: self.relay.events("attempt"), what="an attempt")
        self.rotate()
        self.relay.send(MESSAGE)
        self.sink.start()
        used = [self.selectors_of(got.content) for got in self.arrived(6)]
        self.assertEqual(sorted(used), [("ed25519", "next")] + [("ed25519", "rsa")] * 5)

    def test_signatures_expire_after_a_week(self):
        self.sink.start()
        self.relay.start()
        self.relay.send(MESSAGE)
        for field in fields_of(self.arrived(1)[0].content, "DKIM-Signature"):
            signed, expires = (int(re.search(rf"\b{tag}=(\d+);", field).group(1)) for tag in "tx")
            self.assertEqual(expires - signed, 7 * 86400)
            self.assertLess(abs(signed - time.time()), 60)


if __name__ == "__main__":
    unittest.main()
