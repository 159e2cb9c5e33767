"""Floods beside a normal load, small enough for every run. The full sizes: scripts/campaign overload."""

import unittest

from . import floods
from .harness import changed_by_sanitizers


@changed_by_sanitizers("latencies are judged")
class Floods(unittest.TestCase):
    def check(self, name, sessions=0):
        """`sessions`: so many the flood must have had."""
        found = floods.beside(name, 40)
        if not floods.is_good(found):  # the machine may have done something else meanwhile: once more
            print(found)
            found = floods.beside(name, 40)
        print(found)
        self.assertGreaterEqual(found["sessions"], sessions)
        self.assertTrue(found["alive"])
        self.assertEqual((found["control_refused"], found["flooded_refused"]), ([], []))
        self.assertTrue(floods.is_good(found), found)

    def test_silent_holders_of_one_network(self):
        self.check("silent")

    def test_silent_holders_of_five_networks(self):
        self.check("silent_of_five")

    def test_idle_connections_of_five_networks(self):
        self.check("idle_of_five", sessions=800)

    def test_holders_of_handshakes(self):
        self.check("handshakes")

    def test_handshakes_of_ten_networks(self):
        self.check("handshakes_of_ten", sessions=250)

    def test_recipients_without_end(self):
        self.check("recipients")

    def test_strangers_without_end_under_greylisting(self):
        self.check("greylist")

    def test_content_without_end(self):
        self.check("oversized")

    def test_key_updates_of_clients(self):
        self.check("key_updates")

    def test_key_updates_of_a_next_hop(self):
        self.check("evil_next_hop")


if __name__ == "__main__":
    unittest.main()
