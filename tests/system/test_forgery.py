"""Guesses at SRS addresses through a running relay, in a slice. More of them: scripts/campaign forgery."""

import unittest

from .callouts import forgery


class Slice(unittest.TestCase):
    def test_guesses_are_slowed_down_and_right_strong_addresses_answered(self):
        report = forgery.campaign(2400, seed=1)
        print(forgery.summary(report))
        self.assertTrue(report["pass"], report)


class Judging(unittest.TestCase):
    """The judge sees what would be wrong."""

    def setUp(self):
        def by_both(codes):
            return {"rcpt": dict(codes), "mail": dict(codes)}

        right = {"strong": 250, "classic": 250, "exim": 250, "stale": 550}
        late = {"strong": 250, "classic": 450, "exim": 450, "stale": 450}
        self.report = {"seconds": 5, "guesses": 3000,
                       "said": {"strong": {550: 448, 450: 552}, "classic": {550: 300, 450: 700},
                                "exim": {550: 300, 450: 700}, "right": {250: 60}},
                       "before": {forgery.TAKER: by_both(right), forgery.STRANGER: by_both(right)},
                       "after": {forgery.TAKER: by_both(right), forgery.STRANGER: by_both(late)}}

    def assertFault(self, text):
        found = forgery.faults(self.report)
        self.assertTrue(len(found) == 1 and text in found[0], found)

    def test_all_is_well(self):
        self.assertEqual(forgery.faults(self.report), [])

    def test_too_many_guesses_that_are_looked_at(self):
        self.report["said"]["exim"] = {550: 1000}
        self.assertFault("at short tags were looked at")

    def test_too_many_guesses_of_one_network(self):
        self.report["said"]["strong"] = {550: 2000}
        self.assertFault("that all networks have")

    def test_a_strong_tag_that_was_guessed(self):
        self.report["said"]["strong"][250] = 1
        self.assertFault("a strong tag was guessed")

    def test_a_right_address_that_waits_for_the_guesses_of_others(self):
        self.report["said"]["right"][450] = 1
        self.assertFault("among guesses")

    def test_a_network_that_takes_our_mail_and_has_no_allowance(self):
        self.report["after"][forgery.TAKER]["rcpt"]["classic"] = 450
        self.assertFault("at " + forgery.TAKER)

    def test_a_right_tag_that_an_old_stamp_tells(self):
        self.report["after"][forgery.STRANGER]["rcpt"]["stale"] = 550
        self.assertFault("by rcpt at " + forgery.STRANGER)

    def test_a_right_tag_that_a_sender_tells(self):
        self.report["after"][forgery.STRANGER]["mail"]["exim"] = 250
        self.assertFault("by mail at " + forgery.STRANGER)


if __name__ == "__main__":
    unittest.main()
