"""Results, as text for people and as JSON."""

import json
import os
import platform
import subprocess

from .figures import median
from .peer import ROOT

MIB = 1 << 20
QUIET = 0.15  # of the machine, used by others


def table(head, rows):
    """Lines of a table that reads well, and is Markdown, too."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def figure(value, digits=0):
    return "–" if value != value else f"{value:.{digits}f}"


def mode_rows(mode, runs):
    """A row per peer: what it does, how that compares with ours."""
    ours = median(runs["srs-relay"], "delivered_per_second") if "srs-relay" in runs else None
    for kind, results in runs.items():
        rate = median(results, "delivered_per_second")
        spread = [r["delivered_per_second"] for r in results]
        ratio = f"{ours / rate:.2f}" if ours and kind != "srs-relay" else ""
        yield (mode.name, kind, figure(median(results, "accepted_per_second")), figure(rate),
               f"{min(spread):.0f}–{max(spread):.0f}", figure(median(results, "cpu_ms_per_message"), 3),
               figure(max(r["memory"] for r in results) / MIB, 1), ratio)


HEAD = ("mode", "forwarder", "accepted/s", "delivered/s", "min–max", "CPU s per 1,000", "peak MiB", "ours is × it")


def print_modes(measured):
    """`measured`: list of (mode, runs)."""
    print("\n".join(table(HEAD, [row for mode, runs in measured for row in mode_rows(mode, runs)])))
    print_disturbance([results for _, runs in measured for results in runs.values()])


def print_disturbance(lists):
    """Says so when other programs used much of the machine. Some use is normal: the kernel, this program."""
    shares = [median(results, "others_share") for results in lists if results]
    if shares and max(shares) > QUIET:
        print(f"\nthe machine was not quiet: other programs used up to {100 * max(shares):.0f} % of it")


def print_latency(latency):
    rows = [(name, figure(found["rate"]), *(figure(found[q], 2) for q in ("p50", "p90", "p99", "p999")),
             figure(found["lateness_p99"], 2)) for name, found in latency.items()]
    print("\n".join(table(("from the dot to 250, ms", "messages/s", "p50", "p90", "p99", "p99.9", "late p99"), rows)))


def print_goals(goals):
    print("\n".join(table(("goal", "wanted", "measured", "holds"), [goal.row() for goal in goals])))


def machine():
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {"cores": os.cpu_count(), "kernel": platform.release(), "commit": commit.stdout.strip(),
            "load": os.getloadavg()[0]}


def plain(value):
    """A missing figure is null, because JSON has no NaN."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return None if value != value else value


def write_json(path, **content):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(plain({"machine": machine(), **content}), f, indent=1, allow_nan=False)
        f.write("\n")
