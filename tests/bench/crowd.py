"""A relay with many destinations: each has a domain, a list of hosts and an address of 127.0.0.0/8 of its
own, so that the relay takes them for a thousand mail systems; one sink is all of them."""

import os
import smtplib
import subprocess
import time
from dataclasses import dataclass

from . import ours, peer, runs

LIMIT = 120  # seconds that anything may take


@dataclass(frozen=True)
class Group:
    """Aliases with one prefix: a0@fwd.test leads to t@a0.test, a1@fwd.test to t@a1.test …, and the hosts of
    these domains listen at `port`."""

    prefix: str
    count: int
    port: int


def address_of(number):
    """An address from 127.1.0.0 on; numbers below 15 million have different ones."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def routes_of(groups):
    """(domain, address and port) for every destination; no two share an address."""
    names = [(f"{group.prefix}{i}.test", group.port) for group in groups for i in range(group.count)]
    return [(name, f"{address_of(number)}:{port}") for number, (name, port) in enumerate(names)]


def aliases_of(groups):
    return [f"{group.prefix}{i}: t@{group.prefix}{i}.test\n" for group in groups for i in range(group.count)]


class Town:
    """The relay. It does not sign, so that what is measured is delivery."""

    def __init__(self, folder, groups, outbound=()):
        self.groups = {group.prefix: group for group in groups}
        self.relay = ours.SrsRelay(folder, peer.free_port(), "none")
        try:
            self.relay.start(aliases=aliases_of(groups), routes=routes_of(groups), outbound=outbound)
        except BaseException:
            self.relay.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.relay.roots:  # in peace it would wait for what tarpits have to say
            runs.end(pid)
        self.relay.stop()

    def sending(self, prefix, *words, count=None, connections=20):
        """Starts the generator; it sends to the first `count` destinations of the group, or to all."""
        return subprocess.Popen(
            [os.path.join(peer.RELEASE, "load"), str(self.relay.port), "--kept", "--prefix", prefix, "--recipients",
             str(count or self.groups[prefix].count), "--connections", str(connections), *map(str, words)],
            stdout=subprocess.DEVNULL)

    def send(self, prefix, *words, **options):
        ended(self.sending(prefix, *words, **options))

    def warm_up(self, sink, port, prefix, each=1):
        """`each` messages to every destination of the group, so that it is proven."""
        wanted = sink.taken(port) + each * self.groups[prefix].count
        self.send(prefix, "--messages", each * self.groups[prefix].count, "--in-order")
        arrived(sink, wanted, port)

    def rate(self, sink, port, prefix, messages, count=None, beside=None):
        """Messages delivered a second, from the first to the last. `beside`: (prefix, messages) that are sent at
        the same time, a fifth of the connections; the run does not wait for their outcome."""
        wanted, begin = sink.taken(port) + messages, time.monotonic()
        others = [self.sending(beside[0], "--messages", beside[1], connections=4)] if beside else []
        others.append(self.sending(prefix, "--messages", messages, count=count, connections=16))
        arrived(sink, wanted, port)
        taken = time.monotonic() - begin
        for other in others:
            ended(other)
        return messages / taken

    def send_to_all(self, prefix):
        """One message for every destination of the group."""
        targets = [f"{prefix}{i}@fwd.test" for i in range(self.groups[prefix].count)]
        content = "From: <alice@origin.test>\r\nSubject: to all\r\n\r\n" + 50 * ("x" * 76 + "\r\n")
        with smtplib.SMTP("127.0.0.1", self.relay.port, local_hostname="load.test", timeout=LIMIT) as session:
            session.sendmail("alice@origin.test", targets, content)


def ended(process):
    try:
        code = process.wait(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise RuntimeError(f"the generator was not done within {LIMIT} s") from None
    if code:
        raise RuntimeError(f"the generator ended with {code}: mail was refused, or connections were lost")


def arrived(sink, wanted, port=0):
    if not sink.wait_for(wanted, LIMIT, port):
        raise RuntimeError(f"{sink.taken(port)} of {wanted} messages arrived within {LIMIT} s")
