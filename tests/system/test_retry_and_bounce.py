"""A next hop that does not take mail: retries, DSNs, the way back through SRS."""

import json
import smtplib
import unittest

from .harness import MESSAGE, Relay, Sink, free_port, wait_for


class Retrying(unittest.TestCase):
    def setUp(self):
        self.sink = Sink()
        self.relay = None

    def tearDown(self):
        self.sink.stop()
        if self.relay:
            self.relay.remove()

    def relayed(self, **options):
        self.relay = Relay(self.sink.port, **options).start()
        return self.relay

    def test_next_hop_down_then_up_delivers_once(self):
        relay = self.relayed()
        relay.send(MESSAGE)
        wait_for(lambda: relay.events("attempt"), what="an attempt")
        self.assertEqual(relay.rows()[0]["state"], "waiting")
        self.sink.start()
        wait_for(lambda: self.sink.messages, what="delivery after the retry")
        wait_for(relay.is_empty, what="an empty queue")
        self.assertEqual(len(self.sink.messages), 1)

    def test_4xx_at_every_stage_is_retried(self):
        for stage in ("MAIL", "RCPT", "DATA"):
            with self.subTest(stage):
                self.sink.replies = {stage: ["451 4.3.0 not now"]}
                self.sink.messages.clear()
                if self.relay is None:
                    self.sink.start()
                    self.relayed()
                self.relay.send(MESSAGE)
                wait_for(lambda: self.sink.messages, what="delivery after " + stage)
                self.assertEqual(len(self.sink.messages), 1)
                deferred = [e for e in self.relay.events("attempt") if e["outcome"] == "deferred"]
                self.assertEqual(deferred[-1]["smtp"]["code"], 451)

    def test_first_attempts_that_are_put_off_bounce_nothing(self):
        """A greylisting hop sees message after message fail on one connection, none taken between."""
        seen = set()

        def greylist(address):
            if address in seen:
                return None
            seen.add(address)
            return "450 4.2.0 greylisted, come again"

        self.sink.replies = {"RCPT": greylist}
        self.sink.start()
        names = [f"u{i}" for i in range(10)]
        relay = self.relayed(aliases={name: [name + "@dest.test"] for name in names})
        for name in names:
            relay.send(MESSAGE, to=[name + "@fwd.test"])
        wait_for(lambda: len(self.sink.messages) >= 10 and relay.is_empty(), what="all of them")
        self.assertEqual(sorted(m.rcpt_tos[0] for m in self.sink.messages),
                         sorted(name + "@dest.test" for name in names))
        self.assertEqual([e for e in relay.events("attempt") if e["smtp"]["code"] == 503], [])
        self.assertEqual(relay.events("dsn"), [])

    def test_the_queue_survives_a_restart(self):
        relay = self.relayed()
        relay.send(MESSAGE)
        wait_for(lambda: relay.events("attempt"), what="an attempt")
        relay.kill()
        self.sink.start()
        relay.start()
        wait_for(lambda: self.sink.messages, what="delivery after the restart")

    def test_queue_verbs(self):
        relay = self.relayed()
        number = relay.send(MESSAGE)
        wait_for(lambda: relay.events("attempt"), what="an attempt")
        why = relay.cli("queue", "why", number[:20])
        self.assertEqual(why.returncode, 0, why.stderr)
        self.assertIn("target@dest.test", why.stdout)
        self.assertIn("refused", why.stdout)
        self.assertEqual(relay.cli("queue", "hold", number).returncode, 0)
        wait_for(lambda: relay.rows()[0]["state"] == "held", what="held")
        self.sink.start()
        self.assertEqual(relay.cli("queue", "drop", number).returncode, 2)  # no reason given
        self.assertEqual(relay.cli("queue", "hold", "all").returncode, 7)   # no --yes given
        self.assertEqual(self.sink.messages, [])
        self.assertEqual(relay.cli("queue", "release", number).returncode, 0)
        wait_for(lambda: self.sink.messages, what="delivery after release")
        self.assertEqual(relay.cli("queue", "why", number).returncode, 5)
        self.assertEqual(relay.cli("status").returncode, 0)


class Bouncing(unittest.TestCase):
    def tearDown(self):
        for thing in self.things:
            thing.stop()
        for relay in self.relays:
            relay.remove()

    def setUp(self):
        self.things, self.relays = [], []

    def sink(self, **options):
        self.things.append(Sink(**options).start())
        return self.things[-1]

    def relay(self, *args, **options):
        self.relays.append(Relay(*args, **options).start())
        return self.relays[-1]

    def test_a_5xx_becomes_a_dsn_to_the_true_sender_without_the_target(self):
        def refuse(address):
            return "550 5.1.1 <target@dest.test> unknown" if address.endswith("@dest.test") else None
        for stage in ("RCPT", "DATA"):
            with self.subTest(stage):
                sink = self.sink(replies={stage: refuse})
                relay = self.relay(sink.port)
                relay.send(MESSAGE)
                wait_for(lambda: sink.messages, what="the DSN")
                dsn = sink.messages[0]
                self.assertEqual(dsn.mail_from, "")
                self.assertEqual(dsn.rcpt_tos, ["ann@sender.test"])
                self.assertIn(b"multipart/report", dsn.content)
                self.assertIn(b"Final-Recipient: rfc822;user@fwd.test", dsn.content)
                self.assertIn(b"Status: 5.1.1", dsn.content)
                self.assertNotIn(b"target@dest.test", dsn.content)
                self.assertNotIn(b"dest.test", dsn.content)
                wait_for(relay.is_empty, what="an empty queue")

    def test_the_null_sender_never_bounces(self):
        sink = self.sink(replies={"RCPT": lambda a: "550 5.1.1 no" if "dest" in a else None})
        relay = self.relay(sink.port)
        relay.send(MESSAGE, sender="")
        wait_for(lambda: relay.is_empty() and relay.events("attempt"), what="the end of it")
        self.assertEqual(sink.messages, [])

    def test_expiry_bounces_after_a_last_attempt(self):
        sender_side = self.sink()
        relay = self.relay(None, routes=[("sender.test", sender_side.port), ("*", free_port())],
                           config={"queue": {"expire": "3s"}})
        relay.send(MESSAGE)
        wait_for(lambda: sender_side.messages, what="the DSN")
        self.assertIn(b"Status: 5.4.7", sender_side.messages[0].content)

    def test_a_bounce_to_an_srs_address_goes_to_the_original_sender(self):
        sink = self.sink()
        relay = self.relay(sink.port)
        relay.send(MESSAGE)
        wait_for(lambda: sink.messages, what="delivery")
        srs = sink.messages.pop().mail_from
        relay.send(b"From: mailer@dest.test\r\nSubject: bounce\r\n\r\nno\r\n", sender="", to=[srs])
        wait_for(lambda: sink.messages, what="the bounce")
        self.assertEqual(sink.messages[0].rcpt_tos, ["ann@sender.test"])
        self.assertEqual(sink.messages[0].mail_from, "")
        forged = srs.replace("=ann@", "=bob@")
        for sender, rcpt in (("", forged), ("x@y.test", srs)):
            with self.assertRaises(smtplib.SMTPResponseException) as refused:
                relay.send(MESSAGE, sender=sender, to=[rcpt])
            self.assertEqual(refused.exception.smtp_code, 550)

    def test_a_sender_whom_nobody_can_answer_is_forwarded_and_his_bounce_ends_here(self):
        sink = self.sink(replies={"RCPT": lambda a: "550 5.1.1 no" if a.startswith("nobody@") else None})
        relay = self.relay(sink.port, aliases={"user": ["target@dest.test"], "gone": ["nobody@dest.test"]})
        for sender in ("root@localhost", "cron@[192.0.2.1]"):
            with self.subTest(sender):
                before = len(sink.messages)
                message = relay.send(MESSAGE, sender=sender)
                wait_for(lambda: len(sink.messages) > before, what="delivery")
                made = sink.messages[-1].mail_from
                self.assertTrue(made.startswith("srsm="), made)
                self.assertIn(message, relay.cli("srs", "explain", made).stdout.upper())
                relay.send(MESSAGE, sender="", to=[made])
                ended = wait_for(lambda: [e for e in relay.events("discarded") if e["alias"] == made],
                                 what="the end of the bounce")
                taken = [e for e in relay.events("received") if e["msg_id"] == ended[0]["msg_id"]]
                self.assertIn(message, json.dumps(taken), "the log says whose bounce it was")
                wait_for(relay.is_empty, what="an empty queue")
                self.assertEqual(len(sink.messages), before + 1)
        # A failure of our own is not reported to the null sender either.
        relay.send(MESSAGE, to=["gone@fwd.test"], sender="root@localhost")
        wait_for(lambda: relay.events("suppressed"), what="a line that says so")
        wait_for(relay.is_empty, what="an empty queue")

    def test_senders_beyond_their_quota_leave_under_the_address_of_the_message(self):
        sink = self.sink()
        relay = self.relay(sink.port, config={"srs": {"stored_per_client": 2}})
        for number in range(4):
            relay.send(MESSAGE, sender=f"{'l' * 60}{number}@sender.test")
        wait_for(lambda: len(sink.messages) == 4, what="delivery")
        forms = sorted(m.mail_from[:5] for m in sink.messages)
        self.assertEqual(forms, ["srsm=", "srsm=", "srst=", "srst="])
        wait_for(lambda: len(relay.events("sender_not_stored")) == 2, what="two lines in the log")
        self.assertEqual({e["counted_under"] for e in relay.events("sender_not_stored")}, {"127.0.0.0/24"})
        relay.send(MESSAGE, sender=f"{'l' * 60}0@sender.test")  # is there already
        wait_for(lambda: len(sink.messages) == 5, what="delivery")
        self.assertTrue(sink.messages[-1].mail_from.startswith("srst="))

    def test_two_relays_in_a_chain_and_the_bounce_comes_all_the_way_back(self):
        def refuse(address):
            return "550 5.1.1 gone" if address == "final@dest.test" else None
        sink = self.sink(replies={"RCPT": refuse})
        second_port_holder = []
        second = self.relay(None, hostname="mx.second.test", domain="second.test",
                            srs="srs2.test", aliases={"user": ["final@dest.test"]},
                            routes=[("relay.test", 0 or free_port()), ("*", sink.port)])
        first = self.relay(None, aliases={"user": ["user@second.test"]},
                           routes=[("second.test", second.port), ("srs2.test", second.port),
                                   ("*", sink.port)])
        # The second relay returns to the first, whose port is known only now.
        second.routes = [("relay.test", first.port), ("*", sink.port)]
        second.write_config()
        self.assertEqual(second.cli("reload").returncode, 0)
        first.send(MESSAGE)
        wait_for(lambda: sink.messages, what="the bounce at the true sender", timeout=40)
        self.assertEqual(sink.messages[0].rcpt_tos, ["ann@sender.test"])
        attempts = [e for e in second.events("attempt") if e["target"] == "final@dest.test"]
        self.assertTrue(attempts[0]["reverse_path"].startswith("SRS1="), attempts[0])


class Reloading(unittest.TestCase):
    def test_a_bad_file_keeps_the_old_settings(self):
        sink = Sink().start()
        relay = Relay(sink.port).start()
        try:
            relay.configure(queue={"retry_shedule": ["1m"]})
            refused = relay.cli("--socket", relay.path("control.sock"), "reload")
            self.assertEqual(refused.returncode, 4)
            self.assertIn("did you mean `retry_schedule`?", refused.stderr)
            self.assertEqual(relay.cli("check", relay.path("relay.toml")).returncode, 1)
            relay.send(MESSAGE)
            wait_for(lambda: sink.messages, what="delivery with the old settings")
            relay.aliases["new"] = ["fresh@dest.test"]
            relay.config = {}
            relay.write_config()
            self.assertEqual(relay.cli("reload").returncode, 0)
            relay.send(MESSAGE, to=["new@fwd.test"])
            wait_for(lambda: len(sink.messages) == 2, what="delivery through the new alias")
        finally:
            relay.remove()
            sink.stop()


if __name__ == "__main__":
    unittest.main()
