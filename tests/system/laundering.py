"""Spoofs through a running relay: nothing that comes out may prove, to an independent receiver, that its
author is the victim.

The relay is one where a mistake would show: its HELO name and its SRS and signing domain lie below a
domain that it forwards for, all of them authorise its addresses, and so do the victims. A second one does
not verify what comes in: it has an SRS domain outside of all that it forwards for, as it must, for it lends
that to everybody."""

import collections
import email
import email.policy
import email.utils
import hashlib
import itertools
import re
import smtplib
import threading
import unicodedata

from nacl.signing import SigningKey

from . import senders, town_spoofs
from .harness import wait_for
from .judged_relay import JudgedRelay
from .senders import Sender
from .spoofs import Spoof
from .town_spoofs import Sealer, TownForger

CLIENT = "127.0.0.2"  # the attacker's alone
DOOR = "127.0.0.1"
RISK_DOOR = "127.0.0.9"

HOUSE = "house.example"  # hosted here
WILD = "town.wild.example"  # hosted by a wildcard
VICTIMS = {  # domain -> whom its SPF names
    "victim.example": f"v=spf1 ip4:{DOOR} ip4:{RISK_DOOR} -all",
    "risky.example": f"v=spf1 ip4:{RISK_DOOR} -all",
    HOUSE: f"v=spf1 ip4:{DOOR} ip4:{RISK_DOOR} -all",
    WILD: f"v=spf1 ip4:{DOOR} ip4:{RISK_DOOR} -all",
}
WAYS = {  # setting of the operator -> the address it holds for
    "policy": "user@" + HOUSE,
    "forward": "user@lenient.example",
    "forward, sender kept": "keep@lenient.example",
    "policy, by a wildcard": "user@inn.wild.example",
}
UNVERIFIED = "unverified"  # the way through the relay that does not verify

ALIASES = {"user": ["target@dest.example"]}


def configuration(home):
    """Where mistakes would show, besides what every relay has."""
    return {"risk": {"source": [RISK_DOOR], "sender": "keep", "connections": 20, "rate": "1000000/min"},
            "arc": {"trusted_sealers": ["trusted.example"], "domain": "srs." + home, "selector": "rsa", "file": "rsa.pem"},
            "limits": {"max_errors": 10_000},
            "target": [{"match": "kept.example", "sender": "keep"}],
            "domain": [{"name": HOUSE, "alias": ALIASES},
                       {"name": "lenient.example", "on_dmarc_fail": "forward",
                        "alias": {**ALIASES, "keep": "target@kept.example"}},
                       {"name": "*.wild.example", "alias": ALIASES}]}


class Verdict:
    """The fate of one spoof: "refused", "forwarded" or "passing"; by which names it was aligned, and what
    results in our name vouch for its victim."""

    def __init__(self, spoof, got, town, victim):
        self.spoof, self.got = spoof, got
        found = town.receiver.judge(got)
        self.vouching = town.results_for(victim, spoof, got)
        self.aligned = found.aligned_with(victim)
        forges = spoof.forges_author and has_its_author(spoof.content)
        taken = forges or is_read_as(got.content, victim)
        self.outcome = "passing" if self.aligned and taken else "forwarded"

    def __repr__(self):
        return (f"{self.spoof!r} left as {self.got.mail_from!r} from {self.got.client}: "
                f"{self.aligned} {self.vouching}")


def has_its_author(content):
    """An empty line on top, or inside of From, ends the header: what follows is text, and nobody's author. To
    stands behind the author's fields."""
    header = b"" if content.startswith(b"\r\n") else content.partition(b"\r\n\r\n")[0]
    return b"\r\nTo: <" in header


def is_read_as(content, victim):
    """Does any reader take a mailbox of the victim's for the author?"""
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    values = [str(value) for name, value in message.raw_items() if name.strip(" \t").lower() == "from"]
    addresses = [address for _, address in email.utils.getaddresses(values)]
    modern = email.message_from_bytes(content, policy=email.policy.default)
    try:
        addresses += [one.addr_spec for value in modern.get_all("From", []) for one in value.addresses]
    except Exception:  # Python's parser stumbles over some of them
        pass
    domains = [unicodedata.normalize("NFKC", a).rpartition("@")[2].lower().strip(" .>") for a in addresses]
    return any(domain == victim or domain.endswith("." + victim) for domain in domains)


class Town(JudgedRelay):
    """The relay, its sink, and a DNS in which everybody publishes what they should."""

    def __init__(self, seed=1, verify=True):
        self.seed, self.verify = seed, verify
        home = HOUSE if verify else "outside.example"
        self.hostname, self.srs = "mx." + home, "srs." + home
        self.key = SigningKey(hashlib.sha256(f"spoofs {seed}".encode()).digest())
        self.victims = {domain: Sender(domain, record) for domain, record in VICTIMS.items()}
        attacker = SealedSender("attack.example", f"v=spf1 ip4:{CLIENT} -all", "p=none")
        attacker.key = self.key
        trusted = SealedSender("trusted.example")
        self.sealers = {"anybody": attacker.sealer, "trusted": trusted.sealer}
        records = self.victims[HOUSE].records() if verify else []
        records += [f"{host} 60 IN TXT {senders.txt(VICTIMS[HOUSE])}" for host in ("mx", "srs")]
        super().__init__([attacker, trusted, *self.victims.values()], home, records, config=configuration(home),
                         hostname=self.hostname, domain=HOUSE, srs=self.srs, source=DOOR, verify=verify)
        try:
            self.seen = {"own": self.sender_of(attacker, "any@attack.example"),
                         "stored": self.sender_of(attacker, "x" * 60 + "@attack.example"),
                         "unanswerable": self.sender_of(attacker, f"any@[{CLIENT}]"),
                         "risky": self.sender_of(self.victims["risky.example"], "admin@risky.example")}
        except BaseException:
            self.stop()
            raise

    def sender_of(self, author, mail_from):
        """Under which sender honest mail from `mail_from` leaves: one of ours."""
        message = author.sign(author.message(body="Dear all, this is number 1.\r\n"))
        _, arrived = self.send([Spoof("honest", author.domain, mail_from, message, False)], WAYS["policy"], 1)
        address = arrived[0].mail_from
        if not address.endswith("@" + self.srs):
            raise AssertionError(f"{mail_from} left as {address}")
        return address

    def forger(self, victim, recipient):
        return TownForger(self, victim, "attack.example", self.key, self.seed, recipient)

    def results_for(self, victim, spoof, got):
        """The results in our name that vouch for the victim; without verification we have found nothing, so
        that any vouch for it. Sets of others' chains stay, whatever they say."""
        head = re.sub(rb"\r\n(?=[ \t])", b"", got.content.partition(b"\r\n\r\n")[0])
        came = re.sub(rb"\r\n(?=[ \t])", b"", spoof.content)
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            name = name.strip(b" \t").lower()
            read = re.sub(rb"\([^()]*\)", b" ", value).decode("utf-8", "replace").replace('"', " ").lower()
            of = re.split(r"[\s;]+", read.strip(), maxsplit=1)
            if name == b"arc-authentication-results" and line not in came:
                of = re.split(r"[\s;]+", of[-1], maxsplit=1)  # behind its i=
            elif name != b"authentication-results":
                continue
            vouches = re.search(r"dmarc\s*=\s*pass[^;]*header\.from=([^\s;]+)", read)
            if of[0] == self.hostname and (not self.verify or vouches and vouches[1].endswith(victim)):
                return line
        return None

    def send(self, spoofs, recipient, connections=4):
        """Sends them all and waits for what was taken; returns (number refused, what arrived)."""
        already = len(self.sink.messages)
        clients = [Client(self.relay.port, recipient, spoofs[at::connections]) for at in range(connections)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
            if client.trouble:
                raise client.trouble
        taken = sum(client.taken for client in clients)
        wait_for(lambda: len(self.sink.messages) >= already + taken, timeout=60, what=f"{taken} deliveries")
        arrived = self.sink.messages[already:]
        del self.sink.messages[already:]
        return len(spoofs) - taken, arrived


class SealedSender(Sender):
    """A domain that also seals."""

    def __init__(self, *words):
        super().__init__(*words)
        self.sealer = Sealer(self.domain)

    def records(self):
        return [*super().records(), self.sealer.line()]


class Client(threading.Thread):
    """Sends spoofs over one connection for as long as it is let."""

    def __init__(self, port, recipient, spoofs):
        super().__init__()
        self.port, self.recipient, self.spoofs = port, recipient, spoofs
        self.taken = 0
        self.trouble = self.connection = None

    def run(self):
        try:
            for spoof in self.spoofs:
                self.taken += self.send(spoof)
        except Exception as trouble:
            self.trouble = trouble
        finally:
            if self.connection:
                self.connection.close()

    def send(self, spoof):
        """Is it taken?"""
        if self.connection is None:
            self.connection = smtplib.SMTP("127.0.0.1", self.port, source_address=(CLIENT, 0), timeout=60)
        try:
            options = " BODY=8BITMIME" + ("" if spoof.content.isascii() else " SMTPUTF8")
            for command in (f"EHLO {spoof.helo}", f"MAIL FROM:<{spoof.mail_from}>{options}",
                            f"RCPT TO:<{self.recipient}>"):
                if self.connection.docmd(command)[0] != 250:
                    return False
            return self.connection.data(spoof.content)[0] == 250
        except smtplib.SMTPServerDisconnected:
            self.connection = None
            return False


# Of each victim and way: "aligned" left under a name of the victim's, whoever its author is; "forging"
# left although some reader may take the victim for the author and no sealer we trust has said so;
# "vouching" left with results in our name that say so.
COUNTED = ("sent", "refused", "forwarded", "passing", "aligned", "forging", "vouching")
OF_A_KIND = ("sent", "forwarded", "passing")


def campaign(spoofs, seed=1, block=5000):
    """So many of them, in equal parts for each victim and each way; the report of all, and of each kind."""
    runs = [(victim, way) for victim in VICTIMS for way in [*WAYS, UNVERIFIED]]
    report = {"seed": seed, "runs": [], "kinds": {}, "examples": []}
    towns = []
    try:
        towns = [Town(seed), Town(seed, verify=False)]
        for victim, way in runs:
            town = towns[way == UNVERIFIED]
            recipient = WAYS.get(way, WAYS["policy"])
            counts = collections.Counter()
            wanted = town.forger(victim, recipient).spoofs(-(-spoofs // len(runs)))
            while some := list(itertools.islice(wanted, block)):
                run_block(town, victim, way, recipient, some, counts, report)
            report["runs"].append({"victim": victim, "way": way, **{name: counts[name] for name in COUNTED}})
    finally:
        for town in towns:
            town.stop()
    for name in ("sent", "refused", "forwarded", "passing", "vouching"):
        report[name] = sum(run[name] for run in report["runs"])
    report["pass"] = (report["passing"] == report["vouching"] == 0 and report["refused"] > 0 and
                      all(kind["forwarded"] > 0 for kind in report["kinds"].values()))
    return report


def kinds_of(spoof, victim, way):
    """All kinds that a spoof belongs to: by its forms, by its victim, by its way."""
    by_way = {UNVERIFIED: ["unverified"], "policy, by a wildcard": ["wildcards"]}.get(way, [])
    return [*town_spoofs.kind_of(spoof), *(["wildcards"] if victim == WILD and not by_way else by_way)] or ["others"]


def run_block(town, victim, way, recipient, some, counts, report):
    refused, arrived = town.send(some, recipient)
    counts["sent"] += len(some)
    counts["refused"] += refused

    def count(spoof, what):
        for kind in kinds_of(spoof, victim, way):
            report["kinds"].setdefault(kind, dict.fromkeys(OF_A_KIND, 0))[what] += 1

    for spoof in some:
        count(spoof, "sent")
    by_number = {number_of(spoof.content): spoof for spoof in some}
    for got in arrived:
        verdict = Verdict(by_number[number_of(got.content)], got, town, victim)
        counts[verdict.outcome] += 1
        count(verdict.spoof, verdict.outcome)
        counts["aligned"] += bool(verdict.aligned)
        counts["forging"] += verdict.spoof.forges_author and town_spoofs.VOUCHED not in verdict.spoof.name
        counts["vouching"] += verdict.vouching is not None
        if (verdict.outcome == "passing" or verdict.vouching) and len(report["examples"]) < 20:
            report["examples"].append(f"{victim}, {way}: {verdict!r}")


def number_of(content):
    return int(re.search(rb"this is number (\d+)\.", content).group(1))


def summary(report):
    kinds = ", ".join(f"{name} {kind['passing']}/{kind['forwarded'] + kind['passing']}"
                      for name, kind in sorted(report["kinds"].items()))
    return (f"{report['sent']} spoofs of {len(VICTIMS)} domains in {len(WAYS) + 1} ways: {report['refused']} refused, "
            f"{report['forwarded']} forwarded, {report['passing']} passing as their victim, {report['vouching']} "
            f"vouched for ({kinds})")
