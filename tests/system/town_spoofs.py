"""Spoofs by an attacker who knows the relay: its SRS domain, host name and trusted sealers, and the
senders of honest mail that it has forwarded to him."""

import subprocess
import types
import unittest.mock

import authres
import dkim

from . import senders
from .spoofs import Forger

# A kind of spoof, and how the names of its forms begin.
KINDS = {"our senders": "ours-", "chains of others": "sealed-", "first lines": "first-", "our results": "as-us-"}
VOUCHED = "sealed-of-victim"  # a sealer we trust says so: it softens a policy, and lends no name


class First(str):
    """Lines in front of the first field."""


class Chain(str):
    """A mark in a list of fields: `seal(body)` makes the fields that belong on top."""

    def __new__(cls, name, seal):
        mark = super().__new__(cls, "chain: " + name)
        mark.seal = seal
        return mark


class Sealer:
    """A domain that seals whatever it is told to, with a short key: many seals are made."""

    def __init__(self, domain):
        self.domain = domain.encode()
        self.pem = subprocess.run(["openssl", "genrsa", "-traditional", "1024"], check=True,
                                  capture_output=True).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout"], input=self.pem, check=True, capture_output=True).stdout
        self.record = "v=DKIM1; k=rsa; p=" + "".join(public.decode().splitlines()[1:-1])

    def line(self):
        return f"arc._domainkey.{self.domain.decode()}. 60 IN TXT {senders.txt(self.record)}"

    def seal(self, message, results):
        """The fields of one more set. `results`: what it claims to have found, its own name in front."""
        name = results.partition(";")[0]
        read = types.SimpleNamespace(authserv_id=name, results=[types.SimpleNamespace(method="arc", result="pass")]
                                     if b"arc-seal" in message.lower() else [])
        field = f"Authentication-Results: {results}\r\n".encode()
        with unittest.mock.patch.object(authres.AuthenticationResultsHeader, "parse", return_value=read):
            return b"".join(dkim.arc_sign(field + message, b"arc", self.domain, self.pem, name.encode(),
                                          include_headers=[b"from", b"to", b"subject"]))


class TownForger(Forger):
    """`town`: who the relay is (`hostname`, `srs`), what senders of its own have been `seen` (name -> address),
    and `sealers`: "anybody", "trusted"."""

    def __init__(self, town, *words):
        super().__init__(*words)
        self.town = town

    def envelopes(self):
        a, ours = self.attacker, self.town.srs
        invented = {
            "plain": f"any@{ours}",
            "upper-case": f"ANY@{ours.upper()}",
            "srs0": f"SRS0=aaaaaaaa=AA={self.victim}=admin@{ours}",
            "srs0-of-itself": f"SRS0=aaaaaaaa=AA={a}=any@{ours}",
            "srs1": f"SRS1=aaaaaaaaaa={self.victim}==aaaa=AA={self.victim}=admin@{ours}",
            "srst": f"srst=aaaaaaaa=aa=aaaaaaaaaaaaaaaa@{ours}",
            "srsm": f"srsm=aaaaaaaa=AA=01M8HA2085V2@{ours}",
            "dot": f"any@{ours}.",
            "quoted": f'"any"@{ours}',
            "below": f"any@below.{ours}",
            "postmaster": f"postmaster@{ours}",
            "host": f"postmaster@{self.town.hostname}",
        }
        live = {**self.town.seen}
        for name, address in self.town.seen.items():
            local, _, domain = address.partition("@")
            live[name + "-upper"] = f"{local.upper()}@{domain.upper()}"
            live[name + "-dot"] = address + "."
            live[name + "-cut"] = f"{local[:-1]}@{domain}"
            live[name + "-other-name"] = local.replace(self.attacker, self.victim) + "x@" + domain
        own = {"ours-" + name: (a, address) for name, address in invented.items()}
        own |= {"ours-live-" + name: (a, address) for name, address in live.items()}
        own |= {"ours-helo": (self.town.hostname, f"any@{ours}"), "ours-helo-null": (self.town.hostname, ""),
                "ours-helo-srs-null": (ours, "")}
        return {**super().envelopes(), **own}

    def tricks(self):
        return {**super().tricks(), **self.chains(), **self.first_lines(), **self.results_in_our_name()}

    def chains(self):
        v, a, boss, own = self.victim, self.attacker, self.boss, self.self
        anybody, trusted = self.town.sealers["anybody"], self.town.sealers["trusted"]

        def chain(name, author, *sets):
            """Sets of (sealer, words), over a message of `author`."""
            def seal(number, body):
                head = f"From: {author}\r\nTo: <{self.recipient}>\r\nSubject: Invoice {number}\r\n\r\n"
                message = head.encode() + body
                fields = b""
                for sealer, words in sets:
                    fields = sealer.seal(fields + message, words) + fields
                return fields
            return [Chain(name, seal)]

        passes = "dmarc=pass (p=reject) header.from="
        spf = f"spf=pass smtp.mailfrom={own}"
        tell = f"mx.trusted.example; {spf}; {passes}"
        return {
            "sealed-by-anybody": chain("by anybody", boss, (anybody, f"mx.{a}; {passes}{v}")),
            "sealed-by-anybody-as-us": chain("as us", boss, (anybody, f"{self.town.hostname}; {passes}{v}")),
            "sealed-of-another-author": chain("of another author", boss, (trusted, tell + a)),
            "sealed-of-another-author-below": chain("below", boss, (trusted, f"{tell}{v}.{a}")),
            "sealed-before-from-changed": chain("before", own, (trusted, tell + a)),
            "sealed-twice": chain("twice", boss, (anybody, f"mx.{a}; {passes}{v}"), (trusted, tell + a + "; arc=pass")),
            "sealed-then-by-anybody": chain("then", boss, (trusted, tell + a),
                                            (anybody, f"mx.{a}; arc=pass; {passes}{v}")),
            VOUCHED: chain("of the victim", boss, (trusted, tell + v)),
            "sealed-two-results": chain("two results", boss, (trusted, f"{tell}{a}; {passes}{v}")),
            "sealed-in-comment": chain("in a comment", boss, (trusted, f"{tell}{a} (header.from={v})")),
            "sealed-spf-only": chain("SPF only", boss, (trusted, f"mx.trusted.example; spf=pass smtp.mailfrom={boss}")),
        }

    def first_lines(self):
        boss, own = self.boss, self.self
        lines = {
            "blank": " ", "tab": "\t", "blank-text": " text", "tab-text": "\ttext",
            "blank-from": f" From: <{boss}>", "tab-from": f"\tFrom: <{boss}>",
            "blank-results": f" x; dmarc=pass header.from={self.victim}",
            "tab-seal": f"\td={self.victim}; h=from",
            "two-blanks": f" one\r\n\tFrom: <{boss}>",
            "mbox": f"From {boss} Tue Nov 24 03:00:00 2026", "mbox-own": f"From {own} Tue Nov 24 03:00:00 2026",
            "mbox-quoted": f">From {boss} Tue Nov 24 03:00:00 2026", "mbox-alone": "From ",
            "mbox-field": f"From {boss} Tue: x", "mbox-folded": f"From {boss} Tue Nov 24\r\n From: <{boss}>",
            "mbox-twice": f"From {own} Tue Nov 24 03:00:00 2026\r\nFrom {boss} Tue Nov 24 03:00:00 2026",
            "mbox-from": f"From {own} Tue Nov 24 03:00:00 2026\r\nFrom: <{boss}>",
            "no-field": "Hello", "no-field-from": f"Hello\r\nFrom: <{boss}>", "empty": "",
            "empty-from": f"\r\nFrom: <{boss}>", "colon": ": x",
        }
        return {"first-" + name: [First(text)] for name, text in lines.items()}

    def results_in_our_name(self):
        us, vouch = self.town.hostname, f"dmarc=pass header.from={self.victim}; dkim=pass header.d={self.victim}"
        fields = {
            "plain": f"Authentication-Results: {us}; {vouch}",
            "upper-case": f"AUTHENTICATION-RESULTS: {us.upper()}; {vouch}",
            "version": f"Authentication-Results: {us} 1; {vouch}",
            "comment": f"Authentication-Results: (of us) {us} (yes); {vouch}",
            "quoted": f'Authentication-Results: "{us}"; {vouch}',
            "folded": f"Authentication-Results:\r\n {us};\r\n\t{vouch}",
            "fold-before-colon": f"Authentication-Results\r\n : {us}; {vouch}",
            "space-before-colon": f"Authentication-Results : {us}; {vouch}",
            "dot": f"Authentication-Results: {us}.; {vouch}",
            "of-srs-domain": f"Authentication-Results: {self.town.srs}; {vouch}",
            "old": f"X-Authentication-Results: {us}; {vouch}",
            "received-spf": f"Received-SPF: pass ({us}: ok) receiver={us}; envelope-from={self.boss}",
            "arc": f"ARC-Authentication-Results: i=1; {us}; {vouch}",
        }
        more = {"as-us-" + name: [field] for name, field in fields.items()}
        more["as-us-many"] = [f"Authentication-Results: {us}; {vouch}"] * 3
        more["as-us-behind"] = [f"Authentication-Results: {us}; none", f"Authentication-Results: {us}; {vouch}"]
        return more

    def message(self, number, fields, sign):
        marks = [f for f in fields if isinstance(f, First | Chain)]
        content = super().message(number, [f for f in fields if f not in marks], sign)
        for mark in marks:
            head, end, body = content.partition(b"\r\n\r\n")
            if not head.startswith(b" "):  # such a field is only one at the very top
                over = mark.encode() + b"\r\n" if isinstance(mark, First) else mark.seal(number, body)
                content = over + content
            elif isinstance(mark, Chain):
                content = head + b"\r\n" + mark.seal(number, body).removesuffix(b"\r\n") + end + body
        return content


def kind_of(spoof):
    """The kinds of a spoof, by the forms that its name tells."""
    forms = spoof.name.partition(" ")[2].split("/")
    return [kind for kind, start in KINDS.items() if any(form.startswith(start) for form in forms)]
