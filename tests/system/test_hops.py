"""Real next hops on kept connections, in a slice: 60 messages from several senders to each, the ledger as
judge. All of them with 1,000 messages: scripts/campaign hops."""

import concurrent.futures
import json
import os
import socket
import time
import unittest

from .hops import cases, mix, run
from .hops.doorman import Doorman
from .hops.hop import Terms
from .hops.judge import Judge
from .hops.wiretap import Flow, Wiretap
from .ledger import messages
from .ledger.generator import Entry

MESSAGES = int(os.environ.get("HOPS_MESSAGES", "60"))
AT_ONCE = 4  # they mostly wait for their schedules


class Slice(unittest.TestCase):
    # The slow ones first.
    CHOSEN = ("exim-defers", "exim-connections-3", "postfix-errors-3", "opensmtpd-messages-4", "postfix-recipients-1",
              "aiosmtpd-certificate", "postfix-second-host", "opensmtpd-broken-tls-required")

    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        cls.running = {name: cls.pool.submit(run.run, cases.named(name), MESSAGES, schedule=("1s", "2s", "3s"))
                       for name in cls.CHOSEN}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()

    def judge(self, name):
        report = self.running[name].result()
        print(run.summary(report))
        self.assertTrue(report["pass"], run.summary(report) + "\n" + json.dumps(report["examples"], indent=1))

    def test_postfix_that_gives_up_after_three_errors(self):
        self.judge("postfix-errors-3")

    def test_postfix_that_takes_one_recipient_at_a_time(self):
        self.judge("postfix-recipients-1")

    def test_postfix_behind_a_host_that_has_no_time(self):
        self.judge("postfix-second-host")

    def test_exim_that_defers_at_every_stage(self):
        self.judge("exim-defers")

    def test_exim_that_takes_three_connections(self):
        self.judge("exim-connections-3")

    def test_opensmtpd_that_takes_four_messages_a_connection(self):
        self.judge("opensmtpd-messages-4")

    def test_opensmtpd_that_demands_tls_and_cannot_do_it(self):
        self.judge("opensmtpd-broken-tls-required")

    def test_aiosmtpd_that_refuses_clients_without_a_certificate_after_the_handshake(self):
        self.judge("aiosmtpd-certificate")


class Tapping(unittest.TestCase):
    def test_the_wiretap_hears_its_own_port_alone(self):
        ours, other = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        tap = Wiretap(ours.getsockname()[1]).start()
        if not tap.works:
            self.skipTest("no packet socket")
        for server in (other, ours):
            with socket.create_connection(server.getsockname()) as client, server.accept()[0] as session:
                session.sendall(b"220 here\r\n")
                client.recv(100)
                client.sendall(b"NOOP\r\n")
                session.recv(100)
            server.close()
        limit = time.monotonic() + 5
        while time.monotonic() < limit and not any(len(flow.lines) == 2 for flow in list(tap.flows.values())):
            time.sleep(0.01)
        tap.stop()
        self.assertTrue(tap.is_whole)
        self.assertEqual([flow.lines for flow in tap.flows.values()], [["S: 220 here", "C: NOOP"]])

    def test_a_wiretap_that_dropped_packets_blames_nobody(self):
        tap = Wiretap(1)
        flow = tap.flows[(2, 1)]
        flow.reply("220 here")
        flow.command("MAIL a")
        flow.reply("503 nested")
        self.assertEqual(len(tap.faults()), 1)
        tap.is_whole = False
        self.assertEqual(tap.faults(), [])


class Judging(unittest.TestCase):
    """The judge sees every kind of trouble, and none where there is none."""

    def setUp(self):
        self.entries, self.arrivals, self.events, self.complaints = {}, [], [], []
        self.aliases = mix.aliases()
        self.wire = Wiretap(1)
        self.terms = Terms()

    def sent(self, number, *recipients):
        self.entries[number] = entry = Entry(messages.Message(number, list(recipients), b"body\r\n"))
        entry.acked_at, entry.id = 1.0, f"ID{number}"

    def attempted(self, number, target, outcome, code=250, stage="rcpt", text="", **more):
        more.setdefault("ts", "1970-01-01T00:00:02Z")
        self.events.append({"event": "attempt", "msg_id": f"ID{number}", "target": f"{target}@{mix.DOMAIN}",
                            "outcome": outcome, "tls": "", "smtp": {"stage": stage, "code": code, "text": text}, **more})

    def arrived(self, number, target, t=2.0, whole=True):
        self.arrivals.append({"id": number, "to": [f"{target}@{mix.DOMAIN}"], "whole": whole, "t": t})

    def told(self, number, *aliases, t=3.0):
        self.arrivals.append({"dsn_for": number, "to": ["s@sender.example"], "failed": list(aliases), "t": t})

    def delivered(self, number, target):
        self.attempted(number, target, "delivered")
        self.arrived(number, target)

    def report(self, waits=False):
        return Judge(run.Evidence(self.entries, self.aliases, self.arrivals, self.events, self.complaints,
                                  self.wire, self.terms), waits).report()

    def assertTrouble(self, kind, waits=False):
        report = self.report(waits)
        self.assertEqual(list(report["trouble"]), [kind], report)
        self.assertFalse(report["pass"])

    def test_all_is_well(self):
        self.sent(1, "ok.1", "bad.1", "team.3")
        for target in ("ok.1", "ok.team3a", "ok.team3b"):
            self.delivered(1, target)
        self.attempted(1, "bad.1", "failed", 550)
        self.attempted(1, "bad.team3c", "failed", 550)
        self.told(1, "bad.1", "team.3")
        report = self.report()
        self.assertTrue(report["pass"], report)
        self.assertEqual((report["copies"], report["dsns"]), (5, 1))

    def test_nothing_sent_is_no_pass(self):
        self.assertFalse(self.report()["pass"])

    def test_a_copy_that_is_still_waiting(self):
        self.sent(1, "full.1")
        self.attempted(1, "full.1", "deferred", 552)
        self.assertTrouble("waiting")

    def test_delivered_by_the_log_alone(self):
        self.sent(1, "ok.1")
        self.attempted(1, "ok.1", "delivered")
        self.assertTrouble("unsent")

    def test_a_failure_without_a_dsn(self):
        self.sent(1, "bad.1")
        self.attempted(1, "bad.1", "failed", 550)
        self.assertTrouble("lost")

    def test_a_bounce_of_good_mail(self):
        self.sent(1, "ok.1")
        self.attempted(1, "ok.1", "failed", 530)
        self.told(1, "ok.1")
        self.assertTrouble("told_wrongly")

    def test_a_second_copy_is_explained_by_the_log_alone(self):
        self.sent(1, "ok.1")
        self.attempted(1, "ok.1", "deferred", 0, possible_duplicate=True)
        self.delivered(1, "ok.1")
        self.arrived(1, "ok.1", t=1.5)
        self.assertTrue(self.report()["pass"])
        self.arrived(1, "ok.1", t=1.6)
        self.assertTrouble("doubled")

    def test_a_dsn_that_does_not_wait_for_what_is_open(self):
        self.sent(1, "bad.1", "ok.1")
        self.attempted(1, "bad.1", "failed", 550, ts="1970-01-01T00:00:02Z")
        self.attempted(1, "ok.1", "delivered", ts="1970-01-01T00:01:30Z")
        self.arrived(1, "ok.1")
        self.told(1, "bad.1", t=62)
        self.assertTrue(self.report()["pass"])
        self.arrivals.pop()
        self.told(1, "bad.1", t=50)
        self.assertTrouble("hasty")

    def test_one_failure_told_twice(self):
        self.sent(1, "bad.1")
        self.attempted(1, "bad.1", "failed", 550)
        self.told(1, "bad.1", t=3.0)
        self.told(1, "bad.1", t=100.0)
        self.assertTrouble("told_twice")

    def test_an_end_where_there_can_be_none(self):
        self.sent(1, "ok.1")
        self.attempted(1, "ok.1", "deferred", 0)
        self.assertTrue(self.report(waits=True)["pass"])
        self.attempted(1, "ok.1", "failed", 530)
        self.assertTrouble("ended", waits=True)
        self.events.clear()
        self.assertTrouble("lost", waits=True)  # not even tried

    def test_a_refusal_in_the_clear_where_tls_failed_is_put_off(self):
        self.terms = Terms(tls="certificate")
        self.sent(1, "bad.1")
        self.attempted(1, "bad.1", "deferred", 550)
        self.assertTrue(self.report()["pass"])
        self.attempted(1, "bad.1", "failed", 550)
        self.told(1, "bad.1")
        self.assertTrouble("ended")

    def test_mail_in_the_clear_where_tls_is_required(self):
        self.terms = Terms(tls="required")
        self.sent(1, "ok.1")
        self.delivered(1, "ok.1")
        self.assertTrouble("secrecy")

    def test_a_503_in_the_log_of_either_side(self):
        self.sent(1, "ok.1")
        self.attempted(1, "ok.1", "deferred", 503)
        self.delivered(1, "ok.1")
        self.assertTrouble("protocol")
        self.events.pop(0)
        self.complaints = ["warning: improper command pipelining"]
        self.assertTrouble("complaints")

    def test_connections_that_are_refused_again_and_again(self):
        for number in range(60):
            self.sent(number, "ok.1")
            self.attempted(number, "ok.1", "deferred", 421, "banner", "Too many concurrent SMTP connections")
            self.delivered(number, "ok.1")
        self.assertTrouble("busy")

    def test_good_recipients_that_pay_for_the_errors_of_others(self):
        for number in range(60):
            self.sent(number, "ok.1", "bad.1")
            self.attempted(number, "bad.1", "failed", 550)
            self.told(number, "bad.1")
            if number < 4:
                self.attempted(number, "ok.1", "deferred", 421, "rcpt", "4.7.0 Error: too many errors")
            self.delivered(number, "ok.1")
        self.assertTrouble("bystanders")


class Listening(unittest.TestCase):
    """The wiretap tells a 503 that is our fault from one that pipelining explains."""

    @staticmethod
    def heard(*lines):
        flow = Flow()
        sequence = {"C": 0, "S": 0}
        for line in ("S220 mx", "CEHLO a", "S250-mx", "S250 PIPELINING", *lines):
            who, text = line[0], line[1:].encode() + b"\r\n"
            flow.add(who, sequence[who], text)
            sequence[who] += len(text)
        return flow

    def test_a_nested_mail_is_our_fault(self):
        self.assertEqual(len(self.heard("CMAIL a", "S250 ok", "CMAIL b", "S503 nested").faults), 1)

    def test_data_behind_refused_recipients_is_nobodys_fault(self):
        envelope = ("CMAIL a", "CRCPT b", "CDATA", "S250 ok", "S450 not now", "S503-because", "S503 no recipients")
        self.assertEqual(self.heard(*envelope).faults, [])

    def test_data_behind_a_taken_recipient_is(self):
        envelope = ("CMAIL a", "CRCPT b", "CDATA", "S250 ok", "S250 ok", "S503 what")
        self.assertEqual(len(self.heard(*envelope).faults), 1)

    def test_content_is_no_command(self):
        flow = self.heard("CMAIL a", "CRCPT b", "CDATA", "S250 ok", "S250 ok", "S354 go", "CMAIL in the text", "C.",
                          "S250 taken", "CMAIL c", "S250 ok")
        self.assertEqual(flow.faults, [])
        self.assertEqual(flow.lines[-1], "S: 250 ok")

    def test_what_is_sent_once_more_is_heard_once(self):
        flow = Flow()
        for _ in range(2):
            flow.add("S", 7, b"220 mx\r\n")
        self.assertEqual(flow.lines, ["S: 220 mx"])


class Deciding(unittest.TestCase):
    def test_greylisted_recipients_are_taken_later_and_full_ones_never(self):
        doorman = Doorman(Terms())
        self.assertTrue(doorman.at_rcpt("s", "grey.1@hop.test").startswith("450"))
        self.assertTrue(doorman.at_rcpt("s", "tight.1@hop.test").startswith("452 4.2.2"))
        self.assertIsNone(doorman.at_rcpt("s", "tight.1@hop.test"))
        self.assertIsNone(doorman.at_rcpt("s", "ok.1@hop.test"))
        doorman.first_seen[("s", "grey.1@hop.test")] = time.monotonic() - 2
        self.assertIsNone(doorman.at_rcpt("s", "grey.1@hop.test"))
        for _ in range(3):
            self.assertTrue(doorman.at_rcpt("s", "full.1@hop.test").startswith("552 5.2.2"))

    def test_the_same_seed_defers_the_same_commands(self):
        terms = Terms(defers={"mail": 0.5})
        one, two, other = ([bool(d.at_stage("mail")) for _ in range(40)]
                           for d in (Doorman(terms, 1), Doorman(terms, 1), Doorman(terms, 2)))
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)


if __name__ == "__main__":
    unittest.main()
