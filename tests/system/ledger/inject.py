"""One message with mixed outcomes, and the relay under strace: killed, or given an error, at one
system call; a run for every index of every kind of call."""

import asyncio
import collections
import concurrent.futures
import datetime
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from ..harness import BINARY
from . import checker, messages
from .generator import Generator
from .kill import LedgerRelay, SinkProcess

DISK = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "pread64")
NETWORK = ("sendto", "recvfrom", "accept4", "connect")

# The fault that strace injects at a call of these kinds.
KILL = {kind: ["signal=SIGKILL"] for kind in DISK + NETWORK}
ERRORS = {**{kind: ["error=EIO", "error=ENOSPC"] for kind in ("pwrite64", "fdatasync", "fsync")},
          "ftruncate": ["error=EIO"], "pread64": ["error=EIO"],
          "sendto": ["error=ECONNRESET"], "recvfrom": ["error=ECONNRESET"],
          "accept4": ["error=EMFILE"], "connect": ["error=ENETUNREACH"]}

PATIENCE = 60


class TracedRelay(LedgerRelay):
    """Starts under strace, later without. One shard: each kind of call is made by one thread, so
    that its index is the same in every run."""

    def settings(self):
        return {**super().settings(), "threads": 1}

    def start_traced(self, *options):
        self.log = open(self.path("log"), "ab")
        self.process = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", self.path("strace"), *options,
             BINARY, "serve", "-c", self.path("relay.toml")],
            stderr=self.log, stdin=subprocess.DEVNULL)

    def running(self):
        return self.process.poll() is None

    def traced_pid(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as f:
            children = f.read().split()
        return int(children[0]) if children else None

    def end_traced(self):
        """SIGTERM to the relay, not to strace; then its shutdown, too, may meet the fault."""
        pid = self.traced_pid()
        if pid:
            os.kill(pid, signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)

    def destroy(self):
        if self.process and self.running():
            pid = self.traced_pid()
            for victim in filter(None, (pid, self.process.pid)):
                os.kill(victim, signal.SIGKILL)
            self.process.wait()
        self.remove()


class Run:
    """One message through one relay; what strace does is given by `options`."""

    def __init__(self, sink, number, options):
        self.sink, self.number, self.options = sink, number, options
        self.relay = TracedRelay(sink.port)
        self.ended_at = []  # times at which the relay was gone
        recipients = [f"ok.{number}", f"temp.{number}", f"bad.{number}"]
        # More than a chunk: it lies in part beside the database.
        self.message = messages.Message(number, recipients, b"line\r\n" * 45_000)
        self.generator = Generator(self.relay.port, [self.message], sessions=1)

    def go(self):
        """The checker's report, with "exit" saying how the traced relay ended."""
        try:
            self.relay.start_traced(*self.options)
            sending = threading.Thread(target=asyncio.run, args=(self.generator.run(),))
            sending.start()
            end = time.monotonic() + PATIENCE
            while self.relay.running() and not self.settled() and time.monotonic() < end:
                time.sleep(0.05)
            if self.relay.running():
                self.relay.end_traced()
            code = self.relay.process.returncode
            self.ended_at.append(time.time())
            self.relay.log.close()
            if not self.settled() or not self.queue_is_empty():
                self.finish_without_faults(end)
            self.generator.stopped = True
            sending.join(timeout=PATIENCE)
            report = checker.check(self.generator.entries, self.arrivals(),
                                   self.ended_at + self.ambiguous_attempts(),
                                   0 if self.settled() else 1)
            report["exit"] = code
            report["log"] = self.relay.log_text()[-2000:]
            return report
        finally:
            self.generator.stopped = True
            self.relay.destroy()

    def finish_without_faults(self, end):
        self.relay.start()
        end = max(end, time.monotonic() + PATIENCE / 2)
        while not (self.settled() and self.queue_is_empty()) and time.monotonic() < end:
            time.sleep(0.05)
        self.relay.stop()

    def ambiguous_attempts(self):
        """Times of attempts after which the log itself says that the next hop may have the message:
        the connection was lost between the dot and its reply. They explain a second copy."""
        return [datetime.datetime.fromisoformat(a["ts"].replace("Z", "+00:00")).timestamp()
                for a in self.relay.events("attempt")
                if a["outcome"] == "deferred" and a.get("possible_duplicate")]

    def queue_is_empty(self):
        """By the running relay; a stopped one has to be asked by starting it."""
        return self.relay.running() and self.relay.is_empty()

    def arrivals(self):
        return [a for a in checker.read_sink(self.sink.path)
                if self.number in (a.get("id"), a.get("dsn_for"))]

    def settled(self):
        """All three recipients have come to their end, as the sink sees it."""
        if not self.generator.acked():
            return False
        fates, _ = checker.fates_of(self.arrivals())
        ended = [fates.get((self.number, r), checker.Fate()) for r in self.message.recipients]
        return all(f.taken_at or f.dsns_at for f in ended)


def count_calls(sink, kinds):
    """How often each kind of call is made by the thread that makes it most: strace counts for each
    thread by itself."""
    run = Run(sink, 1, ["-e", "trace=" + ",".join(kinds)])
    trace = run.relay.path("strace")
    counts = collections.Counter()
    destroy = run.relay.destroy

    def read_and_destroy():
        with open(trace, encoding="utf-8", errors="replace") as f:
            for line in f:
                match = re.match(r"(\d+) +(\w+)\(", line)
                if match:
                    counts[match.groups()] += 1
        destroy()
    run.relay.destroy = read_and_destroy
    report = run.go()
    if not report["pass"] or report["exit"] != 0:
        raise AssertionError(f"the run without a fault failed: {report}")
    most = collections.Counter()
    for (_, kind), number in counts.items():
        most[kind] = max(most[kind], number)
    return most


def campaign(plan, stride=1, workers=6):
    """`plan`: KILL or ERRORS. With a stride only every n-th index is run."""
    with tempfile.TemporaryDirectory(prefix="srs-relay-ledger-") as folder, SinkProcess(folder) as sink:
        most = count_calls(sink, plan)
        cases = [(kind, action, index) for kind in plan for action in plan[kind]
                 for index in range(1, most[kind] + 1, stride)]
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            reports = list(pool.map(
                lambda job: Run(sink, job[0], options_of(*job[1])).go(), enumerate(cases, 2)))
    return summed_up(cases, reports, most, time.monotonic() - began)


def options_of(kind, action, index):
    return ["-e", "trace=" + kind, "-e", f"inject={kind}:{action}:when={index}"]


def summed_up(cases, reports, most, seconds):
    total = collections.Counter()
    failed = []
    for case, report in zip(cases, reports):
        for key, value in report.items():
            if isinstance(value, int) and not isinstance(value, bool) and key != "exit":
                total[key] += value
        total["ended_early"] += report["exit"] != 0
        if not report["pass"]:
            failed.append({"case": case, **report})
    return {**total, "runs": len(cases), "calls": dict(most), "seconds": round(seconds),
            "pass": not failed and total["ended_early"] > 0, "examples": failed[:3]}
