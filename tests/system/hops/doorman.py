"""Decides what a next hop says to a recipient, and at which step it has no time: one for all programs, so
that Postfix, Exim and OpenSMTPD differ in how they say it and not in what.

They ask over TCP, Postfix in the protocol of its policy services, the others with one line:
`rcpt SENDER RECIPIENT`, `at STAGE`, `mail CONNECTION`. The answer is a reply, or "ok".
"""

import random
import socketserver
import threading
import time

from . import mix

GREY_SECONDS = 1.0
UNKNOWN = "550 5.1.1 No such user here"
FULL = "552 5.2.2 Mailbox full"
TIGHT = "452 4.2.2 Over quota"
GREY = "450 4.2.0 Greylisted, come again"
NO_TIME = "451 4.3.0 No time at {}"
TOO_MANY = "421 4.7.0 Too many messages on this connection"


class Doorman:
    """`terms`: what the next hop is like, of hop.Terms. The same seed makes the same decisions as far as
    the order of the questions is the same."""

    def __init__(self, terms, seed=1):
        self.terms = terms
        self.rng = random.Random(seed)
        self.lock = threading.Lock()
        self.first_seen = {}  # (sender, recipient) -> when
        self.messages = {}    # connection -> how many
        self.port = None

    def at_rcpt(self, sender, recipient):
        kind = mix.kind_of(recipient)
        if kind == "bad":
            return UNKNOWN
        if kind == "full":
            return FULL
        now = time.monotonic()
        with self.lock:
            first = self.first_seen.setdefault((sender, recipient), now)
        if kind == "tight" and first == now:
            return TIGHT
        if (kind == "grey" or self.terms.greylist_all) and now < first + GREY_SECONDS:
            return GREY
        return None

    def at_stage(self, stage):
        """A 4xx for a share of the commands."""
        with self.lock:
            draw = self.rng.random()
        return NO_TIME.format(stage) if draw < self.terms.defers.get(stage, 0) else None

    def at_mail(self, connection):
        """For programs without a limit of messages a connection of their own."""
        if not self.terms.messages:
            return None
        with self.lock:
            self.messages[connection] = self.messages.get(connection, 0) + 1
            return TOO_MANY if self.messages[connection] > self.terms.messages else None

    def answer(self, line):
        """To a question of one line; at the end of data it takes the time that a message costs."""
        verb, *words = line.split()
        if words == ["dot"]:
            time.sleep(self.terms.delay)
        ask = {"rcpt": self.at_rcpt, "at": self.at_stage, "mail": self.at_mail}[verb]
        return ask(*words) or "ok"

    def policy(self, request):
        """To a question of Postfix."""
        if request["protocol_state"] == "MAIL":
            return self.at_mail(request["client_port"]) or "DUNNO"
        return self.at_rcpt(request["sender"], request["recipient"]) or "DUNNO"

    def start(self):
        doorman = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    doorman.serve(self.rfile, self.wfile)
                except OSError:
                    pass  # Postfix ends its processes as it likes

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads, request_queue_size = True, True, 256

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def serve(self, questions, answers):
        request = {}
        for line in questions:
            line = line.decode("utf-8", "replace").strip()
            name, is_policy, value = line.partition("=")
            if is_policy and " " not in name:
                request[name] = value
            elif request:
                answers.write(f"action={self.policy(request)}\n\n".encode())
                request = {}
            else:
                answers.write(self.answer(line).encode() + b"\n")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
