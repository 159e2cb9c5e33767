"""Sealers that the operator trusts, in the spelling of each: a failed p=reject is softened for the author
whom the sealer has seen pass, and for no other."""

import json
import unittest

from .arrivals import Sealer, absolute
from .harness import Relay
from .senders import Sender

# Their results for mail that passed; {author}: the domain in From, as they saw it.
WORDS = {
    "microsoft.com": "mx.microsoft.com 1; spf=pass smtp.mailfrom={author}; dmarc=pass action=none "
                     "header.from={author}; dkim=pass header.d={author}; arc=none",
    "messagingengine.com": "mx1.messagingengine.com; arc=none (no signatures found); dkim=pass (2048-bit rsa "
                           "key sha256) header.d={author} header.i=@{author} header.b=Ab/+dEf= "
                           "header.a=rsa-sha256 header.s=fm1 x-bits=2048; dmarc=pass "
                           "policy.published-domain-policy=reject policy.applied-disposition=none "
                           "(p=reject,d=none,d.eval=none) policy.policy-from=p header.from={author}; "
                           "spf=pass smtp.mailfrom=ann@{author} smtp.helo=mx.{author}",
    "google.com": 'mx.google.com; dkim=pass header.i=@{author} header.s=s1 header.b="aB/cD+eF"; spf=pass '
                  "(google.com: domain of ann@{author} designates 192.0.2.7 as permitted sender) "
                  "smtp.mailfrom=ann@{author}; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from={author}",
    "zohomail.com": "mx.zohomail.com; dkim=pass; spf=pass (zohomail.com: domain of {author} designates "
                    "192.0.2.7 as permitted sender)  smtp.mailfrom=ann@{author}; "
                    "dmarc=pass(p=reject dis=none)  header.from=<ann@{author}>",
    "hop.example": "mx.hop.example; client-ip=192.0.2.7; dmarc=pass header.from={author};",
}
TRUSTED = [domain for domain in WORDS if domain != "hop.example"]


class Sealers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.relay = Relay(1, verify=True)
        cls.addClassCleanup(cls.relay.remove)
        cls.authors = [Sender("author.test"), Sender("victim.test")]
        cls.sealers = {domain: Sealer(domain, cls.relay.folder) for domain in WORDS}
        zones = {one.domain: one.records() for one in cls.authors}
        zones.update({domain: sealer.zone() for domain, sealer in cls.sealers.items()})
        with open(cls.relay.path("world.zone"), "w", encoding="ascii") as f:
            for domain, records in zones.items():
                f.writelines(absolute(record, domain) + "\n" for record in records)

    def verified(self, message, trusted):
        """The output of `srs-relay verify` for a message from a client that no SPF record names."""
        self.relay.write_config(f"[arc]\ntrusted_sealers = {json.dumps(trusted)}\n")
        with open(self.relay.path("message"), "wb") as f:
            f.write(message)
        told = self.relay.cli("verify", self.relay.path("message"), "--json", "--ip", "192.0.2.7",
                              "--mail-from", "list@lists.test", "--helo", "lists.test", "--to", "user@fwd.test",
                              "--dns", self.relay.path("world.zone"))
        self.assertIn(told.returncode, (0, 1), told.stderr)
        answer = json.loads(told.stdout)
        self.assertEqual(answer["verdicts"]["arc"]["result"], "pass", answer["verdicts"]["arc"])
        self.assertEqual(answer["verdicts"]["dmarc"]["result"], "fail")
        return answer

    def sealed(self, sealer, seen, written):
        """A list took a message of `seen`, and one of `written` left it."""
        message = self.authors[0].message(author=f"Ann <ann@{written}>")
        return self.sealers[sealer].seal(message, WORDS[sealer].format(author=seen))

    def refusal_of(self, answer, author):
        self.assertTrue(answer["reply"].startswith(f"550 5.7.1 Message fails DMARC of {author}, whose policy is "
                                                   "reject"), answer["reply"])

    def test_a_trusted_sealer_softens_for_the_author_it_saw(self):
        for sealer in WORDS:
            with self.subTest(sealer):
                answer = self.verified(self.sealed(sealer, "author.test", "author.test"), [sealer])
                self.assertNotIn("reply", answer)
                decision, = answer["decisions"]
                self.assertTrue(decision["risk_pool"])
                self.assertIn(f"{sealer} sealed it as passing", decision["reason"])

    def test_it_softens_for_nobody_else(self):
        for sealer in WORDS:
            with self.subTest(sealer):
                answer = self.verified(self.sealed(sealer, "author.test", "victim.test"), [sealer])
                self.refusal_of(answer, "victim.test")

    def test_a_sealer_whom_nobody_has_named_softens_nothing(self):
        answer = self.verified(self.sealed("hop.example", "author.test", "author.test"), TRUSTED)
        self.refusal_of(answer, "author.test")


if __name__ == "__main__":
    unittest.main()
