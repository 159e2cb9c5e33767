"""Time from the dot to its 250 at a steady rate that does not wait for the server."""

import json
import os
import statistics
import subprocess

from .figures import median
from .peer import RELEASE
from .runs import Sink, standing


def one_run(peer, rate, seconds, kept=False, connections=200):
    """The quantiles of one run, as bin/load prints them."""
    sink = Sink(peer.sink_port)
    try:
        said = subprocess.run([os.path.join(RELEASE, "load"), str(peer.port), "--rate", f"{rate:.1f}", "--seconds",
                               str(seconds), "--connections", str(connections), *(["--kept"] if kept else [])],
                              capture_output=True, text=True, timeout=seconds * 10 + 60)
    finally:
        sink.stop()
    if said.returncode:
        raise RuntimeError(f"{peer.name} at {rate:.0f}/s: {said.stdout}{said.stderr}")
    return json.loads(said.stdout)


def rates_of(runs):
    """Name -> (kind, rate), from the rates that a mode has shown: each at half of its own best, and ours
    once more at the other's."""
    half = {kind: median(runs[kind], "delivered_per_second") / 2 for kind in ("srs-relay", "postfix")}
    return {"srs-relay": ("srs-relay", half["srs-relay"]), "postfix": ("postfix", half["postfix"]),
            "srs-relay at postfix's rate": ("srs-relay", half["postfix"])}


def measure(mode, runs, folder, options):
    """Name -> median quantiles of the latency, in ms, and the rate."""
    wanted = rates_of(runs)
    found = {name: [] for name in wanted}
    with standing(mode, folder, options) as (running, _):
        for _ in range(options.runs):
            for name, (kind, rate) in wanted.items():
                found[name].append(one_run(running[kind], rate, options.latency_seconds, mode.kept))
    return {name: {"rate": wanted[name][1], "runs": results,
                   **{q: statistics.median(r["latency_ms"][q] for r in results) for q in ("p50", "p90", "p99", "p999")},
                   "lateness_p99": statistics.median(r["lateness_ms"]["p99"] for r in results)}
            for name, results in found.items()}
