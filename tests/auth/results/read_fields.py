"""The golden Authentication-Results fields, read by a parser that is not ours (python3-authres)."""

import pathlib
import unittest

import authres
from authres import arc, dkim_b, dmarc

DATA = pathlib.Path(__file__).resolve().parent / "data"
READER = authres.FeatureContext(arc, dkim_b, dmarc)


def read(name):
    field = (DATA / f"{name}.golden").read_bytes().decode("ascii")
    return READER.parse(field.rstrip("\r\n"))


def properties(result):
    return {f"{p.type}.{p.name}": p.value for p in result.properties}


class GoldenFields(unittest.TestCase):
    def test_good_mail(self):
        header = read("good")
        self.assertEqual(header.authserv_id, "mx.fwd.example")
        self.assertEqual([(r.method, r.result) for r in header.results],
                         [("iprev", "pass"), ("spf", "none"), ("spf", "pass"), ("dkim", "pass"),
                          ("dkim", "fail"), ("dmarc", "pass"), ("arc", "pass")])
        iprev, helo, mail_from, first, second, policy, chain = header.results
        self.assertEqual(properties(iprev), {"policy.iprev": "2001:db8::25"})
        self.assertEqual(properties(helo), {"smtp.helo": "mx.sender.example"})
        self.assertEqual(properties(mail_from), {"smtp.mailfrom": "ann@sender.example"})
        self.assertEqual(properties(first), {
            "header.d": "sender.example", "header.i": "@sender.example", "header.s": "s2026",
            "header.a": "rsa-sha256", "header.b": "ab/cd+ef"})
        self.assertEqual(second.reason, "body hash did not verify")
        self.assertEqual(properties(policy),
                         {"header.from": "sender.example", "policy.dmarc": "reject"})
        self.assertEqual(properties(chain),
                         {"header.oldest-pass": "0", "smtp.remote-ip": "2001:db8::25"})

    def test_nothing(self):
        self.assertEqual([(r.method, r.result) for r in read("none").results],
                         [("iprev", "fail"), ("spf", "none"), ("dkim", "none"), ("dmarc", "none"),
                          ("arc", "none")])

    def test_spoof(self):
        header = read("spoof")
        self.assertEqual([(r.method, r.result) for r in header.results],
                         [("iprev", "pass"), ("spf", "none"), ("spf", "softfail"),
                          ("dkim", "none"), ("dmarc", "fail"), ("arc", "fail")])
        self.assertEqual(properties(header.results[2]), {"smtp.mailfrom": "evil.example"})


if __name__ == "__main__":
    unittest.main()
