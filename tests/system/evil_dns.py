"""A DNS server that lies: each name of the zone evil.example has a way of its own, as long as it is
`lying`. UDP and TCP on one port."""

import socket
import struct
import threading

from .harness import free_port

A, NS, CNAME, SOA, MX, AAAA = 1, 2, 5, 6, 15, 28
SERVFAIL, NXDOMAIN, REFUSED, FORMERR = 2, 3, 5, 1


def name_octets(name):
    if name == ".":
        return b"\0"
    return b"".join(bytes([len(p)]) + p.encode("latin-1") for p in name.rstrip(".").split(".")) + b"\0"


def record(name, kind, rdata, ttl=0):
    return name_octets(name) + struct.pack("!HHIH", kind, 1, ttl, len(rdata)) + rdata


def mx(name, host, preference=10):
    return record(name, MX, struct.pack("!H", preference) + name_octets(host))


def address(name, ip="127.0.0.1"):
    return record(name, A, socket.inet_aton(ip))


def question_of(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    return ".".join(labels), kind, query[12:at + 5]


class EvilDns:
    """`ways` maps the first label of a domain to a function (server, name, kind, query) that gives
    the whole answer, None for silence, or "honest"."""

    def __init__(self, ways):
        self.ways, self.lying = ways, True
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def stop(self):
        for s in (self.udp, self.tcp):
            s.close()

    def serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
                answer = self.answer(query)
                if answer is not None:
                    self.udp.sendto(answer if len(answer) <= 1400 else self.truncated(query), peer)
            except (OSError, IndexError):
                if self.udp.fileno() < 0:
                    return

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection):
        with connection:
            connection.settimeout(10)
            try:
                length = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
                answer = self.answer(connection.recv(length, socket.MSG_WAITALL))
                if answer is not None:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
            except (OSError, struct.error, IndexError):
                pass

    def answer(self, query):
        name, kind, _ = question_of(query)
        way = next((self.ways[w] for w in self.ways if name.split(".")[-3:-2] == [w]), None)
        if way and self.lying:
            lie = way(self, name, kind, query)
            if lie != "honest":
                return lie
        return self.honest(name, kind, query)

    def honest(self, name, kind, query):
        if kind == MX and name.count(".") == 2:
            return self.reply(query, [mx(name, "mx." + name)])
        if kind == A:
            return self.reply(query, [address(name)])
        return self.reply(query, [])

    @staticmethod
    def reply(query, answers, rcode=0, flags=0x8180, identity=None):
        _, _, question = question_of(query)
        header = struct.pack("!HHHHHH", identity if identity is not None else
                             struct.unpack("!H", query[:2])[0], flags | rcode, 1, len(answers), 0, 0)
        return header + question + b"".join(answers)

    def truncated(self, query):
        return self.reply(query, [], flags=0x8380)
