"""The next hops, a process of their own: python3 -m tests.system.ledger.sink FILE SEED LATE PORT:MOOD…

One port for each destination, with its mood (moods.py). Appends one JSON line per message taken. Its log is
complete: a line is written before the 250. LATE: seconds for which recipients called late.N are put off. Ends when
standard input does, so that it outlives nobody who holds the other end."""

import asyncio
import hashlib
import json
import os
import random
import re
import signal
import sys
import time

from . import moods


def describe(mail_from, recipients, content):
    head, _, body = content.partition(b"\r\n\r\n")
    if mail_from == "":  # a DSN; the header of the message it reports is in its body
        number = re.search(rb"^X-Ledger-Id: (\d+)", body, re.M)
        failed = re.findall(rb"^Final-Recipient: rfc822; ?(\S+)@", body, re.M)
        return {"dsn_for": int(number.group(1)) if number else None,
                "to": recipients, "failed": [f.decode() for f in failed]}
    number = re.search(rb"^X-Ledger-Id: (\d+)", head, re.M)
    digest = re.search(rb"^X-Ledger-Hash: (\w+)", head, re.M)
    whole = bool(digest) and hashlib.sha256(body).hexdigest().encode() == digest.group(1)
    return {"id": int(number.group(1)) if number else None, "to": recipients, "whole": whole}


def address_in(line):
    return line[line.index("<") + 1:line.index(">")]


class Session(asyncio.Protocol):
    """One connection. Refuses every command out of order with 503, and writes down that it had to."""

    def __init__(self, sink, mood):
        self.sink, self.mood = sink, mood
        self.buffer = bytearray()
        self.greeted = self.in_content = self.leaving = self.paused = False
        self.taken = 0  # messages
        self.reset()

    def reset(self):
        self.mail_from, self.recipients = None, []
        self.refused = False  # something was, in this transaction: RCPT and DATA pipelined behind it are excused

    def connection_made(self, transport):
        self.transport = transport
        self.mood.open += 1
        self.say(lambda: self.mood.at(self, "banner") or b"220 ledger.sink ESMTP\r\n")

    def connection_lost(self, _):
        self.mood.open -= 1

    def data_received(self, data):
        self.buffer += data
        self.work()

    def work(self):
        while not (self.paused or self.leaving) and (step := self.next_step()):
            self.say(step)

    def say(self, step):
        """Carries out a step, as changed by the mood."""
        try:
            self.transport.write(step())
        except moods.Gone as gone:
            self.transport.write(gone.words)
            self.leaving = True
        except moods.Pause as pause:
            self.paused = True
            asyncio.get_running_loop().call_later(pause.seconds, self.resume, pause.then)
        if self.leaving:
            self.transport.close()

    def resume(self, then):
        self.paused = False
        if not self.transport.is_closing():
            self.say(then)
            self.work()

    def next_step(self):
        """The next command, or the content, if all of it is there."""
        if self.in_content:
            begin = self.buffer.startswith(b".\r\n")
            end = 0 if begin else self.buffer.find(b"\r\n.\r\n")
            if end < 0:
                return None
            content = bytes(self.buffer[:0 if begin else end + 2])
            del self.buffer[:3 if begin else end + 5]
            self.in_content = False
            return lambda: self.take(content.replace(b"\r\n..", b"\r\n."))
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self.buffer[:end]).decode("utf-8", "replace")
        del self.buffer[:end + 2]
        return lambda: self.answer(line)

    def answer(self, line):
        verb = line[:4].upper()
        do = {"EHLO": self.ehlo, "MAIL": self.mail, "RCPT": self.rcpt, "DATA": self.data, "RSET": self.rset,
              "QUIT": self.quit}.get(verb)
        return do(line) if do else b"502 5.5.1 what?\r\n"

    def out_of_order(self, line, excused=False):
        if not excused:
            self.sink.write({"wrong": line})
        return b"503 5.5.1 not now\r\n"

    def ehlo(self, _):
        self.greeted = True
        return self.mood.at(self, "EHLO") or b"250-ledger.sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"

    def mail(self, line):
        if not self.greeted or self.mail_from is not None:
            return self.out_of_order(line)
        self.reset()
        reply = self.mood.at(self, "MAIL")
        if reply:
            self.refused = True
            return reply
        self.mail_from = address_in(line)
        return b"250 2.1.0 ok\r\n"

    def rcpt(self, line):
        if self.mail_from is None:
            return self.out_of_order(line, self.refused)
        address = address_in(line)

        def decide():
            reply = self.mood.at(self, "RCPT") or self.sink.objection(address.partition("@")[0])
            if reply:
                self.refused = True
                return reply
            self.recipients.append(address)
            return b"250 2.1.5 ok\r\n"
        return self.mood.rcpt(self, decide)

    def data(self, line):
        if not self.recipients:
            return self.out_of_order(line, self.refused)
        reply = self.mood.at(self, "DATA")
        if reply:
            return reply
        self.in_content = True
        return b"354 go on\r\n"

    def rset(self, _):
        self.reset()
        return b"250 2.0.0 ok\r\n"

    def quit(self, _):
        self.leaving = True
        return b"221 2.0.0 bye\r\n"

    def take(self, content):
        sender, recipients = self.mail_from, self.recipients
        self.reset()

        def taken():
            self.sink.write(describe(sender, recipients, content))
            self.taken += 1
            self.mood.at(self, "taken")
            return b"250 2.0.0 taken\r\n"
        return self.mood.dot(self, taken)


class Sink:
    def __init__(self, path, late=0.0):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.late = late
        self.first_seen = {}  # local part -> when it was put off

    def write(self, entry):
        entry["t"] = time.time()
        os.write(self.file, json.dumps(entry).encode() + b"\n")

    def objection(self, local):
        """The fate that a recipient's name demands (messages.py)."""
        kind = local.partition(".")[0]
        if kind == "bad":
            return b"550 5.1.1 never\r\n"
        if kind in ("temp", "late"):
            first = local not in self.first_seen
            since = self.first_seen.setdefault(local, time.monotonic())
            if first or kind == "late" and time.monotonic() < since + self.late:
                return b"451 4.3.0 not now\r\n"
        return None


async def main(path, seed, late, *places):
    sink = Sink(path, float(late))
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_reader(sys.stdin, stopped.set)  # nothing is ever written there
    tasks = []
    for number, (port, name) in enumerate(place.split(":") for place in places):
        mood = moods.MOODS[name](random.Random(f"{seed} {number}"))
        listen = moods.Door(lambda mood=mood: Session(sink, mood), int(port))
        await listen.open()
        tasks.append(asyncio.create_task(mood.mind(listen)))
    print("ready", flush=True)
    await stopped.wait()
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
