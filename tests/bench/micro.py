"""Programs made with google-benchmark, run and read."""

import json
import os
import subprocess
import tempfile


def programs(folder):
    """Names of those in a bin folder."""
    return sorted(name for name in os.listdir(folder) if name.endswith("_bench"))


def times(report):
    """Benchmark -> CPU time in ns of one iteration, from a report as JSON; without means and the like. A
    benchmark with manual time measures only a part of its iteration, so that time is taken."""
    factor = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    return {entry["name"]: entry["real_time" if entry["name"].endswith("/manual_time") else "cpu_time"]
            * factor[entry["time_unit"]] for entry in report["benchmarks"]
            if entry.get("run_type", "iteration") == "iteration" and not entry.get("error_occurred")}


def run(program, seconds, only=""):
    """Benchmark -> CPU time in ns."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([program, f"--benchmark_min_time={seconds}", f"--benchmark_filter={only or '.'}",
                        f"--benchmark_out={out.name}", "--benchmark_out_format=json"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        text = out.read()
    return times(json.loads(text)) if text.strip() else {}


def readable(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"
