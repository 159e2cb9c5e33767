"""Floods, each beside a normal load of which nothing may be refused, and which must not wait for it. How long
it takes is compared with a control in the same run: the same generator floods a listener that does nothing,
so that what the generator itself costs the machine counts on neither side.

test_floods.py runs them small, scripts/campaign overload in full. A generator is a process of its own:
python3 -m tests.system.floods NAME PORT"""

import asyncio
import itertools
import random
import signal
import smtplib
import socket
import subprocess
import sys
import time

from .harness import MESSAGE, ROOT, Relay, Sink, free_port, wait_for

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


def open_content(s):
    say(s, b"EHLO flood.test", b"MAIL FROM:<flood@sender.test>", b"RCPT TO:<user@fwd.test>", b"DATA")


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
    def run(port, ready):
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


def ask_for_recipients(source):
    """RCPT after RCPT, each for another address of one alias."""
    def run(port, ready):
        number, began = 0, time.monotonic()
        told = False
        while True:
            try:
                with dial(port, source) as s:
                    say(s, b"EHLO flood.test")
                    while True:
                        say(s, b"MAIL FROM:<flood@sender.test>")
                        group = range(number, number + 100)
                        number += 100
                        s.sendall(b"".join(b"RCPT TO:<user+%d@fwd.test>\r\n" % n for n in group))
                        replies = b""
                        while replies.count(b"\n") < len(group):
                            got = s.recv(65536)
                            if not got:
                                raise ConnectionError("closed")
                            replies += got
                        say(s, b"RSET")
                        if not told and time.monotonic() - began > 0.5:
                            told = True
                            ready()
            except OSError:
                if not told and time.monotonic() - began > 0.5:
                    told = True
                    ready()
                time.sleep(0.01)
    return run


def addresses(count, networks):
    """So many clients, spread over networks of their own, no more than 40 connections of one address."""
    return [f"127.7.{number % networks}.{1 + number // networks // 40}" for number in range(count)]


class Echo(asyncio.Protocol):
    """Answers each line and does nothing else."""

    def connection_made(self, transport):
        self.transport, self.in_content = transport, False
        transport.write(b"220 echo\r\n")

    def data_received(self, octets):
        if self.in_content:
            return
        self.in_content = octets.startswith(b"DATA")
        self.transport.write(b"354 go\r\n" if self.in_content else b"250 ok\r\n" * octets.count(b"\n"))


def echo(port, ready):
    async def run():
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port)
        ready()
        await server.serve_forever()
    asyncio.run(run())


GENERATORS = {
    "echo": echo,
    "silent": hold(addresses(147, 1), fall_silent_in_content),
    "silent_of_five": hold(addresses(300, 5), fall_silent_in_content),
    "handshakes": hold(addresses(250, 2), fall_silent_in_handshake),
    "handshakes_of_five": hold(addresses(300, 5), fall_silent_in_handshake),
    "recipients": ask_for_recipients("127.7.7.1"),
    "greylist": ask_for_recipients("127.7.7.1"),
}


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

    def __init__(self, name, port):
        self.process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "tests.system.floods", name, str(port)],
                                        cwd=ROOT, stdout=subprocess.PIPE)

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
    tls = name.startswith("handshakes")
    relay = Relay(sink.port, tls=tls, extra=limits + greylist)
    echo_port = free_port()
    try:
        relay.start()
        if greylist:  # the normal load is of clients that are known
            normal_load(relay, 20)
            time.sleep(1.1)
            normal_load(relay, 20)
        found = {"flood": name, "sends": sends}
        for where, port in (("control", echo_port), ("flooded", relay.port)):
            with Background("echo", echo_port), Background(name, port):
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
    GENERATORS[sys.argv[1]](int(sys.argv[2]), lambda: print("ready", flush=True))
