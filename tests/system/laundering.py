"""Spoofs through a running relay: nothing that comes out may prove, to an independent receiver, that its
author is the victim.

The relay is one where a mistake would show: its HELO name and its SRS and signing domain lie below a
domain that it forwards for, all of them authorise its addresses, and so do the victims."""

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

from . import senders
from .harness import wait_for
from .judged_relay import JudgedRelay
from .senders import Sender
from .spoofs import Forger

CLIENT = "127.0.0.2"  # the attacker's, and nobody else's
DOOR = "127.0.0.1"
RISK_DOOR = "127.0.0.9"

HOUSE = "house.example"  # hosted here
VICTIMS = {  # domain -> whom its SPF names
    "victim.example": f"v=spf1 ip4:{DOOR} ip4:{RISK_DOOR} -all",
    "risky.example": f"v=spf1 ip4:{RISK_DOOR} -all",
    HOUSE: f"v=spf1 ip4:{DOOR} ip4:{RISK_DOOR} -all",
}
WAYS = {  # what the operator wants -> the address that gets it
    "policy": "user@" + HOUSE,
    "forward": "user@lenient.example",
    "forward, sender kept": "keep@lenient.example",
}

EXTRA = f"""[risk]
source = ["{RISK_DOOR}"]
sender = "keep"
connections = 20
rate = "1000000/min"
[arc]
domain = "srs.{HOUSE}"
selector = "rsa"
file = "rsa.pem"
[limits]
max_errors = 10000
[[target]]
match = "kept.example"
sender = "keep"
[[domain]]
name = "lenient.example"
on_dmarc_fail = "forward"
[domain.alias]
"user" = "target@dest.example"
"keep" = "target@kept.example"
"""


class Verdict:
    """What became of one spoof: "refused", "forwarded" or "passing"; by which names it was aligned."""

    def __init__(self, spoof, got, receiver, victim):
        self.spoof, self.got = spoof, got
        found = receiver.judge(got)
        self.aligned = found.aligned_with(victim)
        taken = spoof.forges_author or is_read_as(got.content, victim)
        self.outcome = "passing" if self.aligned and taken else "forwarded"

    def __repr__(self):
        return f"{self.spoof!r} left as {self.got.mail_from!r} from {self.got.client}: {self.aligned}"


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

    def __init__(self, seed=1):
        self.seed = seed
        self.key = SigningKey(hashlib.sha256(f"spoofs {seed}".encode()).digest())
        self.victims = {domain: Sender(domain, record) for domain, record in VICTIMS.items()}
        attacker = Sender("attack.example", f"v=spf1 ip4:{CLIENT} -all", "p=none")
        attacker.key = self.key
        house = self.victims[HOUSE].records()
        house += [f"{host} 60 IN TXT {senders.txt(VICTIMS[HOUSE])}" for host in ("mx", "srs")]
        super().__init__([attacker, *self.victims.values()], HOUSE, house, EXTRA, hostname="mx." + HOUSE,
                         domain=HOUSE, srs="srs." + HOUSE, aliases={"user": ["target@dest.example"]}, source=DOOR)

    def forger(self, victim, recipient):
        return Forger(victim, "attack.example", self.key, self.seed, recipient)

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
# left although some reader may take the victim for the author.
COUNTED = ("sent", "refused", "forwarded", "passing", "aligned", "forging")


def campaign(spoofs, seed=1, block=5000):
    """So many of them, in equal parts for each victim and each way; the report of all."""
    town = Town(seed)
    runs = [(victim, way) for victim in VICTIMS for way in WAYS]
    report = {"seed": seed, "pass": True, "sent": 0, "runs": [], "examples": []}
    try:
        for victim, way in runs:
            counts = collections.Counter()
            wanted = town.forger(victim, WAYS[way]).spoofs(-(-spoofs // len(runs)))
            while some := list(itertools.islice(wanted, block)):
                run_block(town, victim, WAYS[way], some, counts, report["examples"])
            run = {name: counts[name] for name in COUNTED}
            report["runs"].append({"victim": victim, "way": way, **run})
            report["sent"] += counts["sent"]
    finally:
        town.stop()
    for outcome in ("refused", "forwarded", "passing"):
        report[outcome] = sum(run[outcome] for run in report["runs"])
    report["pass"] = report["passing"] == 0 and report["forwarded"] > 0 and report["refused"] > 0
    return report


def run_block(town, victim, recipient, some, counts, examples):
    refused, arrived = town.send(some, recipient)
    counts["sent"] += len(some)
    counts["refused"] += refused
    by_number = {number_of(spoof.content): spoof for spoof in some}
    for got in arrived:
        verdict = Verdict(by_number[number_of(got.content)], got, town.receiver, victim)
        counts[verdict.outcome] += 1
        counts["aligned"] += bool(verdict.aligned)
        counts["forging"] += verdict.spoof.forges_author
        if verdict.outcome == "passing" and len(examples) < 20:
            examples.append(repr(verdict))


def number_of(content):
    return int(re.search(rb"this is number (\d+)\.", content).group(1))


def summary(report):
    return (f"{report['sent']} spoofs of {len(VICTIMS)} domains in {len(WAYS)} ways: {report['refused']} refused, "
            f"{report['forwarded']} forwarded, {report['passing']} passing as their victim")
