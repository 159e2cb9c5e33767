"""Every signature and seal of ours is verified before it leaves (each one in a debug build), and
holds in the eyes of others."""

import unittest

from . import own_signatures


class OwnSignatures(unittest.TestCase):
    def test_all_hold_and_were_checked(self):
        found = own_signatures.campaign(60)
        self.assertTrue(found["pass"], found)
        self.assertEqual((found["failures"], found["broken"]), (0, 0))
        self.assertIn(found["checks"], (1, 60), "one of a thousand in a release build")


if __name__ == "__main__":
    unittest.main()
