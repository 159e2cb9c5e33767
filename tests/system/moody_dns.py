"""A DNS server in front of nsd that can fall silent, or answer late: for every name, or for some."""

import asyncio
import itertools
import struct
import threading

from .evil_dns import question_of


class MoodyDns:
    """`mood(name)`: seconds an answer is kept back, 0, or None for no answer at all; may be replaced
    at any time. Over UDP alone."""

    def __init__(self, upstream_port):
        self.mood = lambda name: 0
        self.asked = 0
        self.upstream_port = upstream_port
        self.waiting = {}  # our id -> (id, address) of who asked
        self.numbers = itertools.count()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self.open(), self.loop).result(10)

    async def open(self):
        owner = self

        class Front(asyncio.DatagramProtocol):
            def datagram_received(self, data, address):
                owner.take(data, address)

        class Back(asyncio.DatagramProtocol):
            def datagram_received(self, data, address):
                owner.answer(data)

        self.front, _ = await self.loop.create_datagram_endpoint(Front, local_addr=("127.0.0.1", 0))
        self.back, _ = await self.loop.create_datagram_endpoint(
            Back, remote_addr=("127.0.0.1", self.upstream_port))
        self.port = self.front.get_extra_info("sockname")[1]

    def take(self, query, address):
        self.asked += 1
        delay = self.mood(question_of(query)[0])
        if delay is not None:
            self.loop.call_later(delay, self.ask, query, address)

    def ask(self, query, address):
        number = next(self.numbers) % 65536
        self.waiting[number] = (query[:2], address)
        self.back.sendto(struct.pack("!H", number) + query[2:])

    def answer(self, data):
        who = self.waiting.pop(struct.unpack("!H", data[:2])[0], None)
        if who:
            self.front.sendto(who[0] + data[2:], who[1])

    def stop(self):
        def close():
            self.front.close()
            self.back.close()
            self.loop.call_later(0.1, self.loop.stop)
        self.loop.call_soon_threadsafe(close)
