"""Our verifier beside two others, dkimpy and Mail::DKIM, over signed messages that were changed.

Every message of the corpus is signed by us and by dkimpy, in several canonicalizations, then
changed in ways that some canonicalizations forgive and others do not. A second set has signatures
with one odd tag each, made by a signer that signs anything. All three must say the same, pass or
not; where they differ on purpose, TRIAGE has the clause that decides, and an entry of TRIAGE that
decides nothing is a failure.
"""

import collections
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import dkim

from tests import vectors
from tests.auth.dkim import verify_corpus
from tests.auth.dkim.variations import (CHANGES, DKIMPY, NOW, ODD_TAGS, PLAIN, by_anything, odd,
                                         split)

HERE = pathlib.Path(__file__).resolve().parent
VERIFY = os.environ.get("VERIFY_MESSAGES", str(HERE.parents[2] / "build/fuzz/bin/verify_messages"))

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
    Triage("RFC 6376 §8.2: what l= leaves outside is anybody's", None,
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

    @unittest.skipIf(vectors.OTHER, "another folder need not have every oddity")
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
        return {name: result == "pass" for name, result in
                verify_corpus.judged_by_mail_dkim("dkim", folder, record).items()}

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
