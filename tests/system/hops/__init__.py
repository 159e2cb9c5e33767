"""Real next hops on kept connections: what they log, what arrived behind them and what the relay says of
it must agree, for every copy.

One relay with hundreds of aliases stands before one next hop (Postfix, Exim, OpenSMTPD, aiosmtpd), which
knows some recipients, refuses others, greylists, limits and breaks off, and passes on what it took to the
ledger's sink. `cases` names them, `run` has a case done, `judge` says what was wrong. All of it stays in
127.0.0.0/8.
"""
