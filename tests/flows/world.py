"""The DNS of the flows: domains as the files in data/ describe them, and one name server for all of them."""

import base64

import dkim

from tests.system import senders
from tests.system.senders import Sender, txt


def ascii_of(name):
    return name.encode("idna").decode() if not name.isascii() else name


class Domain(Sender):
    """A domain. `written` has its `spf`, `dmarc` (without "v=DMARC1; "; "down": that name answers SERVFAIL), `down`
    (the whole zone answers SERVFAIL), `texts` (number of other TXT records beside SPF), `mx` (MX records), `testing`
    (its key says t=y) and `records` (more lines)."""

    KEYS = {"spf", "dmarc", "down", "texts", "mx", "testing", "records"}

    def __init__(self, name, written):
        unknown = set(written) - self.KEYS
        if unknown:
            raise ValueError(f"{name}: unknown {', '.join(sorted(unknown))}")
        self.written = written
        policy = written.get("dmarc")
        super().__init__(ascii_of(name), written.get("spf"), None if policy == "down" else policy)

    def records(self):
        lines = super().records()
        if "mx" in self.written:
            lines = [line for line in lines if " MX " not in line] + ["@ 60 IN MX " + mx for mx in self.written["mx"]]
        if self.written.get("testing"):
            lines = [line.replace("v=DKIM1;", "v=DKIM1; t=y;") for line in lines]
        lines += [f"@ 60 IN TXT {txt(f'token-{n:04d}=x')}" for n in range(self.written.get("texts", 0))]
        return lines + self.written.get("records", [])

    def sign_fields(self, message, names):
        """The message with a signature of this domain over those fields and the body in front."""
        private = base64.b64encode(bytes(self.key))
        field = dkim.sign(message, b"s1", self.domain.encode(), private, signature_algorithm=b"ed25519-sha256",
                          canonicalize=(b"relaxed", b"relaxed"), include_headers=names)
        return field + message

    def zones(self):
        if self.written.get("down"):
            return {self.domain: None}
        zones = {self.domain: self.records()}
        if self.written.get("dmarc") == "down":
            zones["_dmarc." + self.domain] = None
        return zones


def nameserver(domains, more):
    """`more`: zones by name."""
    zones = dict(more)
    for domain in domains:
        zones.update(domain.zones())
    return senders.world([], zones)
