"""Every message of the corpus, sealed by us at two hops and judged by verifiers of other projects.

dkimpy and Mail::DKIM must find the chain valid, and broken once the body, a signed field or what an
earlier hop found has been changed.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

import dkim

from tests import vectors
from tests.auth.dkim import verify_corpus

HERE = pathlib.Path(__file__).resolve().parent
KEY = HERE.parent / "dkim" / "data" / "rsa.pem"
SEAL = os.environ.get("SEAL_MESSAGES", str(HERE.parents[2] / "build/fuzz/bin/seal_messages"))


def changed_results(fields):
    """The oldest results say something else."""
    head, found, tail = fields.rpartition(b"spf=none")
    return head + b"spf=pass" + tail if found else None


class SealedCorpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        vectors.need("corpus/cases.json")
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        for name in ("plain", "sealed", "controls"):
            (cls.root / name).mkdir()
        for name, message in verify_corpus.corpus():
            if b"\r\narc-" not in (b"\r\n" + message.split(b"\r\n\r\n")[0]).lower():
                (cls.root / "plain" / name).write_bytes(message)
        if vectors.OTHER and not any((cls.root / "plain").iterdir()):
            raise unittest.SkipTest(f"no messages to seal at {vectors.FOLDER}")
        done = subprocess.run(
            [SEAL, str(KEY), "fwd.example", "s1", "2", str(cls.root / "plain"),
             str(cls.root / "sealed")], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.record = done.stdout.strip()
        for path in sorted((cls.root / "sealed").iterdir()):
            original = (cls.root / "plain" / path.name).read_bytes()
            fields = path.read_bytes()[:-len(original)]
            for control, change in (("body", verify_corpus.changed_body),
                                    ("subject", verify_corpus.changed_subject)):
                broken = change(original)
                if broken is not None:
                    (cls.root / "controls" / f"{control}-{path.name}").write_bytes(fields + broken)
            (cls.root / "controls" / f"results-{path.name}").write_bytes(
                changed_results(fields) + original)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def dkimpy(self, message):
        record = self.record.encode()
        status, _, reason = dkim.arc_verify(message, dnsfunc=lambda name, timeout=5: record,
                                            minkey=1024)
        return status, reason

    def test_dkimpy(self):
        counts = {"sealed": 0, "controls": 0}
        for folder, expected in (("sealed", dkim.CV_Pass), ("controls", dkim.CV_Fail)):
            for path in sorted((self.root / folder).iterdir()):
                status, reason = self.dkimpy(path.read_bytes())
                self.assertEqual(status, expected, f"{path.name}: {reason}")
                counts[folder] += 1
        print(f"dkimpy, ARC: {counts}")
        for count in counts.values():
            self.assertGreater(count, 0)

    def test_mail_dkim(self):
        record = self.root / "record"
        record.write_text(self.record)
        for folder, expected in (("sealed", "pass"), ("controls", "fail")):
            results = verify_corpus.judged_by_mail_dkim("arc", self.root / folder, record)
            self.assertEqual(len(results), len(list((self.root / folder).iterdir())))
            self.assertEqual({name: r for name, r in results.items() if r != expected}, {})
            print(f"Mail::DKIM, ARC: {len(results)} {expected}")


if __name__ == "__main__":
    unittest.main()
