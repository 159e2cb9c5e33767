"""The kill campaign: SIGKILL at random moments under load."""

import asyncio
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time

from .. import senders
from ..harness import ROOT, Relay, free_port, wait_for
from . import checker, messages
from .generator import Generator


class SinkProcess:
    """A destination for each of `names`, which are of moods.py; `port` is that of the first. It ends with the process
    that began it, however that ends."""

    def __init__(self, folder, names=("healthy",), seed=1, late=0.0):
        self.ports = [free_port() for _ in names]
        self.port = self.ports[0]
        self.path = os.path.join(folder, "sink.log")
        places = [f"{port}:{name}" for port, name in zip(self.ports, names)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.ledger.sink", self.path, str(seed), str(late), *places],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            self.stop()
            raise AssertionError("the sink did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdin.close()
        self.process.stdout.close()


class LedgerRelay(Relay):
    """The relay with every local part mapped to the sink's domain."""

    def settings(self):
        table = super().settings()
        table["domain"] = [{"name": self.domain, "map_to": messages.TARGET}]
        return table


async def kill_at_random(relay, kills, rng, kill_times, gaps):
    loop = asyncio.get_running_loop()
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(*gaps))
        kill_times.append(time.time())
        relay.kill()
        await loop.run_in_executor(None, relay.start)


async def load_and_kill(relay, generator, count, kills, rng, kill_times, gaps):
    """A tenth of the messages comes after the last kill: no restart will make good what that process forgets."""
    every = generator.messages
    generator.messages = itertools.islice(every, count - count // 10)
    sending = asyncio.create_task(generator.run())
    await kill_at_random(relay, kills, rng, kill_times, gaps)
    await sending
    generator.messages = every
    await generator.run()


class AuthenticatedSender:
    """A domain that proves its mail, and a DNS that says so."""

    def __enter__(self):
        self.sender = senders.Sender(messages.SENDER, senders.AUTHORISED)
        self.world = senders.world([self.sender])
        return self

    def __exit__(self, *_):
        self.world.stop()

    def relay(self, next_hop):
        return LedgerRelay(next_hop, verify=True, dns=self.world.port)


def campaign(kills, count, seed, sessions=8, rate=1000, gaps=(0.2, 1.5), patience=120, verify=False):
    """Runs it and returns the checker's report. The rate is an upper bound; the messages are spread
    over all kills. `verify`: what comes in is signed, and verified."""
    if not verify:
        return run(LedgerRelay, None, kills, count, seed, sessions, rate, gaps, patience)
    with AuthenticatedSender() as world:
        return run(world.relay, world.sender, kills, count, seed, sessions, rate, gaps, patience)


def run(make_relay, signer, kills, count, seed, sessions, rate, gaps, patience):
    """One campaign against the relay that `make_relay` puts before the sink."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="srs-relay-ledger-") as folder, SinkProcess(folder) as sink:
        relay = make_relay(sink.port)
        kill_times = []
        try:
            relay.start()
            # No more than the kills can meet.
            duration = max(1.0, kills * (sum(gaps) / 2 + 0.1))
            paced = min(rate, max(20.0, count / duration))
            generator = Generator(relay.port, messages.make(seed, count, signer), sessions, paced)
            began = time.monotonic()
            asyncio.run(load_and_kill(relay, generator, count, kills, rng, kill_times, gaps))
            took = time.monotonic() - began
            queued = 0
            try:
                wait_for(relay.is_empty, timeout=patience, what="an empty queue")
            except AssertionError:
                queued = len(relay.rows())
            relay.stop()
            report = checker.check(generator.entries, checker.read_sink(sink.path), kill_times,
                                   queued)
        finally:
            relay.remove()
    report.update(kills=kills, seed=seed, seconds=round(took, 1),
                  rate=round(report["acked"] / took))
    return report
