"""A relay that verifies what comes in, the DNS it asks, and a next hop that judges what leaves."""

from . import senders
from .harness import Relay, Sink
from .next_receiver import Receiver


class JudgedRelay:
    """`people` publish what they should, and `zone` has `records` and the keys that the relay signs with.
    `options` are those of harness.Relay, `verify` unless it says otherwise."""

    def __init__(self, people, zone, records=(), **options):
        self.sink = Sink().start()
        self.relay = Relay(self.sink.port, **{"verify": True, **options})
        self.world = senders.world(people, {zone: [*records, *senders.keys_of(self.relay)]})
        self.relay.dns = self.world.port
        self.relay.write_config()
        self.relay.start()
        self.receiver = Receiver(self.world)

    def stop(self):
        self.relay.stop()
        self.relay.remove()
        self.world.stop()
        self.sink.stop()
