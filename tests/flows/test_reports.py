"""The reports of many real mail systems, octet by octet as they were, in a world where every domain says
p=reject: each comes back to the true sender, from whatever it claims in From."""

import unittest

from tests import vectors
from tests.system.senders import txt
from tests.system.test_fidelity import as_smtp

from .forwarders import Ours, Place
from .runner import Run, converse
from .test_flows import CONFIGURATIONS, WORLD

REJECT_ALL = {".": ["* 60 IN TXT " + txt("v=DMARC1; p=reject")]}


def reports():
    """Name, then the message as a client sends it."""
    return [(case["name"], as_smtp(raw)) for case, raw in vectors.cases("dsn")]


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        vectors.need("dsn/cases.json")
        cls.place = Place(Ours, {**CONFIGURATIONS["house"], "zones": REJECT_ALL}, WORLD)
        cls.addClassCleanup(cls.place.stop)
        cls.place.start()
        cls.reports = reports()
        cls.senders = {name: f"report{number:03d}@people.example" for number, (name, _) in enumerate(cls.reports)}
        run = Run(cls.place, [], {})
        run.learn(set(cls.senders.values()))
        cls.replies = {}

        def send(report):
            name, content = report
            number = int(cls.senders[name][6:9])
            cls.replies[name] = converse(cls.place.main.port, f"127.31.1.{number + 1}", "mx.somewhere.example", "",
                                         [run.addresses[cls.senders[name]]], content)

        run.each(send, cls.reports)
        cls.place.settle()
        cls.found = {}
        for got in cls.place.sink.messages:
            if not got.mail_from:
                for to in got.rcpt_tos:
                    cls.found.setdefault(to, []).append(got)

    def test_all_of_them_can_be_sent(self):
        self.assertEqual([name for name, content in self.reports if content is None], [])

    def test_each_comes_back_to_the_true_sender_as_it_was(self):
        self.assertGreater(len(self.reports), 0)
        if not vectors.OTHER:
            self.assertEqual(len(self.reports), 165, "none is passed over")
        for name, content in self.reports:
            with self.subTest(name):
                arrived = self.found.get(self.senders[name], [])
                self.assertEqual(len(arrived), 1, self.replies[name])
                self.assertTrue(arrived[0].content.endswith(content))


if __name__ == "__main__":
    unittest.main()
