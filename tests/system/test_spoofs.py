"""The forger itself: many spoofs, all different, all sendable, the same ones for the same seed."""

import base64
import unittest

import dkim

from .spoofs import Forger


class Forging(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.forger = Forger(seed=7)
        cls.spoofs = list(cls.forger.spoofs(2000))

    def test_there_are_as_many_as_wanted_and_none_twice(self):
        self.assertEqual(len(self.spoofs), 2000)
        self.assertEqual(len({s.name for s in self.spoofs}), 2000)
        self.assertEqual(len({self.without_number(s) for s in self.spoofs}), 2000)

    def without_number(self, spoof):
        """What is left when the number, and what was computed over it, are taken away."""
        number = spoof.name.split()[0].lstrip("0").encode()
        head = spoof.content.split(b"\r\n\r\n", 1)[0]
        lines = [line.split(b"; bh=")[0] for line in head.split(b"\r\n")]
        text = b"\r\n".join(lines).replace(b"Invoice " + number, b"").replace(b"<" + number + b"@", b"")
        return spoof.helo, spoof.mail_from, text, spoof.name.split("/")[3]

    def test_all_can_be_sent(self):
        for spoof in self.spoofs:
            with self.subTest(spoof.name):
                bare = spoof.content.replace(b"\r\n", b"")
                self.assertNotIn(b"\r", bare)
                self.assertNotIn(b"\n", bare)
                self.assertTrue(spoof.content.endswith(b"\r\n"))
                self.assertLessEqual(max(map(len, spoof.content.split(b"\r\n"))), 998)
                self.assertTrue(spoof.helo.isascii() and spoof.helo.isprintable() and " " not in spoof.helo)
                self.assertTrue(spoof.mail_from.isascii() and spoof.mail_from.isprintable())
                self.assertLessEqual(len(f"MAIL FROM:<{spoof.mail_from}>\r\n"), 512)
                self.assertNotIn(b"\r\n.", spoof.content)

    def test_the_same_seed_makes_the_same_ones(self):
        def made(seed):
            return [(s.name, s.helo, s.mail_from, s.content) for s in Forger(seed=seed).spoofs(300)]
        self.assertEqual(made(3), made(3))
        self.assertNotEqual(made(3), made(4))

    def test_every_form_occurs_by_itself_and_most_forge_the_author(self):
        parts = [s.name.split()[1].split("/") for s in self.spoofs]
        for at, forms in enumerate((self.forger.authors(), self.forger.envelopes(), self.forger.tricks(),
                                    self.forger.signatures())):
            self.assertEqual({p[at] for p in parts}, set(forms))
        self.assertGreater(sum(s.forges_author for s in self.spoofs), 1500)

    def test_the_attackers_own_signatures_are_valid(self):
        """Or else a relay that believes any signature would pass."""
        public = base64.b64encode(bytes(self.forger.key.verify_key))
        own = [s for s in self.spoofs if "plain/own/none/own/" in s.name]
        self.assertTrue(own)
        for spoof in own:
            self.assertTrue(dkim.verify(spoof.content, dnsfunc=lambda *a, **k: b"v=DKIM1; k=ed25519; p=" + public),
                            spoof.name)


if __name__ == "__main__":
    unittest.main()
