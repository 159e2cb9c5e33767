"""Sends the messages of a run as an MTA does: until each is acknowledged."""

import asyncio
import time


class Entry:
    """The generator's record of one message."""

    def __init__(self, message):
        self.message = message
        self.acked_at = None
        self.id = None        # the relay's, of its 250
        self.refused = None   # a 5xx: no copy is owed
        self.whole_sends = 0  # how often the end of data was sent: each may have been accepted


class Generator:
    def __init__(self, port, messages, sessions=8, rate=None):
        self.port = port
        self.messages = iter(messages)
        self.entries = {}
        self.sessions = sessions
        self.pause = sessions / rate if rate else 0
        self.stopped = False

    def acked(self):
        return [e for e in self.entries.values() if e.acked_at is not None]

    async def run(self):
        await asyncio.gather(*(self.session() for _ in range(self.sessions)))

    async def session(self):
        entry = None
        while not self.stopped:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 16)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            try:
                await self.expect(reader, b"220")
                writer.write(b"EHLO ledger.test\r\n")
                await self.expect(reader, b"250")
                while not self.stopped:
                    if entry is None:
                        message = next(self.messages, None)
                        if message is None:
                            writer.write(b"QUIT\r\n")
                            return
                        entry = self.entries[message.number] = Entry(message)
                    began = time.monotonic()
                    if await self.send(reader, writer, entry):
                        entry = None
                    if self.pause:
                        await asyncio.sleep(max(0.0, self.pause - (time.monotonic() - began)))
            except (OSError, asyncio.IncompleteReadError, EOFError):
                pass  # killed under it: once more
            finally:
                writer.close()

    async def expect(self, reader, code):
        """The last line of a reply. Raises EOFError when the server is gone or going."""
        while True:
            line = await asyncio.wait_for(reader.readline(), 60)
            if not line.endswith(b"\r\n") or line.startswith(b"421"):
                raise EOFError
            if line[3:4] != b"-":
                if code and not line.startswith(code):
                    raise EOFError(line)
                return line

    async def send(self, reader, writer, entry):
        """True when the server has decided about the message."""
        message = entry.message
        lines = [f"MAIL FROM:<{message.sender}>"]
        lines += [f"RCPT TO:<{path}>" for path in message.paths()]
        writer.write(("\r\n".join(lines) + "\r\nDATA\r\n").encode())
        await self.expect(reader, b"250")
        for _ in message.recipients:
            await self.expect(reader, b"250")
        await self.expect(reader, b"354")
        writer.write(message.wire())
        entry.whole_sends += 1
        reply = await self.expect(reader, None)
        if reply.startswith(b"250"):
            entry.acked_at = time.time()
            entry.id = reply.split()[-1].decode()
            return True
        if reply.startswith(b"5"):
            entry.refused = reply.decode()
            return True
        entry.whole_sends -= 1  # a 4xx: not accepted, and we know it
        await asyncio.sleep(0.05)
        return False
