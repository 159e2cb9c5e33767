"""The next hop, a process of its own: python3 -m tests.system.ledger.sink PORT FILE

Appends one JSON line per message taken. Its log is complete: a line is written before the 250."""

import asyncio
import hashlib
import json
import os
import re
import signal
import sys
import time


def describe(mail_from, recipients, content):
    head, _, body = content.partition(b"\r\n\r\n")
    if mail_from == "":  # a DSN; the header of what it tells of is in its body
        number = re.search(rb"^X-Ledger-Id: (\d+)", body, re.M)
        failed = re.findall(rb"^Final-Recipient: rfc822;(\S+)@", body, re.M)
        return {"dsn_for": int(number.group(1)) if number else None,
                "to": recipients, "failed": [f.decode() for f in failed]}
    number = re.search(rb"^X-Ledger-Id: (\d+)", head, re.M)
    digest = re.search(rb"^X-Ledger-Hash: (\w+)", head, re.M)
    whole = bool(digest) and hashlib.sha256(body).hexdigest().encode() == digest.group(1)
    return {"id": int(number.group(1)) if number else None, "to": recipients, "whole": whole}


class Session(asyncio.Protocol):
    def __init__(self, sink):
        self.sink = sink
        self.buffer = bytearray()
        self.in_content = False

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"220 ledger.sink ESMTP\r\n")

    def data_received(self, data):
        self.buffer += data
        out = []
        while True:
            if self.in_content:
                begin = self.buffer.startswith(b".\r\n")
                end = 0 if begin else self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    break
                content = bytes(self.buffer[:0 if begin else end + 2])
                del self.buffer[:3 if begin else end + 5]
                self.in_content = False
                out.append(self.take(content.replace(b"\r\n..", b"\r\n.")))
                continue
            end = self.buffer.find(b"\r\n")
            if end < 0:
                break
            line = bytes(self.buffer[:end]).decode("utf-8", "replace")
            del self.buffer[:end + 2]
            out.append(self.answer(line))
        if out:
            self.transport.write(b"".join(out))

    def answer(self, line):
        verb = line[:4].upper()
        if verb == "EHLO":
            return b"250-ledger.sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == "MAIL":
            self.mail_from = line[line.index("<") + 1:line.index(">")]
            self.recipients = []
            return b"250 2.1.0 ok\r\n"
        if verb == "RCPT":
            address = line[line.index("<") + 1:line.index(">")]
            local = address.partition("@")[0]
            if local.startswith("bad."):
                return b"550 5.1.1 never\r\n"
            if local.startswith("temp.") and local not in self.sink.deferred:
                self.sink.deferred.add(local)
                return b"451 4.3.0 not now\r\n"
            self.recipients.append(address)
            return b"250 2.1.5 ok\r\n"
        if verb == "DATA":
            if not self.recipients:
                return b"554 5.5.1 no valid recipients\r\n"
            self.in_content = True
            return b"354 go on\r\n"
        if verb == "QUIT":
            self.transport.write(b"221 2.0.0 bye\r\n")
            self.transport.close()
            return b""
        return b"250 2.0.0 ok\r\n"

    def take(self, content):
        self.sink.write(describe(self.mail_from, self.recipients, content))
        return b"250 2.0.0 taken\r\n"


class Sink:
    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.deferred = set()

    def write(self, entry):
        entry["t"] = time.time()
        os.write(self.file, json.dumps(entry).encode() + b"\n")


async def main(port, path):
    sink = Sink(path)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(sink), "127.0.0.1", port, backlog=512)
    loop.add_signal_handler(signal.SIGTERM, server.close)
    print("ready", flush=True)
    try:
        await server.serve_forever()
    except asyncio.CancelledError:
        pass


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
