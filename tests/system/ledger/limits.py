"""Destinations that limit, close, refuse, fall silent and stop listening while other mail waits for them;
an operator's verbs under load; threads that are late; kills between a failure and its DSN.

Every part is judged by the checker; `quick` is what runs in every build."""

import asyncio
import contextlib
import random
import tempfile
import time

from .. import control
from ..harness import Relay, free_port
from . import checker, messages, threads
from .generator import Generator
from .kill import SinkProcess
from .verbs import Operator

SESSIONS = 8
PATIENCE = 600  # seconds until the queue is empty
PROMPT = 7.0    # seconds that mail for a destination without moods may wait for others: 5 are promised
MOODY = ("limiting", "closing", "breaking", "goodbye", "silent", "refusing", "trap")


class LimitsRelay(Relay):
    """fN.test is forwarded to dN.test, which is at the N-th of the ports."""

    def __init__(self, ports, config=None):
        self.ports = ports
        super().__init__(ports[0], config={"queue": {"retry_schedule": ["1s", "2s", "3s"]}, **(config or {})})

    def settings(self):
        table = super().settings()
        places = range(len(self.ports))
        table["domain"] = [{"name": f"f{n}.test", "map_to": f"d{n}.test"} for n in places]
        table["route"] = [{"match": f"d{n}.test", "via": [f"smtp://127.0.0.1:{self.ports[n]}"]}
                          for n in places] + table["route"]
        return table


class Town:
    """A relay and its destinations. The first destination is healthy and gets the DSNs. `dead`: that many
    destinations at which nobody listens."""

    def __init__(self, names, seed, late=0.0, dead=0, config=None):
        self.names = ["healthy", *names] + ["dead"] * dead
        self.seed = seed
        self.entries = {}
        self.interruptions = []
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="srs-relay-ledger-"))
            self.sink = stack.enter_context(SinkProcess(folder, self.names[:len(self.names) - dead], seed, late))
            self.relay = LimitsRelay(self.sink.ports + [free_port() for _ in range(dead)], config)
            stack.callback(self.relay.remove)
            self.relay.start()
            self.stack = stack.pop_all()  # all of it is there: it stays until the end

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stack.__exit__(*error)

    def of(self, *names):
        """Numbers of the destinations of these names."""
        return [n for n, name in enumerate(self.names) if name in names]

    def messages(self, count, places, kinds, group=1, first=1):
        """`kinds`: (kind, share) of the recipients, of which a message has up to six, all at one of `places` or
        each at another."""
        rng = random.Random(f"{self.seed} {first}")
        names, shares = zip(*kinds)
        for number in range(first, first + count):
            recipients, spread, place = {}, rng.random() < 0.3, rng.choice(places)
            for index in range(rng.choice((1, 1, 2, 3, 6))):
                place = rng.choice(places) if spread else place
                recipients[f"{rng.choices(names, shares)[0]}.{number}-{index}-{place}"] = f"f{place}.test"
            message = messages.Message(number, recipients, messages.body_of(rng),
                                       sender=f"g.{self.seed}-{number // group}@{messages.SENDER}")
            message.group = group
            yield message

    def generator(self, *arguments, rate=None, sessions=SESSIONS, **options):
        made = Generator(self.relay.port, self.messages(*arguments, **options), sessions, rate)
        self.entries = made.entries
        return made

    def settle(self, dead=0):
        """Waits until only mail for dead destinations is left, and no DSN is owed."""
        end = time.monotonic() + PATIENCE
        while True:
            queue = control.status(self.relay)["queue"]
            left = max(0, queue["waiting"] - dead) + queue["owed_reports"]
            if left == 0 or time.monotonic() > end:
                return left
            time.sleep(0.2)

    def report(self, still_queued, **more):
        self.relay.stop()
        return checker.check(self.entries, checker.read_sink(self.sink.path), self.interruptions, still_queued,
                             log=checker.LogView(self.relay.events()), **more)


def finish(*running):
    """Runs them together; the first is what the others wait for."""
    async def all_of_them():
        await asyncio.wait_for(asyncio.gather(*running), PATIENCE)
    asyncio.run(all_of_them())


def moods(count, seed):
    """Everything that limits and breaks off, and healthy destinations beside it, whose mail must not wait."""
    with Town(("healthy", "slow", *MOODY), seed) as town:
        kinds = (("ok", 0.75), ("temp", 0.1), ("bad", 0.15))
        generator = town.generator(count, range(len(town.names)), kinds, rate=150)
        finish(generator.run())
        prompt = {local for e in generator.entries.values() for local, domain in e.message.domains.items()
                  if local.startswith("ok.") and int(domain[1:-5]) in town.of("healthy")}
        return town.report(town.settle(), prompt=(prompt, PROMPT))


def tarpits(count, seed, mood="tarpit"):
    """More destinations that fall silent than there are connections; one that has taken mail is served."""
    with Town([mood] * 24, seed, config={"outbound": {"allow_private": True, "max_connections": 20}}) as town:
        finish(town.generator(20, town.of("healthy"), (("ok", 1),)).run())
        first = dict(town.entries)
        stuck = Generator(town.relay.port, town.messages(count, town.of(mood), (("ok", 1),), first=1000), SESSIONS)
        healthy = Generator(town.relay.port, town.messages(24, town.of("healthy"), (("ok", 1),), first=100), 1, 2)
        finish(stuck.run())
        finish(healthy.run())
        prompt = {local for e in healthy.entries.values() for local in e.message.recipients}
        town.entries = {**first, **stuck.entries, **healthy.entries}
        return town.report(town.settle(), prompt=(prompt, PROMPT))


def verbs(count, seed):
    """An operator gives orders and takes them back while mail for slow and limited destinations is under
    way."""
    with Town(("slow", "hesitant", "hesitant", "limiting", "closing", "refusing"), seed) as town:
        generator = town.generator(count, range(1, len(town.names)), (("ok", 0.6), ("temp", 0.4)), group=5, rate=60)
        operator = Operator(town.relay, generator, seed).start()
        try:
            finish(generator.run())
        finally:
            operator.stop()
        report = town.report(town.settle(), orders=operator.orders)
        report["orders"] = len(operator.orders)
        return report


def late_threads(count, seed):
    """Single threads are stopped for moments, while dead destinations have the queue looked at all the time."""
    rng = random.Random(seed)
    with Town(("healthy", "healthy", "limiting"), seed, dead=6) as town:
        alive = range(len(town.names) - 6)
        finish(town.generator(12, town.of("dead"), (("ok", 1),), first=100_000).run())
        dead = control.status(town.relay)["queue"]["waiting"]
        generator = town.generator(count, alive, (("ok", 0.9), ("bad", 0.1)), rate=120)

        def stop_some(sending):
            while not sending.done():
                # Not the first thread: it only waits for signals, and this process waits for its
                # end.
                thread = rng.choice(threads.threads_of(town.relay.process.pid)[1:])
                with threads.Stopped(thread):
                    time.sleep(rng.uniform(0.1, 1.5))
                time.sleep(rng.uniform(0.0, 0.3))

        async def run():
            sending = asyncio.create_task(generator.run())
            await asyncio.to_thread(stop_some, sending)
            await sending
        finish(run())
        return town.report(town.settle(dead))


def debts(count, seed, late=75.0, gap=(1.0, 6.0), least=4):
    """SIGKILL between a failure and its DSN: a sibling that is put off for long keeps the message open.
    `least` kills, however long a start takes."""
    rng = random.Random(seed)
    with Town((), seed, late=late) as town:
        kinds = (("ok", 0.3), ("bad", 0.4), ("late", 0.3))
        generator = town.generator(count, [0], kinds, rate=count / (late + 5))

        async def kill():
            end = time.monotonic() + late + 5
            while time.monotonic() < end or len(town.interruptions) < least:
                await asyncio.sleep(rng.uniform(*gap))
                town.interruptions.append(time.time())
                town.relay.kill()
                await asyncio.to_thread(town.relay.start)
        finish(generator.run(), kill())
        report = town.report(town.settle())
        report["kills"] = len(town.interruptions)
        return report


PARTS = {"moods": (moods, 1500), "tarpits": (tarpits, 480), "verbs": (verbs, 3000), "threads": (late_threads, 6000),
         "debts": (debts, 1200)}
QUICK = {"moods": lambda seed: moods(200, seed), "tarpits": lambda seed: tarpits(72, seed, "puddle"),
         "verbs": lambda seed: verbs(250, seed), "threads": lambda seed: late_threads(500, seed),
         "debts": lambda seed: debts(100, seed, late=4.0, gap=(0.8, 2.0))}


def run(name, seed, scale=1.0, quick=False):
    """The checker's report of one part."""
    began = time.monotonic()
    part, count = PARTS[name]
    report = QUICK[name](seed) if quick else part(max(1, round(count * scale)), seed)
    return {"part": name, "seed": seed, "seconds": round(time.monotonic() - began, 1), **report}


def summary(report):
    more = "".join(f"{report[what]} {what}, " for what in ("orders", "kills") if what in report)
    return (f"{report['part']}: {'good' if report['pass'] else 'BAD'}: {more}{checker.summary(report)} "
            f"({report['seconds']} s)")
