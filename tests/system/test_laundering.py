"""Whatever comes in, nothing goes out that proves an author who was not proven. A few
thousand spoofs here, as many as one wants in `scripts/campaign laundering`."""

import smtplib
import unittest

from . import laundering
from .harness import wait_for
from .laundering import CLIENT, DOOR, HOUSE, RISK_DOOR, WAYS, Town, Verdict
from .senders import Sender
from .spoofs import Spoof


class Laundering(unittest.TestCase):
    def test_no_spoof_leaves_as_its_victims(self):
        report = laundering.campaign(3000)
        self.assertGreaterEqual(report["sent"], 3000)
        self.assertEqual(report["passing"], 0, report["examples"])
        self.assertTrue(report["pass"])
        for run in report["runs"]:
            with self.subTest(victim=run["victim"], way=run["way"]):
                self.assertEqual(run["refused"] + run["forwarded"], run["sent"])
                if run["way"] == "policy":  # the victims ask for p=reject
                    self.assertEqual(run["forging"], 0)
                else:
                    self.assertGreater(run["forging"], run["sent"] / 2)


class Controls(unittest.TestCase):
    """The same eyes see a pass where there is one."""

    @classmethod
    def setUpClass(cls):
        cls.town = Town()
        cls.addClassCleanup(cls.town.stop)

    def verdict(self, message, domain, got):
        return Verdict(Spoof("honest", "", "", message, True), got, self.town.receiver, domain)

    def test_the_victims_own_mail_passes(self):
        for domain, victim in self.town.victims.items():
            for way, recipient in WAYS.items():
                with self.subTest(domain, way=way):
                    message = victim.sign(victim.message(body="Dear all, this is number 1.\r\n"))
                    one = Spoof("honest", domain, "ann@" + domain, message, True)
                    refused, arrived = self.town.send([one], recipient, connections=1)
                    self.assertEqual(refused, 0)
                    verdict = self.verdict(message, domain, arrived[0])
                    self.assertEqual(verdict.outcome, "passing")
                    self.assertIn(domain, verdict.aligned)

    def straight(self, client, helo, mail_from, message):
        """Past the relay into the sink, as if the relay had made a mistake."""
        before = len(self.town.sink.messages)
        with smtplib.SMTP("127.0.0.1", self.town.sink.port, local_hostname=helo, source_address=(client, 0)) as s:
            s.sendmail(mail_from, ["target@dest.example"], message)
        return wait_for(lambda: self.town.sink.messages[before:], what="the message")[0]

    def test_a_mistake_of_the_relay_would_pass(self):
        house = self.town.victims[HOUSE]
        for client in (DOOR, RISK_DOOR):
            for mail_from in ("SRS0=x=y=z=w@srs." + HOUSE, "admin@" + HOUSE, ""):
                got = self.straight(client, "mx." + HOUSE, mail_from, house.message())
                self.assertEqual(self.verdict(got.content, HOUSE, got).outcome, "passing", mail_from)
                self.assertEqual(self.verdict(got.content, "victim.example", got).outcome, "forwarded")
        got = self.straight(CLIENT, "mx." + HOUSE, "admin@" + HOUSE, house.message())
        self.assertEqual(self.verdict(got.content, HOUSE, got).outcome, "forwarded")

    def test_the_relays_own_signature_is_known_to_the_world(self):
        for name, value in self.town.relay.records.items():
            self.assertEqual(self.town.receiver.txt(name).decode(), value)
        message = Sender("attack.example").message(body="this is number 1.\r\n")
        spoof = Spoof("own", "attack.example", "any@attack.example", message, False)
        _, arrived = self.town.send([spoof], WAYS["policy"], connections=1)
        found = self.town.receiver.judge(arrived[0])
        self.assertIn(("srs." + HOUSE, True), found.signatures)


if __name__ == "__main__":
    unittest.main()
