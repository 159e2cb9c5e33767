"""A ledger of messages: every message that was acknowledged must end in exactly one place. The generator
writes down the messages it sent and those acknowledged, the sink those that arrived, and the checker
compares. What a recipient is to meet stands in its address: ok.N is taken, temp.N is deferred once and
then taken, bad.N is refused for good, so that the sender must get a DSN."""
