"""DNS that lies, is silent or goes round in circles. A missing or damaged answer defers the mail, and it
leaves when the DNS is right again; a definite negative answer bounces it."""

import socket
import struct
import time
import unittest

from .evil_dns import A, AAAA, CNAME, FORMERR, MX, NXDOMAIN, REFUSED, SERVFAIL, EvilDns, address, mx, name_octets, record
from .harness import MESSAGE, Relay, Sink, wait_for


def rcode(code):
    return lambda server, name, kind, query: server.reply(query, [], rcode=code)


def for_mx(make):
    """A lie about MX only; addresses are told honestly."""
    def way(server, name, kind, query):
        return make(server, name, query) if kind == MX else "honest"
    return way


def for_mx_answers(make):
    return for_mx(lambda server, name, query: server.reply(query, make(name)))


def for_address(make):
    def way(server, name, kind, query):
        return server.reply(query, make(name)) if kind == A else "honest"
    return way


def chain(name, length):
    """A CNAME chain that ends in nothing; length 0: a loop."""
    if length == 0:
        other = "loop." + name
        return [record(name, CNAME, name_octets(other)), record(other, CNAME, name_octets(name))]
    names = [name] + [f"c{i}." + name for i in range(length)]
    return [record(a, CNAME, name_octets(b)) for a, b in zip(names, names[1:])]


def mapped_only(server, name, kind, query):
    """The only address is an IPv4 one written as IPv6."""
    if kind not in (A, AAAA):
        return "honest"
    mapped = socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")
    return server.reply(query, [record(name, AAAA, mapped)] if kind == AAAA else [])


def mapped_and_trouble(server, name, kind, query):
    return server.reply(query, [], rcode=SERVFAIL) if kind == A else mapped_only(server, name, kind, query)


# No answer, or a damaged one: the mail waits, and is delivered when the DNS is right again.
DEFERRED = {
    "servfail": rcode(SERVFAIL), "refused": rcode(REFUSED), "formerr": rcode(FORMERR),
    "cut-off": lambda server, name, kind, query: server.reply(query, [mx(name, "mx." + name)])[:-3],
    "only-header": lambda server, name, kind, query: query[:2] + b"\x81\x80" + b"\0" * 8,
    "pointer-loop": for_mx(lambda server, name, query: server.reply(
        query, [b"\xc0\x0c" + struct.pack("!HHIH", MX, 1, 0, 4) + b"\0\x0a\xc0\x28"])),
    "short-rdata": for_mx(lambda server, name, query: server.reply(query, [record(name, MX, b"\0")])),
    "count-lies": lambda server, name, kind, query:
        query[:2] + b"\x81\x80\0\1\xff\xff\0\0\0\0" + server.reply(query, [])[12:],
    "mx-servfail": for_mx(lambda server, name, query: server.reply(query, [], rcode=SERVFAIL)),
    "address-servfail": lambda server, name, kind, query:
        server.reply(query, [], rcode=SERVFAIL) if kind in (A, AAAA) else "honest",
    "cname-loop": for_mx(lambda server, name, query: server.reply(query, chain(name, 0))),
    "mapped-and-servfail": mapped_and_trouble,
    "short-address": lambda server, name, kind, query:
        server.reply(query, [record(name, kind, b"\x7f\0")]) if kind in (A, AAAA) else "honest",
    "silent": lambda *_: None,
    "address-silent": lambda server, name, kind, query: None if kind in (A, AAAA) else "honest",
    "wrong-id": lambda server, name, kind, query: server.reply(query, [], identity=0x1234),
    "many-dead-addresses": for_address(lambda name: [
        address(name, f"127.1.{i // 250}.{i % 250 + 1}") for i in range(1000)]),
}

# A definite answer: the domain does not exist, takes no mail, or leads only to addresses that we
# may not dial.
BOUNCED = {
    "nxdomain": rcode(NXDOMAIN),
    "null-mx": for_mx_answers(lambda name: [mx(name, ".", 0)]),
    "mx-localhost": for_mx_answers(lambda name: [mx(name, "localhost")]),
    "mx-private": for_address(lambda name: [address(name, "10.1.2.3")]),
    "mx-link-local": for_address(lambda name: [address(name, "169.254.1.1")]),
    "mx-unspecified": for_address(lambda name: [address(name, "0.0.0.0")]),
    "mx-broadcast": for_address(lambda name: [address(name, "255.255.255.255")]),
    "mx-multicast": for_address(lambda name: [address(name, "224.0.0.1")]),
    "mx-ourselves": for_mx_answers(lambda name: [mx(name, "mx.fwd.test")]),
    "mx-address": for_mx_answers(lambda name: [mx(name, "127.0.0.1")]),
    "mx-blank": for_mx_answers(lambda name: [mx(name, "mx ." + name), mx(name, "m x." + name)]),
    "mx-wildcard": for_mx_answers(lambda name: [mx(name, "*." + name)]),
    "mx-url": for_mx_answers(lambda name: [mx(name, "http://mx." + name)]),
    "mapped-only": mapped_only,
}

# A good host among the bad ones is found in bounded time.
DELIVERED = {
    "many-mx": for_mx_answers(lambda name: [mx(name, f"m{i}." + name, i) for i in range(500)]),
    "cname-to-good": for_mx(lambda server, name, query: server.reply(
        query, [record(name, CNAME, name_octets("good." + name)), mx("good." + name, "mx." + name)])
        if name.startswith("cname") else server.reply(query, [mx(name, "mx." + name)])),
    "first-mx-dead": lambda server, name, kind, query: (
        server.reply(query, [mx(name, "bad." + name, 5), mx(name, "mx." + name, 10)]) if kind == MX
        else server.reply(query, [address(name, "127.1.0.9")]) if kind == A and name.startswith("bad.")
        else "honest"),
}


class LyingDns(unittest.TestCase):
    def deliver(self, ways, allow_private=True, seconds=60, then_honest=False):
        """Sends one message to each; returns the domains delivered, those a DSN came for, those
        still waiting, and the attempts made. `then_honest`: at the end, after a restart."""
        dns = EvilDns(ways)
        self.addCleanup(dns.stop)
        sink = Sink().start()
        self.addCleanup(sink.stop)
        # mx.NAME.evil.example is 127.0.0.1, where the sink is.
        relay = Relay(sink.port, aliases={w: [f"user@{w}.evil.example"] for w in ways},
                      routes=[("sender.test", sink.port)], srs="relay.test", dns=dns.port,
                      config={"queue": {"redact_target": False},
                              "outbound": {"port": sink.port, "attempt_timeout": "4s", "allow_private": allow_private}})
        self.addCleanup(relay.remove)
        relay.start()
        for way in ways:
            relay.send(MESSAGE.replace(b"Subject:", f"X-Way: {way}\r\nSubject:".encode()),
                       to=[way + "@fwd.test"])
        end = time.monotonic() + seconds
        while not relay.is_empty() and time.monotonic() < end:
            time.sleep(0.2)
        if then_honest:
            self.assertEqual(len(relay.rows()), len(ways), "all of them wait")
            self.assertEqual(sink.messages, [])
            self.assertEqual(relay.stop(), 0)
            dns.lying = False
            relay.start()
            wait_for(relay.is_empty, timeout=30, what="delivery after the lies")
        delivered = sorted(m.rcpt_tos[0].split("@")[1].split(".")[0]
                           for m in sink.messages if m.mail_from)
        bounced = sorted(w for m in sink.messages if not m.mail_from
                         for w in ways if f"X-Way: {w}\r\n".encode() in m.content)
        left = sorted(row["alias"].split("@")[0] for row in relay.rows())
        attempts = relay.events("attempt")
        self.assertEqual(relay.stop(), 0)
        return delivered, bounced, left, attempts

    def test_no_answer_defers_until_there_is_one(self):
        delivered, bounced, left, attempts = self.deliver(DEFERRED, seconds=8, then_honest=True)
        self.assertEqual((bounced, left), ([], []))
        self.assertEqual(delivered, sorted(DEFERRED))
        deferred = {a["target"].split("@")[1].split(".")[0] for a in attempts
                    if a["outcome"] == "deferred"}
        self.assertEqual(sorted(deferred), sorted(DEFERRED), "each of them was noticed")

    def test_a_bad_answer_bounces(self):
        delivered, bounced, left, _ = self.deliver(BOUNCED, allow_private=False)
        self.assertEqual((delivered, left), ([], []))
        self.assertEqual(bounced, sorted(BOUNCED))

    def test_a_good_way_is_found_among_bad_ones(self):
        delivered, bounced, left, _ = self.deliver(DELIVERED)
        self.assertEqual((bounced, left), ([], []))
        self.assertEqual(delivered, sorted(DELIVERED))


if __name__ == "__main__":
    unittest.main()
