"""Guarantee "Not one octet of the original is changed": a message arrives at the next hop ending in
exactly the octets that came, from the first original header field to the last of the body; and a signature
that verified on the way in verifies on the way out."""

import smtplib
import unittest

import dkim

from tests import vectors

from . import senders
from .harness import Relay, Sink, wait_for
from .senders import fields_of

MOST_HEADER = 128 << 10  # a larger one is refused with 552


def as_smtp(raw):
    """As a client would send it: CRLF line ends; or None where no client may send it (RFC 5321)."""
    text = raw.replace(b"\r\n", b"\n")
    if b"\0" in text or b"\r" in text or not text:
        return None
    text = text.replace(b"\n", b"\r\n")
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def corpus():
    for case, raw in vectors.cases("corpus"):
        message = as_smtp(raw)
        if message and len(message.split(b"\r\n\r\n", 1)[0]) <= MOST_HEADER:
            yield case["name"], message


def signed():
    """Messages with signatures, and the DNS records that belong to them."""
    for case, raw in vectors.cases("dkim"):
        message = as_smtp(raw)
        if message:
            yield case["name"], message, case["dns"]


def verifies(message, records):
    """The verdict of dkimpy on each signature, by index."""

    def answer(name, timeout=5):
        found = records.get(name.decode().rstrip(".").lower(), {}).get("txt")
        return found[0].encode() if found else None
    verdicts = []
    for index in range(len(fields_of(message, "DKIM-Signature"))):
        try:
            verdicts.append(bool(dkim.DKIM(message, minkey=256).verify(idx=index, dnsfunc=answer)))
        except (dkim.DKIMException, ValueError, IndexError, AttributeError, TypeError):
            verdicts.append(False)
    return verdicts


class Fidelity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        vectors.need("corpus/cases.json")
        cls.sink = Sink().start()
        cls.world = senders.world([])  # no name exists: no domain objects, whatever From says
        cls.verifying = Relay(cls.sink.port, verify=True, dns=cls.world.port, config={
            "defaults": {"on_dmarc_fail": "forward"},
            "arc": {"domain": "relay.test", "selector": "rsa", "file": "rsa.pem", "seal": "always"},
            "risk": {"connections": 20, "rate": "1000000/min"}})
        cls.trusting = Relay(cls.sink.port)
        for relay in (cls.verifying, cls.trusting):
            relay.start()

    @classmethod
    def tearDownClass(cls):
        for relay in (cls.verifying, cls.trusting):
            relay.stop()
            relay.remove()
        cls.world.stop()
        cls.sink.stop()

    def through(self, relay, message):
        before = len(self.sink.messages)
        relay.send(message, sender="ann@sender.test")
        wait_for(lambda: len(self.sink.messages) > before, what="delivery", step=0.003)
        arrived = self.sink.messages[before].content
        self.assertTrue(arrived.endswith(message))
        front = b"\r\n" + arrived[:-len(message)]
        self.assertIn(b"\r\nReceived: ", front)
        self.assertNotIn(b"\r\n\r\n", front)
        self.assertEqual(b"\r\nAuthentication-Results: mx.fwd.test;" in front, relay is self.verifying)
        return arrived

    def test_every_message_of_the_corpus(self):
        sent = 0
        for name, message in corpus():
            with self.subTest(name):
                self.through(self.trusting, message)
                sent += 1
        self.assertGreater(sent, 100)

    def test_every_message_whose_author_can_be_told(self):
        """The others are refused, because their author is unclear."""
        sent = refused = 0
        for name, message in corpus():
            with self.subTest(name):
                try:
                    self.through(self.verifying, message)
                    sent += 1
                except smtplib.SMTPResponseException as refusal:
                    self.assertEqual(refusal.smtp_code, 550)
                    self.assertTrue(refusal.smtp_error.startswith(b"5.7.1 "), refusal.smtp_error)
                    refused += 1
        self.assertGreater(sent, 3 * refused)

    def test_signatures_survive(self):
        good = 0
        for name, message, records in signed():
            before = verifies(message, records)
            if not any(before):
                continue
            with self.subTest(name):
                arrived = self.through(self.verifying, message)
                ours = len(verifies(arrived, records)) - len(before)
                self.assertEqual(verifies(arrived, records)[ours:], before)
                good += sum(before)
        self.assertGreater(good, 10)

    def test_a_changed_octet_would_be_seen(self):
        name, message, records = next(case for case in signed() if any(verifies(case[1], case[2])))
        broken = message.replace(b"\r\n\r\n", b"\r\n\r\nx", 1)
        self.assertFalse(all(verifies(broken, records)), name)


if __name__ == "__main__":
    unittest.main()
