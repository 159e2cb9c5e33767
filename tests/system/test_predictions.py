"""Every case of tests/forward/strategy_cases.json as a real message: the relay does what `srs-relay
verify` says, and independent receivers at the next hop find what it predicts."""

import copy
import json
import smtplib
import subprocess
import unittest

from . import senders
from .arrivals import CLIENT, DOOR, WISHES, Case, Sealer, absolute, cases
from .harness import BINARY, Relay, Sink, wait_for
from .next_receiver import Receiver
from .senders import fields_of

HOSTNAME, SRS, REWRITTEN = "mx.relay.example", "srs.relay.example", "rewritten.example"

USER = {"user": "target@dest.example"}
CONFIG = {"arc": {"domain": SRS, "selector": "rsa", "file": "rsa.pem", "trusted_sealers": ["lists.example"]},
          "rewrite": {"domain": REWRITTEN},
          "target": [{"match": "plain.example", "arc": "never"}, {"match": "keeps.example", "sender": "keep"}]}


def happened(case, got, handling, held):
    """The result in the words of the file."""
    sealed = any(f"d={SRS};" in field.replace(" ", "") for field in fields_of(got.content, "ARC-Seal"))
    kept = got.mail_from == case.sender
    if not kept and not got.mail_from.endswith("@" + SRS):
        return {"choice": "sent as " + got.mail_from}
    option = ("keep" if kept else "srs") + ("+arc" if sealed else "")
    if fields_of(got.content, "From")[0].endswith(f"@{REWRITTEN}>"):
        option = {"srs": "new author"}.get(option, option + " as a new author")
    return {"choice": option, "risk_pool": "risk" in handling, "hold": held,
            "tag": "YES" in fields_of(got.content, "X-Spam-Flag")}


class Predictions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = Sink().start()
        cls.addClassCleanup(cls.sink.stop)
        aliases = {"user": ["target@dest.example"], "plain": ["target@plain.example"],
                   "keeps": ["target@keeps.example"]}
        cls.relay = Relay(cls.sink.port, hostname=HOSTNAME, domain="house.example", srs=SRS, aliases=aliases,
                          verify=True, source=DOOR)
        cls.addClassCleanup(cls.relay.remove)
        sealers = {domain: Sealer(domain, cls.relay.folder) for domain in ("lists.example", "evil.example")}
        cls.cases = [Case(number, written, sealers) for number, written in enumerate(cases(), start=1)]
        zones = {domain: records for case in cls.cases for domain, records in case.zones.items()}
        for domain, sealer in sealers.items():
            zones[domain] = sealer.zone()
        authorised = senders.txt(f"v=spf1 ip4:{DOOR} -all")
        zones["relay.example"] = [f"{name} 60 IN TXT {authorised}" for name in ("mx", "srs")]
        zones["relay.example"] += senders.keys_of(cls.relay)
        key = cls.relay.records["rsa._domainkey." + SRS]
        zones[REWRITTEN] = [f"rsa._domainkey 60 IN TXT {senders.txt(key)}",
                            f"_dmarc 60 IN TXT {senders.txt('v=DMARC1; p=reject')}"]
        cls.world = senders.world([], zones)
        cls.addClassCleanup(cls.world.stop)
        cls.receiver = Receiver(cls.world)
        cls.zone_file = cls.relay.path("world.zone")
        with open(cls.zone_file, "w", encoding="ascii") as f:
            for domain, records in zones.items():
                f.writelines(absolute(record, domain) + "\n" for record in records or [])
        cls.relay.dns = cls.world.port
        usual = cls.relay.settings()
        more = [{"name": name.replace("-", "") + ".example", **wish, "alias": USER} for name, wish in WISHES.items()]
        more += [{"name": case.hosted} for case in cls.cases if case.hosted]
        rewritten = {"domain": REWRITTEN, "keys": [{"selector": "rsa", "file": "rsa.pem"}]}
        cls.relay.configure(**CONFIG, domain=usual["domain"] + more, dkim=usual["dkim"] + [rewritten])
        cls.relay.start()
        cls.addClassCleanup(cls.relay.stop)

    def foretold(self, case, *more, to=None):
        """The answer of the program that asks neither the daemon nor, with --dns, the network."""
        path = self.relay.path("message")
        with open(path, "wb") as f:
            f.write(case.message)
        words = ["verify", path, "--ip", CLIENT, "--mail-from", case.sender, "--helo", case.helo,
                 "--to", to or case.recipient, *more]
        if case.written["dmarc"] != "temperror":  # a zone file cannot say SERVFAIL
            words += ["--dns", self.zone_file]
        return self.relay.cli(*words)

    def send(self, case):
        """The reply to the message, as one line."""
        with smtplib.SMTP("127.0.0.1", self.relay.port, local_hostname=case.helo, source_address=(CLIENT, 0),
                          timeout=30) as s:
            s.ehlo()
            self.assertEqual(s.mail(case.sender)[0], 250)
            self.assertEqual(s.rcpt(case.recipient)[0], 250)
            code, text = s.data(case.message)
            return f"{code} {text.decode()}".replace("\n", " ")

    def arrived(self, case, reply):
        """The message at the sink, how it was handled, and whether it had to be released."""
        msg_id = reply.split()[-1]
        received = wait_for(lambda: [e for e in self.relay.events("received") if e["msg_id"] == msg_id],
                            what="the line in the log")[0]
        held = received.get("held_count", 0) == 1
        if held:
            self.relay.cli("queue", "release", msg_id, check=True)
        got = wait_for(lambda: self.found(case), what=f"delivery of {case.written['name']}")
        return got, received["handling"], held

    def found(self, case):
        wanted = fields_of(case.message, "Message-ID")
        return next((m for m in self.sink.messages if fields_of(m.content, "Message-ID") == wanted), None)

    def test_what_is_foretold_happens_and_is_what_others_find(self):
        self.assertGreaterEqual(sum("expect" in case.written for case in self.cases), 60)
        for case in self.cases:
            with self.subTest(case.written["name"]):
                told = self.foretold(case, "--json")
                answer = json.loads(told.stdout)
                decision, = answer["decisions"]
                reply = self.send(case)
                words = {"choice": decision["option"]}
                if decision["option"] == "refuse":
                    self.assertEqual(reply, answer["reply"])
                    self.assertEqual(told.returncode, 75 if reply.startswith("4") else 1)
                    words["reply"] = " ".join(reply.split()[:2])
                else:
                    self.assertNotIn("reply", answer)
                    self.assertEqual(told.returncode, 0, told.stderr)
                    self.assertTrue(reply.startswith("250 "), reply)
                    words.update({key: decision[key] for key in ("risk_pool", "tag", "hold")})
                    got, handling, held = self.arrived(case, reply)
                    self.assertEqual(happened(case, got, handling, held), words)
                    words.update({key: decision["prediction"][key] for key in ("spf", "dkim", "dmarc", "outlook")})
                    self.compare(decision["prediction"], got, case)
                self.assertEqual(words, case.written.get("expect", words))

    def compare(self, predicted, got, case):
        """With what pyspf, dkimpy and authheaders say about the message at the next hop."""
        self.assertEqual((got.client, got.helo), (DOOR, HOSTNAME))
        found = self.receiver.judge_author(got)
        author = fields_of(got.content, "From")[0].rpartition("@")[2].rstrip(">")
        ours = [passes for domain, passes in found.signatures if domain == predicted["signed_by"]]
        others = [passes for domain, passes in found.signatures if domain != predicted["signed_by"]]
        self.assertEqual(all(ours) and bool(ours), predicted["signed_by"] != "", found.signatures)
        self.assertEqual(len(others), case.message.lower().count(b"dkim-signature:"), found.signatures)
        independent = {"spf": found.spf, "spf_domain": found.spf_domain, "arc": found.arc, "dmarc": found.dmarc,
                       "dkim": "pass" if any(others) else "fail" if others else "none"}
        if predicted["spf"] is None:  # it depends on what we do not know
            independent["spf"] = None
        if found.dmarc != "none":
            independent.update(spf_aligned=found.spf_aligned, dkim_aligned=found.dkim_aligned)
            if author != REWRITTEN:  # its record is ours, and not looked up
                independent["policy"] = found.policy
        self.assertEqual({key: predicted[key] for key in independent}, independent)

    def named(self, name):
        return next(case for case in self.cases if case.written["name"] == name)

    def test_a_new_author_passes_for_its_own_domain(self):
        case = self.named("SPF only, p=reject, rewrite_from = when-needed")
        plain, asking = case.message, case.message.replace(b"To: ", b"Reply-To: Team <team@other.example>\r\nTo: ", 1)
        authors = set()
        for number, message in enumerate((plain, asking)):
            case.message = message.replace(b"Message-ID: <", f"Message-ID: <again{number}.".encode())
            got, handling, _ = self.arrived(case, self.send(case))
            self.assertEqual(handling, "new-author")
            found = self.receiver.judge_author(got)
            self.assertEqual((found.dmarc, found.policy, found.dkim_aligned), ("pass", "reject", True))
            self.assertEqual(found.signatures, [(REWRITTEN, True)])
            self.assertEqual((found.spf, found.spf_domain), ("pass", SRS))
            author, = fields_of(got.content, "From")
            self.assertRegex(author, rf'^"Ann via whenneeded\.example" <fwd-[a-z0-9]+@{REWRITTEN}>$')
            authors.add(author)
            was = f"Ann <ann@{case.author.domain}>"
            self.assertEqual(fields_of(got.content, "X-Original-From"), [was])
            self.assertEqual(fields_of(got.content, "Reply-To"), [was if number == 0 else "Team <team@other.example>"])
            head, _, body = case.message.partition(b"\r\n\r\n")
            self.assertEqual(got.content.partition(b"\r\n\r\n")[2], body)
            for field in head.split(b"\r\n"):
                self.assertEqual(field in got.content.split(b"\r\n"), not field.startswith(b"From:"), field)
        self.assertEqual(len(authors), 1)  # the same author has the same address each time
        case.message = plain

    def foretold_and_said(self, case):
        """The answer of the program, and the first refusal of the relay, or its last reply."""
        answer = json.loads(self.foretold(case, "--json").stdout)
        with smtplib.SMTP("127.0.0.1", self.relay.port, local_hostname=case.helo, source_address=(CLIENT, 0),
                          timeout=30) as s:
            s.ehlo()
            for step in (lambda: s.mail(case.sender), lambda: s.rcpt(case.recipient), lambda: s.data(case.message)):
                code, text = step()
                if code >= 400:
                    break
            return answer, f"{code} {text.decode()}".replace("\n", " ")

    def variant(self, number, **changed):
        """The usual message, with an id of its own."""
        case = copy.copy(self.named("foreign p=reject: SPF and DKIM aligned"))
        case.message = b"X-Variant: %d\r\n" % number + case.message
        case.message = case.message.replace(b"Message-ID: <", b"Message-ID: <variant%d." % number)
        for name, value in changed.items():
            setattr(case, name, value(case.message) if callable(value) else value)
        return case

    def test_whom_a_sender_in_our_srs_domain_stands_for(self):
        for number, made_up in enumerate(("anything", "SRS0=aaaaaaaa=aa=author.example=ann")):
            answer, said = self.foretold_and_said(self.variant(number, sender=f"{made_up}@{SRS}"))
            self.assertEqual(said.split()[0], "550")
            self.assertEqual(answer["reply"], said)
            self.assertEqual(answer["decisions"], [])
        behind = "Collected@behind.example"
        live = self.relay.cli("srs", "encode", behind, check=True).stdout.strip()
        case = self.variant(9, sender=live)
        answer, said = self.foretold_and_said(case)
        self.assertTrue(said.startswith("250 "), said)
        msg_id = said.split()[-1]
        received = wait_for(lambda: [e for e in self.relay.events("received") if e["msg_id"] == msg_id],
                            what="the line in the log")[0]
        self.assertEqual((answer["sender"], received["mail_from"]), (behind, behind))
        got = wait_for(lambda: self.found(case), what="the delivery")
        self.assertEqual(answer["decisions"][0]["option"], "srs")
        self.assertTrue(got.mail_from.endswith("@" + SRS), got.mail_from)
        explained = json.loads(self.relay.cli("--json", "srs", "explain", got.mail_from).stdout)
        self.assertIn(behind, explained.values())

    def test_content_that_is_refused(self):
        much = b"X-Pad: " + b"x" * 900 + b"\r\n"
        for number, change in enumerate((lambda m: m.replace(b"Hello.", b"Hel\0lo."),
                                         lambda m: m.replace(b"Hello.\r\n", b"Hello.\n"),
                                         lambda m: much * 340 + m,
                                         lambda m: b"X: y\r\n" * 10_001 + m,
                                         lambda m: m + b"x" * 70_000 + b"\r\n"), start=20):
            with self.subTest(number):
                answer, said = self.foretold_and_said(self.variant(number, message=change))
                self.assertEqual(said[0], "5")
                self.assertEqual(answer["reply"], said)

    def test_what_verify_prints(self):
        case = self.named("foreign p=reject: SPF and DKIM aligned")
        told = self.foretold(case)
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        for line in ("DNS", f"  TXT _dmarc.{case.author.domain}", "      v=DMARC1; p=reject",
                     f"Authentication-Results: {HOSTNAME};", "for target@dest.example",
                     f"  srs: {case.author.domain} proven by a signature",
                     "  * srs        spf=pass dkim=pass arc=none -> dmarc=pass, good"):
            self.assertIn(line, told.stdout.splitlines())
        self.assertIn('[not: rewrite_from is "never"]', told.stdout)
        self.assertNotIn("\nreply ", told.stdout)
        refused = self.foretold(self.named("near us, SPF only"), to="nobody@house.example")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stdout, r"\nreply 550 5\.1\.1 [^\n]+\n$")
        spoof = self.foretold(self.named("hosted subdomain, nothing, p=reject"))
        self.assertEqual(spoof.returncode, 1)
        self.assertRegex(spoof.stdout, r"\n  \* refuse +\n(.*\n)*reply 550 5\.7\.1 From names sub\.hosted")

    def test_verify_reads_standard_input_and_line_feeds(self):
        case = self.named("foreign p=reject: SPF of the mailer, DKIM aligned")
        wanted = self.foretold(case, "--json").stdout
        words = [BINARY, "-c", self.relay.path("relay.toml"), "--json", "verify", "-", "--ip", CLIENT,
                 "--helo", case.helo, "--mail-from", case.sender, "--to", case.recipient, "--dns", self.zone_file]
        for message in (case.message, case.message.replace(b"\r\n", b"\n")):
            told = subprocess.run(words, input=message, check=True, capture_output=True)
            self.assertEqual(json.loads(told.stdout)["verdicts"], json.loads(wanted)["verdicts"])

    def test_verify_says_what_is_wrong_with_the_question(self):
        usual = {"--ip": CLIENT, "--mail-from": "a@b.example", "--helo": "c.example", "--dns": self.zone_file}
        path = self.relay.path("message")
        with open(path, "wb") as f:
            f.write(b"From: a@b.example\r\n\r\nhi\r\n")
        bad_zone = self.relay.path("bad.zone")
        with open(bad_zone, "w", encoding="ascii") as f:
            f.write("b.example. 60 IN A 192.0.2.1\nb.example. 60 IN A nonsense\n")
        for file, change, code, said in (
                (path, {"--ip": "here"}, 2, "--ip: not an IP address: here"),
                (path, {"--mail-from": "a b"}, 2, "--mail-from: "),
                (path, {"--to": "nobody"}, 2, "--to: "),
                (path, {"--dns": bad_zone}, 1, "line 2"),
                (path, {"--dns": "nowhere"}, 5, "cannot read nowhere"),
                ("nowhere", {}, 5, "cannot read nowhere")):
            with self.subTest(change):
                told = self.relay.cli("verify", file, *(word for pair in {**usual, **change}.items() for word in pair))
                self.assertEqual(told.returncode, code, told.stderr)
                self.assertIn(said, told.stderr)
                self.assertEqual(told.stdout, "")


if __name__ == "__main__":
    unittest.main()
