"""Floods, each beside a normal load of which nothing may be refused, and which must not wait for it. How long
it takes is compared with a control in the same run: the same generator floods a listener that does nothing
(tests/bench/bare_listener.cpp), so that what the generator itself costs the machine counts on neither side. What
a generator did it counts itself; one that did too little proves nothing, and is a fault.

test_floods.py runs them small, scripts/campaign overload in full."""

import contextlib
import dataclasses
import json
import os
import smtplib
import sqlite3
import subprocess
import sys
import time

from .flood_generators import GENERATORS
from .flood_words import new_message
from .harness import BINARY, ROOT, Relay, Sink, both_of, free_port, toml, wait_for

BARE_LISTENER = os.path.join(os.path.dirname(BINARY), "bare_listener")


@dataclasses.dataclass
class Flood:
    """`does`: what it must do at the least, by the words of its generator. Words with "full_" are replies of the
    relay, the others must be true of the control, too."""
    does: dict
    generator: str = ""  # that of its own name
    sessions: int = 0  # so many the relay must have
    tls: bool = False
    is_proxied: bool = False  # its clients are named by a balancer
    fair_time: int = 0  # seconds for which every holder may keep what it holds
    config: dict = dataclasses.field(default_factory=dict)


# A quarter of it, which is what one network may hold, is less than what the holders want; all of it as well.
LITTLE_MEMORY = {"limits": {"memory": "24MiB"}}
FLOODS = {
    "silent": Flood({"contents_held": 147, "octets": 30_000_000, "at_once": 147}, sessions=147),
    "silent_in_little_memory": Flood({"contents_held": 147, "octets": 30_000_000, "at_once": 147, "full_452": 1},
                                     generator="silent", sessions=147, config=LITTLE_MEMORY),
    "silent_of_five": Flood({"contents_held": 300, "octets": 60_000_000, "at_once": 300, "full_452": 1}, is_proxied=True,
                            sessions=200, config=LITTLE_MEMORY),
    "idle_of_five": Flood({"connections": 800, "at_once": 800}, sessions=800, is_proxied=True),
    "handshakes": Flood({"handshakes_held": 124, "at_once": 250}, sessions=200, tls=True),
    "handshakes_of_five": Flood({"handshakes_held": 200, "at_once": 300}, sessions=200, tls=True, is_proxied=True),
    "handshakes_of_ten": Flood({"handshakes_held": 200, "at_once": 600}, sessions=250, tls=True, fair_time=11),
    "newcomers": Flood({"connections": 800}),
    "handshakes_without_end": Flood({"handshakes": 100}, tls=True),
    "recipients": Flood({"rcpts": 1000}),
    "greylist": Flood({"rcpts": 1000}, generator="recipients", config={"greylist": {"enabled": True, "delay": "1s"}}),
    "claims": Flood({"claims": 50}, config={"rates": {"per_sender_domain": "200/h"}}),
    "oversized": Flood({"octets": 50_000_000}),
    "key_updates": Flood({"key_updates": 3000, "handshakes": 4}, tls=True),
    "evil_next_hop": Flood({"key_updates": 1000, "victims": 1}),
}


# --- the normal load

def normal_send(relay, number, tls):
    """Seconds that the session took. Raises smtplib's exceptions."""
    message = new_message()
    began = time.monotonic()
    with smtplib.SMTP("127.0.0.1", relay.port, local_hostname="normal.test", timeout=30,
                      source_address=(f"127.99.{number % 20}.7", 0)) as s:
        if tls:
            s.starttls()
        s.sendmail("ann@sender.test", ["user@" + relay.domain], message)
    return time.monotonic() - began


def normal_load(relay, sends, tls=False):
    """The times, and the replies to refused messages."""
    times, refused = [], []
    for number in range(sends):
        try:
            times.append(normal_send(relay, number, tls and number % 2 == 0))
        except (OSError, smtplib.SMTPException) as e:
            refused.append(repr(e))
        time.sleep(0.01)
    return times, refused


class Strangers:
    """Clients unknown to greylisting: one comes before the flood, and one when it has begun. At the second
    try both must pass. The table of those who wait is full meanwhile, and he who came before is its oldest
    row, so that whoever is thrown out by age is thrown out first."""

    OTHERS = 5000  # networks of which the rows are
    MOST_ROWS = 500_000  # that wait

    def __init__(self, relay):
        self.relay, self.heard = relay, {}

    def knock(self, name, address):
        with smtplib.SMTP("127.0.0.1", self.relay.port, source_address=(address, 0), timeout=30) as s:
            s.ehlo("stranger.test")
            s.mail(name + "@stranger.test")
            self.heard.setdefault(name, []).append(s.rcpt("user@" + self.relay.domain)[0])

    def come_before(self):
        normal_load(self.relay, 20)  # the normal load is of clients that are known
        time.sleep(1.1)
        normal_load(self.relay, 20)
        self.knock("before", "127.98.1.1")
        self.relay.stop()
        self.fill_table()
        self.relay.start()

    def come_among(self):
        self.knock("among", "127.98.2.1")

    def come_again(self):
        time.sleep(1.1)  # the delay, and a bit
        self.knock("before", "127.98.1.1")
        self.knock("among", "127.98.2.1")

    def fill_table(self):
        now = int(1000 * time.time())
        with contextlib.closing(sqlite3.connect(self.relay.path("queue/queue.db"))) as db, db:
            waiting = db.execute("SELECT count(*) FROM greylist WHERE (passes > 0) = 0").fetchone()[0]
            db.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) "
                       "INSERT INTO greylist SELECT CAST(printf('filled%010d', i) AS BLOB), ?2, 0, ?3, "
                       "CAST(printf('owner%011d', i % ?4) AS BLOB) FROM n",
                       (self.MOST_ROWS - waiting, now, now + 3 * 86_400_000, self.OTHERS))
            db.execute("INSERT INTO greylist_count SELECT 0, counted_under, count(*) FROM greylist WHERE (passes > 0) = 0 "
                       "GROUP BY counted_under ON CONFLICT DO UPDATE SET number = excluded.number")

    def look_at_table(self):
        """Rows that wait, and how many of those that were there before the flood had to go. The relay has ended."""
        with contextlib.closing(sqlite3.connect(self.relay.path("queue/queue.db"))) as db:
            waiting, filled = db.execute("SELECT count(*), sum(CAST(key AS TEXT) LIKE 'filled%') FROM greylist "
                                         "WHERE (passes > 0) = 0").fetchone()
        return {"strangers_heard": self.heard, "rows": waiting, "rows_of_others": filled}


# --- both at the same time

class Background:
    """A process that runs meanwhile, and says "ready" when its first round is done."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        self.did = {}

    def __enter__(self):
        if not self.process.stdout.readline():
            raise AssertionError(f"{self.process.args} has died")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            said = self.process.communicate(timeout=10)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            said = self.process.communicate()[0]
        self.did = json.loads(said) if said else {}


def generator(name, port, pem="", hop=0):
    return Background(sys.executable, "-W", "ignore", "-m", "tests.system.flood_generators", name, str(port), pem, str(hop))


@contextlib.contextmanager
def bare_listener(port, pem, hop):
    """`hop`: a client as well, of the next hop with this port. 0: none."""
    if not os.path.exists(BARE_LISTENER):
        raise AssertionError(f"{BARE_LISTENER} is not there: build the target bare_listener")
    with Background(BARE_LISTENER, str(port), *filter(None, [pem])):
        with generator("victim", port, hop=hop) if hop else contextlib.nullcontext():
            yield


def added(one, other):
    """The counts of two rounds."""
    return {what: (max if what == "at_once" else sum)((one.get(what, 0), other.get(what, 0))) for what in {**one, **other}}


class Beside:
    """The normal load beside one flood: while it floods the relay, and while it floods the bare listener."""

    def __init__(self, name):
        self.flood = FLOODS[name]
        self.name = self.flood.generator or name
        self.sink = Sink().start()
        self.bare_port, self.hop, balanced = free_port(), free_port(), free_port()
        self.relay = Relay(self.sink.port, tls=True, routes=[("evil.test", self.hop), ("*", self.sink.port)],
                           aliases={"user": ["target@dest.test"], "evil": ["target@evil.test"]})
        # Paces are the defaults, not the tests' own.
        config = {"queue": {"retry_schedule": ["10s"]}, "limits": {"new_per_ip": "200/10s", "handshakes_per_ip": "100/10s"}}
        if self.flood.is_proxied:
            config["listener"] = [{"address": f"127.0.0.1:{self.relay.port}"},
                                  {"address": f"127.0.0.1:{balanced}", "proxy": ["127.0.0.1/32"]}]
        self.relay.config = toml.merged(config, self.flood.config)
        self.relay.write_config()
        self.attacked_port = balanced if self.flood.is_proxied else self.relay.port
        self.strangers = Strangers(self.relay) if "greylist" in self.flood.config else None
        self.times = {"control": [], "flooded": []}
        self.refused = {"control": [], "flooded": []}
        self.did = {"control": {}, "flooded": {}}
        self.sessions = 0

    def control(self, sends, pem):
        victim = self.hop if self.name == "evil_next_hop" else 0
        with bare_listener(self.bare_port, pem, victim), generator(self.name, self.bare_port, pem, self.hop) as flood:
            time.sleep(self.flood.fair_time)
            self.load("control", sends)
        self.did["control"] = added(self.did["control"], flood.did)

    def flooded(self, sends, pem, is_last):
        with generator(self.name, self.attacked_port, pem, self.hop) as flood:
            time.sleep(self.flood.fair_time)
            self.sessions = max(self.sessions, json.loads(self.relay.cli("--json", "status").stdout)["sessions"])
            if self.strangers and is_last:
                self.strangers.come_among()
            self.load("flooded", sends)
            if self.strangers and is_last:
                self.strangers.come_again()
        self.did["flooded"] = added(self.did["flooded"], flood.did)

    def load(self, where, sends):
        times, refused = normal_load(self.relay, sends, self.flood.tls)
        self.times[where] += times
        self.refused[where] += refused

    def run(self, sends, rounds):
        """In turns, so that other work of the machine affects both."""
        pem = both_of(self.relay) if self.flood.tls or self.name == "evil_next_hop" else ""
        self.relay.start()
        if self.strangers:
            self.strangers.come_before()
        for number in range(rounds):
            self.control(sends // rounds, pem)
            self.flooded(sends // rounds, pem, number == rounds - 1)
        sent = sum(map(len, self.times.values()))
        wait_for(lambda: len(self.sink.messages) >= sent, what="all mail")
        found = {"sends": sends, "alive": self.relay.process.poll() is None, "sessions": self.sessions}
        for where in ("control", "flooded"):
            found |= {where + "_p99_ms": p99_ms(self.times[where]), where + "_refused": self.refused[where][:3],
                      where + "_did": self.did[where]}
        if self.strangers:
            self.relay.stop()
            found |= self.strangers.look_at_table()
        return found

    def end(self):
        self.relay.remove()
        self.sink.stop()


def p99_ms(times):
    return round(1000 * sorted(times)[int(0.99 * (len(times) - 1))], 1) if times else None


def beside(name, sends, rounds=1):
    """The normal load beside this flood, and beside the same flood elsewhere."""
    both = Beside(name)
    try:
        return {"flood": name, **both.run(sends, rounds)}
    finally:
        both.end()


# --- the verdict

def shortcomings(found):
    """Of the flood itself: it proves nothing."""
    flood = FLOODS[found["flood"]]
    short = [f"{where}: {what} {found[where + '_did'].get(what, 0)} of {number}" for where in ("control", "flooded")
             for what, number in flood.does.items() if where == "flooded" or not what.startswith("full_")
             if found[where + "_did"].get(what, 0) < number]
    if found["sessions"] < flood.sessions:
        short.append(f"sessions {found['sessions']} of {flood.sessions}")
    if "rows" in found and found["rows"] < Strangers.MOST_ROWS - len(found["strangers_heard"]):  # these have passed
        short.append(f"{found['rows']} rows")
    return short


def delays(found, slack_ms):
    if not (found["control_p99_ms"] and found["flooded_p99_ms"]):
        return ["nothing was sent"]
    most = 2 * found["control_p99_ms"] + slack_ms
    return [] if found["flooded_p99_ms"] <= most else [f"{found['flooded_p99_ms']} ms, more than {most} ms"]


def faults(found):
    """Of the relay, and none of these is an accident."""
    wrong = [] if found["alive"] else ["the relay has died"]
    wrong += found["control_refused"] + found["flooded_refused"]
    wrong += [f"the stranger {name} heard {codes}" for name, codes in found.get("strangers_heard", {}).items()
              if codes != [451, 250]]
    return wrong


def judged(name, sends, rounds=1, slack_ms=0):
    """The same, with all that is wrong as "wrong". The machine may have done something else meanwhile: what can come
    of that is measured once more."""
    for attempt in (1, 2):
        found = beside(name, sends, rounds)
        found["wrong"] = faults(found) + shortcomings(found) + delays(found, slack_ms)
        if faults(found) or not found["wrong"]:
            break
        if attempt == 1:
            print(f"once more: {json.dumps(found)}", flush=True)
    return found


assert {flood.generator or name for name, flood in FLOODS.items()} == set(GENERATORS) - {"victim"}
