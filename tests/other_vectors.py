"""The runners of the vectors on folders that are not the project's: with other names and another order, with
parts missing, with nothing at all; and with a verdict that is wrong, which must be found.

The folder they are made from is $VECTORS or the project's own; RUNNERS is where the programs are."""

import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

from tests import vectors

RUNNERS = pathlib.Path(os.environ.get("RUNNERS", "build/fuzz/bin"))
PARTS = {  # program -> what it reads
    "address_vectors": ["smtp/address-syntax.json"],
    "end_of_data_vectors": ["smtp/end-of-data.json"],
    "srs_vectors": ["srs"],
    "dkim_vectors": ["dkim", "corpus"],
    "auth_arc": ["arc"],
    "auth_dmarc": ["dmarc/public-suffix.json"],
    "auth_spf": ["spf"],
}
FAMILY = ("Mail::SRS", "pysrs", "libsrs2", "postsrsd")


def run(program, folder):
    """Its status and what it said, when it reads `folder`."""
    environment = {**os.environ, "VECTORS": str(folder), "CI": "true"}
    done = subprocess.run([RUNNERS / f"{program}_test", "--gtest_filter=*Vectors*:Corpus*"], env=environment,
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def all_of(document):
    """Every list of cases in a file, in whatever form it has."""
    if isinstance(document, list):
        return [document]
    lists = [document[key] for key in ("cases", "tests") if key in document]
    return lists + [scenario["tests"] for scenario in document.get("scenarios", [])]


class OtherFolders(unittest.TestCase):
    def setUp(self):
        for parts in PARTS.values():
            for part in parts:
                vectors.need(part)
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "vectors"
        shutil.copytree(vectors.FOLDER, self.folder, ignore=shutil.ignore_patterns("messages", "reports", "dsn", "tls"))
        for part in ("corpus", "dkim"):  # nothing changes them
            (self.folder / part / "messages").symlink_to((vectors.FOLDER / part / "messages").absolute())

    def change(self, part, edit):
        """Rewrites the files of a part: edit(document)."""
        path = self.folder / part
        for file in [path] if path.is_file() else sorted(path.glob("*.json")):
            document = json.loads(file.read_text("utf-8"))
            edit(document)
            file.chmod(0o644)
            file.write_text(json.dumps(document), "utf-8")

    def shuffle(self, document):
        """Other names, another order, and every other case only."""
        rng = random.Random(7)
        for cases in all_of(document):
            for case in cases:
                key = "case" if "case" in case else "name"
                case[key] = hashlib.sha256(case[key].encode()).hexdigest()[:12]
            rng.shuffle(cases)
            del cases[len(cases) // 2 + 1:]

    def assert_green(self, skipped=()):
        for program in PARTS:
            with self.subTest(program):
                status, said = run(program, self.folder)
                self.assertEqual(status, 0, said)
                self.assertEqual("skipped: " in said, program in skipped, said)

    def test_names_order_and_number_do_not_matter(self):
        for part in ("smtp", "srs", "dkim", "arc", "dmarc/public-suffix.json", "spf"):
            self.change(part, self.shuffle)
        for number, file in enumerate(sorted((self.folder / "spf").glob("*.json"))):
            file.rename(file.with_name(f"suite{number}.json"))
        self.assert_green()

    def test_a_part_may_be_missing(self):
        for program, parts in PARTS.items():
            for part in parts:
                with self.subTest(program, without=part):
                    self.hide(part)
                    status, said = run(program, self.folder)
                    self.assertEqual(status, 0, said)
                    self.assertIn("skipped: no ", said)

    def test_parts_of_parts_may_be_missing(self):
        for part in ("srs/exim.json", "srs/srs-js.json", "srs/sender-rewriting-scheme.json", "arc/arc-sign.json",
                     "corpus/messages", "dkim/messages", "spf/mail-auth-spf.json", "spf/rfc7208-tests.json"):
            self.hide(part)
        self.assert_green(skipped=("srs_vectors", "auth_arc", "dkim_vectors"))

    def test_a_folder_without_any_case(self):
        for parts in PARTS.values():
            for part in parts:
                self.change(part, lambda document: [cases.clear() for cases in all_of(document)])
        self.hide("corpus/messages")
        self.assert_green(skipped=PARTS)

    def test_no_folder_is_an_error_where_there_must_be_one(self):
        shutil.rmtree(self.folder)
        for program in PARTS:
            with self.subTest(program):
                self.assertNotEqual(run(program, self.folder)[0], 0)

    def hide(self, part):
        path = self.folder / part
        path.unlink() if path.is_file() or path.is_symlink() else shutil.rmtree(path)

    # One wrong verdict is found, whichever it is.

    def check_found(self, program, part, wrong):
        """`wrong` changes the first case that will do, and returns False for others."""
        self.change(part, self.first(wrong))
        status, said = run(program, self.folder)
        self.assertNotEqual(status, 0, said)

    @staticmethod
    def first(wrong):
        done = []

        def edit(document):
            for cases in all_of(document):
                for case in cases:
                    if not done and wrong(case) is not False:
                        done.append(case)
        return edit

    def test_a_wrong_address(self):
        def refused(case):
            if case["category"] != "ISEMAIL_VALID_CATEGORY":
                return False
            case.update(category="ISEMAIL_ERR", diagnosis="ISEMAIL_ERR_EXPECTING_ATEXT")

        self.check_found("address_vectors", "smtp/address-syntax.json", refused)

    def test_a_wrong_address_taken(self):
        def taken(case):
            if case["diagnosis"] != "ISEMAIL_ERR_DOMAINHYPHENEND":
                return False
            case.update(category="ISEMAIL_VALID_CATEGORY", diagnosis="ISEMAIL_VALID")

        self.check_found("address_vectors", "smtp/address-syntax.json", taken)

    def test_a_wrong_end_of_data(self):
        self.check_found("end_of_data_vectors", "smtp/end-of-data.json",
                         lambda case: case.update(ends_data=not case["ends_data"]))

    def test_a_wrong_chain(self):
        def wrong(case):
            if case.get("cv") != "pass" or "c=" not in case["message"]:
                return False
            case["cv"] = "fail"

        self.check_found("auth_arc", "arc/arc-validate.json", wrong)

    def test_a_wrong_seal(self):
        def wrong(case):
            if not case["expect"].get("arc_seal"):
                return False
            case["expect"]["arc_seal_tags"]["s"] = "another"

        self.check_found("auth_arc", "arc/arc-sign.json", wrong)

    def test_a_wrong_signature(self):
        def wrong(case):
            for signature in case["signatures"]:
                if signature["accept"] == ["pass"] and not signature.get("l"):
                    signature["accept"] = ["fail"]
                    return True
            return False

        self.check_found("dkim_vectors", "dkim/cases.json", wrong)

    def test_a_wrong_organisation(self):
        def wrong(case):
            if not case["registrable"]:
                return False
            case["registrable"] = "www." + case["registrable"]

        self.check_found("auth_dmarc", "dmarc/public-suffix.json", wrong)

    def test_a_wrong_spf_result(self):
        for suite in ("rfc7208-tests.json", "blitirispf-tests.json", "mail-auth-spf.json"):
            with self.subTest(suite):
                def wrong(case):
                    if case["results"] != ["pass"]:
                        return False
                    case["results"] = ["neutral"]

                self.check_found("auth_spf", f"spf/{suite}", wrong)

    def test_a_wrong_srs_address(self):
        def wrong(document):
            for case in document:
                if case["tool"].startswith(FAMILY) and case.get("expect", "").endswith("user@example.org"):
                    case["expect"] = "another@example.org"

        self.change("srs", wrong)
        self.assertNotEqual(run("srs_vectors", self.folder)[0], 0)

    def test_a_wrong_srs_address_of_others(self):
        def wrong(case):
            if case["op"] != "reverse" or "expect" not in case:
                return False
            del case["expect"]

        self.check_found("srs_vectors", "srs/srs-js.json", wrong)


if __name__ == "__main__":
    unittest.main()
