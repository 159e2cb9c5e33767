"""The operator at work while mail flows: holds, releases, drops, bounces and retries, by id and by filter, pauses
domains and resumes them, through the control socket and the command line, and remembers what the answers
promised."""

import dataclasses
import random
import re
import threading
import time

from .. import control
from .checker import SLACK

CHANGED, UNDER_WAY = re.compile(r"(\d+) changed"), re.compile(r"(\d+) under way")


@dataclasses.dataclass
class Order:
    verb: str            # hold, drop, bounce, release, retry, pause, resume
    words: tuple         # of the filter, or domain:NAME
    copies: set          # (number, local part): those that it surely reached, for they were there before
    sent: float
    answered: float = 0.0
    changed: int = 0
    under_way: int = 0
    slack: float = 0.0   # where the answer does not say how many are under way

    def __str__(self):
        return f"{self.verb} {' '.join(self.words)}: {self.changed} changed, {self.under_way} under way"


def answer_of(objects):
    """(changed, under way or None) of an answer of the control socket."""
    found = next((o for o in objects if "changed" in o), {})
    return found.get("changed", 0), found.get("under_way")


def answer_in(text):
    """… of the command line's."""
    changed, under_way = CHANGED.search(text), UNDER_WAY.search(text)
    return int(changed.group(1)) if changed else 0, int(under_way.group(1)) if under_way else None


class Operator:
    """Messages of one sender are a `group`, given at once or not at all when an order is for a sender."""

    def __init__(self, relay, generator, seed, pause=0.05):
        self.relay, self.generator = relay, generator
        self.rng = random.Random(seed)
        self.pause = pause
        self.orders = []
        self.held = []  # filters by which something is held
        self.ended = set()  # numbers of what was dropped or bounced
        self.stopped = False
        self.thread = threading.Thread(target=self.run)

    def start(self):
        self.thread.start()
        return self

    def stop(self, least=11, patience=30):
        """Releases everything still held. On a slow machine the operator goes on until `least` orders are
        given."""
        end = time.monotonic() + patience
        while len(self.orders) < least and time.monotonic() < end:
            time.sleep(self.pause)
        self.stopped = True
        self.thread.join()
        self.order("release", ("all",), self.everything())

    def run(self):
        while not self.stopped:
            time.sleep(self.rng.uniform(0, 2 * self.pause))
            target = self.target()
            if target:
                self.act(*target)

    # The verbs to choose from.

    def acknowledged(self):
        return [e for e in list(self.generator.entries.values()) if e.acked_at is not None]

    @staticmethod
    def copies_of(entries):
        return {(e.message.number, local) for e in entries for local in e.message.recipients}

    def everything(self):
        return self.copies_of(self.acknowledged())

    def target(self):
        """Words of a filter, and the copies that it means: mail of the last seconds, which is still there or
        was a moment ago."""
        everyone = self.acknowledged()
        recent = [e for e in everyone[-60:] if e.message.number not in self.ended]
        if not recent:
            return None
        entry = self.rng.choice(recent)
        draw = self.rng.random()
        if draw < 0.5:
            return (entry.id,), self.copies_of([entry])
        if draw < 0.75:
            local = self.rng.choice(entry.message.recipients)
            domain = entry.message.domains[local].replace("f", "d", 1)  # where it is forwarded to
            return (f"to:{local}@{domain}",), {(entry.message.number, local)}
        group = [e for e in list(self.generator.entries.values()) if e.message.sender == entry.message.sender]
        if len(group) < entry.message.group or any(e.acked_at is None for e in group):
            return None
        return (f"from:{entry.message.sender}",), self.copies_of(group)

    # The verb applied to it.

    def act(self, words, copies):
        draw = self.rng.random()
        if late := self.late():
            self.end(late, words, copies)
        elif draw < 0.42:
            self.order("hold", words, copies)
            self.held.append((words, copies))
        elif draw < 0.58:
            self.end("drop", words, copies)
        elif draw < 0.63:
            self.end("bounce", words, copies)
        elif draw < 0.77:
            self.order("retry", *self.rng.choice(((words, copies), (("all",), self.everything()))))
        elif draw < 0.8:
            self.order("hold", ("all",), self.everything())
            time.sleep(0.3)
            self.order("release", ("all",), self.everything())
            self.held.clear()
        elif draw < 0.83:
            self.pause_a_domain()
        elif self.held:
            self.order("release", *self.held.pop(self.rng.randrange(len(self.held))))

    def late(self):
        """However slow the machine is, something is dropped and something bounced in the end."""
        given = {o.verb for o in self.orders if o.changed}
        return next((verb for verb in ("drop", "bounce") if len(self.orders) > 6 and verb not in given), None)

    def end(self, verb, words, copies):
        self.order(verb, words, copies)
        self.ended.update(number for number, _ in copies)

    def pause_a_domain(self):
        """Long enough that mail for it is accepted meanwhile."""
        message = self.rng.choice(self.acknowledged()).message
        words = (f"domain:{self.rng.choice(list(message.domains.values()))}",)
        self.order("pause", words, set())
        time.sleep(2)
        self.order("resume", words, set())

    def order(self, verb, words, copies):
        order = Order(verb, words, copies, time.time())
        if self.rng.random() < 0.15 and verb not in ("pause", "resume"):
            reason = ("--reason", "ledger") if verb in ("drop", "bounce") else ()
            said = self.relay.cli("queue", verb, *words, *reason, "--yes")
            order.changed, under_way = answer_in(said.stdout)
        else:
            _, objects = control.ask(self.relay, "queue." + verb, filter=list(words), reason="ledger")
            order.changed, under_way = answer_of(objects)
        order.answered = time.time()
        order.under_way = under_way or 0
        order.slack = SLACK if under_way is None else 0.0
        self.orders.append(order)
