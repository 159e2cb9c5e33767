"""Arrivals as strategy_cases.json writes them down, and more, as real messages: each with domains of its
own, which publish what makes it so."""

import json
import os
import subprocess
import types
import unittest.mock

import authres
import dkim

from . import senders
from .harness import BINARY, ROOT
from .senders import Sender

CLIENT = "127.0.0.2"  # from where they come
DOOR = "127.0.0.1"  # from where they go on

# Recipients by the wish of their domain: user@hold.example for "hold", and so on.
WISHES = {"forward": {"on_dmarc_fail": "forward"}, "hold": {"on_dmarc_fail": "hold"},
          "tag": {"quarantine": "tag"}, "when-needed": {"rewrite_from": "when-needed"}}

# More arrivals, without an expected result: it is enough that all judges agree. A name
# below.example is below author.example, near.example is below the domain that our SRS domain is
# below.
USUAL = {"mail_from": "bounce@author.example", "from_domain": "author.example", "hosted_from": False,
         "policy": "reject", "modified": False, "spf": "pass", "dkim_domain": "author.example",
         "dmarc": "pass", "egress_spf": "fail"}
UNSIGNED = {"dkim_domain": ""}
FOREIGN = {"mail_from": "bounce@mailer.example"}
KEPT = {"target": "keeps.example"}
TRUSTED = {"arc": "pass", "last_sealer": "lists.example", "sealer_saw_pass": True}
MORE = {
    "SPF of a subdomain": {"mail_from": "b@below.example", **UNSIGNED, "record": "p=none"},
    "SPF of a subdomain, strict": {"mail_from": "b@below.example", **UNSIGNED, "record": "p=none; aspf=s"},
    "SPF of a subdomain, strict, p=reject": {"mail_from": "b@below.example", **UNSIGNED, "record": "p=reject; aspf=s"},
    "SPF of the same domain, strict": {**UNSIGNED, "record": "p=none; aspf=s"},
    "signed by a subdomain": {**FOREIGN, "dkim_domain": "below.example"},
    "signed by a subdomain, strict": {**FOREIGN, "dkim_domain": "below.example", "record": "p=none; adkim=s"},
    "signed by a subdomain, strict, p=reject":
        {**FOREIGN, "dkim_domain": "below.example", "record": "p=reject; adkim=s"},
    "author in a subdomain, signed above": {**FOREIGN, "from_domain": "below.example"},
    "author in a subdomain, signed above, strict":
        {**FOREIGN, "from_domain": "below.example", "record": "p=none; adkim=s"},
    "author in a subdomain, unproven, sp=quarantine":
        {**FOREIGN, **UNSIGNED, "from_domain": "below.example", "record": "p=reject; sp=quarantine"},
    "author in a subdomain, unproven, sp=reject":
        {**FOREIGN, **UNSIGNED, "from_domain": "below.example", "record": "p=none; sp=reject"},
    "author in a subdomain, unproven, sp=none":
        {**FOREIGN, **UNSIGNED, "from_domain": "below.example", "record": "p=reject; sp=none"},
    "kept, SPF would fail": KEPT,
    "kept, SPF would pass": {**KEPT, "egress_spf": "pass"},
    "kept, SPF softfail": {**KEPT, "spf_record": f"v=spf1 ip4:{CLIENT} ~all"},
    "kept, SPF neutral": {**KEPT, "spf_record": f"v=spf1 ip4:{CLIENT} ?all"},
    "kept, SPF neutral without all": {**KEPT, "spf_record": f"v=spf1 ip4:{CLIENT}"},
    "kept, no SPF": {**KEPT, "spf_record": None},
    "kept, SPF permerror": {**KEPT, "spf_record": "v=spf1 unheard-of:thing -all"},
    "kept, SPF permerror behind the client": {**KEPT, "spf_record": f"v=spf1 ip4:{CLIENT} include:none.example -all"},
    "kept, SPF for everybody": {**KEPT, **UNSIGNED, "spf_record": "v=spf1 +all"},
    "kept, unproven": {**KEPT, **FOREIGN, **UNSIGNED, "record": "p=none"},
    "kept, unproven, mailer's SPF names us": {**KEPT, **FOREIGN, **UNSIGNED, "record": "p=none", "egress_spf": "pass"},
    "kept, unproven, author's SPF names us":
        {**KEPT, **UNSIGNED, "record": "p=none", "spf_record": f"v=spf1 ip4:{DOOR} -all"},
    "SPF names us, strict": {**UNSIGNED, "egress_spf": "pass", "record": "p=reject; aspf=s"},
    "SPF of a subdomain names us": {"mail_from": "b@below.example", **UNSIGNED, "egress_spf": "pass"},
    "SPF of a subdomain names us, strict":
        {"mail_from": "b@below.example", "egress_spf": "pass", "record": "p=reject; aspf=s"},
    "broken, but signed again by the mailer":
        {**FOREIGN, "modified": True, "also_signed_by": "mailer.example", "record": "p=none"},
    "broken, but signed again by the author":
        {"dkim_domain": "mailer.example", "modified": True, "also_signed_by": "author.example"},
    "signed twice": {"also_signed_by": "mailer.example"},
    "signed, simple/simple": {**FOREIGN, "signing": {"canonicalize": (b"simple", b"simple")}},
    "signed, simple/relaxed": {**FOREIGN, "signing": {"canonicalize": (b"simple", b"relaxed")}},
    "no record, signed": {**FOREIGN, "dmarc": "none", "policy": "none"},
    "no record, signed by a subdomain": {**FOREIGN, "dkim_domain": "below.example", "dmarc": "none", "policy": "none"},
    "no record, signed by the mailer": {**FOREIGN, "dkim_domain": "mailer.example", "dmarc": "none", "policy": "none"},
    "hosted subdomain, SPF only": {"mail_from": "b@belowhosted.example", "from_domain": "belowhosted.example",
                                   "hosted_from": True, "egress_spf": "pass", **UNSIGNED},
    "hosted subdomain, nothing": {**FOREIGN, **UNSIGNED, "from_domain": "belowhosted.example", "hosted_from": True,
                                  "record": "p=none"},
    "hosted subdomain, nothing, p=reject": {**FOREIGN, **UNSIGNED, "from_domain": "belowhosted.example",
                                            "hosted_from": True, "record": "p=reject"},
    "sealed and signed": TRUSTED,
    "sealed and signed, to a target without ARC": {**TRUSTED, "target": "plain.example"},
    "sealed, then changed": {**TRUSTED, "arc": "fail", "record": "p=none"},
    "sealed, then changed, SPF alone": {**TRUSTED, **UNSIGNED, "arc": "fail"},
    "near us, SPF only": {"mail_from": "b@near.example", "from_domain": "near.example", **UNSIGNED},
    "near us, SPF only, strict": {"mail_from": "b@near.example", "from_domain": "near.example", **UNSIGNED,
                                  "record": "p=reject; aspf=s"},
    "near us, signed, strict": {**FOREIGN, "from_domain": "near.example", "dkim_domain": "near.example",
                                "record": "p=reject; aspf=s; adkim=s"},
    "near us, nothing": {**FOREIGN, **UNSIGNED, "from_domain": "near.example", "record": "p=none"},
    "null sender, near us, nothing": {"mail_from": "", **UNSIGNED, "from_domain": "near.example", "record": "p=none"},
}


def cases():
    with open(os.path.join(ROOT, "tests/forward/strategy_cases.json"), encoding="utf-8") as f:
        return json.load(f) + [{"name": name, **USUAL, **more} for name, more in MORE.items()]


class Sealer:
    """Somebody who forwarded the message before us, with a chain of one set."""

    def __init__(self, domain, folder):
        self.domain, self.pem = domain, os.path.join(folder, domain + ".pem")
        made = subprocess.run([BINARY, "--json", "dkim", "new", "--domain", domain, "--selector", "arc",
                               "--type", "rsa", "--out", self.pem], check=True, capture_output=True, text=True)
        self.record = json.loads(made.stdout)

    def seal(self, message, results):
        """`results`: what it says, in whatever grammar. dkimpy takes nothing from them but the name in
        front and what was found of an earlier chain, of which there is none."""
        name = results.partition(";")[0]
        read = types.SimpleNamespace(authserv_id=name, results=[])
        field = f"Authentication-Results: {results}\r\n".encode()
        with (open(self.pem, "rb") as f,
              unittest.mock.patch.object(authres.AuthenticationResultsHeader, "parse", return_value=read)):
            fields = dkim.arc_sign(field + message, b"arc", self.domain.encode(), f.read(), name.encode(),
                                   include_headers=[b"from", b"to", b"subject"])
        return b"".join(fields) + message

    def zone(self):
        return [f"{self.record['name']}. 60 IN TXT {senders.txt(self.record['value'])}"]


class Case:
    """One arrival. `written` as in the file; what MORE says besides is optional."""

    def __init__(self, number, written, sealers):
        self.written = written
        names = {"author.example": f"author{number}.example", "below.example": f"mail.author{number}.example",
                 "mailer.example": f"mailer{number}.example", "hosted.example": f"hosted{number}.example",
                 "belowhosted.example": f"sub.hosted{number}.example", "near.example": f"n{number}.relay.example"}
        local, _, sending = written["mail_from"].partition("@")
        self.sender = f"{local}@{names[sending]}" if sending else ""
        self.helo = "mx." + names["mailer.example"]
        self.hosted = names["hosted.example"] if written["hosted_from"] else None
        allowed = [CLIENT] * (written["spf"] == "pass") + [DOOR] * (written["egress_spf"] == "pass")
        spf = " ".join(["v=spf1", *("ip4:" + address for address in allowed), "-all"])
        spf = written.get("spf_record", spf)
        self.senders = {old: Sender(new, spf if old == sending else "v=spf1 -all", None)
                        for old, new in names.items()}
        self.author = self.senders.get(written["from_domain"], self.senders["author.example"])
        asking = {"below.example": "author.example", "belowhosted.example": "hosted.example"}
        if written.get("testing_key"):
            self.senders[written["dkim_domain"]].key_flags = "t=y"
        if written["dmarc"] != "none":
            owner = self.senders.get(asking.get(written["from_domain"]), self.author)
            owner.policy = written.get("record", "p=" + written["policy"])
        self.zones = {s.domain: s.records() for s in self.senders.values()}
        self.zones[names["mailer.example"]].append(f"mx 60 IN TXT {senders.txt(spf or '-')}")
        if written["dmarc"] == "temperror":
            self.zones[self.author.domain] = None
        self.recipient = self.recipient_of(written)
        self.message = self.made(sealers)

    @staticmethod
    def recipient_of(written):
        if "target" in written:
            return written["target"].partition(".")[0] + "@house.example"
        wish = {written.get(key) for key in ("on_dmarc_fail", "quarantine", "rewrite_from")} & set(WISHES)
        return f"user@{wish.pop().replace('-', '')}.example" if wish else "user@house.example"

    def made(self, sealers):
        author = f"Ann <ann@{self.author.domain}>"
        if not self.written["from_domain"]:
            author += ", Bob <bob@elsewhere.example>"
        message = self.author.message(author=author, body="Hello.\r\n\r\nIt is I.\r\n")
        if self.written["dkim_domain"]:
            message = self.senders[self.written["dkim_domain"]].sign(message, **self.written.get("signing", {}))
        if self.written["modified"]:
            message = message.replace(b"It is I.", b"It is somebody else.")
        if "also_signed_by" in self.written:
            message = self.senders[self.written["also_signed_by"]].sign(message)
        if "arc" in self.written:
            saw = "pass" if self.written["sealer_saw_pass"] else "fail"
            sealer = sealers[self.written["last_sealer"]]
            message = sealer.seal(message, f"{sealer.domain}; dmarc={saw} header.from={self.author.domain}")
            if self.written["arc"] == "fail":
                message = message.replace(b"It is I.", b"It is somebody else.")
        return message


def absolute(record, domain):
    """A line of a zone of nsd's, as one that stands by itself."""
    name, rest = record.split(" ", 1)
    if not name.endswith("."):
        name = domain + "." if name == "@" else f"{name}.{domain}."
    return f"{name} {rest}" + (f".{domain}." if rest.endswith(" ns") else "")
