"""Modes and suites: a mode is one way of sending, a suite is a list of modes."""

import itertools
from dataclasses import asdict, dataclass, replace

from .ours import EchoRelay, SrsRelay
from .peers import Exim, PostfixStack

KINDS = {"srs-relay": SrsRelay, "postfix": PostfixStack, "exim": Exim, "echo": EchoRelay}
KIB = 1024
BIG = 10 * KIB * KIB


@dataclass(frozen=True)
class Mode:
    name: str
    size: int = 4 * KIB
    sessions: int = 20
    kept: bool = False
    signature: str = "rsa"
    verify: bool = False  # of signed mail; ours alone
    seal: bool = False    # with ARC; ours alone, and only what was verified is sealed
    starttls: bool = False  # in and out; ours alone
    recipients: int = 0   # so many aliases a0, a1, … are written to, in no order; 0: one
    peers: tuple = ("srs-relay", "postfix")

    def __post_init__(self):
        if self.seal and not self.verify:
            raise ValueError("nothing would be sealed: only what was verified is")

    def evidence(self):
        """What a message carries on which all was done that the mode is about; for those that verify."""
        return [*((b"spf=pass", b"dkim=pass", b"dmarc=pass") if self.verify else ()),
                *((b"\nARC-Seal:",) if self.seal else ()),
                *((b"d=relay.test",) if self.signature != "none" else ()),
                *((b"with ESMTPS",) if self.starttls else ())]

    def signature_of(self, kind):
        """What this forwarder signs with: others than ours know only RSA."""
        return "rsa" if kind != "srs-relay" and self.signature in ("ed25519", "both") else self.signature

    def messages(self, kind, base):
        """How many messages one run has; `base`: for our relay, with small messages and many sessions."""
        share = KINDS[kind].share
        if self.size >= BIG:
            return max(10, round(base * min(1.0, 2 * share) / 100))
        if self.size > 16 * KIB:
            base /= 4
        if self.sessions < 4:
            base /= 4
        return max(200, 10 * min(self.sessions, 20), round(base * share))

    def text(self):
        size = f"{self.size // KIB} KiB" if self.size < KIB * KIB else f"{self.size // KIB // KIB} MiB"
        extras = [word for word, on in (("verified", self.verify), ("sealed", self.seal), ("STARTTLS", self.starttls)) if on]
        return ", ".join([size, f"{self.sessions} session{'s' if self.sessions > 1 else ''}",
                          "kept" if self.kept else "new connections",
                          "unsigned" if self.signature == "none" else self.signature, *extras])

    def as_dict(self):
        return asdict(self)


def refuse_impossible(parser, options):
    """Ends the program if no mode can be made of these options."""
    if options.seal and not options.verify:
        parser.error("--seal wants --verify: only what was verified is sealed")


BASE = Mode("new")

# As it stands at a provider: encrypted both ways, mail is verified, signed and sealed.
PRODUCTION = replace(BASE, name="production", verify=True, seal=True, starttls=True, peers=("srs-relay",))

QUICK = [replace(BASE, peers=("srs-relay", "postfix", "echo")),
         replace(BASE, name="kept", kept=True, peers=("srs-relay", "postfix", "echo"))]

GOALS = [replace(BASE, peers=("srs-relay", "postfix", "echo", "exim")),
         replace(BASE, name="kept", kept=True, peers=("srs-relay", "postfix", "echo")),
         replace(BASE, name="ed25519", signature="ed25519"),
         replace(BASE, name="unsigned", signature="none"),
         replace(BASE, name="10 MiB", size=BIG)]


# Of commits: what the goals are about, what differs from it in one way, and all of it together.
COMPARED = [*(replace(mode, peers=("srs-relay",)) for mode in GOALS), PRODUCTION,
            *(replace(BASE, **axis, peers=("srs-relay",)) for axis in (
                {"name": "1 session", "sessions": 1}, {"name": "200 sessions", "sessions": 200},
                {"name": "verified", "verify": True}, {"name": "sealed", "verify": True, "seal": True}))]


def matrix():
    """Each axis by itself, around the mode that the goals are about, with both kinds of connections."""
    axes = [{}, {"size": KIB}, {"size": 100 * KIB}, {"size": BIG}, {"sessions": 1}, {"sessions": 200},
            {"signature": "ed25519"}, {"signature": "both"}, {"signature": "none"}]
    own = [{"verify": True}, {"verify": True, "seal": True}, {"verify": True, "seal": True, "starttls": True}]
    modes = [replace(BASE, kept=kept, **axis, peers=("srs-relay", "postfix", "exim"))
             for kept, axis in itertools.product((False, True), axes)]
    modes += [replace(BASE, kept=kept, **axis, peers=("srs-relay",))
              for kept, axis in itertools.product((False, True), own)]
    return [replace(mode, name=mode.text()) for mode in modes]


def cross():
    """Every combination of what all can do."""
    modes = [Mode("", size, sessions, kept, signature, peers=("srs-relay", "postfix", "exim"))
             for size, sessions, kept, signature in itertools.product(
                 (KIB, 4 * KIB, 100 * KIB, BIG), (1, 20, 200), (False, True), ("rsa", "ed25519", "none"))]
    return [replace(mode, name=mode.text()) for mode in modes]


SUITES = {"quick": lambda: QUICK, "production": lambda: [PRODUCTION], "goals": lambda: GOALS, "matrix": matrix, "cross": cross}
