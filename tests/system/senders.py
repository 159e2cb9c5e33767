"""Domains that send mail: their zones, their keys, and messages as they would sign them."""

import base64
import itertools

import dkim
from nacl.signing import SigningKey

from .nameserver import Nameserver

CLIENT = "127.0.0.1"  # from where the tests send


def txt(value):
    """A TXT record's data: character-strings of at most 255 octets."""
    return " ".join(f'"{value[i:i + 255]}"' for i in range(0, len(value), 255))


numbers = itertools.count(1)


class Sender:
    """One domain. `spf`: its record; `policy`: its DMARC record without "v=DMARC1; ", or None."""

    def __init__(self, domain, spf="v=spf1 -all", policy="p=reject"):
        self.domain, self.spf, self.policy = domain, spf, policy
        self.key_flags = ""  # of its key's record: "t=y"
        self.key = SigningKey.generate()

    def records(self):
        lines = []
        if self.spf:
            lines.append(f"@ 60 IN TXT {txt(self.spf)}")
        if self.policy:
            lines.append(f"_dmarc 60 IN TXT {txt('v=DMARC1; ' + self.policy)}")
        public = base64.b64encode(bytes(self.key.verify_key)).decode()
        flags = self.key_flags and f"{self.key_flags}; "
        lines.append(f"s1._domainkey 60 IN TXT {txt(f'v=DKIM1; k=ed25519; {flags}p={public}')}")
        lines.append("@ 60 IN MX 10 ns")
        return lines

    def sign(self, message, **options):
        """The message with a DKIM-Signature of this domain in front."""
        private = base64.b64encode(bytes(self.key))
        field = dkim.sign(message, b"s1", self.domain.encode(), private,
                          signature_algorithm=b"ed25519-sha256",
                          canonicalize=options.pop("canonicalize", (b"relaxed", b"relaxed")),
                          include_headers=[b"from", b"to", b"subject"], **options)
        return field + message

    def message(self, subject="hello", author=None, body="Hello.\r\n"):
        author = author or f"Ann <ann@{self.domain}>"
        return (f"From: {author}\r\nTo: user@fwd.test\r\nSubject: {subject}\r\n"
                f"Message-ID: <{next(numbers)}@{self.domain}>\r\n\r\n{body}").encode()


AUTHORISED = f"v=spf1 ip4:{CLIENT} -all"


def keys_of(relay):
    """Records with the public keys that it signs with, for any zone above them."""
    return [f"{name}. 60 IN TXT {txt(value)}" for name, value in relay.records.items()]


def world(senders, extra=None):
    """nsd with the zones of all senders, and more; every other name does not exist."""
    zones = {".": []}
    zones.update({sender.domain: sender.records() for sender in senders})
    zones.update(extra or {})
    return Nameserver(zones).start()


def fields_of(content, name):
    """The values of all fields called `name`, topmost first, unfolded."""
    head = content.split(b"\r\n\r\n", 1)[0].replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ")
    prefix = name.lower().encode() + b":"
    return [line[len(prefix):].strip().decode("utf-8", "replace")
            for line in head.split(b"\r\n") if line.lower().startswith(prefix)]
