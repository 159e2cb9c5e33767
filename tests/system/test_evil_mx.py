"""Next hops that misbehave at every step in every way, plain and under TLS, through the
real relay. Every recipient ends in one way: one friendly delivery or one DSN."""

import hashlib
import re
import resource
import shutil
import tempfile
import time
import unittest

from .evil_mx import ACTIONS, STEPS, EvilHosts, all_cases
from .harness import Relay, Sink, wait_for
from .scripted import make_certificate

# A refusal for good at these steps is a verdict on the message; before them, on the connection.
FINAL = {"MAIL": ("a", "b"), "RCPT1": ("a",), "RCPT2": ("b",), "DATA": ("a", "b"), "dot": ("a", "b")}


def message_of(case):
    body = b"".join(b"line %d of %d\r\n.dots\r\n" % (i, case.number) for i in range(50))
    head = f"From: ann@sender.test\r\nX-Case: {case.number}\r\nX-Hash: {hashlib.sha256(body).hexdigest()}\r\n\r\n"
    return head.encode() + body


class EvilMx(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
        cls.folder = tempfile.mkdtemp(prefix="srs-relay-evil-")
        cls.cases = all_cases()
        cls.hosts = EvilHosts(cls.cases, make_certificate(cls.folder, "evil.test"))
        cls.sink = Sink().start()  # takes the DSNs
        routes = [{"match": f"c{c.number}.test", "via": [f"smtp://127.0.0.1:{c.port}"],
                   "tls": ("require" if c.secure else "auto") if c.offers_tls else "none"} for c in cls.cases]
        routes.append({"match": "*", "via": [f"smtp://127.0.0.1:{cls.sink.port}"]})
        # An attempt is cut short, so that silence costs seconds.
        cls.relay = Relay(cls.sink.port,
                          aliases={f"c{c.number}": [f"a@c{c.number}.test", f"b@c{c.number}.test"]
                                   for c in cls.cases},
                          config={"route": routes, "limits": {"per_ip": 1000}, "queue": {"redact_target": False},
                                  "outbound": {"attempt_timeout": "3s", "max_connections": 400}})
        cls.relay.start()
        for case in cls.cases:
            cls.relay.send(message_of(case), to=[f"c{case.number}@fwd.test"])
        end = time.monotonic() + 150
        while not cls.relay.is_empty() and time.monotonic() < end:
            time.sleep(0.3)
        cls.left = cls.relay.rows()
        cls.status = cls.relay.cli("status").stdout
        cls.dsns = {}
        for dsn in cls.sink.messages:
            number = int(re.search(rb"X-Case: (\d+)", dsn.content).group(1))
            failed = re.findall(rb"Final-Recipient: rfc822; ?([ab])@c", dsn.content)
            cls.dsns.setdefault(number, []).extend(f.decode() for f in failed)
        cls.code = cls.relay.stop()

    @classmethod
    def tearDownClass(cls):
        cls.relay.remove()
        cls.hosts.stop()
        cls.sink.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def test_there_are_300_cases_and_each_host_was_called(self):
        self.assertEqual(len(self.cases), len(STEPS) * len(ACTIONS) * 2)
        self.assertEqual(len(self.cases), 300)
        self.assertEqual([c.name for c in self.cases if c.connections == 0], [])
        # Where the relay wants no TLS, or gives up before, a step may never be reached.
        idle = [c.name for c in self.cases if not c.happened and c.action != "early-reply"]
        self.assertEqual(idle, [])

    def test_the_queue_is_empty_and_the_relay_is_well(self):
        self.assertEqual(self.left, [])
        self.assertEqual(self.code, 0)
        self.assertIn("crashed tasks 0  stuck 0", self.status)

    def test_every_recipient_comes_to_one_end(self):
        for case in self.cases:
            with self.subTest(case.name):
                refused = FINAL.get(case.step, ()) if case.action == "5xx" else ()
                self.assertEqual(sorted(self.dsns.get(case.number, [])), sorted(refused))
                for name in ("a", "b"):
                    address = f"{name}@c{case.number}.test"
                    taken = sum(address in recipients for recipients, _ in case.taken)
                    unsure = sum(address in recipients for recipients, _ in case.unsure)
                    self.assertLessEqual(taken, 1, "twice")
                    if name in refused:
                        self.assertEqual(taken + unsure, 1 if case.step == "dot" and unsure else 0)
                    else:
                        self.assertGreaterEqual(taken + unsure, 1, "lost")

    def test_what_was_taken_is_what_was_sent(self):
        for case in self.cases:
            for _, content in case.taken + case.unsure:
                self.assertTrue(content.endswith(message_of(case)), case.name)

    def test_a_second_attempt_after_an_unknown_outcome_is_marked(self):
        """A server that took a message without saying so may get it twice, and the log says so."""
        marked = {e.get("target") for e in self.relay.events("attempt") if e.get("possible_duplicate")}
        for case in self.cases:
            if case.step == "dot" and case.action in ("reset", "half-close", "silence"):
                both = {f"{name}@c{case.number}.test" for name in "ab"}
                self.assertEqual({r for to, _ in case.unsure for r in to}, both, case.name)
                self.assertEqual({r for to, _ in case.taken for r in to}, both, case.name)
                self.assertLessEqual(both, marked, case.name)

    def test_required_tls_was_never_left_out(self):
        """Where the step of TLS itself failed and TLS is optional, the clear is allowed."""
        for case in self.cases:
            if case.step in ("STARTTLS", "handshake") and not case.secure and case.action == "reset":
                self.assertTrue(case.taken, case.name)


if __name__ == "__main__":
    unittest.main()
