"""Floods, each beside a normal load of which nothing may be refused, and which must not wait for it. How long
it takes is compared with a control in the same run: the same generator floods a listener that does nothing,
so that what the generator itself costs the machine counts on neither side.

test_floods.py runs them small, scripts/campaign overload in full. A generator is a process of its own:
python3 -m tests.system.floods NAME PORT PEM HOP, with a certificate and its key for who needs them, and a port
to listen on for who is a next hop."""

import asyncio
import itertools
import json
import random
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time

from . import raw_tls
from .crowd import raise_descriptor_limit
from .harness import MESSAGE, ROOT, Relay, Sink, both_of, free_port, wait_for

LONGEST = 300  # seconds that a generator lives, whatever happens


# --- generators

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
    s = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(source, 0))
    if not heard(s).startswith(b"220"):
        s.close()
        raise ConnectionError("refused")
    return s


def say(s, *lines):
    for line in lines:
        s.sendall(line + b"\r\n")
        reply = heard(s)
    return reply


def open_content(s, recipient=b"user@fwd.test"):
    say(s, b"EHLO flood.test", b"MAIL FROM:<flood@sender.test>", b"RCPT TO:<%s>" % recipient, b"DATA")


def fall_silent_in_content(s, number, of):
    """As much as makes a chunk and a part of the next, and not a word more; the last ones a line, which finds
    the room that is left."""
    open_content(s)
    s.sendall(b"Subject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * (4300 if number < of * 0.9 else 1))


def fall_silent_in_handshake(s, *_):
    say(s, b"EHLO flood.test")
    if say(s, b"STARTTLS").startswith(b"2"):
        s.sendall(b"\x16")  # the first octet of a handshake


def hold(sources, fall_silent):
    """Holds a connection of each source, and another one when it is closed."""
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
            if turn == 0:
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
            replies += got
        say(s, b"RSET")


def send_without_end(s):
    """Content that is larger than any limit."""
    open_content(s)
    lines = (b"x" * 76 + b"\r\n") * 2000
    while True:
        s.sendall(lines)


def start_tls(s, made):
    say(s, b"EHLO flood.test")
    if not say(s, b"STARTTLS").startswith(b"2"):
        raise ConnectionError("no TLS")
    return raw_tls.Raw(made, s, is_server=False)


def update_keys(s):
    """KeyUpdate after KeyUpdate, and never a word of SMTP."""
    with start_tls(s, raw_tls.context(raw_tls.TLS_CLIENT)) as secured:
        while secured.update_key():
            pass
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
                while secured.update_key():
                    pass
        except OSError:
            peer.close()

    def accept():
        with socket.create_server(("127.0.0.1", int(hop)), backlog=100) as listening:
            while True:
                threading.Thread(target=update_keys_of, args=(listening.accept()[0],), daemon=True).start()

    def send(s):
        open_content(s, b"evil@fwd.test")
        say(s, MESSAGE.replace(b"<1@", b"<%d@" % random.getrandbits(60)) + b".")
        time.sleep(0.05)

    threading.Thread(target=accept, daemon=True).start()
    again_and_again(send, ["127.7.7.1"])(port, ready)


def addresses(count, networks):
    """So many clients, spread over networks of their own, no more than 40 connections of one address."""
    return [f"127.7.{number % networks}.{1 + number // networks // 40}" for number in range(count)]


class Echo(asyncio.Protocol):
    """Answers each line and does nothing else."""

    def __init__(self, secure):
        self.secure, self.in_content = secure, False

    def connection_made(self, transport):
        self.transport = transport
        if not transport.get_extra_info("ssl_object"):
            transport.write(b"220 echo\r\n")

    def data_received(self, octets):
        if self.in_content:
            self.in_content = not octets.endswith(b"\r\n.\r\n")
            if not self.in_content:
                self.transport.write(b"250 ok\r\n")
            return
        if octets.startswith(b"STARTTLS") and self.secure:
            self.transport.write(b"220 go\r\n")
            self.upgrade = asyncio.ensure_future(self.go_on_in_tls())
            return
        self.in_content = octets.startswith(b"DATA")
        self.transport.write(b"354 go\r\n" if self.in_content else b"250 ok\r\n" * octets.count(b"\n"))

    async def go_on_in_tls(self):
        try:
            await asyncio.get_running_loop().start_tls(self.transport, self, self.secure, server_side=True)
        except (OSError, ssl.SSLError):
            self.transport.close()


def listen_to(hop):
    """Delivers nothing to a next hop, and listens to whatever it says inside TLS."""
    made = raw_tls.context(raw_tls.TLS_CLIENT)
    while True:
        try:
            with dial(hop, "127.0.0.1") as s, start_tls(s, made) as secured:
                while secured.read():
                    pass
        except OSError:
            time.sleep(0.01)


def echo(port, ready, pem, hop):
    """`hop`: it is a client as well, of the next hop with this port. 0: it is none."""
    if int(hop):
        threading.Thread(target=listen_to, args=(int(hop),), daemon=True).start()
    secure = None
    if pem:
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(pem)

    raise_descriptor_limit(4096)

    async def run():
        server = await asyncio.get_running_loop().create_server(lambda: Echo(secure), "127.0.0.1", port)
        ready()
        await server.serve_forever()
    asyncio.run(run())


FOUR = [f"127.7.7.{number}" for number in range(1, 5)]
GENERATORS = {
    "echo": echo,
    "silent": hold(addresses(147, 1), fall_silent_in_content),
    "silent_of_five": hold(addresses(300, 5), fall_silent_in_content),
    "idle_of_five": hold(addresses(1000, 5), lambda *_: None),
    "handshakes": hold(addresses(250, 2), fall_silent_in_handshake),
    "handshakes_of_five": hold(addresses(300, 5), fall_silent_in_handshake),
    "handshakes_of_ten": hold(addresses(600, 10), fall_silent_in_handshake),
    "recipients": again_and_again(ask_for_recipients, ["127.7.7.1"]),
    "greylist": again_and_again(ask_for_recipients, ["127.7.7.1"]),
    "oversized": again_and_again(send_without_end, FOUR),
    "key_updates": again_and_again(update_keys, FOUR),
    "evil_next_hop": evil_next_hop,
}
WITH_TLS = ("handshakes", "handshakes_of_five", "handshakes_of_ten", "key_updates")
# Seconds until a flood has no right any more to what it holds: so long everybody may keep it.
FAIR_TIME = {"handshakes_of_ten": 11}


# --- the normal load

def normal_send(relay, number, tls):
    """Seconds that the session took. Raises smtplib's exceptions."""
    message = MESSAGE.replace(b"<1@", b"<%d@" % random.getrandbits(60))
    began = time.monotonic()
    with smtplib.SMTP("127.0.0.1", relay.port, local_hostname="normal.test", timeout=30,
                      source_address=(f"127.99.{number % 20}.7", 0)) as s:
        if tls:
            s.starttls()
        s.sendmail("ann@sender.test", ["user@" + relay.domain], message)
    return time.monotonic() - began


def normal_load(relay, sends, tls=False):
    """The times, sorted, and what was said to those who were refused."""
    times, refused = [], []
    for number in range(sends):
        try:
            times.append(normal_send(relay, number, tls and number % 2 == 0))
        except (OSError, smtplib.SMTPException) as e:
            refused.append(repr(e))
        time.sleep(0.015)
    return sorted(times), refused


class Background:
    """One of the GENERATORS, in a process of its own."""

    def __init__(self, name, port, pem="", hop=0):
        self.process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "tests.system.floods", name, str(port),
                                         pem, str(hop)], cwd=ROOT, stdout=subprocess.PIPE)

    def __enter__(self):
        self.process.stdout.readline()  # the first round is done
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def beside(name, sends):
    """What the normal load is like while this flood is on, and while it is on elsewhere."""
    sink = Sink().start()
    limits = '[limits]\nnew_per_ip = "200/10s"\nhandshakes_per_ip = "100/10s"\n'  # the defaults, not the tests' own
    greylist = '[greylist]\nenabled = true\ndelay = "1s"\n' if name == "greylist" else ""
    tls = name in WITH_TLS
    echo_port, hop = free_port(), free_port()
    relay = Relay(sink.port, tls=True, extra=limits + greylist, routes=[("evil.test", hop), ("*", sink.port)],
                  aliases={"user": ["target@dest.test"], "evil": ["target@evil.test"]},
                  config={"queue": {"retry_schedule": ["10s"]}})
    try:
        pem = both_of(relay) if tls or name == "evil_next_hop" else ""
        relay.start()
        if greylist:  # the normal load is of clients that are known
            normal_load(relay, 20)
            time.sleep(1.1)
            normal_load(relay, 20)
        found = {"flood": name, "sends": sends}
        for where, port in (("control", echo_port), ("flooded", relay.port)):
            victim = hop if where == "control" and name == "evil_next_hop" else 0
            with Background("echo", echo_port, pem, victim), Background(name, port, pem, hop):
                time.sleep(FAIR_TIME.get(name, 0))
                if where == "flooded":  # for the test to see that the flood is what it claims to be
                    found["sessions"] = json.loads(relay.cli("--json", "status").stdout)["sessions"]
                times, refused = normal_load(relay, sends, tls)
                if where == "flooded" and greylist:
                    found["strangers_pass"] = strangers_pass(relay)
            found[where + "_p99_ms"] = round(1000 * times[int(0.99 * (len(times) - 1))], 1) if times else None
            found[where + "_refused"] = refused[:3]
        wait_for(lambda: len(sink.messages) >= 2 * sends, what="all mail")
        found["alive"] = relay.process.poll() is None
        return found
    finally:
        relay.remove()
        sink.stop()


def strangers_pass(relay):
    """Whether somebody whom greylisting does not know gets through during the flood, at his second try."""
    with smtplib.SMTP("127.0.0.1", relay.port, source_address=("127.98.1.1", 0), timeout=30) as s:
        s.ehlo("stranger.test")
        s.mail("bob@stranger.test")
        first = s.rcpt("user@" + relay.domain)[0]
    time.sleep(1.5)
    with smtplib.SMTP("127.0.0.1", relay.port, source_address=("127.98.1.1", 0), timeout=30) as s:
        s.ehlo("stranger.test")
        s.mail("bob@stranger.test")
        return (first, s.rcpt("user@" + relay.domain)[0]) == (451, 250)


def is_good(found, slack_ms=20):
    return (found["alive"] and not found["flooded_refused"] and not found["control_refused"]
            and found["flooded_p99_ms"] <= 2 * found["control_p99_ms"] + slack_ms
            and found.get("strangers_pass", True))


if __name__ == "__main__":
    signal.alarm(LONGEST)
    name, port, pem, hop = sys.argv[1:]
    GENERATORS[name](int(port), lambda: print("ready", flush=True), pem=pem, hop=hop)
