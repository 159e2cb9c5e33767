"""Every message of the corpus, signed by us and judged by verifiers that are not ours.

dkimpy judges RSA and Ed25519, Mail::DKIM RSA (the distribution's knows no Ed25519). For each
signature there are two negative controls, a changed body octet and a changed signed field, which
both verifiers must refuse.
"""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import dkim

from tests import vectors

HERE = pathlib.Path(__file__).resolve().parent
SIGN = os.environ.get("SIGN_MESSAGES", str(HERE.parents[2] / "build/fuzz/bin/sign_messages"))


def as_smtp(raw):
    """As it would come through our server: CRLF line ends, no NUL, no bare CR; or None."""
    text = raw.replace(b"\r\n", b"\n")
    if b"\0" in text or b"\r" in text:
        return None
    return text.replace(b"\n", b"\r\n")


def corpus():
    for case, raw in vectors.cases("corpus"):
        message = as_smtp(raw)
        # A verifier of RFC 6376 needs a header that is one: verifiers differ about lines that are
        # no field (we sign none of them).
        if message is None or b"\r\n\r\n" not in message:
            continue
        lines = re.split(rb"\r\n(?![ \t])", message[:message.index(b"\r\n\r\n")])
        if not all(re.match(rb"[!-9;-~]+[ \t]*:", line) for line in lines):
            continue
        yield pathlib.Path(case["file"]).name, message


def changed_body(message):
    """One octet of the body that no canonicalisation forgives, or None."""
    begin = message.index(b"\r\n\r\n") + 4
    for at in range(begin, len(message)):
        if message[at:at + 1].isalpha():
            return message[:at] + (b"x" if message[at:at + 1] != b"x" else b"y") + message[at + 1:]
    return None


def changed_subject(message):
    """Another subject; None when there is none to change."""
    at = message.lower().find(b"\r\nsubject:")
    end = message.find(b"\r\n\r\n")
    if at < 0 or at > end:
        return None
    return message[:at + 10] + b" changed" + message[at + 10:]


def judged_by_mail_dkim(kind, folder, record):
    """What Mail::DKIM says of each message: name -> result. `kind` is "dkim" or "arc"."""
    out = subprocess.run(["/usr/bin/perl", str(HERE.parent / "mail_dkim.pl"), kind, str(folder),
                          str(record)], check=True, capture_output=True, text=True).stdout
    return dict(line.rsplit(" ", 1) for line in out.splitlines())


class SignedCorpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        vectors.need("corpus/cases.json")
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        for name in ("plain", "rsa", "ed25519"):
            (cls.root / name).mkdir()
        for name, message in corpus():
            (cls.root / "plain" / name).write_bytes(message)
        if vectors.OTHER and not any((cls.root / "plain").iterdir()):
            raise unittest.SkipTest(f"no messages to sign at {vectors.FOLDER}")
        cls.records = {}
        for kind in ("rsa", "ed25519"):
            cls.records[kind] = subprocess.run(
                [SIGN, str(HERE / "data" / f"{kind}.pem"), "fwd.example", kind,
                 str(cls.root / "plain"), str(cls.root / kind)],
                check=True, capture_output=True, text=True).stdout.strip()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def signed(self, kind):
        for path in sorted((self.root / kind).iterdir()):
            yield path.name, path.read_bytes()

    def dkimpy(self, kind, message):
        record = self.records[kind].encode()
        try:
            verifier = dkim.DKIM(message, minkey=1024)
            return verifier.verify(dnsfunc=lambda name, timeout=5: record)
        except dkim.DKIMException:
            return False

    def check_with_dkimpy(self, kind):
        counts = {"good": 0, "body": 0, "subject": 0}
        for name, message in self.signed(kind):
            original = (self.root / "plain" / name).read_bytes()
            self.assertTrue(message.endswith(original), name)
            self.assertTrue(self.dkimpy(kind, message), f"{name} ({kind})")
            counts["good"] += 1
            field, rest = message[:-len(original)], original
            for control, change in (("body", changed_body), ("subject", changed_subject)):
                broken = change(rest)
                if broken is None:
                    continue
                self.assertFalse(self.dkimpy(kind, field + broken), f"{name}: {control} changed")
                counts[control] += 1
        print(f"dkimpy, {kind}: {counts}")
        for count in counts.values():
            self.assertGreater(count, 0)

    def test_dkimpy_rsa(self):
        self.check_with_dkimpy("rsa")

    def test_dkimpy_ed25519(self):
        self.check_with_dkimpy("ed25519")

    def test_mail_dkim_rsa(self):
        controls = self.root / "controls"
        controls.mkdir()
        for name, message in self.signed("rsa"):
            original = (self.root / "plain" / name).read_bytes()
            field = message[:-len(original)]
            broken = changed_body(original) or changed_subject(original)
            if broken is not None:
                (controls / name).write_bytes(field + broken)
        record = self.root / "record"
        record.write_text(self.records["rsa"])
        good = judged_by_mail_dkim("dkim", self.root / "rsa", record)
        bad = judged_by_mail_dkim("dkim", controls, record)
        self.assertEqual([n for n, result in good.items() if result != "pass"], [])
        self.assertEqual([n for n, result in bad.items() if result == "pass"], [])
        self.assertGreater(len(good), 0)
        self.assertGreater(len(bad), 0)
        print(f"Mail::DKIM, rsa: {len(good)} pass, {len(bad)} controls refused")


if __name__ == "__main__":
    unittest.main()
