"""Nobody can be made a target of forwarded mail against their will. The relay as a hosting firm runs it: a
panel appends confirmed addresses to a file, and runs `reload`."""

import email
import json
import smtplib
import time
import unittest

from . import senders
from .harness import MESSAGE, Relay, Sink, wait_for
from .senders import AUTHORISED, Sender

REQUIRED = {"required": True, "confirmed": "confirmed.txt"}


class Consent(unittest.TestCase):
    def begin(self, confirmed="", **tables):
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port, config=tables)
        self.addCleanup(self.relay.remove)
        self.confirm(confirmed)
        self.relay.start()
        self.addCleanup(self.relay.stop)

    def confirm(self, lines):
        with open(self.relay.path("confirmed.txt"), "a", encoding="utf-8") as file:
            file.write(lines)

    def reload(self):
        self.relay.cli("reload", check=True)

    def recipients(self):
        return sorted(rcpt for message in self.sink.messages for rcpt in message.rcpt_tos)

    def taken(self, count, what):
        """The targets that got copies, once there are so many."""
        wait_for(lambda: len(self.recipients()) >= count, what=what)
        return self.recipients()

    def test_a_target_gets_nothing_before_it_has_confirmed_and_all_of_it_then(self):
        self.begin("# by the panel\nB@other.test\n", consent=REQUIRED)
        id = self.relay.send(MESSAGE, to=["two@fwd.test"])
        self.assertEqual(self.taken(1, "the copy of who has confirmed"), ["b@other.test"])
        why = self.relay.cli("queue", "why", id).stdout
        self.assertIn("the target has not confirmed", why)
        self.assertIn("waits until the target is confirmed: a@dest.test", why)
        copy = json.loads(self.relay.cli("--json", "queue", "why", id).stdout)["copies"][0]
        self.assertEqual((copy["state"], copy["handling"]["awaits_consent"]), ("held", "a@dest.test"))
        received = self.relay.events("received")[0]
        self.assertEqual((received["held_count"], received["awaits_consent"]), (1, "a@dest.test"))
        self.assertIn("held: a@dest.test has not confirmed",
                      self.relay.cli("resolve", "two@fwd.test").stdout)
        self.assertIn("2 targets have not confirmed, mail for them is held: a@dest.test, "
                      "target@dest.test", self.relay.cli("check").stderr)

        self.reload()  # somebody else's
        time.sleep(1.5)
        self.assertEqual(len(self.sink.messages), 1)
        self.confirm("a@dest.test\n")
        self.reload()
        self.assertEqual(self.taken(2, "what was held"), ["a@dest.test", "b@other.test"])
        wait_for(self.relay.is_empty, what="an empty queue")
        self.assertEqual(self.relay.events("confirmed")[-1]["released"], 1)
        self.relay.send(MESSAGE, to=["two@fwd.test"])
        self.taken(4, "new mail at once")

    def test_a_confirmation_holds_from_the_next_start(self):
        self.begin(consent=REQUIRED)
        self.relay.send(MESSAGE)
        self.relay.stop()
        self.confirm("@dest.test\n")
        self.relay.start()
        self.assertEqual(self.taken(1, "what was held"), ["target@dest.test"])
        wait_for(self.relay.is_empty, what="an empty queue")

    def test_who_is_taken_out_of_the_file_is_asked_again(self):
        self.begin("@dest.test\n", consent=REQUIRED)
        self.relay.send(MESSAGE)
        self.taken(1, "mail of who has confirmed")
        with open(self.relay.path("confirmed.txt"), "w", encoding="utf-8"):
            pass
        self.reload()
        self.relay.send(MESSAGE)
        time.sleep(1)
        self.assertEqual(len(self.sink.messages), 1)
        self.assertEqual([row["state"] for row in self.relay.rows()], ["held"])

    def test_a_file_that_is_not_whole_changes_nothing(self):
        self.begin("@dest.test\n", consent=REQUIRED)
        self.confirm("somebody@dest.te")
        refused = self.relay.cli("reload")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("confirmed.txt:2:1", refused.stdout + refused.stderr)
        self.relay.send(MESSAGE)
        self.taken(1, "mail by the old settings")

    def test_what_the_operator_is_to_decide_is_not_released(self):
        strict = Sender("strict.example", "v=spf1 -all", "p=reject")
        good = Sender("good.example", AUTHORISED, "p=none")
        world = senders.world([strict, good], {".": []})
        self.addCleanup(world.stop)
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port, verify=True, dns=world.port,
                           config={"defaults": {"on_dmarc_fail": "hold"}, "consent": REQUIRED})
        self.addCleanup(self.relay.remove)
        self.confirm("")
        self.relay.start()
        self.addCleanup(self.relay.stop)
        doubtful = self.relay.send(strict.message(), sender="ann@strict.example")
        self.relay.send(good.message(), sender="ann@good.example")
        self.assertEqual([row["state"] for row in self.relay.rows()], ["held", "held"])
        self.confirm("target@dest.test\n")
        self.reload()
        self.taken(1, "the good mail")
        time.sleep(1)
        self.assertEqual([(row["id"], row["state"]) for row in self.relay.rows()],
                         [(doubtful, "held")])
        self.relay.cli("queue", "release", doubtful, check=True)
        self.taken(2, "what the operator let go")

    def test_enough_is_held_for_a_target_over_a_restart(self):
        self.begin(consent={**REQUIRED, "max_held": 2})
        for _ in range(2):
            self.relay.send(MESSAGE)
        self.relay.stop()
        self.relay.start()
        with self.assertRaises(smtplib.SMTPResponseException) as refused:
            self.relay.send(MESSAGE)
        self.assertEqual(refused.exception.smtp_code, 450)
        self.assertIn(b"4.7.1", refused.exception.smtp_error)
        self.assertIn(b"has not confirmed", refused.exception.smtp_error)
        self.relay.cli("queue", "release", "to:target@dest.test", "--yes", check=True)
        self.taken(2, "what the operator let go")
        self.relay.send(MESSAGE)

    def test_nobody_is_asked_by_default(self):
        self.begin()
        self.relay.send(MESSAGE, to=["two@fwd.test"])
        self.taken(2, "both copies")
        wait_for(self.relay.is_empty, what="an empty queue")

    def test_what_comes_back_needs_no_consent(self):
        self.begin("@dest.test\n", consent=REQUIRED)
        self.relay.send(MESSAGE)
        self.taken(1, "the mail")
        self.relay.send(MESSAGE, sender="", to=[self.sink.messages[0].mail_from])
        self.assertEqual(self.taken(2, "the bounce"), ["ann@sender.test", "target@dest.test"])

    def test_one_mailbox_is_not_flooded_through_many_aliases(self):
        self.begin(rates={"per_target": "2/h"})
        for to in ("user@fwd.test", "user+a@fwd.test"):
            self.relay.send(MESSAGE, to=[to])
        with self.assertRaises(smtplib.SMTPResponseException) as refused:
            self.relay.send(MESSAGE, to=["user+b@fwd.test"])
        self.assertEqual(refused.exception.smtp_code, 451)
        self.relay.send(MESSAGE, to=["two@fwd.test"])
        self.taken(4, "everything that was within the rate")

    def test_forwarded_mail_says_whom_to_complain_to(self):
        self.begin(consent={"contact": "https://fwd.test/abuse"})
        self.relay.send(MESSAGE)
        self.taken(1, "the mail")
        content = self.sink.messages[0].content
        fields = email.message_from_bytes(content)
        self.assertEqual(fields.get_all("X-Report-Abuse-To"), ["https://fwd.test/abuse"])
        names = [name.lower() for name in fields.keys()]
        self.assertEqual(names[:2], ["received", "x-report-abuse-to"])
        self.assertTrue(content.endswith(MESSAGE if isinstance(MESSAGE, bytes) else MESSAGE.encode()))


if __name__ == "__main__":
    unittest.main()
