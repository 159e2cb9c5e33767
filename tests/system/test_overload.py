"""Too much of everything, small enough for every run. The full sizes:
scripts/campaign overload."""

import unittest

from . import overload
from .harness import changed_by_sanitizers


class Overload(unittest.TestCase):
    def test_slow_clients_are_cut_off_and_ordinary_mail_does_not_notice(self):
        found = overload.slow_clients(400, sends=50)
        print(found)
        self.assertEqual(found["still_there"], 0)
        self.assertLess(found["cut_after_s"], 40)

    def test_a_full_house_refuses_sheds_and_recovers(self):
        found = overload.full_house(300)
        print(found)
        self.assertEqual((found["taken"], found["refused"]), (300, 20))
        self.assertTrue(found["accepted_meanwhile"])
        self.assertLess(found["recovered_after_s"], 5)

    @changed_by_sanitizers("its memory is the shadow's and the quarantine's")
    def test_idle_tls_sessions_are_cheap(self):
        found = overload.idle_tls(500)
        print(found)
        self.assertEqual(found["sessions"], 500)
        self.assertLess(found["beyond_kib"], 20)  # of so few, what is made once counts

    def test_a_drain_lets_workers_end_and_waits_for_no_holder(self):
        found = overload.drain(100, messages=5)
        print(found)
        self.assertEqual((found["heard_421"], found["taken"], found["delivered"]), (100, 5, 5))
        self.assertLess(found["stopped_after_s"], 20)

    @changed_by_sanitizers("the shadow alone is beyond the limit")
    def test_big_messages_at_once_in_little_memory(self):
        found = overload.big_messages(60, 5 * overload.MIB, 128 * overload.MIB)
        print(found)
        self.assertTrue(found["alive"])
        self.assertEqual((found["other"], found["taken"] + found["put_off"]), (0, 60))
        self.assertLess(found["peak_rss_mib"], 128)

    def test_few_descriptors(self):
        found = overload.few_descriptors(500)
        print(found)
        self.assertLess(found["cpu_share"], 0.5)
        self.assertLess(found["recovered_after_s"], 5)

    def test_a_full_disk_and_back(self):
        found = overload.full_disk()
        print(found)
        self.assertTrue(found["alive"])
        self.assertEqual((found["lost"], found["twice"]), (0, 0))
        self.assertEqual(found["replies"], [(452, "4.3.1")])
        self.assertGreater(found["acked"], 50)
        self.assertLess(found["recovered_after_s"], 5)

    @changed_by_sanitizers("libfaketime does not start under AddressSanitizer")
    def test_clock_jumps_bounce_nothing(self):
        found = overload.clock_jumps()
        print(found)
        self.assertEqual(found["jumps_seen"], 4)
        self.assertEqual((found["bounced"], found["delivered"]), (0, found["sent"]))

    @changed_by_sanitizers("freed memory stays in the quarantine")
    def test_reloads_under_load(self):
        found = overload.reloads(1000)
        print(found)
        self.assertEqual((found["failed_sessions"], found["refused"]), (0, 100))
        self.assertGreater(found["messages"], 100)
        self.assertLess(found["rss_mib"][-1], found["rss_mib"][len(found["rss_mib"]) // 2] + 3)

    @changed_by_sanitizers("its allocator has locks that a thread of idle priority may hold")
    def test_reloads_of_many_aliases_disturb_nobody(self):
        found = overload.noops_during_reloads(30_000, 10)
        print(found)
        self.assertEqual((found["applied"], found["failed"]), (10, 0))
        self.assertLessEqual(found["p999_ms"], max(20, 2 * found["p999_alone_ms"]))


if __name__ == "__main__":
    unittest.main()
