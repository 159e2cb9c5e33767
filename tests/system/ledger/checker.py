"""Compares the acknowledged messages with those that arrived, with the log and with the operator's orders."""

import collections
import datetime
import json

from . import messages

TROUBLES = {
    "lost": "acknowledged, and neither arrived nor told of",
    "duplicates_unexplained": "arrived more often than crashes, lost 250s and the log's possible duplicates explain",
    "told_twice": "told of by more DSNs than that",
    "corrupt": "arrived with another body, or a DSN that says nothing",
    "ghosts": "arrived, and nobody sent it",
    "wrong_recipient": "arrived where it had to be refused, or told of where it had to arrive, or for somebody else",
    "late": "still in the queue at the end",
    "wrong_sequence": "commands that a next hop found out of order",
    "unpaid": "told of later than a minute and a half after the failure",
    "stalled": "waited for others, at a destination that takes everything at once",
    "left_while_held": "left after `hold` was answered, beyond what the answer called under way",
    "left_after_drop": "left after `drop` was answered, beyond what the answer called under way",
    "left_after_bounce": "left after `bounce` was answered, or at all and told of, too, beyond what was under way",
    "left_while_paused": "accepted after `pause` was answered, and left before `resume`",
}
FIGURES = ("messages", "acked", "copies", "dsns", "dropped", "bounced", "duplicates_explained")

# The sink may take a message sent before the kill, or before an answer, a moment after it.
SLACK = 0.5
DEBT = 90.0  # seconds within which a failure is reported: a minute is promised


class Fate:
    """The fate of one recipient of one message."""

    def __init__(self):
        self.taken_at = []  # times at which the sink took a copy
        self.dsns_at = []   # … DSNs about it


def read_sink(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def fates_of(arrivals):
    fates = collections.defaultdict(Fate)
    strange = []  # entries that fit nowhere
    for entry in arrivals:
        if "dsn_for" in entry:
            if entry["dsn_for"] is None or not entry["failed"]:
                strange.append(entry)
            for local in entry["failed"]:
                fates[(entry["dsn_for"], local)].dsns_at.append(entry["t"])
        elif "to" in entry:
            for address in entry["to"]:
                fates[(entry["id"], address.partition("@")[0])].taken_at.append(entry["t"])
    return fates, strange


class LogView:
    """What the relay's log says of single copies: (id, local part) -> something."""

    def __init__(self, events=()):
        self.doubtful = collections.Counter()  # attempts after which the next hop may have it
        self.failed_at = {}
        for event in events:
            if event["event"] != "attempt":
                continue
            copy = (event["msg_id"], event["target"].partition("@")[0])
            self.doubtful[copy] += bool(event.get("possible_duplicate"))
            if event["outcome"] == "failed":
                self.failed_at[copy] = seconds_of(event["ts"])


def seconds_of(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


class Checker:
    """`orders`: of operator.Order. `prompt`: (local parts that must not wait, seconds)."""

    def __init__(self, entries, arrivals, interruptions, log=None, orders=(), prompt=((), 0)):
        self.entries, self.arrivals, self.interruptions = entries, arrivals, interruptions
        self.log, self.orders = log or LogView(), orders
        self.prompt, self.patience = prompt
        self.report = dict.fromkeys([*FIGURES, *TROUBLES], 0)
        self.examples = collections.defaultdict(list)
        self.fates, self.strange = fates_of(arrivals)
        self.bounced = set().union(*(order.copies for order in orders if order.verb == "bounce"))

    def note(self, kind, what, times=1):
        self.report[kind] += times
        if len(self.examples[kind]) < 5:
            self.examples[kind].append(what)

    def check(self, still_queued=0):
        self.report["messages"] = len(self.entries)
        self.report["late"] = still_queued
        self.check_arrivals()
        missing = self.check_entries()
        self.check_orders(missing)
        for copy in missing:
            self.note("lost", copy)
        self.report["examples"] = dict(self.examples)
        self.report["pass"] = not any(self.report[kind] for kind in TROUBLES) and self.report["acked"] > 0
        return self.report

    def check_arrivals(self):
        for entry in self.strange:
            self.note("corrupt", entry)
        for arrival in self.arrivals:
            if "wrong" in arrival:
                self.note("wrong_sequence", arrival)
                continue
            number = arrival.get("id", arrival.get("dsn_for"))
            if not arrival.get("whole", True):
                self.note("corrupt", number)
            if number not in self.entries:
                self.note("ghosts", arrival)
        for (number, local) in self.fates:
            if number in self.entries and local not in self.entries[number].message.recipients:
                self.note("wrong_recipient", (number, local))

    def check_entries(self):
        """The copies that are nowhere, as a list."""
        missing = []
        for number, entry in self.entries.items():
            self.report["acked"] += entry.acked_at is not None
            for local in entry.message.recipients:
                fate = self.fates.get((number, local), Fate())
                self.report["copies"] += len(fate.taken_at)
                self.report["dsns"] += len(fate.dsns_at)
                times = self.check_copy(entry, local, fate)
                if entry.acked_at is not None and not times:
                    missing.append((number, local))
        return missing

    def check_copy(self, entry, local, fate):
        """Times of its proper ends."""
        copy = (entry.message.number, local)
        refused = messages.is_refused(local)
        bounced = copy in self.bounced and bool(fate.dsns_at)
        if bounced and not refused:
            self.report["bounced"] += 1
            if len(fate.dsns_at) > 1:
                self.note("told_twice", copy)
        times = sorted(fate.dsns_at if refused else fate.taken_at)
        if fate.taken_at if refused else fate.dsns_at and not bounced:
            self.note("wrong_recipient", copy)
        if not entry.whole_sends and times:
            self.note("ghosts", copy)
        if len(times) > 1:
            if self.is_explained(times, entry, local):
                self.note("duplicates_explained", copy)
            else:
                self.note("told_twice" if refused else "duplicates_unexplained", copy)
        failed_at = self.log.failed_at.get((entry.id, local))
        if refused and failed_at and times and times[0] - failed_at > DEBT:
            self.note("unpaid", f"{copy}: {times[0] - failed_at:.0f} s after its failure")
        if local in self.prompt and entry.acked_at and times and times[0] - entry.acked_at > self.patience:
            self.note("stalled", f"{copy}: {times[0] - entry.acked_at:.1f} s")
        return times or (fate.dsns_at if bounced else [])

    def is_explained(self, times, entry, local):
        """A second copy is explained when the message was sent twice because its 250 was lost, when the
        relay was interrupted between the two, or when its log says so of this very copy."""
        resent = entry.whole_sends - 1
        between = sum(1 for t in self.interruptions if times[0] - SLACK <= t <= times[-1])
        return len(times) - 1 <= resent + between + self.log.doubtful[(entry.id, local)]

    def check_orders(self, missing):
        """Copies explained by a drop are taken from `missing`."""
        for number, order in enumerate(self.orders):
            if order.verb == "pause":
                self.check_pause(order, number)
            if order.verb not in ("hold", "drop", "bounce"):
                continue
            left = [copy for copy in order.copies if self.has_left(order, number, copy)]
            if len(left) > order.under_way:
                self.note("left_while_held" if order.verb == "hold" else f"left_after_{order.verb}",
                          f"{order}: {len(left)} left: {left[:3]}", len(left) - order.under_way)
            if order.verb == "drop":
                gone = [copy for copy in missing if copy in order.copies][:order.changed + order.under_way]
                self.report["dropped"] += len(gone)
                for copy in gone:
                    missing.remove(copy)

    def has_left(self, order, number, copy):
        """After an order, or in spite of a bounce that its sender was told of."""
        fate = self.fates.get(copy, Fate())
        if order.verb == "bounce" and fate.dsns_at and fate.taken_at and not messages.is_refused(copy[1]):
            return True
        return any(order.answered + order.slack < t < self.end_of(order, number, copy) for t in fate.taken_at)

    def check_pause(self, order, number):
        """Of what was accepted later, for it was surely not under way."""
        end = min((later.sent for later in self.orders[number + 1:]
                   if later.verb == "resume" and later.words == order.words), default=float("inf"))
        for key, entry in self.entries.items():
            if entry.acked_at is None or entry.acked_at < order.answered + SLACK:
                continue
            for local, domain in entry.message.domains.items():
                if order.words == (f"domain:{domain}",) and any(t < end for t in self.fates.get((key, local), Fate()).taken_at):
                    self.note("left_while_paused", f"{order}: {(key, local)}")

    def end_of(self, order, number, copy):
        """When a held copy may leave again; a dropped or bounced one never does."""
        if order.verb in ("drop", "bounce"):
            return float("inf")
        return min((later.sent for later in self.orders[number + 1:]
                    if later.verb == "release" and copy in later.copies), default=float("inf"))


def check(entries, arrivals, interruptions, still_queued=0, **more):
    """A report of everything that is not as it should be; "pass" says whether that is allowed."""
    return Checker(entries, arrivals, interruptions, **more).check(still_queued)


def summary(report):
    text = (f"{report['acked']} of {report['messages']} messages acknowledged, {report['copies']} "
            f"copies and {report['dsns']} DSNs arrived: {report['lost']} lost, "
            f"{report['duplicates_explained']} duplicates explained, "
            f"{report['duplicates_unexplained']} unexplained, {report['corrupt']} corrupt, "
            f"{report['ghosts']} ghosts, {report['wrong_recipient']} at a wrong recipient, "
            f"{report['late']} late")
    named = ("lost", "duplicates_unexplained", "corrupt", "ghosts", "wrong_recipient", "late")
    more = [f"{report[kind]} {kind.replace('_', ' ')}" for kind in ("dropped", "bounced", *TROUBLES)
            if kind not in named and report.get(kind)]
    return ", ".join([text, *more])
