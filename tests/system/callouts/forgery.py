"""Guesses at SRS addresses through a running relay, over SMTP and from many networks.

The relay signs strongly, takes classic addresses too, and keeps Exim's secret. Whatever is guessed at, right
strong addresses are answered all the while; right classic ones are once the guesses of strangers are used
up, but to nobody save hosts that took our mail. It is guessed by RCPT, as bounces name an address, and by MAIL
FROM, as mail that went out here comes back.
"""

import collections
import concurrent.futures
import datetime
import hashlib
import hmac
import os
import random
import socket
import time

from ..harness import MESSAGE, Relay, Sink, wait_for
from .world import classic, stamp

DOMAIN = "relay.test"
ALIAS = "user@fwd.test"
STRONG_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
CLASSIC_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
EXIM_SECRET = "exim's own secret, long enough"
KINDS = ("strong", "classic", "exim")
SHORT = KINDS[1:]
NETWORKS = 64      # 127.1.N.1
BATCH = 30         # guesses of one connection, in one write
IN_ALL = 600       # guesses at short tags that all clients together have in an hour
PER_NETWORK = 20   # guesses that a network has
ERRORS = 10_000  # refusals that a session may hear: it is about guesses here
TAKER, STRANGER = "127.0.0.1", "127.2.0.1"


def exim_address(local_part, days=0):
    """Of Exim's native SRS: four hexadecimal digits over everything but the stamp, so many days from now."""
    digest = hmac.new(EXIM_SECRET.encode(), f"{local_part}@sender.test".encode(), hashlib.md5).hexdigest()[:4]
    return f"SRS0={digest}={stamp(days).lower()}=sender.test={local_part}@{DOMAIN}"


def wrong(kind, number, rng):
    """A random tag before a name of its own."""
    letters, length = {"strong": (STRONG_LETTERS, 8), "classic": (CLASSIC_LETTERS, 4), "exim": ("0123456789abcdef", 4)}[kind]
    tag = "".join(rng.choice(letters) for _ in range(length))
    return f"SRS0={tag}={stamp(0)}=sender.test=victim{number}@{DOMAIN}"


def by_rcpt(address):
    return b"MAIL FROM:<>\r\nRCPT TO:<" + address.encode() + b">\r\nRSET\r\n"


def by_mail(address):
    """As the sender of a message to an alias, whose RCPT then tells whether the tag is right."""
    return b"MAIL FROM:<" + address.encode() + b">\r\nRCPT TO:<" + ALIAS.encode() + b">\r\nRSET\r\n"


def ask(port, host, questions):
    """The codes that RCPT is answered with, of a client at `host`; all questions are sent at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(host, 0)) as client:
        replies = client.makefile("rb")

        def reply():
            while True:
                line = replies.readline()
                if not line:
                    raise ConnectionError("the relay has closed")
                if line[3:4] != b"-":
                    return int(line[:3])

        reply()
        client.sendall(b"EHLO guesser.test\r\n")
        reply()
        client.sendall(b"".join(questions))
        codes = []
        for _ in questions:
            reply()
            codes.append(reply())
            reply()
        client.sendall(b"QUIT\r\n")
        reply()
        return codes


class Forgery:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.sink = Sink().start()
        soon = datetime.date.today() + datetime.timedelta(days=30)
        self.relay = Relay(self.sink.port, config={
            "srs": {"secret": [{"id": "k", "file": "srs.key", "classic": True},
                               {"id": "exim", "file": "exim.key", "scheme": "exim", "verify_until": soon}],
                    "bounces": {"bad_in_all": IN_ALL}},
            "limits": {"max_errors": ERRORS, "per_ip": 100, "per_network": 200}})
        with open(os.open(self.relay.path("exim.key"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(EXIM_SECRET)
        self.relay.start()
        with open(self.relay.path("srs.key"), "rb") as f:
            self.secret = f.read().strip()
        self.right = {"strong": self.relay.cli("srs", "encode", "ann@sender.test", check=True).stdout.strip(),
                      "classic": classic(self.secret, "ann", "sender.test"), "exim": exim_address("ann"),
                      # A right tag under an expired stamp must hear the same reply as a wrong one.
                      "stale": exim_address("ann", days=-40)}

    def stop(self):
        self.relay.stop()
        self.relay.remove()
        self.sink.stop()

    def become_taker(self):
        self.relay.send(MESSAGE)
        wait_for(lambda: self.sink.messages, what="a delivery to the host that asks later")

    def asked(self, host, first=()):
        """What right addresses hear there, one of each kind, after those guesses: by RCPT, then as senders."""
        questions = [by(address) for by in (by_rcpt, by_mail) for address in self.right.values()]
        codes = ask(self.relay.port, host, [*map(by_rcpt, first), *questions])[len(first):]
        return {"rcpt": dict(zip(self.right, codes)), "mail": dict(zip(self.right, codes[len(self.right):]))}

    def guess(self, guesses, said):
        """Guesses of all kinds in turn, from one network after the other; meanwhile a right address of ours."""
        def batch(number):
            kinds = [KINDS[i % len(KINDS)] for i in range(number * BATCH, min(guesses, (number + 1) * BATCH))]
            host = f"127.1.{number % NETWORKS}.1"
            rng = random.Random(f"{seed}/{number}")
            # Each kind in turn by RCPT and by MAIL FROM.
            questions = [(by_rcpt, by_mail)[i // len(KINDS) % 2](wrong(kind, f"{number}.{i}", rng))
                         for i, kind in enumerate(kinds)]
            right = [by_rcpt(self.right["strong"]), by_mail(self.right["strong"])]
            codes = ask(self.relay.port, host, [*questions, *right])
            return list(zip(kinds, codes)), codes[len(questions):]

        seed = self.rng.random()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for pairs, right in pool.map(batch, range(-(-guesses // BATCH))):
                for kind, code in pairs:
                    said[kind][code] += 1
                said["right"].update(right)


def campaign(guesses, seed):
    began = time.monotonic()
    said = collections.defaultdict(collections.Counter)
    forgery = Forgery(seed)
    try:
        forgery.become_taker()
        before = {host: forgery.asked(host) for host in (TAKER, STRANGER)}
        forgery.guess(guesses, said)
        # The limit allows one more guess every few seconds: these take it.
        more = [wrong("classic", f"last.{number}", forgery.rng) for number in range(5)]
        after = {TAKER: forgery.asked(TAKER), STRANGER: forgery.asked(STRANGER, more)}
    finally:
        forgery.stop()
    report = {"seed": seed, "guesses": guesses, "seconds": round(time.monotonic() - began),
              "said": {kind: dict(codes) for kind, codes in said.items()}, "before": before, "after": after}
    report["pass"] = not faults(report)
    report["examples"] = {"fault": faults(report)}
    return report


def faults(report):
    """What is wrong with it, a sentence each."""
    found = []
    said = report["said"]
    # A bucket fills again while the campaign runs; and of a classic tag, one in 2^18 or so is right by chance.
    def looked_at(*kinds):
        return sum(said[kind].get(550, 0) + said[kind].get(250, 0) for kind in kinds)

    refilled = 1 + (report["seconds"] + 1) / 3600
    most = IN_ALL * refilled + 8  # threads that ask at the same moment
    if looked_at(*SHORT) > most:
        found.append(f"{looked_at(*SHORT)} guesses at short tags were looked at, of {most:.0f}")
    # Guesses at strong tags count for their network alone.
    most = min(NETWORKS, -(-report["guesses"] // BATCH)) * (PER_NETWORK * refilled + 8)
    if looked_at(*KINDS) > most:
        found.append(f"{looked_at(*KINDS)} guesses were looked at, of {most:.0f} that all networks have")
    if said["strong"].get(250):
        found.append("a strong tag was guessed")
    if said["classic"].get(250, 0) + said["exim"].get(250, 0) > 2:
        found.append("tags are guessed too often")
    if any(code not in (250, 450, 550) for kind in KINDS for code in said[kind]):
        found.append("another answer than 250, 450 and 550")
    if set(said["right"]) != {250}:
        found.append(f"a right strong address heard {said['right']} among guesses")
    everything = {**dict.fromkeys(KINDS, 250), "stale": 550}
    exhausted = report["guesses"] >= 4 * IN_ALL
    expected = {"before": {TAKER: everything, STRANGER: everything},
                "after": {TAKER: everything,
                          STRANGER: {**everything, "classic": 450, "exim": 450, "stale": 450} if exhausted else everything}}
    for when, hosts in expected.items():
        for host, codes in hosts.items():
            for way, heard in report[when][host].items():
                if heard != codes:
                    found.append(f"right addresses heard {heard} by {way} at {host} {when} the guesses")
    return found


def summary(report):
    """One line."""
    said = "; ".join(f"{kind} " + ", ".join(f"{number} × {code}" for code, number in sorted(report["said"][kind].items()))
                     for kind in (*KINDS, "right"))
    return (f"{report['guesses']} guesses through a running relay: {said}; {'good' if report['pass'] else 'BAD'} "
            f"({report['seconds']} s)")
