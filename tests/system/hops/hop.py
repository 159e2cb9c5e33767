"""Base of all next hops: their terms, their log, and the lines in it that are complaints about us."""

import dataclasses
import os
import re

from ..harness import free_port

NONE, OFFERED, REQUIRED = "none", "offered", "required"
# The server wants a certificate of the client and ends the handshake without; in TLS 1.3 the client
# believes to be done by then. In the clear it takes mail in the first case, and none in the second.
CERTIFICATE, CERTIFICATE_REQUIRED = "certificate", "certificate required"
# Every handshake fails on the server's side; in the clear it takes mail, or none.
BROKEN, BROKEN_REQUIRED = "broken", "broken and required"


@dataclasses.dataclass(frozen=True)
class Terms:
    recipients: int | None = None   # a transaction
    messages: int | None = None     # a connection
    connections: int | None = None  # at once
    tls: str = NONE
    greylist_all: bool = False
    delay: float = 0                # seconds that the end of data takes
    defers: dict = dataclasses.field(default_factory=dict)  # stage -> share of commands that hear 4xx
    settings: dict = dataclasses.field(default_factory=dict)  # of the program

    def keeps_refusals(self):
        """Whether its refusals leave copies in the queue: what it refuses in the clear, for want of TLS,
        it may take under TLS."""
        return self.tls in (BROKEN, CERTIFICATE)


class Hop:
    """Mixed into a program. `complaints_of` is what it logs of a client that does not know SMTP."""

    complaints_of = r"(?!)"
    log_files = ()

    def adopt(self, terms, doorman, certificate):
        """`certificate`: names of the files of a key and of the certificate, which is its own authority."""
        self.terms, self.doorman, self.certificate = terms, doorman, certificate
        self.port = free_port()

    def log_text(self):
        text = ""
        for name in self.log_files:
            if os.path.exists(self.path(name)):
                with open(self.path(name), encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

    def complaints(self):
        """Lines of the hop's own log that say we broke the rules, and 503s."""
        wrong = re.compile(self.complaints_of + r"|(?<![=\d\[:])503[ -][A-Z5]")
        return [line.strip() for line in self.log_text().splitlines() if wrong.search(line)]
