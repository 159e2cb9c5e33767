"""Compares what was acknowledged with what arrived."""

import collections
import json


class Fate:
    """What happened to one recipient of one message."""

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
        else:
            for address in entry["to"]:
                fates[(entry["id"], address.partition("@")[0])].taken_at.append(entry["t"])
    return fates, strange


# The sink may take what was sent before the kill a moment after it.
SLACK = 0.5


def is_explained(times, entry, interruptions):
    """A second copy is explained when the message was sent twice because its 250 was lost, or when
    the relay was interrupted between the two."""
    resent = entry.whole_sends - 1
    between = sum(1 for t in interruptions if times[0] - SLACK <= t <= times[-1])
    return len(times) - 1 <= resent + between


def check(entries, arrivals, interruptions, still_queued=0):
    """A report of everything that is not as it should be; "pass" says whether that is allowed."""
    report = dict.fromkeys(("messages", "acked", "copies", "dsns", "lost", "duplicates_explained",
                            "duplicates_unexplained", "corrupt", "ghosts", "wrong_recipient",
                            "late"), 0)
    examples = collections.defaultdict(list)

    def note(kind, what):
        report[kind] += 1
        if len(examples[kind]) < 5:
            examples[kind].append(what)

    fates, strange = fates_of(arrivals)
    for entry in strange:
        note("corrupt", entry)
    report["messages"] = len(entries)
    report["late"] = still_queued
    for arrival in arrivals:
        number = arrival.get("id", arrival.get("dsn_for"))
        if not arrival.get("whole", True):
            note("corrupt", number)
        if number not in entries:
            note("ghosts", arrival)
    for (number, local), fate in fates.items():
        if number in entries and local not in entries[number].message.recipients:
            note("wrong_recipient", (number, local))
    for number, entry in entries.items():
        acked = entry.acked_at is not None
        report["acked"] += acked
        for local in entry.message.recipients:
            fate = fates.get((number, local), Fate())
            report["copies"] += len(fate.taken_at)
            report["dsns"] += len(fate.dsns_at)
            refused = local.startswith("bad.")
            times = fate.dsns_at if refused else fate.taken_at
            if fate.taken_at if refused else fate.dsns_at:
                note("wrong_recipient", (number, local))
            if acked and not times:
                note("lost", (number, local))
            if not entry.whole_sends and times:
                note("ghosts", (number, local))
            if len(times) > 1:
                explained = is_explained(sorted(times), entry, interruptions)
                note("duplicates_explained" if explained else "duplicates_unexplained",
                     (number, local))
    bad = ("lost", "duplicates_unexplained", "corrupt", "ghosts", "wrong_recipient", "late")
    report["examples"] = dict(examples)
    report["pass"] = not any(report[kind] for kind in bad) and report["acked"] > 0
    return report


def summary(report):
    return (f"{report['acked']} of {report['messages']} messages acknowledged, {report['copies']} "
            f"copies and {report['dsns']} DSNs arrived: {report['lost']} lost, "
            f"{report['duplicates_explained']} duplicates explained, "
            f"{report['duplicates_unexplained']} unexplained, {report['corrupt']} corrupt, "
            f"{report['ghosts']} ghosts, {report['wrong_recipient']} at a wrong recipient, "
            f"{report['late']} late")
