"""One case: relay, next hop and ledger are started, mail is sent, and the judge is asked."""

import asyncio
import contextlib
import dataclasses
import os
import shutil
import tempfile
import time

from .. import control
from ..harness import Relay
from ..ledger import checker
from ..ledger.generator import Generator
from ..ledger.kill import SinkProcess
from ..scripted import ScriptedServer, make_certificate
from . import mix
from .doorman import Doorman
from .judge import Judge
from .strict import StrictHop
from .wiretap import Wiretap

SCHEDULE = ("2s", "3s", "5s")
SENDERS = 12     # connections on which mail comes in at once
PATIENCE = 900   # seconds for all of it
STANDSTILL = 75  # seconds without progress after which the run gives up: a DSN is owed for a minute at most
SIEGE = 12       # … in which a hop that takes nothing is tried often enough


@dataclasses.dataclass
class Evidence:
    entries: dict    # number -> generator.Entry
    aliases: dict
    arrivals: list   # of the ledger's sink
    events: list     # of the relay's log
    complaints: list
    wire: Wiretap
    terms: object


class BusyHost(ScriptedServer):
    """A first host that greets everybody and has no time for anybody's mail."""

    FRIENDLY = {**ScriptedServer.FRIENDLY, "MAIL": "451 4.3.0 Mail system out of service"}


def run(case, count=1000, seed=1, schedule=SCHEDULE):
    """The judge's report of `count` messages."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="srs-relay-hops-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o755)  # the programs change user
        sink = stack.enter_context(SinkProcess(folder))
        next_hop = start_hop(case, seed, folder, sink, stack)
        relay = start_relay(case, next_hop, sink, schedule, stack)
        generator = Generator(relay.port, mix.make(seed, count), SENDERS)
        asyncio.run(asyncio.wait_for(generator.run(), PATIENCE))
        wait(relay, standstill_of(case, count))
        relay.stop()
        arrivals = await_arrivals(relay, sink)
        evidence = Evidence(generator.entries, relay.aliases, arrivals, relay.events(), next_hop.complaints(),
                            next_hop.wire, case.terms)
        report = Judge(evidence, case.waits).report()
    return {"case": case.name, "seed": seed, "seconds": round(time.monotonic() - began, 1), **report}


def standstill_of(case, count):
    """What a hop refuses again and again takes turns with what it would take: the more there is, the longer."""
    if case.waits:
        return SIEGE
    return SIEGE + count / 8 if case.terms.keeps_refusals() else STANDSTILL


def start_hop(case, seed, folder, sink, stack):
    doorman = Doorman(case.terms, seed).start()
    stack.callback(doorman.stop)
    certificate = make_certificate(folder, "mx." + mix.DOMAIN)
    where = sink.path if case.hop is StrictHop else sink.port
    next_hop = case.hop(os.path.join(folder, "hop"), where, case.terms, doorman, certificate)
    stack.callback(next_hop.stop)
    next_hop.start()
    next_hop.wire = Wiretap(next_hop.port).start()
    stack.callback(next_hop.wire.stop)
    return next_hop


def start_relay(case, next_hop, sink, schedule, stack):
    hosts = [f"smtp://127.0.0.1:{next_hop.port}"]
    if case.busy_first:
        first = BusyHost()
        stack.callback(first.stop)
        hosts.insert(0, f"smtp://127.0.0.1:{first.port}")
    relay = Relay(sink.port, aliases=mix.aliases(), config={
        "route": [{"match": mix.DOMAIN, "via": hosts}, {"match": "*", "via": [f"smtp://127.0.0.1:{sink.port}"]}],
        "queue": {"retry_schedule": list(schedule)}})
    stack.callback(relay.remove)
    return relay.start()


def wait(relay, standstill):
    """Until the queue is empty, or nothing has ended for so long."""
    seen, since = None, time.monotonic()
    end = since + PATIENCE
    while time.monotonic() < min(end, since + standstill):
        now = control.progress(relay)
        if now != seen:
            seen, since = now, time.monotonic()
        if not now[0]:
            return
        time.sleep(0.2)


def await_arrivals(relay, sink, patience=60):
    """The hop passes on what it took in its own time: until nothing is missing, or nothing more comes."""
    delivered = sum(1 for a in relay.events("attempt") if a["outcome"] == "delivered")
    size, end = -1, time.monotonic() + patience
    while time.monotonic() < end:
        arrivals = checker.read_sink(sink.path)
        if sum(len(a["to"]) for a in arrivals) >= delivered:
            break
        if len(arrivals) != size:
            size, end = len(arrivals), time.monotonic() + 10
        time.sleep(0.2)
    return checker.read_sink(sink.path)


def summary(report):
    """One line."""
    outcomes = ", ".join(f"{report[kind]} {kind}" for kind in ("delivered", "failed", "deferred", "untried")
                         if report.get(kind))
    trouble = ", ".join(f"{number} {kind}" for kind, number in report["trouble"].items()) or "nothing amiss"
    each = report["attempts"] / max(1, report["copies"])
    return (f"{report['case']}: {'good' if report['pass'] else 'BAD'}: {report['messages']} messages, "
            f"{report['copies']} copies: {outcomes}; {report['dsns']} DSNs, {each:.2f} attempts a copy, "
            f"{report['doubled_explained']} twice explained; {trouble} ({report['seconds']} s)")
