"""Who owes what: every message that was acknowledged must end somewhere, and only there.

The generator writes down what it sent and what was acknowledged, the sink what arrived, and the
checker compares. What a recipient is to meet stands in its address: ok.N is taken, temp.N is
deferred once and then taken, bad.N is refused for good, so that the sender must get a DSN.
"""
