"""Floods beside a normal load, small enough for every run. The full sizes: scripts/campaign overload."""

import unittest

from . import floods
from .harness import changed_by_sanitizers

SENDS = 60
# With so few sends the 99th percentile is one of the worst two, and a CI machine does other work as
# well: one late turn of the scheduler must not count as harm by the flood. The campaign has no
# slack.
SLACK_MS = 20


class Verdicts(unittest.TestCase):
    """What makes a flood red: also one that was none."""

    def found(self, name="greylist", **changes):
        does = floods.FLOODS[name].does
        return {"flood": name, "alive": True, "sessions": floods.FLOODS[name].sessions, "rows": 499_998,
                "strangers_heard": {"before": [451, 250], "among": [451, 250]}, "control_did": does, "flooded_did": does,
                "control_refused": [], "flooded_refused": [], "control_p99_ms": 10.0, "flooded_p99_ms": 20.0, **changes}

    def wrong(self, *arguments, **changes):
        found = self.found(*arguments, **changes)
        return floods.faults(found) + floods.shortcomings(found) + floods.delays(found, 0)

    def test_all_is_well(self):
        self.assertEqual(self.wrong(), [])

    def test_a_generator_that_did_nothing(self):
        for where in ("control_did", "flooded_did"):
            for name in floods.FLOODS:
                self.assertNotEqual(self.wrong(name, **{where: {}}), [], f"{name} {where}")

    def test_connections_that_the_relay_does_not_have(self):
        self.assertNotEqual(self.wrong("silent", sessions=146), [])

    def test_a_memory_that_is_not_full(self):
        did = floods.FLOODS["silent_in_little_memory"].does
        self.assertNotEqual(self.wrong("silent_in_little_memory", flooded_did={**did, "full_452": 0}), [])

    def test_a_greylist_that_is_not_full(self):
        self.assertNotEqual(self.wrong(rows=400_000), [])

    def test_strangers_that_wait_again(self):
        self.assertNotEqual(self.wrong(strangers_heard={"before": [451, 451], "among": [451, 250]}), [])

    def test_a_refusal(self):
        self.assertNotEqual(self.wrong(flooded_refused=["452"]), [])

    def test_a_delay(self):
        self.assertNotEqual(self.wrong(flooded_p99_ms=20.1), [])
        self.assertNotEqual(self.wrong(flooded_p99_ms=None), [])


@changed_by_sanitizers("latencies are judged")
class Floods(unittest.TestCase):
    def check(self, name):
        found = floods.judged(name, SENDS, slack_ms=SLACK_MS)
        print(found)
        self.assertEqual(found["wrong"], [])

    def test_silent_holders_of_one_network(self):
        self.check("silent")

    def test_silent_holders_in_little_memory(self):
        self.check("silent_in_little_memory")

    def test_silent_holders_of_five_networks(self):
        self.check("silent_of_five")

    def test_idle_connections_of_five_networks(self):
        self.check("idle_of_five")

    def test_holders_of_handshakes(self):
        self.check("handshakes")

    def test_handshakes_of_ten_networks(self):
        self.check("handshakes_of_ten")

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
