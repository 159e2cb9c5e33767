"""Our verifier beside two others, dkimpy and Mail::DKIM, over signed messages that were changed.

Every message of the corpus is signed by us and by dkimpy, in several canonicalizations, then
changed in ways that some canonicalizations forgive and others do not. A second set has signatures
with one odd tag each, made by a signer that signs anything. All three must say the same, pass or
not; where they differ on purpose, TRIAGE has the clause that decides, and an entry of TRIAGE that
decides nothing is a failure.
"""

import base64
import collections
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import dkim
import dkim.crypto

from tests.auth.dkim import verify_corpus

HERE = pathlib.Path(__file__).resolve().parent
VERIFY = os.environ.get("VERIFY_MESSAGES", str(HERE.parents[2] / "build/ci/bin/verify_messages"))
RSA_PEM = (HERE / "data" / "rsa.pem").read_bytes()

Case = collections.namedtuple("Case", "message signer change original octets")
Triage = collections.namedtuple("Triage", "clause verifier applies")


def change_is(*names):
    return lambda case, us: case.change in names


def forms_of(case):
    """Canonicalization of header and body, by the topmost signature."""
    return re.search(rb"\bc=([a-z]+)/([a-z]+)", case.octets).groups()


def authors(octets):
    return len(re.findall(rb"(?im)^from[ \t]*:", split(octets)[0]))


TRIAGE = [
    Triage("RFC 6376 §8.2: what l= leaves outside is anybody's (D-1)", None,
           lambda case, us: us == "policy" and "l=" in case.signer),
    Triage("RFC 6376 §3.4.2: white space before the colon goes; dkimpy reads no such field",
           "dkimpy", change_is("space before the colon")),
    Triage("RFC 6376 §5.4.2: fields above the signed ones are unsigned; dkimpy lets no second From "
           "pass, we leave that to DMARC (RFC 9989)", "dkimpy",
           lambda case, us: us == "pass" and authors(case.octets) > 1),
    Triage("RFC 6376 §3.4.3: a simple body without a line end at its end gets one", "Mail::DKIM",
           lambda case, us: us == "pass" and not case.octets.endswith(b"\r\n")
           and forms_of(case)[1] == b"simple"),
    Triage("RFC 6376 §3.5, v=: required", "Mail::DKIM", change_is("no version")),
    Triage("RFC 6376 §3.2: values have case", "Mail::DKIM", change_is("algorithm in upper case")),
    Triage("RFC 6376 §3.5, h=: hdr-name behind every colon", None,
           change_is("colon behind the names")),
    Triage("RFC 6376 §3.5, bh=: base64 of the hash", "Mail::DKIM", change_is("empty body hash")),
    Triage("RFC 6376 §3.5, d=: two labels or more", "dkimpy", change_is("empty domain")),
    Triage("RFC 6376 §3.5, s=: one label or more", "Mail::DKIM", change_is("empty selector")),
    Triage("RFC 6376 §3.2: no empty tag-spec, names begin with a letter", "Mail::DKIM",
           change_is("empty tag", "tag name of digits")),
    Triage("RFC 6376 §3.2: tags must not occur twice", "Mail::DKIM", change_is("tag twice")),
    Triage("RFC 6376 §3.5, x=: greater than t=", "dkimpy",
           change_is("expires before it was made")),
    Triage("RFC 6376 §3.5, q=: unknown methods are ignored", "dkimpy",
           change_is("known query among others")),
    Triage("RFC 6376 §3.5, l=: not larger than the body", None,
           change_is("length beyond the body")),
    Triage("RFC 6376 §3.5, t=: digits; those of the future may be ignored", "Mail::DKIM",
           change_is("time in words", "time in the future")),
]


# Changes: each takes a signed message, and gives another or None when it has nothing to change.

def split(message):
    at = message.index(b"\r\n\r\n") + 2
    return message[:at], message[at + 2:]


def in_header(pattern, by):
    def change(message):
        header, body = split(message)
        field, rest = own_field(header)
        changed = re.sub(pattern, by, rest, count=1)
        return None if changed == rest else field + changed + b"\r\n" + body
    return change


def own_field(header):
    """The signature on top, and what is below it."""
    end = re.search(rb"\r\n(?![ \t])", header).end()
    return header[:end], header[end:]


def in_body(pattern, by):
    def change(message):
        header, body = split(message)
        changed = re.sub(pattern, by, body, count=1)
        return None if changed == body else header + b"\r\n" + changed
    return change


CHANGES = {
    "nothing": lambda message: message,
    "name in upper case": in_header(rb"(?im)^subject:", b"SUBJECT:"),
    "space before the colon": in_header(rb"(?im)^subject:", b"Subject :"),
    "another space in a field": in_header(rb"(?im)^(subject: *\S+) ", rb"\1  "),
    "a field folded": in_header(rb"(?im)^(subject: *\S+) ", b"\\1\r\n "),
    "a space at the end of a field": in_header(rb"(?im)^(subject:[^\r]*)\r\n", b"\\1 \r\n"),
    "another subject": in_header(rb"(?im)^(subject: *)", rb"\1x"),
    "a field on top": lambda message: b"Subject: x\r\n" + message,
    "an unsigned field on top": lambda message: b"X-Other: x\r\n" + message,
    "an author on top": lambda message: b"From: x@x.example\r\n" + message,
    "a field below": lambda message: split(message)[0] + b"Subject: x\r\n\r\n" + split(message)[1],
    "the signature folded otherwise": lambda message: message.replace(b"; d=", b";\r\n\t d=", 1),
    "an octet of the body": in_body(rb"[a-z]", b"#"),
    "a line behind the body": lambda message: message + b"x\r\n",
    "empty lines behind the body": lambda message: message + b"\r\n\r\n",
    "a space behind the body": lambda message: message + b" \r\n",
    "an empty line before the body": in_body(rb"\A", b"\r\n"),
    "a space at the end of a line": in_body(rb"([a-z])\r\n", b"\\1 \r\n"),
    "another space in a line": in_body(rb"([a-z]) ([a-z])", rb"\1  \2"),
    "a tab for a space": in_body(rb"([a-z]) ([a-z])", b"\\1\t\\2"),
    "a space at the beginning of a line": in_body(rb"\r\n([a-z])", b"\r\n \\1"),
    "no line end at the end": in_body(rb"(\r\n)+\Z", b""),
    "no body": lambda message: split(message)[0] + b"\r\n",
}


# Signers.

def by_dkimpy(canon, length=False):
    def sign(message):
        header = message[:message.index(b"\r\n\r\n")].lower()
        names = [name for name in (b"from", b"to", b"subject", b"date", b"message-id")
                 if name == b"from" or re.search(rb"(?m)^" + name + rb"[ \t]*:", header)]
        signer = dkim.DKIM(message, linesep=b"\r\n")
        return signer.sign(b"rsa", b"fwd.example", RSA_PEM, canonicalize=canon,
                           include_headers=names, length=length) + message
    return sign


DKIMPY = {
    "dkimpy simple/simple": by_dkimpy((b"simple", b"simple")),
    "dkimpy relaxed/simple": by_dkimpy((b"relaxed", b"simple")),
    "dkimpy simple/relaxed": by_dkimpy((b"simple", b"relaxed")),
    "dkimpy relaxed/relaxed with l=": by_dkimpy((b"relaxed", b"relaxed"), True),
}


def by_anything(message, tags):
    """Signs relaxed/simple whatever the tags say; "{l}" is the length of the body."""
    header, body = split(message)
    body = re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"
    tags = tags.replace("{l}", str(len(body))).encode()
    if b"bh=" not in tags:
        tags += b"; bh=" + base64.b64encode(hashlib.sha256(body).digest())
    text = b""
    for name in (b"from", b"subject"):
        value = re.findall(rb"(?im)^" + name + rb":([^\r]*)\r\n", header)[-1]
        text += name + b":" + re.sub(rb"\s+", b" ", value).strip() + b"\r\n"
    text += b"dkim-signature:" + re.sub(rb"\s+", b" ", tags).strip() + b"; b="
    key = dkim.crypto.parse_pem_private_key(RSA_PEM)
    signature = base64.b64encode(
        dkim.crypto.RSASSA_PKCS1_v1_5_sign(hashlib.sha256(text), key))
    return b"DKIM-Signature: " + tags + b"; b=" + signature + b"\r\n" + message


PLAIN = (b"From: ann@x.example\r\nTo: bob@y.example\r\nSubject: Is dinner ready?\r\n\r\n"
         b"Hi.\r\n\r\nWe lost the game.\r\n")
GOOD_TAGS = "v=1; a=rsa-sha256; c=relaxed/simple; d=fwd.example; s=rsa; h=From:Subject"
NOW = int(time.time())
DAY = 86_400
ODD_TAGS = {
    "as it should be": {},
    "no version": {"v": None},
    "version 2": {"v": "2"},
    "version 01": {"v": "01"},
    "no canonicalization": {"c": None},
    "canonicalization of the header alone": {"c": "relaxed"},
    "unknown canonicalization": {"c": "relaxed/nofws"},
    "unknown algorithm": {"a": "rsa-sha512"},
    "algorithm in upper case": {"a": "RSA-SHA256"},
    "sha1": {"a": "rsa-sha1"},
    "no domain": {"d": None},
    "empty domain": {"d": ""},
    "domain in upper case": {"d": "FWD.Example"},
    "no selector": {"s": None},
    "empty selector": {"s": ""},
    "no names": {"h": None},
    "no author signed": {"h": "Subject"},
    "names with spaces": {"h": " From :\r\n Subject "},
    "names in lower case": {"h": "from:subject"},
    "colon behind the names": {"h": "From:Subject:"},
    "absent names": {"h": "From:Subject:Subject:Cc:X"},
    "identity": {"i": "ann@fwd.example"},
    "identity without local part": {"i": "@fwd.example"},
    "identity below": {"i": "ann@sub.fwd.example"},
    "identity in upper case": {"i": "Ann@FWD.EXAMPLE"},
    "identity elsewhere": {"i": "ann@x.example"},
    "identity of a similar name": {"i": "ann@badfwd.example"},
    "identity without at": {"i": "fwd.example"},
    "query": {"q": "dns/txt"},
    "unknown query": {"q": "http"},
    "known query among others": {"q": "http:dns/txt"},
    "length of the body": {"l": "{l}"},
    "length in hexadecimal": {"l": "0x10"},
    "length below zero": {"l": "-1"},
    "length beyond the body": {"l": "99999"},
    "time": {"t": str(NOW - 60)},
    "time in words": {"t": "now"},
    "time in the future": {"t": str(NOW + 2 * DAY)},
    "expiry": {"t": str(NOW - 60), "x": str(NOW + DAY)},
    "expired": {"t": str(NOW - 3 * DAY), "x": str(NOW - 2 * DAY)},
    "expires before it was made": {"t": str(NOW - 60), "x": str(NOW - 120)},
    "expiry in words": {"x": "later"},
    "unknown tag": {"xyz": "something = else"},
    "copied fields": {"z": "From:ann@x.example|Subject:x"},
    "tag twice": {"d": "fwd.example; d=fwd.example"},
    "empty tag": {"s": "rsa; "},
    "tag without value": {"s": "rsa; r"},
    "tag name of digits": {"s": "rsa; 1=2"},
    "tag name in upper case": {"D": "x.example"},
    "tabs and folding": {"s": "\r\n\trsa \t\r\n "},
    "body hash of another body": {"bh": base64.b64encode(hashlib.sha256(b"x").digest()).decode()},
    "body hash that is no base64": {"bh": "!!!!"},
    "empty body hash": {"bh": ""},
}


def odd(tags):
    changed = dict(part.split("=", 1) for part in GOOD_TAGS.split("; "))
    for name, value in tags.items():
        if value is None:
            del changed[name]
        else:
            changed[name] = value
    return "; ".join(f"{name}={value}" for name, value in changed.items())


class Differential(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        verify_corpus.SignedCorpus.setUpClass.__func__(cls)
        cls.used = set()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def signed_messages(self):
        """Every message in every way it can be signed; the last of each is whether to change it:
        all changes of all of them would be sixty thousand messages, so the ways take turns."""
        ways = {f"us {kind}": lambda name, _, kind=kind: (self.root / kind / name).read_bytes()
                for kind in ("rsa", "ed25519")}
        ways |= {way: lambda _, message, sign=sign: sign(message) for way, sign in DKIMPY.items()}
        for at, path in enumerate(sorted((self.root / "plain").iterdir())):
            message = path.read_bytes()
            header = split(message)[0]
            for number, (way, sign) in enumerate(ways.items()):
                if way in DKIMPY and not re.search(rb"(?im)^from[ \t]*:", header):
                    continue  # dkimpy does not sign without an author
                yield path.name, way, message, sign(path.name, message), at % len(ways) == number

    def test_changed_messages(self):
        cases = []
        for name, signer, original, signed, change_it in self.signed_messages():
            for change, apply in CHANGES.items():
                octets = apply(signed) if change_it or change == "nothing" else None
                if octets is not None:
                    cases.append(Case(name, signer, change, original, octets))
        self.compare(cases)

    def test_odd_tags(self):
        self.compare([Case("plain", "anything", name, PLAIN, by_anything(PLAIN, odd(tags)))
                      for name, tags in ODD_TAGS.items()])

    def compare(self, cases):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for at, case in enumerate(cases):
                (folder / f"{at:06}").write_bytes(case.octets)
            ours = self.judged_by_us(folder)
            perl = self.judged_by_mail_dkim(folder)
        counts = collections.Counter()
        unexplained = []
        for at, case in enumerate(cases):
            name = f"{at:06}"
            us, problem = ours[name]
            counts["pass" if us == "pass" else "no pass"] += 1
            others = {"dkimpy": self.judged_by_dkimpy(case)}
            if "ed25519" not in case.signer:
                others["Mail::DKIM"] = perl[name]
            for verifier, passes in others.items():
                if passes == (us == "pass"):
                    counts[f"as {verifier}"] += 1
                elif not self.explained(case, verifier, us):
                    unexplained.append(f"{case.message}, {case.signer}, {case.change}: we say {us} "
                                       f"({problem}), {verifier} says {passes}")
                else:
                    counts[f"other than {verifier}"] += 1
        print(f"{self._testMethodName}: {len(cases)} messages, {dict(counts)}")
        self.assertEqual(unexplained[:60], [], len(unexplained))
        self.assertGreater(counts["pass"], 0)
        self.assertGreater(counts["no pass"], 0)

    def explained(self, case, verifier, us):
        for at, entry in enumerate(TRIAGE):
            if entry.verifier in (verifier, None) and entry.applies(case, us):
                self.used.add(at)
                return True
        return False

    def test_zz_every_entry_of_triage_decides_something(self):
        self.assertEqual([TRIAGE[at].clause for at in range(len(TRIAGE)) if at not in self.used],
                         [])

    def judged_by_us(self, folder):
        records = self.root / "records"
        records.write_text("".join(f"{kind}._domainkey.fwd.example\t{record}\n"
                                   for kind, record in self.records.items()))
        out = subprocess.run([VERIFY, str(records), str(folder), str(NOW)], check=True,
                             capture_output=True, text=True).stdout
        verdicts = {}
        for line in out.splitlines():
            name, result, problem = line.split(" ", 2)
            verdicts[name] = (result, problem)
        return verdicts

    def judged_by_mail_dkim(self, folder):
        record = self.root / "record"
        record.write_text(self.records["rsa"])
        return {name: result == "pass"
                for name, result in verify_corpus.SignedCorpus.mail_dkim(self, folder,
                                                                         record).items()}

    def judged_by_dkimpy(self, case):
        def record(name, timeout=5):
            kind = name.split(b"._domainkey.")[0].decode()
            return self.records.get(kind, "").encode()
        try:
            return dkim.DKIM(case.octets, minkey=1024).verify(dnsfunc=record)
        except (dkim.DKIMException, ValueError, AssertionError, KeyError, TypeError, IndexError):
            return False


if __name__ == "__main__":
    unittest.main()
