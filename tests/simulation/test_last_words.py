"""The judgement of a simulation's last line, without running one."""

import unittest

from tests.simulation import last_words

CLEAN = "30 worlds, 812 attempts, 9 h simulated, 0.1 s, 0.1 s of CPU, failing seeds: none"


class LastWords(unittest.TestCase):
    def report(self, text, good=True):
        return {"pass": good, "said": text, "summary": text}

    def test_all_that_was_wanted_is_a_pass(self):
        self.assertTrue(last_words.judged(self.report(CLEAN), 30)["pass"])

    def test_who_ran_out_of_time_has_not_passed(self):
        judged = last_words.judged(self.report(CLEAN), 1_000_000)
        self.assertEqual((judged["pass"], judged["summary"].partition(":")[0]),
                         (False, "stopped by time after 30 of 1000000 worlds"))

    def test_a_failing_seed_is_said_as_it_was(self):
        failing = self.report("seed 7 (small):\n  starved: copy 0-0\n30 worlds, 812 attempts, failing seeds: 7", good=False)
        self.assertEqual(last_words.judged(failing, 100), failing)
        self.assertEqual(last_words.worlds_in(failing["said"]), 30)
        self.assertIsNone(last_words.worlds_in("usage: simulate"))


if __name__ == "__main__":
    unittest.main()
