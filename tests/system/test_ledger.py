"""The ledger: its checker sees every kind of trouble, and a short kill campaign has none."""

import os
import socket
import unittest

from .harness import MESSAGE, Relay, Sink, wait_for
from .ledger import checker, kill, messages, verbs
from .ledger.generator import Entry


class Ledger(unittest.TestCase):
    def setUp(self):
        self.entries = {}
        self.arrivals = []

    def sent(self, number, *recipients, acked=True, sends=1):
        """Recipients, or one dictionary with the domain of each."""
        recipients = recipients[0] if isinstance(recipients[0], dict) else list(recipients)
        entry = Entry(messages.Message(number, recipients, b"body\r\n"))
        entry.acked_at = 1.0 if acked else None
        entry.whole_sends = sends
        self.entries[number] = entry

    def arrived(self, number, *recipients, t=2.0, whole=True):
        self.arrivals.append({"id": number, "to": [r + "@dest.test" for r in recipients],
                              "whole": whole, "t": t})

    def told(self, number, *failed, t=3.0):
        self.arrivals.append({"dsn_for": number, "to": ["s@sender.test"], "failed": list(failed),
                              "t": t})

    def report(self, interruptions=(), queued=0, **more):
        return checker.check(self.entries, self.arrivals, list(interruptions), queued, **more)

    def assertTrouble(self, kind, **options):
        report = self.report(**options)
        self.assertEqual(report[kind], 1, report)
        self.assertFalse(report["pass"])


class Checker(Ledger):
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

    def test_a_possible_duplicate_of_the_log_explains_that_copy_alone(self):
        self.sent(1, "ok.1", "ok.1b")
        for local in ("ok.1", "ok.1b"):
            self.arrived(1, local, t=2)
            self.arrived(1, local, t=9)
        log = checker.LogView([self.attempt("ok.1", "deferred", possible_duplicate=True)])
        report = self.report(log=log)
        self.assertEqual((report["duplicates_explained"], report["duplicates_unexplained"]), (1, 1), report)

    def attempt(self, local, outcome, second=0, **more):
        return {"event": "attempt", "msg_id": None, "target": f"{local}@dest.test", "outcome": outcome,
                "ts": f"1970-01-01T00:00:0{second}Z", **more}

    def test_told_twice(self):
        self.sent(1, "bad.1")
        self.told(1, "bad.1", t=3)
        self.told(1, "bad.1", t=9)
        self.assertTrouble("told_twice")

    def test_a_debt_that_is_not_paid_in_time(self):
        self.sent(1, "bad.1")
        self.told(1, "bad.1", t=95)
        log = checker.LogView([self.attempt("bad.1", "failed", 4)])
        self.assertTrouble("unpaid", log=log)
        log = checker.LogView([self.attempt("bad.1", "failed", 6)])
        self.assertTrue(self.report(log=log)["pass"])

    def test_mail_that_waited_for_others(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1", t=9)
        self.assertTrouble("stalled", prompt=({"ok.1"}, 7))
        self.assertTrue(self.report(prompt=({"ok.1"}, 8))["pass"])

    def test_a_command_out_of_order(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1")
        self.arrivals.append({"wrong": "MAIL FROM:<>", "t": 1.0})
        self.assertTrouble("wrong_sequence")


class Orders(Ledger):
    """Copies that left although the operator had been told that they would not."""

    def ordered(self, verb, answered, *copies, changed=1, under_way=0):
        return verbs.Order(verb, ("x",), set(copies), answered - 0.1, answered, changed, under_way)

    def test_what_is_held_leaves_after_its_release(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1", t=9)
        hold = self.ordered("hold", 5, (1, "ok.1"))
        self.assertTrouble("left_while_held", orders=[hold])
        self.assertTrouble("left_while_held", orders=[hold, self.ordered("retry", 8, (1, "ok.1"))])
        self.assertTrue(self.report(orders=[hold, self.ordered("release", 8, (1, "ok.1"))])["pass"])

    def test_only_what_was_under_way_may_leave(self):
        self.sent(1, "ok.1", "ok.1b")
        self.arrived(1, "ok.1", t=9)
        copies = ((1, "ok.1"), (1, "ok.1b"))
        drop = self.ordered("drop", 5, *copies, changed=2, under_way=1)
        report = self.report(orders=[drop])
        self.assertTrue(report["pass"], report)
        self.assertEqual(report["dropped"], 1)
        self.arrived(1, "ok.1b", t=9)
        self.assertTrouble("left_after_drop", orders=[drop])

    def test_a_drop_explains_as_many_as_it_changed(self):
        self.sent(1, "ok.1", "ok.1b")
        drop = self.ordered("drop", 5, (1, "ok.1"), (1, "ok.1b"), changed=1)
        self.assertTrouble("lost", orders=[drop])

    def test_a_bounce_tells_of_good_mail(self):
        self.sent(1, "ok.1")
        self.told(1, "ok.1")
        self.assertTrouble("wrong_recipient")
        bounce = self.ordered("bounce", 5, (1, "ok.1"))
        report = self.report(orders=[bounce])
        self.assertTrue(report["pass"], report)
        self.assertEqual(report["bounced"], 1)
        self.told(1, "ok.1", t=9)
        self.assertTrouble("told_twice", orders=[bounce])

    def test_what_is_bounced_is_told_of_or_was_under_way(self):
        self.sent(1, "ok.1")
        self.assertTrouble("lost", orders=[self.ordered("bounce", 5, (1, "ok.1"))])
        self.arrived(1, "ok.1", t=9)
        self.assertTrouble("left_after_bounce", orders=[self.ordered("bounce", 5, (1, "ok.1"))])
        self.assertTrue(self.report(orders=[self.ordered("bounce", 5, (1, "ok.1"), under_way=1)])["pass"])

    def test_who_is_told_of_a_bounce_did_not_get_it(self):
        self.sent(1, "ok.1")
        self.arrived(1, "ok.1", t=4)
        self.told(1, "ok.1", t=6)
        self.assertTrouble("left_after_bounce", orders=[self.ordered("bounce", 5, (1, "ok.1"))])
        self.assertTrue(self.report(orders=[self.ordered("bounce", 5, (1, "ok.1"), under_way=1)])["pass"])

    def test_what_is_paused_leaves_after_resume(self):
        self.sent(1, {"ok.1": "f1.test", "ok.1b": "f2.test"})
        self.entries[1].acked_at = 6
        pause = verbs.Order("pause", ("domain:f1.test",), set(), 4.9, 5.0)
        resume = verbs.Order("resume", ("domain:f1.test",), set(), 8.0, 8.1)
        self.arrived(1, "ok.1b", t=7)
        self.arrived(1, "ok.1", t=9)
        self.assertTrouble("left_while_paused", orders=[pause])
        self.assertTrue(self.report(orders=[pause, resume])["pass"])
        self.entries[1].acked_at = 5.2  # it may have been under way
        self.assertTrue(self.report(orders=[pause])["pass"])

    def test_answers_are_read(self):
        self.assertEqual(verbs.answer_in("3 changed\n"), (3, None))
        self.assertEqual(verbs.answer_in("3 changed, 2 under way\n"), (3, 2))
        self.assertEqual(verbs.answer_of([{"v": 1, "changed": 3, "under_way": 0}]), (3, 0))
        self.assertEqual(verbs.answer_of([{"v": 1, "error": "no"}]), (0, None))


class Resending(unittest.TestCase):
    """The client whose 250 was lost sends again, and there is one copy."""

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
        # The reply was read this time, and an equal message is another message.
        self.assertNotEqual(relay.send(MESSAGE + b"more\r\n"), number)
        sink.start()
        self.addCleanup(sink.stop)
        wait_for(lambda: len(sink.messages) == 2, what="delivery of both")
        wait_for(relay.is_empty, what="an empty queue")
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
