"""Spoofed senders, and a next hop that refuses everything: no DSN goes to a sender that did not write."""

import collections
import smtplib
import unittest

from . import senders
from .harness import Relay, Sink, wait_for
from .senders import AUTHORISED, Sender

SPOOFED = 10_000
MESSAGE = b"From: x@nobody.example\r\nSubject: spam\r\n\r\nspam\r\n"


class Backscatter(unittest.TestCase):
    def setUp(self):
        # Domains with a strict record, with none, and one that does authorise the client.
        self.world = senders.world([Sender("strict.example", policy=None), Sender("plain.example", None, None),
                                    Sender("soft.example", "v=spf1 ~all", None),
                                    Sender("neutral.example", "v=spf1 ?all", None),
                                    Sender("good.example", AUTHORISED, None)])
        self.sink = Sink(replies={"RCPT": lambda a: "550 5.1.1 no" if a.endswith("@dest.test") else None})
        self.sink.start()
        self.relay = Relay(self.sink.port, verify=True, dns=self.world.port,
                           config={"risk": {"connections": 20, "rate": "1000000/min"}})
        self.relay.start()

    def tearDown(self):
        self.relay.stop()
        self.relay.remove()
        self.sink.stop()
        self.world.stop()

    def test_no_dsn_to_a_spoofed_sender(self):
        domains = ["strict.example", "plain.example", "soft.example", "neutral.example"]
        with smtplib.SMTP("127.0.0.1", self.relay.port, local_hostname="client.test", timeout=60) as s:
            for number in range(SPOOFED):
                s.sendmail(f"victim{number}@{domains[number % 4]}", ["user@fwd.test"], MESSAGE)
        wait_for(self.relay.is_empty, timeout=120, what="an empty queue")
        self.assertEqual(self.sink.messages, [])
        ended = collections.Counter(e["event"] for e in self.relay.events())
        self.assertEqual(ended["suppressed"], SPOOFED)
        self.assertEqual(ended["dsn"], 0)
        # The control: the same refusal for a sender that SPF proves.
        self.relay.send(MESSAGE, sender="ann@good.example")
        wait_for(lambda: self.sink.messages, what="the DSN")
        self.assertEqual(self.sink.messages[0].rcpt_tos, ["ann@good.example"])


if __name__ == "__main__":
    unittest.main()
