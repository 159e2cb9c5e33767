"""One run of messages from a generator through a mail system to smtp-sink, and many, in turns.

Peers take turns, so that a noisy machine disturbs all of them alike; figures are medians, and what
counts is the ratio in one session. CPU is that of the forwarder's processes alone.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from .modes import KINDS
from .peer import (POSTFIX_ENVIRONMENT, RELEASE, ROOT, SMTP_SINK, SMTP_SOURCE, free_port, in_time,
                   machine_seconds, wait_for_listener, write)
from .sinks import LoopbackSink

# smtp-source gives its memory back after every session and takes it again for the next one: a fifth of
# its CPU time, which would weigh most on the fastest peer. The C library is told to keep it.
GENERATOR_ENVIRONMENT = dict(POSTFIX_ENVIRONMENT, MALLOC_TRIM_THRESHOLD_="67108864", MALLOC_TOP_PAD_="4194304",
                             MALLOC_MMAP_THRESHOLD_="67108864")


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def cpu_of(process):
    """Waits for the process to end; (exit code, CPU seconds)."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


class Sink:
    """smtp-sink, and how many messages it has taken. It is never told to end by itself (-M), for then it
    may do so before its last reply is out: that message would come a second time, in the next run."""

    def __init__(self, port):
        self.counts = tempfile.TemporaryFile()
        self.process = subprocess.Popen([SMTP_SINK, "-c", "-u", "nobody", f"127.0.0.1:{port}", "2000"],
                                        env=GENERATOR_ENVIRONMENT, stdout=self.counts)
        wait_for_listener(port)

    def taken(self):
        """Messages so far. smtp-sink writes a line, without a line feed, at every message and session."""
        size = os.fstat(self.counts.fileno()).st_size
        lines = re.findall(rb"mesg=(\d+)\r", os.pread(self.counts.fileno(), 200, max(0, size - 200)))
        return int(lines[-1]) if lines else 0

    def wait_for(self, messages, seconds):
        """Whether so many messages came in that time."""
        return in_time(lambda: self.taken() >= messages, seconds)

    def stop(self):
        """Ends it; its CPU seconds. Waits first, because a message that is counted may not be answered yet."""
        time.sleep(0.05)
        end(self.process.pid)
        self.counts.close()
        return cpu_of(self.process)[1]


def start_source(port, mode, messages, content=None):
    """Starts smtp-source, which is Postfix's own generator; or bin/load, where smtp-source cannot do what the
    mode needs: a given message, many recipients, or STARTTLS."""
    if content or mode.recipients or mode.starttls:
        given = ["--content", content, "--sender", "ann@origin.example"] if content else ["--size", str(mode.size)]
        return subprocess.Popen([os.path.join(RELEASE, "load"), str(port), "--messages", str(messages), "--connections",
                                 str(mode.sessions), *given, "--recipients", str(mode.recipients),
                                 *(["--kept"] if mode.kept else []), *(["--starttls"] if mode.starttls else [])],
                                stdout=subprocess.DEVNULL)
    return subprocess.Popen([SMTP_SOURCE, *(["-d"] if mode.kept else []), "-s", str(mode.sessions), "-m", str(messages),
                             "-l", str(mode.size), "-f", "alice@origin.test", "-t", "user@fwd.test",
                             f"127.0.0.1:{port}"], env=GENERATOR_ENVIRONMENT)


class MemoryPeak(threading.Thread):
    """The most memory a peer was seen with."""

    def __init__(self, peer):
        super().__init__(daemon=True)
        self.peer, self.octets, self.done = peer, 0, threading.Event()

    def run(self):
        while True:
            last = self.done.wait(0.5)
            self.octets = max(self.octets, self.peer.memory())
            if last:
                return

    def end(self):
        self.done.set()
        self.join()
        return self.octets


def one_run(peer, mode, messages, limit=120, content=None):
    """Sends `messages` through `peer`: rates (per second), CPU (ms per message), memory (octets)."""
    looks = mode.verify or mode.starttls  # smtp-sink shows no message and speaks no TLS
    sink = LoopbackSink(peer.sink_port, certificate=peer.certificate) if looks else Sink(peer.sink_port)
    peak = MemoryPeak(peer)
    peak.start()
    busy_before, all_before = machine_seconds()
    cpu_before, begin = peer.cpu_seconds(), time.monotonic()
    source = start_source(peer.port, mode, messages, content)
    watchdog = threading.Timer(limit, end, [source.pid])
    watchdog.start()
    code, source_cpu = cpu_of(source)
    watchdog.cancel()
    accepted = time.monotonic() - begin
    arrived = sink.wait_for(messages, limit - accepted)
    delivered = time.monotonic() - begin
    cpu = peer.cpu_seconds() - cpu_before
    busy, everything = machine_seconds()
    taken, sink_cpu = sink.taken(), sink.stop()
    memory = peak.end()
    if code or not arrived:
        raise RuntimeError(f"{peer.name}: {taken} of {messages} messages arrived within {limit} s (source {code})")
    if mode.verify and (doubts := sink.doubts(mode)):
        raise RuntimeError(f"{peer.name} did not do what was to be measured: {', '.join(doubts)}")
    return {"messages": messages, "accepted_per_second": messages / accepted, "delivered_per_second": messages / delivered,
            "cpu_ms_per_message": 1000 * cpu / messages if peer.counts_cpu else float("nan"), "memory": memory,
            "generator_cpu_ms_per_message": 1000 * (source_cpu + sink_cpu) / messages,
            "others_share": (busy - busy_before - cpu - source_cpu - sink_cpu) / max(everything - all_before, 0.01)}


class SignedWorld:
    """What verification needs: a sender's zones, and a message that he signed, as a file."""

    def __init__(self, folder, size):
        sys.path.insert(0, ROOT)
        from tests.system import senders
        author = senders.Sender("origin.example", spf=senders.AUTHORISED)
        self.dns = senders.world([author])
        line = "We meet in spring, and bring what we have with us, as it was agreed before.\r\n"
        message = author.sign(author.message(body=line * (size // len(line) + 1)))
        self.content = os.path.join(folder, f"signed-{size}")
        write(self.content, message.decode())


@contextlib.contextmanager
def standing(mode, folder, options):
    """kind -> running peer of a mode, and the content to send, when it cannot be made on the fly."""
    running, world = {}, None
    try:
        if mode.verify:
            world = SignedWorld(folder, mode.size)
        for kind in mode.peers:
            if options.peers and kind not in options.peers:
                continue
            peer = KINDS[kind](os.path.join(folder, kind), free_port(), mode.signature_of(kind))
            running[kind] = peer
            if kind == "srs-relay":
                peer.start(threads=options.threads, dns_port=world and world.dns.port, seal=mode.seal,
                           starttls=mode.starttls)
            else:
                peer.start()
        yield running, world and world.content
    finally:
        for peer in running.values():
            peer.stop()
        if world:
            world.dns.stop()


def measure(mode, folder, options):
    """kind -> list of runs, in turns; the first turn warms up and is not counted."""
    with standing(mode, folder, options) as (running, content):
        runs = {kind: [] for kind in running}
        for number in range(options.runs + 1):
            for kind, peer in running.items():
                messages = mode.messages(kind, options.messages)
                result = one_run(peer, mode, messages if number else max(10, messages // 10), options.limit, content)
                if number:
                    runs[kind].append(result)
    return runs
