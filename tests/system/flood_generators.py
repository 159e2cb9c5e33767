"""Generators of floods, each a process of its own, which counts what it has done:

python3 -m tests.system.flood_generators NAME PORT PEM HOP

with a certificate and its key for generators that need them, and a port to listen on for those that are a
next hop. It says "ready" after its first round, and at SIGTERM what it has done, as JSON. Clients of IPv6
networks are named by a PROXY header, so that no address of them has to exist."""

import itertools
import random
import signal
import socket
import sys
import threading
import time

from . import raw_tls
from .crowd import raise_descriptor_limit
from .flood_words import DEEDS, count, dial, heard, new_message, open_content, say, send_octets

LONGEST = 300  # seconds after which a generator ends in any case


# --- holders

HEADER, LINE = b"Subject: x\r\n\r\n", b"x" * 76 + b"\r\n"
LINES = 4300  # as much as makes a chunk and a part of the next
# The first octets of all clients, and the lines that each sends. A client that finds no room holds
# nothing, so that later clients, which want less, find what is left, down to the smallest buffer.
SHARES = ((0.6, LINES), (0.7, 2000), (0.8, 800), (1.0, 1))


def fall_silent_in_content(s, number, of):
    """Content, and not a word more."""
    if not open_content(s).startswith(b"354"):
        return
    send_octets(s, HEADER + LINE * next(lines for share, lines in SHARES if number < of * share))
    count("contents_held")


def find_no_room(port, source):
    """One more client of the same network that does send its dot: it shows whether anything is left for
    it."""
    with dial(port, source) as s:
        open_content(s)
        s.sendall(HEADER + LINE * LINES + b".\r\n")
        count("full_" + heard(s)[:3].decode())


def fall_silent_in_handshake(s, *_):
    say(s, b"EHLO flood.test")
    if not say(s, b"STARTTLS").startswith(b"2"):
        return count("no_tls")
    s.sendall(b"\x16")  # the first octet of a handshake
    count("handshakes_held")


def hold(sources, fall_silent=lambda *_: None, then=None):
    """Holds a connection of each source, and another one when it is closed. `then`: once, when all are held."""
    def run(port, ready, **_):
        raise_descriptor_limit(4096)
        held = {}
        for turn in itertools.count():
            for number, source in enumerate(sources):
                if number in held and not is_closed(held[number]):
                    continue
                held.pop(number, None)
                try:
                    s = dial(port, source)
                    fall_silent(s, number, len(sources))
                    s.setblocking(False)
                    held[number] = s
                except OSError:
                    pass
                DEEDS.at_least("at_once", len(held))
            if turn == 0:
                if then:
                    then(port, sources[0])
                ready()
            time.sleep(0.2)
    return run


def is_closed(s):
    try:
        return s.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def addresses(number, networks):
    """So many clients, spread over networks (/24) of their own, no more than 40 connections of one address."""
    return [f"127.7.{one % networks}.{1 + one // networks // 40}" for one in range(number)]


def addresses6(number, networks):
    """The same of IPv6 networks (/48), each client in a /64 of its own."""
    return [f"2001:db8:{1 + one % networks}:{one // networks:x}::1" for one in range(number)]


# --- who never ends

def again_and_again(attack, sources):
    """`attack(socket)` after each greeting, from each source at the same time, and anew when it ends."""
    def run(port, ready, **_):
        def repeat(source):
            while True:
                try:
                    with dial(port, source) as s:
                        attack(s)
                except OSError:
                    time.sleep(0.01)
        for source in sources:
            threading.Thread(target=repeat, args=(source,), daemon=True).start()
        time.sleep(0.5)
        ready()
        threading.Event().wait()
    return run


def ask_for_recipients(s):
    """RCPT after RCPT, each for another address of one alias."""
    say(s, b"EHLO flood.test")
    while True:
        say(s, b"MAIL FROM:<flood@sender.test>")
        number = random.getrandbits(40)
        s.sendall(b"".join(b"RCPT TO:<user+%d@fwd.test>\r\n" % (number + n) for n in range(100)))
        replies = b""
        while replies.count(b"\n") < 100:
            got = s.recv(65536)
            if not got:
                raise ConnectionError("closed")
            count("rcpts", got.count(b"\n"))
            replies += got
        say(s, b"RSET")


def send_without_end(s):
    """Content that is larger than any limit."""
    open_content(s)
    lines = LINE * 2000
    while True:
        send_octets(s, lines)


def claim_a_sender(s):
    """Mail in the name of a domain that others send for."""
    open_content(s, sender=b"ann@sender.test")
    s.sendall(new_message() + b".\r\n")
    heard(s)
    count("claims")


def only_come(_):
    """And go: what the arrival of a client costs."""


def start_tls(s, made):
    say(s, b"EHLO flood.test")
    if not say(s, b"STARTTLS").startswith(b"2"):
        count("no_tls")
        raise ConnectionError("no TLS")
    secured = raw_tls.Raw(made, s, is_server=False)
    count("handshakes")
    return secured


def only_shake_hands(s):
    start_tls(s, CLIENT).close()


def flood_with_key_updates(secured):
    """KeyUpdate after KeyUpdate. The answers are thrown away, because a client that cannot write would
    stop reading."""
    sent = 0
    while secured.update_key():
        sent += 1
        if sent % 100 == 0:
            count("key_updates", 100)
            secured.throw_away()
    count("key_updates", sent % 100)


def update_keys(s):
    """And never a word of SMTP."""
    with start_tls(s, CLIENT) as secured:
        flood_with_key_updates(secured)
    raise ConnectionError("closed")


def evil_next_hop(port, ready, pem, hop):
    """A next hop that sends KeyUpdate after KeyUpdate, on one connection at a time so that it costs the machine the
    same whoever listens to it, and somebody who sends mail there all the time."""
    made = raw_tls.context(raw_tls.TLS_SERVER, pem)
    one_at_a_time = threading.Lock()

    def update_keys_of(peer):
        try:
            peer.sendall(b"220 evil\r\n")
            heard(peer)
            peer.sendall(b"250-evil\r\n250 STARTTLS\r\n")
            heard(peer)
            peer.sendall(b"220 go\r\n")
            with raw_tls.Raw(made, peer, is_server=True) as secured, one_at_a_time:
                count("victims")
                flood_with_key_updates(secured)
        except OSError:
            peer.close()

    def accept():
        with socket.create_server(("127.0.0.1", int(hop)), backlog=100) as listening:
            while True:
                threading.Thread(target=update_keys_of, args=(listening.accept()[0],), daemon=True).start()

    def send(s):
        open_content(s, b"evil@fwd.test")
        say(s, new_message() + b".")
        time.sleep(0.05)

    threading.Thread(target=accept, daemon=True).start()
    again_and_again(send, ["127.7.7.1"])(port, ready)


def victim(_, ready, hop, **__):
    """Delivers nothing to the evil next hop, and listens to whatever it says inside TLS: what the relay is to it, in
    the control."""
    ready()
    while True:
        try:
            with dial(hop, "127.0.0.1") as s, start_tls(s, CLIENT) as secured:
                while secured.read():
                    pass
        except OSError:
            time.sleep(0.01)


CLIENT = raw_tls.context(raw_tls.TLS_CLIENT)
FOUR = [f"127.7.7.{number}" for number in range(1, 5)]
GENERATORS = {
    "silent": hold(addresses(147, 1), fall_silent_in_content, then=find_no_room),
    "silent_of_five": hold(addresses6(300, 5), fall_silent_in_content, then=find_no_room),
    "idle_of_five": hold(addresses6(1000, 5)),
    "handshakes": hold(addresses(250, 2), fall_silent_in_handshake),
    "handshakes_of_five": hold(addresses6(300, 5), fall_silent_in_handshake),
    "handshakes_of_ten": hold(addresses(600, 10), fall_silent_in_handshake),
    "newcomers": again_and_again(only_come, FOUR),
    "handshakes_without_end": again_and_again(only_shake_hands, FOUR),
    "recipients": again_and_again(ask_for_recipients, FOUR[:1]),
    "claims": again_and_again(claim_a_sender, FOUR[:1]),
    "oversized": again_and_again(send_without_end, FOUR),
    "key_updates": again_and_again(update_keys, FOUR),
    "evil_next_hop": evil_next_hop,
    "victim": victim,
}


if __name__ == "__main__":
    signal.alarm(LONGEST)
    signal.signal(signal.SIGTERM, DEEDS.tell)
    name, port, pem, hop = sys.argv[1:]
    GENERATORS[name](int(port), lambda: print("ready", flush=True), pem=pem, hop=hop)
