"""The messages of a run: the same seed makes the same ones.

The part of a local part before its first dot says what the sink makes of that recipient: ok.N is taken,
temp.N is put off once, late.N for a while, bad.N refused for good.
"""

import hashlib
import random

DOMAIN = "fwd.test"
TARGET = "dest.test"
SENDER = "sender.example"


def is_refused(local):
    return local.startswith("bad.")


class Message:
    """`recipients`: local parts; with a dictionary the domain of each is said, too."""

    def __init__(self, number, recipients, body, signer=None, sender=None):
        self.number = number
        self.domains = recipients if isinstance(recipients, dict) else {}
        self.recipients = list(recipients)
        self.sender = sender or f"s.{number}@{SENDER}"
        digest = hashlib.sha256(body).hexdigest()
        self.content = (f"From: Ann <{self.sender}>\r\nTo: list@{DOMAIN}\r\nSubject: {number}\r\n"
                        f"X-Ledger-Id: {number}\r\nX-Ledger-Hash: {digest}\r\n"
                        f"Message-ID: <{number}@{SENDER}>\r\n\r\n").encode() + body
        if signer:
            self.content = signer.sign(self.content)

    def paths(self):
        return [f"{local}@{self.domains.get(local, DOMAIN)}" for local in self.recipients]

    def wire(self):
        """As it goes through SMTP: dots stuffed, ended."""
        return self.content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def body_of(rng):
    if rng.random() < 0.02:  # more than a chunk of the queue
        return (b"%064d\r\n" % rng.getrandbits(200)) * 5000
    lines = [bytes(rng.choices(b"abcdefghij .", k=rng.randrange(70))) for _ in range(rng.randrange(1, 40))]
    return b"\r\n".join(lines) + b"\r\n"


def make(seed, count, signer=None):
    """`signer`: of senders.Sender, whose signature each gets."""
    rng = random.Random(seed)
    for number in range(1, count + 1):
        draw = rng.random()
        if draw < 0.7:
            recipients = [f"ok.{number}"]
        elif draw < 0.8:
            recipients = [f"temp.{number}"]
        elif draw < 0.9:
            recipients = [f"bad.{number}"]
        else:
            recipients = [f"ok.{number}", f"temp.{number}", f"bad.{number}"]
        yield Message(number, recipients, body_of(rng), signer)
