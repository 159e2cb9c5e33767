"""Recipients and the fate of their mail: the part of the local part before its first dot says how the next
hop treats that recipient."""

import random

from ..ledger import messages

DOMAIN = "hop.test"

# The reply of the next hop to RCPT (doorman.py), and how such a copy must end.
TAKEN, TOLD = "taken", "told"
ENDS = {"ok": TAKEN,     # 250
        "grey": TAKEN,   # 450 4.2.0 until a second has passed
        "tight": TAKEN,  # 452 4.2.2 once: the mailbox is full, and then is not
        "bad": TOLD,     # 550 5.1.1
        "full": TOLD}    # 552 5.2.2: for good, and about this mailbox alone

# Shares of the recipients of a run; the rest are `ok`.
SHARES = {"bad": 0.1, "full": 0.06, "grey": 0.12, "tight": 0.06, "team": 0.06}
POOL = {"ok": 200, "grey": 60, "tight": 40, "bad": 60, "full": 40, "team": 30}


def kind_of(local):
    return local.partition(".")[0]


def ends(local):
    """How a copy for this local part of the next hop ends."""
    return ENDS[kind_of(local)]


def aliases():
    """Alias -> targets, by the hundred. A team has several, one of which may not exist."""
    found = {}
    for kind, size in POOL.items():
        for number in range(size):
            alias = f"{kind}.{number}"
            found[alias] = team(number) if kind == "team" else [f"{alias}@{DOMAIN}"]
    return found


def team(number):
    members = [f"ok.team{number}a", f"ok.team{number}b", f"{'grey' if number % 3 else 'bad'}.team{number}c"]
    return [f"{member}@{DOMAIN}" for member in members]


def alias_for(rng, kinds):
    draw = rng.random()
    for kind, share in SHARES.items():
        draw -= share
        if draw < 0:
            break
    else:
        kind = "ok"
    kind = kind if kind in kinds else "ok"
    return f"{kind}.{rng.randrange(POOL[kind])}"


def make(seed, count, kinds=tuple(POOL)):
    """The messages of a run: half of them for one recipient, the others for up to six."""
    rng = random.Random(seed)
    for number in range(1, count + 1):
        wanted = 1 if rng.random() < 0.5 else rng.randrange(2, 7)
        recipients = sorted({alias_for(rng, kinds) for _ in range(wanted)})
        yield messages.Message(number, recipients, messages.body_of(rng))
