"""The ledger: its checker sees every kind of trouble, and a short kill campaign has none."""

import os
import socket
import unittest

from .harness import MESSAGE, Relay, Sink, wait_for
from .ledger import checker, kill, messages
from .ledger.generator import Entry


class Checker(unittest.TestCase):
    def setUp(self):
        self.entries = {}
        self.arrivals = []

    def sent(self, number, *recipients, acked=True, sends=1):
        entry = Entry(messages.Message(number, list(recipients), b"body\r\n"))
        entry.acked_at = 1.0 if acked else None
        entry.whole_sends = sends
        self.entries[number] = entry

    def arrived(self, number, *recipients, t=2.0, whole=True):
        self.arrivals.append({"id": number, "to": [r + "@dest.test" for r in recipients],
                              "whole": whole, "t": t})

    def told(self, number, *failed, t=3.0):
        self.arrivals.append({"dsn_for": number, "to": ["s@sender.test"], "failed": list(failed),
                              "t": t})

    def report(self, interruptions=(), queued=0):
        return checker.check(self.entries, self.arrivals, list(interruptions), queued)

    def assertTrouble(self, kind, **options):
        report = self.report(**options)
        self.assertEqual(report[kind], 1, report)
        self.assertFalse(report["pass"])

    def test_all_is_well(self):
        self.sent(1, "ok.1", "bad.1")
        self.arrived(1, "ok.1")
        self.told(1, "bad.1")
        self.sent(2, "ok.2", acked=False)  # nobody owes it
        self.assertTrue(self.report()["pass"])

    def test_an_empty_run_is_no_pass(self):
        self.assertFalse(self.report()["pass"])

    def test_lost(self):
        self.sent(1, "ok.1", "ok.1b")
        self.arrived(1, "ok.1")
        self.assertTrouble("lost")

    def test_a_missing_dsn_is_a_loss(self):
        self.sent(1, "ok.1", "bad.1")
        self.arrived(1, "ok.1")
        self.assertTrouble("lost")

    def test_unexplained_duplicate(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1", t=2)
        self.arrived(1, "ok.1", t=9)
        self.assertTrouble("duplicates_unexplained")

    def test_a_kill_in_between_explains_one_duplicate_and_not_two(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1", t=2)
        self.arrived(1, "ok.1", t=9)
        self.assertTrue(self.report(interruptions=[5])["pass"])
        self.assertFalse(self.report(interruptions=[12])["pass"])
        self.arrived(1, "ok.1", t=10)
        self.assertFalse(self.report(interruptions=[5])["pass"])

    def test_a_lost_250_explains_a_duplicate(self):
        self.sent(1, "ok.1", sends=2)
        self.arrived(1, "ok.1", t=2)
        self.arrived(1, "ok.1", t=9)
        self.assertTrue(self.report()["pass"])

    def test_corrupt(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1", whole=False)
        self.assertTrouble("corrupt")

    def test_ghost(self):
        self.sent(1, "ok.1", acked=False, sends=0)
        self.arrived(1, "ok.1")
        self.sent(2, "ok.2")
        self.arrived(2, "ok.2")
        self.assertTrouble("ghosts")

    def test_wrong_recipient(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1", "ok.2")
        self.assertTrouble("wrong_recipient")

    def test_late(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1")
        self.assertTrouble("late", queued=1)


class Resending(unittest.TestCase):
    """Contract C2: the client whose 250 was lost sends again, and there is one copy."""

    def send_and_vanish(self, relay):
        """Everything up to the dot; then gone without hearing the reply."""
        with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as s:
            reader = s.makefile("rb")
            for line in (b"", b"EHLO client.test\r\n", b"MAIL FROM:<ann@sender.test>\r\n",
                         b"RCPT TO:<user@fwd.test>\r\n", b"DATA\r\n"):
                s.sendall(line)
                while reader.readline()[3:4] == b"-":
                    pass
            s.sendall(MESSAGE.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            wait_for(lambda: relay.events("received"), what="the message to be accepted")

    def test_in_the_same_run_and_after_a_crash(self):
        sink = Sink()  # down: the message waits
        relay = Relay(sink.port).start()
        self.addCleanup(relay.remove)
        self.send_and_vanish(relay)
        number = relay.events("received")[0]["msg_id"]
        self.assertEqual(relay.send(MESSAGE), number)
        relay.kill()
        relay.start()
        self.assertEqual(relay.send(MESSAGE), number, "known again after a crash")
        self.assertEqual(len(relay.rows()), 1)
        self.assertEqual({e["msg_id"] for e in relay.events("resent")}, {number})
        # Heard now, and another message is another message.
        self.assertNotEqual(relay.send(MESSAGE + b"more\r\n"), number)
        sink.start()
        self.addCleanup(sink.stop)
        wait_for(lambda: len(sink.messages) == 2, what="delivery of both")
        wait_for(lambda: not relay.rows(), what="an empty queue")
        self.assertEqual(len(sink.messages), 2)


class KillNine(unittest.TestCase):
    def test_acknowledged_mail_survives(self):
        kills = int(os.environ.get("KILLS", "20"))
        report = kill.campaign(kills, 150 * kills, seed=7, gaps=(0.2, 0.8))
        print(checker.summary(report))
        self.assertTrue(report["pass"], report)

    def test_and_so_does_mail_that_is_verified(self):
        report = kill.campaign(6, 600, seed=8, gaps=(0.2, 0.8), verify=True)
        print(checker.summary(report))
        self.assertTrue(report["pass"], report)
        self.assertGreater(report["dsns"], 0, "which only authenticated senders get")
