"""Postfix and Exim that ask us whether an address lives before they take mail: of its sender, or for its
recipient. `postfix` and `exim` are such next hops, in every form of the question that each knows; `forgery`
guesses at addresses through a running relay. All of it stays in 127.0.0.0/8.
"""
