"""Real next hops on kept connections: for every copy their log, the messages behind them and the relay's
record must agree.

One relay with hundreds of aliases stands before one next hop (Postfix, Exim, OpenSMTPD, aiosmtpd), which
knows some recipients, refuses others, greylists, limits and breaks off, and passes on what it took to the
ledger's sink. `cases` names them, `run` has a case done, `judge` says what was wrong. All of it stays in
127.0.0.0/8.
"""
