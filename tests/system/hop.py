"""A next hop in a few lines: strict about the order of commands, and otherwise as a test says."""

import socket
import threading
import time

from .harness import free_port


class Close(Exception):
    """Raised by a plan: the connection ends, with the reply that it is given or without one."""


class Hop:
    """`plan(verb, argument, connection)` answers each step (banner, EHLO, MAIL, RCPT, DATA, dot, RSET, …):
    a reply, or None for a friendly one. It may sleep, raise Close, or call hop.shut(). What was taken is in
    `taken`: (recipient, content) in order; commands out of order are in `violations` (RFC 5321 §4.1.4)."""

    FRIENDLY = {"banner": "220 hop.test ESMTP", "EHLO": "250-hop.test\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES",
                "DATA": "354 go on", "dot": "250 2.0.0 taken", "QUIT": "221 2.0.0 bye"}

    def __init__(self, plan=None, host="127.0.0.1", port=None, begin=None):
        self.plan = plan or (lambda verb, argument, connection: None)
        self.begin = begin  # may wrap the socket, e.g. in TLS
        self.host, self.port = host, port or free_port()
        self.taken, self.violations, self.commands = [], [], []
        self.connections = 0
        self.lock = threading.Lock()
        self.listening = None
        self.open()

    def open(self):
        self.listening = socket.create_server((self.host, self.port), backlog=100)
        threading.Thread(target=self.accept, args=(self.listening,), daemon=True).start()

    def shut(self):
        """New connections are refused from now on."""
        listening, self.listening = self.listening, None
        if listening:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    stop = shut

    def accept(self, listening):
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self.serve, args=(connection, number), daemon=True).start()

    def recipients(self):
        with self.lock:
            return [recipient for recipient, _ in self.taken]

    def serve(self, connection, number):
        connection.settimeout(600)
        try:
            self.converse(connection, number)
        except (OSError, Close, EOFError):
            pass
        finally:
            connection.close()

    def converse(self, connection, number):
        stream = connection.makefile("rb")
        mail, accepted = None, []

        def say(verb, argument="", otherwise="250 2.0.0 ok"):
            try:
                reply = self.plan(verb, argument, number) or self.FRIENDLY.get(verb, otherwise)
            except Close as close:
                if close.args:
                    connection.sendall(close.args[0].encode() + b"\r\n")
                raise
            connection.sendall(reply.encode() + b"\r\n")
            return reply

        def wrong(line):
            with self.lock:
                self.violations.append(line)
            connection.sendall(b"503 5.5.1 bad sequence of commands\r\n")

        if not say("banner").startswith("220"):
            return
        while True:
            line = stream.readline(4096).decode("utf-8", "replace").strip()
            if not line:
                return
            verb, _, argument = line.partition(" ")
            verb = verb.upper()
            with self.lock:
                self.commands.append(line)
            if verb == "STARTTLS" and self.begin:
                if not say("STARTTLS", otherwise="220 2.0.0 go on").startswith("220"):
                    continue
                connection = self.begin(connection)
                stream = connection.makefile("rb")
                mail, accepted = None, []
            elif verb == "MAIL":
                if mail is not None:
                    wrong(line)
                elif say("MAIL", argument).startswith("2"):
                    mail, accepted = argument, []
            elif verb == "RCPT":
                address = argument[argument.find("<") + 1:argument.find(">")]
                if mail is None:
                    connection.sendall(b"503 5.5.1 need MAIL\r\n")  # pipelined behind a refused MAIL
                elif say("RCPT", address).startswith("2"):
                    accepted.append(address)
            elif verb == "DATA":
                if not accepted:
                    connection.sendall(b"554 5.5.1 no valid recipients\r\n")
                    continue
                if not say("DATA").startswith("354"):
                    continue
                content = b""
                while not (content == b".\r\n" or content.endswith(b"\r\n.\r\n")):
                    more = stream.readline(1 << 20)
                    if not more:
                        return
                    content += more
                if say("dot", " ".join(accepted)).startswith("2"):
                    with self.lock:
                        self.taken += [(recipient, content[:-3]) for recipient in accepted]
                mail, accepted = None, []
            elif verb == "QUIT":
                say("QUIT")
                return
            else:
                if verb in ("RSET", "EHLO", "HELO"):
                    mail, accepted = None, []
                say(verb, argument)


def silence(seconds=600):
    time.sleep(seconds)
    raise Close
