"""SMTP commands shared by all generators of floods, each counted when it is sent."""

import json
import os
import random
import socket
import threading

from .harness import MESSAGE


class Deeds:
    """Counts by name. An action is counted when it is done, and not before."""

    def __init__(self):
        self.lock = threading.Lock()
        self.done = {}

    def count(self, what, number=1):
        with self.lock:
            self.done[what] = self.done.get(what, 0) + number

    def at_least(self, what, number):
        with self.lock:
            self.done[what] = max(self.done.get(what, 0), number)

    def tell(self, *_):
        """Takes no lock: the main thread may hold it when the signal comes."""
        print(json.dumps(dict(self.done)), flush=True)
        os._exit(0)  # threads of ours are inside of OpenSSL


DEEDS = Deeds()
count = DEEDS.count


def heard(s):
    """One reply, or what there is of it."""
    reply = b""
    while not (reply.endswith(b"\n") and reply.splitlines()[-1][3:4] != b"-"):
        got = s.recv(4096)
        if not got:
            raise ConnectionError("closed")
        reply += got
    return reply


def dial(port, source):
    is_named = ":" in source
    s = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=("127.0.0.1" if is_named else source, 0))
    if is_named:
        s.sendall(f"PROXY TCP6 {source} 2001:db8:ffff::1 40000 25\r\n".encode())
    if not heard(s).startswith(b"220"):
        s.close()
        count("not_greeted")
        raise ConnectionError("refused")
    count("connections")
    return s


def say(s, *lines):
    for line in lines:
        s.sendall(line + b"\r\n")
        reply = heard(s)
        count("commands")
    return reply


def open_content(s, recipient=b"user@fwd.test", sender=b"flood@sender.test"):
    return say(s, b"EHLO flood.test", b"MAIL FROM:<%s>" % sender, b"RCPT TO:<%s>" % recipient, b"DATA")


def send_octets(s, octets):
    s.sendall(octets)
    count("octets", len(octets))


def new_message():
    return MESSAGE.replace(b"<1@", b"<%d@" % random.getrandbits(60))
