"""No copy leaves that proves an author who was not proven on arrival. A few thousand spoofs here, as many
as one wants in `scripts/campaign laundering`."""

import collections
import re
import smtplib
import unittest

from . import laundering, town_spoofs
from .harness import Relay, Sink, wait_for
from .laundering import CLIENT, DOOR, HOUSE, RISK_DOOR, UNVERIFIED, WAYS, WILD, Town, Verdict
from .senders import Sender
from .spoofs import Spoof
from .town_spoofs import KINDS, TownForger


class Laundering(unittest.TestCase):
    def test_no_spoof_leaves_as_its_victims(self):
        report = laundering.campaign(6000)
        self.assertGreaterEqual(report["sent"], 6000)
        self.assertEqual(report["passing"], 0, report["examples"])
        self.assertEqual(report["vouching"], 0, report["examples"])
        self.assertEqual(set(report["kinds"]), {*KINDS, "wildcards", "unverified", "others"})
        self.assertTrue(report["pass"])
        for run in report["runs"]:
            with self.subTest(victim=run["victim"], way=run["way"]):
                self.assertEqual(run["refused"] + run["forwarded"], run["sent"])
                if run["way"].startswith("policy"):  # the victims ask for p=reject
                    self.assertEqual(run["forging"], 0)
                else:
                    self.assertGreater(run["forging"], run["sent"] / 3)


class Controls(unittest.TestCase):
    """The same eyes see a pass where there is one."""

    @classmethod
    def setUpClass(cls):
        cls.town = Town()
        cls.addClassCleanup(cls.town.stop)
        cls.trusting = Town(verify=False)
        cls.addClassCleanup(cls.trusting.stop)

    def verdict(self, message, domain, got):
        return Verdict(Spoof("honest", "", "", message, True), got, self.town, domain)

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

    def proven(self, town, domain):
        """Of what the domain itself sends in the forms of each kind, signed: how many of each kind pass."""
        forger = TownForger(town, domain, domain, town.victims[domain].key, 1, WAYS["policy"])
        own, usual = forger.signatures()["own"], (domain, "admin@" + domain)
        forms = [(name, usual, fields) for name, fields in forger.tricks().items()]
        forms += [(name, envelope, []) for name, envelope in forger.envelopes().items()]
        forms = [form for form in forms if form[0].startswith(tuple(KINDS.values()))]
        spoofs = [Spoof(f"{number:05d} {name}", *envelope,
                        forger.message(number, [f"From: <admin@{domain}>", *fields], own), True)
                  for number, (name, envelope, fields) in enumerate(forms, 1)]
        _, arrived = town.send(spoofs, WAYS["policy"])
        by_number = {laundering.number_of(one.content): one for one in spoofs}
        verdicts = [Verdict(by_number[laundering.number_of(got.content)], got, town, domain) for got in arrived]
        way = "policy" if town.verify else UNVERIFIED
        return collections.Counter(kind for one in verdicts if one.outcome == "passing"
                                   for kind in laundering.kinds_of(one.spoof, domain, way))

    def test_of_each_kind_what_is_proven_passes(self):
        """So a spoof of that kind would be seen, too, if it were lent a name."""
        seen = self.proven(self.town, WILD) + self.proven(self.trusting, "victim.example")
        for kind in (*KINDS, "wildcards", "unverified"):
            self.assertGreater(seen[kind], 0, seen)

    def test_the_senders_that_were_read_are_of_every_form(self):
        for town in (self.town, self.trusting):
            forms = {address.partition("=")[0].lower() for address in town.seen.values()}
            self.assertEqual(forms, {"srs0", "srst", "srsm"})

    def test_a_chain_of_a_trusted_sealer_is_believed(self):
        """Else chains would prove nothing here: it softens the policy for the author it has seen pass."""
        forger = self.town.forger("victim.example", WAYS["policy"])
        for name, forwarded in ((town_spoofs.VOUCHED, 1), ("sealed-of-another-author", 0), ("sealed-by-anybody", 0)):
            with self.subTest(name):
                content = forger.message(1, ["From: admin@victim.example", *forger.tricks()[name]],
                                         forger.signatures()["unsigned"])
                spoof = Spoof(name, "attack.example", "any@attack.example", content, True)
                _, arrived = self.town.send([spoof], WAYS["policy"], connections=1)
                self.assertEqual(len(arrived), forwarded)

    def test_results_in_our_name_would_be_seen(self):
        forger = self.town.forger("victim.example", WAYS["policy"])
        spoof = Spoof("as us", "", "", b"\r\n", True)
        for name in ("plain", "upper-case", "version", "comment", "quoted", "folded", "space-before-colon"):
            field, = forger.tricks()["as-us-" + name]
            content = field.encode() + b"\r\nFrom: <admin@victim.example>\r\n\r\nthis is number 1.\r\n"
            got = self.straight(DOOR, self.town.hostname, "", content)
            self.assertIsNotNone(self.town.results_for("victim.example", spoof, got), name)
            self.assertIsNone(self.town.results_for("risky.example", spoof, got), name)

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


class WithNamesInsideAHostedOrganisation(unittest.TestCase):
    """Of a relay that verifies nothing, with all its names in the organisation that it forwards for."""

    @classmethod
    def setUpClass(cls):
        cls.sink = Sink().start()
        cls.relay = Relay(cls.sink.port, hostname="mx.fwd.test", domain="fwd.test", srs="srs.fwd.test").start()

    @classmethod
    def tearDownClass(cls):
        cls.relay.stop()
        cls.relay.remove()
        cls.sink.stop()

    def leaves(self, sender, authors):
        """The sender and the signing domains of the copy, or the reply."""
        before = len(self.sink.messages)
        fields = "".join(f"From: <{author}>\r\n" for author in authors)
        try:
            self.relay.send((fields + "Subject: x\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n\r\nHello\r\n").encode(),
                            sender=sender)
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
        message = wait_for(lambda: self.sink.messages[before:], what="the copy")[0]
        signers = set(re.findall(rb"DKIM-Signature:[^;]*;(?:[^;]*;)*?\s*d=([^;]+);", message.content))
        return message.mail_from, {one.decode() for one in signers}

    def test_what_claims_to_be_of_there_leaves_under_no_name_of_it(self):
        self.assertEqual(self.leaves("eve@stranger.test", ["boss@fwd.test"]), ("eve@stranger.test", set()))
        self.assertEqual(self.leaves("eve@stranger.test", ["boss@mail.fwd.test"]), ("eve@stranger.test", set()))
        for sender in ("boss@fwd.test", "x@srs.fwd.test", ""):
            self.assertEqual(self.leaves(sender, ["boss@fwd.test"]), 550, sender)
        self.assertEqual(self.leaves("eve@stranger.test", ["a@stranger.test", "boss@fwd.test"]),
                         ("eve@stranger.test", set()))

    def test_everybody_else_is_forwarded_as_ever(self):
        sender, signers = self.leaves("ann@sender.test", ["ann@sender.test"])
        self.assertRegex(sender, r"^SRS0=.*@srs\.fwd\.test$")
        self.assertEqual(signers, {"srs.fwd.test"})
        self.assertEqual(self.leaves("", ["mailer-daemon@sender.test"])[0], "")
        sender, signers = self.leaves("ann@sender.test", [])
        self.assertRegex(sender, r"^SRS0=.*@srs\.fwd\.test$")
        self.assertEqual(signers, set())


if __name__ == "__main__":
    unittest.main()
