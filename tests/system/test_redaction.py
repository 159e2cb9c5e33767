"""The log without local parts: a reader of the log learns no address."""

import smtplib
import unittest

from .control import ask
from .harness import MESSAGE, Relay, Sink, wait_for

ALIASES = {"zebra": ["okapi@dest.test"], "gnu": ["zebra@fwd.test", "ibex@fwd.test"], "quagga eland": ["okapi@dest.test"]}
NAMES = ("zebra", "okapi", "gnu", "ibex", "quagga", "eland", "dingo", "tapir", "lynx")


class Redaction(unittest.TestCase):
    def log_of(self, redact):
        sink = Sink(replies={"RCPT": ["550 5.1.1 <okapi@dest.test> is unknown"]}).start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, aliases=ALIASES, config={"log": {"redact": redact}, "defaults": {"tag": "+"}})
        self.addCleanup(relay.remove)
        relay.start()
        for number, to in enumerate(("zebra", "zebra+lynx", "gnu", '"quagga eland"')):
            content = MESSAGE.replace(b"<1@", b"<%d@" % number)
            relay.send(content, sender="dingo@sender.test", to=[f"{to}@fwd.test"])
        with self.assertRaises(smtplib.SMTPResponseException):
            relay.send(MESSAGE, sender="dingo@sender.test", to=["tapir@fwd.test"])
        wait_for(lambda: len(sink.messages) >= 3, what="delivery")
        ask(relay, "reload")
        received = wait_for(lambda: len(relay.events("received")) >= 4 and relay.events("received"), what="the lines")
        self.assertEqual(relay.stop(), 0)
        return received, relay.log_text()

    def test_no_line_has_a_local_part(self):
        for redact in ("localpart", "hash"):
            with self.subTest(redact):
                received, text = self.log_of(redact)
                self.assertRegex(received[0]["alias"]["rule"], "^exact (…@fwd.test|#[0-9a-z]+)$")
                self.assertRegex(received[1]["alias"]["rule"], "^tag (…@fwd.test|#[0-9a-z]+)$")
                for name in NAMES:
                    self.assertNotIn(name, text)

    def test_all_are_there_without_it(self):
        received, text = self.log_of("none")
        self.assertEqual(received[0]["alias"]["rule"], "exact zebra@fwd.test")
        for name in NAMES:
            self.assertIn(name, text)


if __name__ == "__main__":
    unittest.main()
