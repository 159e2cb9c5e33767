"""How copies leave: doubtful mail from a source of its own, held mail after its release, and mail in the
queue of an older program."""

import json
import os
import sqlite3
import unittest

from . import senders
from .harness import MESSAGE, ROOT, Relay, Sink, wait_for
from .senders import AUTHORISED, Sender

RISK_SOURCE = "127.0.0.9"


class Doors(Sink):
    """Remembers by which address of the relay each message came."""

    def __init__(self, **options):
        super().__init__(**options)
        self.doors = []

    async def handle_DATA(self, server, session, envelope):
        self.doors.append((session.peer[0], envelope.rcpt_tos[0], envelope.mail_from))
        return await super().handle_DATA(server, session, envelope)


class Copies(unittest.TestCase):
    def begin(self, **tables):
        self.good = Sender("good.example", AUTHORISED, "p=none")
        self.bad = Sender("bad.example", "v=spf1 -all", "p=none")
        self.strict = Sender("strict.example", "v=spf1 -all", "p=reject")
        self.world = senders.world([self.good, self.bad, self.strict], {".": []})
        self.addCleanup(self.world.stop)
        self.sink = Doors().start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port, verify=True, dns=self.world.port, config=tables)
        self.addCleanup(self.relay.remove)
        self.relay.start()
        self.addCleanup(self.relay.stop)

    def test_doubtful_mail_has_a_door_and_a_speed_of_its_own(self):
        self.begin(risk={"source": [RISK_SOURCE], "rate": "12/min"})
        for _ in range(12):  # the last one waits for most of a minute
            last = self.relay.send(self.bad.message(), sender="ann@bad.example")
        for _ in range(6):
            self.relay.send(self.good.message(), sender="ann@good.example")
        wait_for(lambda: sum(d[0] != RISK_SOURCE for d in self.sink.doors) == 6, timeout=8,
                 what="the ordinary mail, which does not wait")
        self.assertLess(sum(d[0] == RISK_SOURCE for d in self.sink.doors), 12)
        why = json.loads(self.relay.cli("--json", "queue", "why", last).stdout)
        self.assertEqual(why["copies"][0]["handling"]["pool"], "risk")
        self.assertEqual(why["copies"][0]["attempts"], 0)
        self.assertIn("paced", why["copies"][0])
        text = self.relay.cli("queue", "why", last).stdout
        self.assertIn("risk pool)", text)
        self.assertIn("2 copies in 10 s", text)
        wait_for(lambda: len(self.sink.doors) == 18, timeout=90, what="the doubtful mail")
        self.assertEqual(sum(d[0] == RISK_SOURCE for d in self.sink.doors), 12)
        handlings = {e["handling"] for e in self.relay.events("attempt")}
        self.assertTrue(any("risk" in h for h in handlings) and any("risk" not in h for h in handlings))

    def test_held_mail_waits_for_the_operator_over_a_restart(self):
        self.begin(defaults={"on_dmarc_fail": "hold"})
        held = self.relay.send(self.strict.message(), sender="ann@strict.example")
        self.relay.send(self.good.message(), sender="ann@good.example")
        wait_for(lambda: len(self.sink.messages) == 1, what="the good mail")
        self.relay.stop()
        self.relay.start()
        listed = self.relay.cli("--json", "queue", "list", "state:held").stdout
        self.assertEqual(json.loads(listed)["id"], held)
        self.assertIn("never expires", self.relay.cli("queue", "show", held).stdout)
        self.relay.cli("queue", "release", held, check=True)
        wait_for(lambda: len(self.sink.messages) == 2, what="the released mail")
        wait_for(self.relay.is_empty, what="an empty queue")


class Upgrade(unittest.TestCase):
    """A program of today is started on the queue of a program of yesterday."""

    def test_what_waited_is_delivered(self):
        sink = Sink().start()
        relay = Relay(sink.port)
        try:
            os.makedirs(relay.path("queue"), mode=0o700)
            with open(os.path.join(ROOT, "tests/spool/data/version1.sql"), encoding="utf-8") as sql:
                with sqlite3.connect(relay.path("queue/queue.db")) as old:
                    old.executescript(sql.read())
            relay.start()
            wait_for(lambda: len(sink.messages) == 2, what="the waiting mail")
            self.assertEqual({m.rcpt_tos[0] for m in sink.messages}, {"b@Y.example", "d@x.example"})
            for message in sink.messages:
                self.assertTrue(message.content.startswith(b"Received: from client.example\r\nSubject:"))
            relay.send(MESSAGE)
            wait_for(lambda: len(sink.messages) == 3, what="new mail")
            relay.cli("queue", "release", "all", "--yes", check=True)
            wait_for(relay.is_empty, what="an empty queue")
            self.assertEqual(sink.messages[3].rcpt_tos, ["c@z.example"])
        finally:
            relay.stop()
            relay.remove()
            sink.stop()


if __name__ == "__main__":
    unittest.main()
