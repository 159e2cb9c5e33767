"""A relay that verifies what comes in, the DNS it asks, and a next hop that judges what leaves."""

from . import senders
from .harness import Relay, Sink
from .next_receiver import Receiver


class JudgedRelay:
    """`people` publish what they should, and `zone` has `records` and the keys that the relay signs with.
    `options` are those of harness.Relay, `verify` unless it says
    otherwise; `extra` goes to the end of its configuration."""

    def __init__(self, people, zone, records=(), extra="", **options):
        self.sink = Sink().start()
        self.relay = Relay(self.sink.port, **{"verify": True, **options})
        keys = [f"{name}. 60 IN TXT {senders.txt(value)}" for name, value in self.relay.records.items()]
        self.world = senders.world(people, {zone: [*records, *keys]})
        self.relay.extra = f'[dns]\nforward_to = ["127.0.0.1@{self.world.port}"]\n' + extra
        self.relay.write_config()
        self.relay.start()
        self.receiver = Receiver(self.world)

    def stop(self):
        self.relay.stop()
        self.relay.remove()
        self.world.stop()
        self.sink.stop()
