"""The DNS is dead, or so slow that it might as well be. No check passes for want of an answer, every wait
ends in time, and mail that needs no answer from outside is not delayed."""

import asyncio
import itertools
import os
import time
import unittest

from . import senders
from .crowd import source_of
from .harness import Relay, Sink, is_sanitized, wait_for
from .moody_dns import MoodyDns
from .overload import MIB, memory_of
from .senders import AUTHORISED, Sender, fields_of

PARKED = int(os.environ.get("PARKED", "500"))
SECONDS = 3.0    # of each measurement
ONE_LOOKUP = 5   # seconds, of one that is never answered
LIMITS = {"per_ip": 5000, "per_network": 5000, "max_connections": 5000}

numbers = itertools.count(1)


class Client:
    """One session, and the replies to its messages."""

    def __init__(self, port, source="127.0.0.1"):
        self.port, self.source = port, source

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(self.source, 0))
        await self.reply()
        await self.command("EHLO client.test")
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def reply(self):
        while True:
            line = await asyncio.wait_for(self.reader.readline(), 60)
            if line[3:4] != b"-":
                return line.decode().strip()

    async def command(self, line):
        self.writer.write(line.encode() + b"\r\n")
        return await self.reply()

    async def send(self, content, sender):
        """The reply to the message, and the seconds from its end to there."""
        for line in (f"MAIL FROM:<{sender}>", "RCPT TO:<user@fwd.test>", "DATA"):
            said = await self.command(line)
            if said[0] not in "23":
                return said, 0.0
        self.writer.write(content + b".\r\n")
        began = time.monotonic()
        return await self.reply(), time.monotonic() - began


async def pump(port, content, sender, seconds=SECONDS, sessions=4):
    """How long each message waited for its reply; all of them must be accepted."""
    end = time.monotonic() + seconds
    waited = []

    async def one():
        async with Client(port) as client:
            while time.monotonic() < end:
                said, span = await client.send(content + b"%d\r\n" % next(numbers), sender)
                if not said.startswith("250"):
                    raise AssertionError(said)
                waited.append(span)

    await asyncio.gather(*(one() for _ in range(sessions)))
    return waited


async def park(port, count, name):
    """So many clients with one message each, all of unknown senders; (reply, seconds)."""
    async def one(number):
        sender = Sender(f"{name}{number}.example", AUTHORISED)
        async with Client(port, source_of(number)) as client:
            return await client.send(sender.sign(sender.message()), f"ann@{sender.domain}")

    return await asyncio.gather(*(one(number) for number in range(count)))


async def during(parked, measurement):
    """Both, the measurement once the others wait."""
    waiting = asyncio.create_task(parked)
    await asyncio.sleep(1.0)
    measured = await measurement
    return await waiting, measured


def never(name):
    return None


def late(name):
    return 4.9


WARM = Sender("warm.example", AUTHORISED)
FRESH = [Sender(f"fresh{i}.example", AUTHORISED) for i in range(5)]
HALF_KNOWN = Sender("half.example", None)   # its policy is known, its key is not
OPEN = Sender("open.example", AUTHORISED, None)  # no policy at all


class DeadDns(unittest.TestCase):
    def setUp(self):
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        self.world = senders.world((WARM, HALF_KNOWN, OPEN, *FRESH))
        self.addCleanup(self.world.stop)
        self.dns = MoodyDns(self.world.port)
        self.addCleanup(self.dns.stop)
        self.relay = Relay(self.sink.port, verify=True, dns=self.dns.port, config={"limits": LIMITS})
        self.addCleanup(self.relay.remove)
        self.relay.start()

    def warm(self):
        """Mail of the sender whose records are known: signed over no body, so not changed by one."""
        return pump(self.relay.port, WARM.message(body="Hello.\r\n"), "ann@warm.example")

    def results(self, domain):
        """The results for the accepted messages of a domain."""
        found = [m for m in self.sink.messages if f"<ann@{domain}>".encode() in m.content]
        return [fields_of(m.content, "Authentication-Results")[0] for m in found]

    def check_parked(self, mood, name):
        healthy = asyncio.run(self.warm())
        before = memory_of(self.relay.process.pid)
        self.dns.mood = mood
        parked, warm = asyncio.run(during(park(self.relay.port, PARKED, name), self.warm()))
        after = memory_of(self.relay.process.pid, "VmHWM")
        longest = max(seconds for _, seconds in parked)
        print(f"{name}: {PARKED} messages waited at most {longest:.1f} s, {(after - before) / MIB:.0f} MiB; "
              f"meanwhile {len(warm)} others instead of {len(healthy)}, each at most {max(warm):.1f} s")
        self.assertEqual({said[:9] for said, _ in parked}, {"451 4.4.3"})
        self.assertLess(longest, ONE_LOOKUP + 3)
        # The number of messages depends on the machine; that none waits for lookups of others does
        # not.
        self.assertLess(max(warm), ONE_LOOKUP / 2)
        if not is_sanitized():  # whose quarantine keeps what was freed
            self.assertLess((after - before) / MIB, 100)
        for results in self.results("warm.example"):
            self.assertIn("spf=pass", results)
            self.assertIn("dmarc=pass", results)

    def test_silent(self):
        self.check_parked(never, "silent")

    def test_late(self):
        self.check_parked(late, "late")

    def test_what_is_half_known_is_never_a_pass(self):
        """The policy is in the cache and asks for rejection; the key that would prove the author is
        not. A domain without a policy is forwarded, with what was found out: nothing."""
        self.relay.send(OPEN.message(), sender=f"ann@{WARM.domain}")
        with self.assertRaises(Exception) as refused:
            self.relay.send(HALF_KNOWN.message(), sender=f"ann@{WARM.domain}")
        self.assertEqual(refused.exception.smtp_code, 550, "DNS says it, and it is final")
        self.dns.mood = never
        began = time.monotonic()
        with self.assertRaises(Exception) as refused:
            self.relay.send(HALF_KNOWN.sign(HALF_KNOWN.message()), sender=f"ann@{WARM.domain}")
        self.assertEqual(refused.exception.smtp_code, 451, refused.exception.smtp_error)
        self.relay.send(OPEN.sign(OPEN.message()), sender=f"ann@{OPEN.domain}")
        self.assertLess(time.monotonic() - began, 2 * (ONE_LOOKUP + 1))
        wait_for(lambda: len(self.results(OPEN.domain)) == 2, what="both messages of the open domain")
        results = self.results(OPEN.domain)[1]
        self.assertIn("dkim=temperror", results)
        self.assertIn("spf=temperror", results)
        for found in ("spf=pass", "dkim=pass", "dmarc=pass"):
            self.assertNotIn(found, results)

    def test_one_dead_domain_does_not_hold_up_the_others(self):
        self.dns.mood = lambda name: None if "silent" in name else 0

        async def fresh():
            found = []
            for sender in FRESH:
                async with Client(self.relay.port) as client:
                    found.append(await client.send(sender.sign(sender.message()), f"ann@{sender.domain}"))
            return found

        parked, found = asyncio.run(during(park(self.relay.port, PARKED, "silent"), fresh()))
        print(f"among {PARKED} waiting messages, senders with a living DNS took at most "
              f"{1000 * max(seconds for _, seconds in found):.0f} ms")
        self.assertEqual({said[:3] for said, _ in found}, {"250"})
        self.assertEqual({said[:9] for said, _ in parked}, {"451 4.4.3"})


if __name__ == "__main__":
    unittest.main()
