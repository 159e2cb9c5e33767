"""Every case of tests/forward/strategy_cases.json as a real message: what `srs-relay verify` says will
happen is what the relay does, and what it predicts is what independent receivers find at the next hop."""

import json
import os
import smtplib
import subprocess
import unittest

import dkim

from . import senders
from .harness import BINARY, ROOT, Relay, Sink, wait_for
from .next_receiver import Receiver, organisation_of
from .senders import Sender, fields_of

CLIENT = "127.0.0.2"
DOOR = "127.0.0.1"
HOSTNAME, SRS, REWRITTEN = "mx.relay.example", "srs.relay.example", "rewritten.example"

# Recipients by what their domain wants, and by what their target wants.
EXTRA = f"""[arc]
domain = "{SRS}"
selector = "rsa"
file = "rsa.pem"
trusted_sealers = ["lists.example"]
[rewrite]
domain = "{REWRITTEN}"
[[dkim]]
domain = "{REWRITTEN}"
keys = [{{selector="rsa", file="rsa.pem"}}]
[[target]]
match = "plain.example"
arc = "never"
"""
WISHES = {"forward": 'on_dmarc_fail = "forward"', "hold": 'on_dmarc_fail = "hold"',
          "tag": 'quarantine = "tag"', "when-needed": 'rewrite_from = "when-needed"'}


def cases():
    with open(os.path.join(ROOT, "tests/forward/strategy_cases.json"), encoding="utf-8") as f:
        return json.load(f)


class Sealer:
    """Somebody who forwarded the message before us, with a chain of one set."""

    def __init__(self, domain, folder):
        self.domain, self.pem = domain, os.path.join(folder, domain + ".pem")
        made = subprocess.run([BINARY, "--json", "dkim", "new", "--domain", domain, "--selector", "arc",
                               "--type", "rsa", "--out", self.pem], check=True, capture_output=True, text=True)
        self.record = json.loads(made.stdout)

    def seal(self, message, dmarc):
        results = f"Authentication-Results: {self.domain}; dmarc={dmarc}\r\n".encode()
        with open(self.pem, "rb") as f:
            fields = dkim.arc_sign(results + message, b"arc", self.domain.encode(), f.read(),
                                   self.domain.encode(), include_headers=[b"from", b"to", b"subject"])
        return b"".join(fields) + message


class Case:
    """One arrival with domains of its own, which publish what makes it as it is written."""

    def __init__(self, number, written, sealers):
        self.written = written
        names = {"author.example": f"author{number}.example", "mailer.example": f"mailer{number}.example",
                 "hosted.example": f"hosted{number}.example"}
        self.sender = written["mail_from"]
        for old, new in names.items():
            self.sender = self.sender.replace("@" + old, "@" + new)
        self.helo = "mx." + names["mailer.example"]
        self.hosted = names["hosted.example"] if written["hosted_from"] else None
        allowed = [CLIENT] * (written["spf"] == "pass") + [DOOR] * (written["egress_spf"] == "pass")
        spf = " ".join(["v=spf1", *("ip4:" + address for address in allowed), "-all"])
        sending = self.sender.rpartition("@")[2]
        self.senders = {old: Sender(new, spf if new == sending else "v=spf1 -all", None)
                        for old, new in names.items()}
        self.author = self.senders.get(written["from_domain"], self.senders["author.example"])
        if written["dmarc"] != "none":
            self.author.policy = "p=" + written["policy"]
        self.zones = {s.domain: s.records() for s in self.senders.values()}
        self.zones[names["mailer.example"]].append(f"mx 60 IN TXT {senders.txt(spf)}")
        if written["dmarc"] == "temperror":
            self.zones[self.author.domain] = None
        self.recipient = self.recipient_of(written)
        self.message = self.made(sealers)

    @staticmethod
    def recipient_of(written):
        if "target" in written:
            return "plain@house.example"
        wish = {written.get(key) for key in ("on_dmarc_fail", "quarantine", "rewrite_from")} & set(WISHES)
        return f"user@{wish.pop().replace('-', '')}.example" if wish else "user@house.example"

    def made(self, sealers):
        author = f"Ann <ann@{self.author.domain}>"
        if not self.written["from_domain"]:
            author += ", Bob <bob@elsewhere.example>"
        message = self.author.message(author=author, body="Hello.\r\n\r\nIt is I.\r\n")
        if self.written["dkim_domain"]:
            message = self.senders[self.written["dkim_domain"]].sign(message)
        if self.written["modified"]:
            message = message.replace(b"It is I.", b"It is somebody else.")
        if "arc" in self.written:
            saw = "pass" if self.written["sealer_saw_pass"] else "fail"
            message = sealers[self.written["last_sealer"]].seal(message, saw)
        return message


def happened(case, got, handling, held):
    """The words of the file for what came out."""
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
        aliases = {"user": ["target@dest.example"], "plain": ["target@plain.example"]}
        cls.relay = Relay(cls.sink.port, hostname=HOSTNAME, domain="house.example", srs=SRS, aliases=aliases,
                          verify=True, source=DOOR)
        cls.addClassCleanup(cls.relay.remove)
        sealers = {domain: Sealer(domain, cls.relay.folder) for domain in ("lists.example", "evil.example")}
        cls.cases = [Case(number, written, sealers) for number, written in enumerate(cases(), start=1)]
        zones = {domain: records for case in cls.cases for domain, records in case.zones.items()}
        for domain, sealer in sealers.items():
            zones[domain] = [f"{sealer.record['name']}. 60 IN TXT {senders.txt(sealer.record['value'])}"]
        zones["relay.example"] = [f"{name} 60 IN TXT {senders.txt(f'v=spf1 ip4:{DOOR} -all')}" for name in ("mx", "srs")]
        zones["relay.example"] += [f"{name}. 60 IN TXT {senders.txt(value)}"
                                   for name, value in cls.relay.records.items()]
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
        cls.relay.extra = f'[dns]\nforward_to = ["127.0.0.1@{cls.world.port}"]\n' + EXTRA
        for name, wish in WISHES.items():
            cls.relay.extra += (f'[[domain]]\nname = "{name.replace("-", "")}.example"\n{wish}\n'
                                '[domain.alias]\n"user" = "target@dest.example"\n')
        for case in cls.cases:
            if case.hosted:
                cls.relay.extra += f'[[domain]]\nname = "{case.hosted}"\n'
        cls.relay.write_config()
        cls.relay.start()
        cls.addClassCleanup(cls.relay.stop)

    def foretold(self, case, *more):
        """The answer of the program that asks neither the daemon nor, with --dns, the network."""
        path = self.relay.path("message")
        with open(path, "wb") as f:
            f.write(case.message)
        words = ["verify", path, "--ip", CLIENT, "--mail-from", case.sender, "--helo", case.helo,
                 "--to", case.recipient, *more]
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
        before = len(self.sink.messages)
        msg_id = reply.split()[-1]
        received = wait_for(lambda: [e for e in self.relay.events("received") if e["msg_id"] == msg_id],
                            what="the line in the log")[0]
        held = received.get("held_count", 0) == 1
        if held:
            self.relay.cli("queue", "release", msg_id, check=True)
        return wait_for(lambda: self.found(case), what=f"delivery of {case.written['name']}"), received["handling"], held

    def found(self, case):
        wanted = fields_of(case.message, "Message-ID")
        return next((m for m in self.sink.messages if fields_of(m.content, "Message-ID") == wanted), None)

    def test_what_is_foretold_happens_and_is_what_others_find(self):
        self.assertGreaterEqual(len(self.cases), 60)
        for case in self.cases:
            with self.subTest(case.written["name"]):
                told = self.foretold(case, "--json")
                answer = json.loads(told.stdout)
                expected = case.written["expect"]
                reply = self.send(case)
                if expected["choice"] == "refuse":
                    self.assertEqual(reply, answer["reply"])
                    self.assertTrue(reply.startswith(expected["reply"]), reply)
                    self.assertEqual(told.returncode, 75 if reply.startswith("4") else 1)
                    self.assertEqual(answer["decisions"][0]["option"], "refuse")
                    continue
                self.assertNotIn("reply", answer)
                self.assertEqual(told.returncode, 0, told.stderr)
                self.assertTrue(reply.startswith("250 "), reply)
                got, handling, held = self.arrived(case, reply)
                decision, = answer["decisions"]
                real = happened(case, got, handling, held)
                self.assertEqual(real, {"choice": decision["option"], **{k: decision[k] for k in ("risk_pool", "tag", "hold")}})
                self.assertEqual(real, {key: expected[key] for key in real})
                self.compare(decision["prediction"], got, case)
                self.assertEqual({k: decision["prediction"][k] for k in ("spf", "dkim", "dmarc", "outlook")},
                                 {k: expected[k] for k in ("spf", "dkim", "dmarc", "outlook")})

    def compare(self, predicted, got, case):
        """With what pyspf, dkimpy and authheaders say about the message at the next hop."""
        self.assertEqual((got.client, got.helo), (DOOR, HOSTNAME))
        found = self.receiver.judge_author(got)
        author = fields_of(got.content, "From")[0].rpartition("@")[2].rstrip(">")
        ours = [passes for domain, passes in found.signatures if domain == predicted["signed_by"]]
        others = [passes for domain, passes in found.signatures if domain != predicted["signed_by"]]
        self.assertEqual(all(ours) and bool(ours), predicted["signed_by"] != "", found.signatures)
        self.assertEqual(len(others), case.message.lower().count(b"dkim-signature:"), found.signatures)
        dkim_aligned = any(passes and organisation_of(domain) == organisation_of(author)
                           for domain, passes in found.signatures)
        spf_aligned = found.spf == "pass" and organisation_of(found.spf_domain) == organisation_of(author)
        independent = {"spf": found.spf, "spf_domain": found.spf_domain, "spf_aligned": spf_aligned,
                       "dkim": "pass" if any(others) else "fail" if others else "none", "dkim_aligned": dkim_aligned,
                       "arc": found.arc, "dmarc": found.dmarc, "policy": found.policy}
        if predicted["spf"] is None:  # "depends on what we do not know"
            independent["spf"] = None
        if found.dmarc == "none":
            independent["policy"] = predicted["policy"]
        self.assertEqual({key: predicted[key] for key in independent}, independent)


def absolute(record, domain):
    """A line of a zone of nsd's, as one that stands by itself."""
    name, rest = record.split(" ", 1)
    if not name.endswith("."):
        name = domain + "." if name == "@" else f"{name}.{domain}."
    return f"{name} {rest}" + (f".{domain}." if rest.endswith(" ns") else "")


if __name__ == "__main__":
    unittest.main()
