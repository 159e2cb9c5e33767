"""Settings of aliases besides their targets, through the running relay."""

import datetime
import smtplib
import time
import unittest

import dkim

from .harness import MESSAGE, Relay, Sink, wait_for


class AliasTest(unittest.TestCase):
    """A relay with aliases of its own for each test."""

    def begin(self, replies=None, alias_file=None, **options):
        self.sink = Sink(replies=replies).start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port, **options)
        self.addCleanup(self.relay.remove)
        if alias_file is not None:
            with open(self.relay.path("aliases"), "w", encoding="utf-8") as f:
                f.write(alias_file)
        self.relay.start()

    def refusal(self, to, **options):
        with self.assertRaises(smtplib.SMTPResponseException) as refused:
            self.relay.send(MESSAGE, to=[to], **options)
        return f"{refused.exception.smtp_code} {refused.exception.smtp_error.decode()}"

    def arrived(self, copies):
        """Targets, sorted, when so many copies have come."""
        wait_for(lambda: sum(len(m.rcpt_tos) for m in self.sink.messages) >= copies, what="delivery")
        return sorted(rcpt for message in self.sink.messages for rcpt in message.rcpt_tos)

    def resolved(self, address):
        return self.relay.cli("resolve", address).stdout


class Fates(AliasTest):
    def test_discarded_mail_is_taken_and_goes_nowhere(self):
        self.begin(aliases={"noise": {"discard": True}, "user": ["target@dest.test"],
                            "all": ["noise@fwd.test", "target@dest.test"]})
        message = self.relay.send(MESSAGE, to=["noise@fwd.test"])
        discarded = wait_for(lambda: self.relay.events("discarded"), what="the log line")
        self.assertEqual([(e["msg_id"], e["alias"]) for e in discarded], [(message, "noise@fwd.test")])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.relay.send(MESSAGE, to=["all@fwd.test"])
        self.assertEqual(self.arrived(1), ["target@dest.test"])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertIn("noise@fwd.test throws its mail away", self.resolved("all@fwd.test"))
        # Big enough to lie in chunks while it comes in.
        self.relay.send(MESSAGE + (b"x" * 998 + b"\r\n") * 700, to=["noise@fwd.test"])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual(len(self.sink.messages), 1)

    def test_a_member_that_leads_nowhere_is_named(self):
        self.begin(aliases={"user": ["target@dest.test"], "team": ["user@fwd.test", "ghost@fwd.test"]})
        self.assertIn("without ghost@fwd.test: No such user here", self.resolved("team@fwd.test"))
        message = self.relay.send(MESSAGE, to=["team@fwd.test"])
        self.assertEqual(self.arrived(1), ["target@dest.test"])
        alias = next(e["alias"] for e in self.relay.events("received") if e["msg_id"] == message)
        self.assertEqual(alias["dead_count"], 1)
        self.assertEqual(alias["dead"], "ghost@fwd.test (No such user here)")

    def test_alias_files_reject_and_discard(self):
        self.begin(config={"domain": [{"name": "fwd.test", "aliases": ["file:aliases"]}]},
                   alias_file="user: target@dest.test\nnoise: discard\n"
                              "old: reject 550 5.1.6 moved to new@dest.test  # since May\n")
        self.assertEqual(self.refusal("old@fwd.test"), "550 5.1.6 moved to new@dest.test")
        self.relay.send(MESSAGE, to=["noise@fwd.test", "user@fwd.test"])
        self.assertEqual(self.arrived(1), ["target@dest.test"])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual(len(self.relay.events("discarded")), 1)


    def test_an_alias_expires(self):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        self.begin(aliases={"yet": {"to": "a@dest.test", "expires": today + datetime.timedelta(days=1)},
                            "over": {"to": "b@dest.test", "expires": today - datetime.timedelta(days=1)},
                            "all": ["yet@fwd.test", "over@fwd.test"]})
        self.assertTrue(self.refusal("over@fwd.test").startswith("550 5.2.1"))
        self.relay.send(MESSAGE, to=["all@fwd.test"])
        self.assertEqual(self.arrived(1), ["a@dest.test"])
        self.assertIn("550 5.2.1", self.resolved("over@fwd.test"))

    def test_what_is_too_large_for_an_alias_fails_for_that_alias_alone(self):
        self.begin(aliases={"small": {"to": "small@dest.test", "max_size": "1KiB"},
                            "user": ["target@dest.test"]})
        refused = self.refusal("small@fwd.test", mail_options=["SIZE=1025"])
        self.assertTrue(refused.startswith("550 5.2.3"), refused)
        message = self.relay.send(MESSAGE + b"x" * 1024 + b"\r\n", to=["small@fwd.test", "user@fwd.test"])
        # The sender is told as soon as the other copy has ended.
        self.assertEqual(self.arrived(2), ["ann@sender.test", "target@dest.test"])
        dsn = self.sink.messages[1]
        self.assertEqual((dsn.mail_from, dsn.rcpt_tos), ("", ["ann@sender.test"]))
        self.assertIn(b"Original-Recipient: rfc822;small@fwd.test\r\n", dsn.content)
        self.assertIn(b"Status: 5.2.3\r\n", dsn.content)
        self.assertNotIn(b"user@fwd.test>", dsn.content.split(b"message/delivery-status")[1].split(b"Received:")[0])
        self.assertEqual([e["msg_id"] for e in self.relay.events("too_large")], [message])
        wait_for(self.relay.is_empty, what="an empty queue")
        # Alone, and small enough.
        self.relay.send(b"Subject: x\r\n\r\nx\r\n", to=["small@fwd.test"])
        wait_for(lambda: len(self.sink.messages) == 3, what="delivery")


class Marks(AliasTest):
    def verifies(self, content):
        def record(name, **_):
            return self.relay.records[name.decode().rstrip(".")].encode()
        return [dkim.DKIM(content).verify(idx=index, dnsfunc=record) for index in (0, 1)]

    def test_each_copy_names_its_alias_and_the_signatures_hold(self):
        self.begin(aliases={"user": ["a@dest.test", "b@dest.test"], "other": ["c@dest.test"]},
                   config={"defaults": {"mark_alias": "X-Original-To"}})
        self.relay.send(MESSAGE, to=["user@fwd.test", "other+x@fwd.test"])
        self.assertEqual(self.arrived(3), ["a@dest.test", "b@dest.test", "c+x@dest.test"])
        for message in self.sink.messages:
            self.assertEqual(len(message.rcpt_tos), 1)
            alias = b"other+x@fwd.test" if message.rcpt_tos[0].startswith("c") else b"user@fwd.test"
            self.assertTrue(message.content.startswith(b"X-Original-To: " + alias + b"\r\nReceived: "))
            self.assertTrue(message.content.endswith(MESSAGE))
            self.assertEqual(self.verifies(message.content), [True, True])
        back = self.sink.messages[0].mail_from
        self.sink.messages.clear()
        self.relay.send(MESSAGE, sender="", to=[back])
        self.arrived(1)
        self.assertNotIn(b"X-Original-To", self.sink.messages[0].content)

    def test_a_copy_that_waits_is_marked_as_it_was_when_it_came(self):
        self.begin(replies={"RCPT": ["450 4.2.0 later"]}, config={"defaults": {"mark_alias": "Delivered-To"}})
        self.relay.send(MESSAGE)
        wait_for(lambda: self.relay.events("attempt"), what="the first attempt")
        self.relay.config = {}
        self.relay.write_config()
        self.assertEqual(self.relay.cli("reload").returncode, 0)
        self.arrived(1)
        self.assertTrue(self.sink.messages[0].content.startswith(b"Delivered-To: user@fwd.test\r\n"))
        self.sink.messages.clear()
        self.relay.send(MESSAGE)
        self.arrived(1)
        self.assertTrue(self.sink.messages[0].content.startswith(b"Received: "))


class Fallbacks(AliasTest):
    ALIASES = {"help": {"to": ["a@dest.test", "b@other.test"], "fallback": "c@dest.test"}}

    def begin_with(self, answers, **options):
        """`answers`: of RCPT, by target."""
        self.answers = answers
        self.begin(replies={"RCPT": lambda address: self.answers.get(address)}, aliases=self.ALIASES, **options)

    def test_it_gets_what_all_others_refuse_and_nobody_hears_of_that(self):
        self.begin_with({"a@dest.test": "550 5.1.1 gone", "b@other.test": "550 5.1.1 gone"})
        message = self.relay.send(MESSAGE, to=["help@fwd.test"])
        self.assertEqual(self.arrived(1), ["c@dest.test"])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual(self.relay.events("dsn"), [])
        used = self.relay.events("fallback")
        self.assertEqual([(e["msg_id"], e["rcpt"], e["target"], e["reason"]) for e in used],
                         [(message, "help@fwd.test", "c@dest.test", "all others failed")])
        self.assertIn("c@dest.test", self.resolved("help@fwd.test"))

    def test_when_it_fails_too_there_is_one_dsn_for_the_alias(self):
        gone = "550 5.1.1 gone"
        self.begin_with({"a@dest.test": gone, "b@other.test": gone, "c@dest.test": gone})
        self.relay.send(MESSAGE, to=["help@fwd.test"])
        self.assertEqual(self.arrived(1), ["ann@sender.test"])
        self.assertEqual(self.sink.messages[0].content.count(b"Original-Recipient: rfc822;help@fwd.test\r\n"), 1)
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual(len(self.relay.events("dsn")), 1)

    def test_it_is_not_used_when_one_copy_is_delivered(self):
        self.begin_with({"a@dest.test": "550 5.1.1 gone"})
        self.relay.send(MESSAGE, to=["help@fwd.test"])
        self.assertEqual(self.arrived(2), ["ann@sender.test", "b@other.test"])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual(self.relay.events("fallback"), [])

    def test_it_takes_over_after_warn_after_across_a_restart_and_a_reload(self):
        later = "450 4.2.0 later"
        self.begin_with({"a@dest.test": later, "b@other.test": later},
                        config={"queue": {"warn_after": "4s", "retry_schedule": ["1s"]}})
        message = self.relay.send(MESSAGE, to=["help@fwd.test"])
        wait_for(lambda: len(self.relay.events("attempt")) >= 2, what="attempts")
        self.relay.kill()
        # The alias is removed while its copies wait; accepted mail keeps its settings.
        self.relay.aliases = {"user": ["target@dest.test"]}
        self.relay.write_config()
        self.relay.start()
        self.assertIn("stands by", self.relay.cli("queue", "why", message).stdout)
        self.assertEqual(self.arrived(1), ["c@dest.test"])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual([e["reason"] for e in self.relay.events("fallback")], ["nothing delivered in time"])
        self.assertEqual(self.relay.events("dsn"), [])
        self.answers.clear()
        time.sleep(2)
        self.assertEqual(self.arrived(1), ["c@dest.test"])

    def test_a_kill_at_any_moment_leaves_the_fallback_or_a_dsn(self):
        gone = "550 5.1.1 gone"
        self.begin_with({"a@dest.test": gone, "b@other.test": gone})
        sent = [f"Subject: number {number}.\r\n\r\nx\r\n".encode() for number in range(100)]
        for number, content in enumerate(sent, 1):
            self.relay.send(content, to=["help@fwd.test"])
            if number % 25 == 0:
                self.relay.kill()
                self.relay.start()
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual({rcpt for m in self.sink.messages for rcpt in m.rcpt_tos}, {"c@dest.test"})
        arrived = {m.content[m.content.index(b"Subject:"):] for m in self.sink.messages}
        self.assertEqual(arrived, set(sent))

    def test_a_drop_is_no_failure(self):
        later = "450 4.2.0 later"
        self.begin_with({"a@dest.test": later, "b@other.test": later})
        message = self.relay.send(MESSAGE, to=["help@fwd.test"])
        wait_for(lambda: len(self.relay.events("attempt")) >= 2, what="attempts")
        done = self.relay.cli("queue", "drop", message, "--yes", "--reason", "spam")
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual(self.sink.messages, [])


class Wildcards(AliasTest):
    def test_every_depth_is_forwarded_and_bounces_come_back(self):
        self.begin(srs="srs.fwd.test", config={"domain": [
            {"name": "*.fwd.test", "alias": {"user": "wild@dest.test", "*": "rest@dest.test"}},
            {"name": "own.fwd.test", "alias": {"user": "own@dest.test"}}]})
        self.assertTrue(self.refusal("user@fwd.test").startswith("550 5.7.1"))
        self.assertTrue(self.refusal("other@own.fwd.test").startswith("550 5.1.1"))
        self.relay.send(MESSAGE, to=["user@a.b.fwd.test", "user@own.fwd.test"])
        self.assertEqual(self.arrived(2), ["own@dest.test", "wild@dest.test"])
        self.assertIn("[exact user@a.fwd.test of *.fwd.test]", self.resolved("user@a.fwd.test"))
        back = self.sink.messages[0].mail_from
        self.assertTrue(back.endswith("@srs.fwd.test"), back)
        self.sink.messages.clear()
        self.relay.send(MESSAGE, sender="", to=[back])
        self.assertEqual(self.arrived(1), ["ann@sender.test"])
        self.assertTrue(self.refusal("user@srs.fwd.test").startswith("550"))


if __name__ == "__main__":
    unittest.main()
