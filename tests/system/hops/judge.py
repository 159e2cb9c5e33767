"""Compares the messages that the relay accepted, its log, the log of the next hop, and the messages behind
it."""

import collections
import re

from ..ledger import checker
from . import hop, mix
from .wiretap import TOO_MANY_RECIPIENTS

GATHERING = 58.0  # seconds for which a DSN waits for other failures of its message: a minute, and some slack
# Sessions of the relay with one destination, and copies of a message at most: what a limit may cost until
# it is known to all of them.
SESSIONS, COPIES = 20, 10
SLACK = 0.02  # of the copies

TROUBLES = {
    "lost": "neither arrived nor told of",
    "waiting": "still in the queue",
    "doubled": "arrived twice, and no attempt was called a possible duplicate",
    "told_wrongly": "told of, and it should have arrived",
    "arrived_wrongly": "arrived, and the next hop should not have taken it",
    "told_twice": "told of more often than it failed",
    "hasty": "DSNs while another copy of the message was open and a minute had not passed since the failure",
    "unsent": "delivered, says the relay's log, and nothing arrived",
    "corrupt": "arrived with another body",
    "ghosts": "arrived, and nobody sent it",
    "ended": "came to an end, where every attempt had to be put off",
    "secrecy": "left in the clear where it had to be encrypted, or the other way round",
    "protocol": "commands that the next hop found out of order, or that the relay's log calls a protocol error",
    "complaints": "lines of the next hop's log about our manners",
    "busy": "attempts spent on 'too many connections'",
    "cut_off": "attempts spent on 'too many messages on this connection'",
    "bystanders": "attempts of good recipients spent on 'too many errors', which were others' errors",
    "overshoot": "recipients beyond a limit that was known",
}


class Copy:
    def __init__(self, entry, alias, target):
        self.number, self.id, self.alias, self.target = entry.message.number, entry.id, alias, target
        self.attempts = []
        self.arrivals = []

    def outcome(self):
        return self.attempts[-1]["outcome"] if self.attempts else ""

    def ended(self):
        """When, by the log; never, for a copy that is still open."""
        if self.outcome() not in ("delivered", "failed"):
            return float("inf")
        return checker.seconds_of(self.attempts[-1]["ts"])

    def __str__(self):
        tries = "; ".join(f"{a['smtp']['stage']} {a['smtp']['code']} {a['smtp']['text'][:80]} -> {a['outcome']}"
                          for a in self.attempts[-4:])
        return f"{self.number} {self.id} {self.alias} -> {self.target}: {len(self.attempts)} attempts: {tries}"


class Judge:
    """`evidence`: of run.Evidence. report() is to be called once."""

    def __init__(self, evidence, waits):
        self.evidence, self.waits = evidence, waits
        self.found = dict.fromkeys(TROUBLES, 0)
        self.examples = collections.defaultdict(list)

    def note(self, kind, what, times=1):
        self.found[kind] += times
        if len(self.examples[kind]) < 5:
            self.examples[kind].append(str(what))

    def report(self):
        copies = self.copies()
        dsns = self.dsns()
        for copy in copies:
            self.judge(copy, dsns)
        if copies and not any(copy.attempts for copy in copies):
            self.note("lost", "nothing was ever tried")
        self.judge_dsns(copies, dsns)
        self.judge_manners()
        self.judge_costs(copies)
        outcomes = collections.Counter(c.outcome() or "untried" for c in copies)
        return {"pass": bool(copies) and not any(self.found.values()), "messages": len(self.evidence.entries),
                "copies": len(copies), **outcomes, "attempts": sum(len(c.attempts) for c in copies),
                "dsns": len({(number, t) for (number, _), times in dsns.items() for t in times}),
                "doubled_explained": self.explained, "trouble": {k: v for k, v in self.found.items() if v},
                "examples": dict(self.examples)}

    def copies(self):
        """Every copy that was acknowledged, with its attempts and arrivals."""
        attempts = collections.defaultdict(list)
        for event in self.evidence.events:
            if event["event"] == "attempt":
                attempts[(event["msg_id"], event["target"])].append(event)
        fates, strange = checker.fates_of(self.evidence.arrivals)
        for entry in strange:
            self.note("corrupt", entry)
        for arrival in self.evidence.arrivals:
            if not arrival.get("whole", True):
                self.note("corrupt", arrival)
        found = []
        for entry in self.evidence.entries.values():
            if entry.acked_at is None:
                continue
            for alias in entry.message.recipients:
                for target in self.evidence.aliases[alias]:
                    copy = Copy(entry, alias, target.partition("@")[0])
                    copy.attempts = attempts[(entry.id, target)]
                    fate = fates.pop((copy.number, copy.target), None)
                    copy.arrivals = sorted(fate.taken_at) if fate else []
                    found.append(copy)
        for (number, local), fate in fates.items():
            if fate.taken_at:
                self.note("ghosts", (number, local))
        return found

    def dsns(self):
        """(number, alias) -> times at which a DSN told of it."""
        told = collections.defaultdict(list)
        for arrival in self.evidence.arrivals:
            if "dsn_for" in arrival:
                for alias in arrival["failed"]:
                    told[(arrival["dsn_for"], alias)].append(arrival["t"])
        return told

    explained = 0

    def judge(self, copy, dsns):
        last = copy.outcome()
        if self.waits:
            if copy.arrivals or last in ("delivered", "failed"):
                self.note("ended", copy)
            return
        doubtful = sum(bool(a.get("possible_duplicate")) for a in copy.attempts)
        extra = max(0, len(copy.arrivals) - 1)
        self.explained += min(extra, doubtful)
        if extra > doubtful:
            self.note("doubled", f"{copy}, arrived {copy.arrivals}")
        told = dsns.get((copy.number, copy.alias))
        should_arrive = mix.ends(copy.target) == mix.TAKEN
        has_to_wait = self.evidence.terms.keeps_refusals() and not should_arrive
        if last == "delivered" and not copy.arrivals:
            self.note("unsent", copy)
        elif not should_arrive and copy.arrivals:
            self.note("arrived_wrongly", copy)
        elif should_arrive and last == "failed":
            self.note("told_wrongly", copy)
        elif has_to_wait:
            if last != "deferred":
                self.note("ended", copy)
        elif last in ("", "deferred") and not copy.arrivals:
            self.note("waiting", copy)
        elif not (copy.arrivals if should_arrive else told):
            self.note("lost", copy)
        self.judge_secrecy(copy)

    def judge_secrecy(self, copy):
        wanted = self.evidence.terms.tls
        for attempt in copy.attempts:
            if attempt["outcome"] == "delivered":
                encrypted = bool(attempt["tls"])
                if encrypted != (wanted in (hop.OFFERED, hop.REQUIRED)):
                    self.note("secrecy", copy)

    def judge_dsns(self, copies, dsns):
        failing = collections.Counter((c.number, c.alias) for c in copies if c.outcome() == "failed")
        for key, times in dsns.items():
            if len(times) > failing[key]:
                self.note("told_twice", f"{key}: {len(times)} DSNs, {failing[key]} failures")
            if self.waits:
                self.note("ended", key)
        self.judge_haste(copies, dsns)

    def judge_haste(self, copies, dsns):
        """A DSN waits until nothing of its message is open, but for a minute at most."""
        closed, failed = collections.defaultdict(float), {}
        for copy in copies:
            ended = copy.ended()
            closed[copy.number] = max(closed[copy.number], ended)
            if copy.outcome() == "failed":
                key = (copy.number, copy.alias)
                failed[key] = min(ended, failed.get(key, ended))
        for key, times in dsns.items():
            since = failed.get(key)
            for t in times if since else ():
                if t < closed[key[0]] and t < since + GATHERING:
                    self.note("hasty", f"{key}: failed at {since:.1f}, told at {t:.1f}, closed at {closed[key[0]]:.1f}")

    def judge_manners(self):
        for event in self.evidence.events:
            if event["event"] == "protocol_error" or event.get("smtp", {}).get("code") == 503:
                self.note("protocol", event)
        for transcript in self.evidence.wire.faults():
            self.note("protocol", transcript)
        for line in self.evidence.complaints:
            self.note("complaints", line)

    def judge_costs(self, copies):
        """A limit of the next hop costs something until it is known, and nothing afterwards."""
        terms, busy, cut_off, bystanders = self.evidence.terms, [], [], []
        for copy in copies:
            for attempt in copy.attempts:
                stage, code, text = (attempt["smtp"][key] for key in ("stage", "code", "text"))
                if code == 421 and stage == "banner" and re.search(r"(?i)too many .*connections", text):
                    busy.append(copy)
                elif code in (421, 452) and re.search(r"(?i)too many messages", text):
                    cut_off.append(copy)
                elif code == 421 and stage == "rcpt" and re.search(r"(?i)too many errors", text):
                    if mix.ends(copy.target) == mix.TAKEN:
                        bystanders.append(copy)
        known = SLACK * len(copies)
        self.note_beyond("busy", busy, SESSIONS + known)
        self.note_beyond("cut_off", cut_off, SESSIONS * COPIES / 2 + known)
        self.note_beyond("bystanders", bystanders, known)
        if terms.recipients and self.evidence.wire.works and self.evidence.wire.is_whole:
            over = self.evidence.wire.count(TOO_MANY_RECIPIENTS)
            self.note_beyond("overshoot", ["452s on the wire"] * over, SESSIONS * COPIES / 2 + known)

    def note_beyond(self, kind, what, allowed):
        if len(what) > allowed:
            self.note(kind, what[-1], len(what))
