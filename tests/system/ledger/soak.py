"""Hours of ordinary mail, with a reload now and then and a next hop that comes and goes: the ledger is
balanced at the end, memory is flat, and nothing is stuck."""

import asyncio
import json
import random
import tempfile
import time

from ..harness import wait_for
from . import checker, messages
from .generator import Generator
from .kill import LedgerRelay, SinkProcess


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) // 1024


async def disturb(relay, sending, rng, memory):
    """Reloads, pauses of the whole process, and a look at its memory, as long as mail is sent."""
    loop = asyncio.get_running_loop()
    while not sending.done():
        await asyncio.wait([sending], timeout=rng.uniform(2, 8))
        memory.append(resident(relay.process.pid))
        if rng.random() < 0.5:
            await loop.run_in_executor(None, lambda: relay.cli("reload"))
        else:
            relay.process.send_signal(19)  # SIGSTOP: as a machine that has other things to do
            await asyncio.sleep(rng.uniform(0.1, 1))
            relay.process.send_signal(18)  # SIGCONT


def campaign(minutes, rate, seed):
    rng = random.Random(seed)
    count = int(minutes * 60 * rate)
    memory = []
    with tempfile.TemporaryDirectory(prefix="srs-relay-ledger-") as folder, SinkProcess(folder) as sink:
        relay = LedgerRelay(sink.port)
        try:
            relay.start()
            generator = Generator(relay.port, messages.make(seed, count), 8, rate)

            async def run():
                sending = asyncio.create_task(generator.run())
                await disturb(relay, sending, rng, memory)
                await sending
            began = time.monotonic()
            asyncio.run(run())
            took = time.monotonic() - began
            wait_for(relay.is_empty, timeout=120, what="an empty queue")
            status = json.loads(relay.cli("--json", "status").stdout)
            code = relay.stop()
            report = checker.check(generator.entries, checker.read_sink(sink.path), [])
        finally:
            relay.remove()
    middle = max(memory[len(memory) // 3:len(memory) // 2 + 1])
    report.update(seed=seed, seconds=round(took), rate=round(report["acked"] / took), rss_mib=memory,
                  rss_middle=middle, rss_last=memory[-1], crashed=status["crashed_tasks"],
                  stuck=status["stuck_tasks"])
    report["pass"] = (report["pass"] and code == 0 and not report["crashed"] and not report["stuck"]
                      and memory[-1] <= middle * 1.2 + 5)
    return report
