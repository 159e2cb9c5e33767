"""The smuggling matrix through the real relay and on through careless and real next hops.
One message in is one message out, whatever the next hop is. (All 11,664 cases of the matrix run against
sessions in tests/inbound/smuggling_test.cpp.)"""

import concurrent.futures
import os
import socket
import ssl
import threading
import time
import unittest

from .harness import Relay, Sink, scratch_folder, wait_for
from .test_peers import peers

LEADS = [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\n\n", b"\n\r\n", b"\0", b"\r\n\0", b"\v\f",
         b"\xc2\x85", None]  # None: the start of the data
DOTS = [b".", b"..", b". ", b".\t", b".\0", b"\0.", b"\x1a.", b"\xef\xbc\x8e", b"\xc0\xae"]
TAILS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\0\n", b"\r \n", b"\xc2\x85", None]  # None: EOF
MATRIX = [(lead, dot, tail) for lead in LEADS for dot in DOTS for tail in TAILS]


def inner(recipient):
    return (b"MAIL FROM:<smuggled@evil.test>\r\nRCPT TO:<" + recipient + b">\r\nDATA\r\n"
            b"Subject: smuggled\r\n\r\nx\r\n.\r\n")


def content_of(number, sequence, recipient):
    lead, dot, tail = sequence
    head = b"" if lead is None else b"Subject: case %d\r\nX-Case: %d\r\n\r\nbefore%b" % (
        number, number, lead)
    return head + dot + (b"" if tail is None else tail + inner(recipient))


class CarelessSink:
    """Ends data at a dot between any line ends, and goes on reading commands."""

    ENDS = [a + b"." + b for a in (b"\r\n", b"\n", b"\r") for b in (b"\r\n", b"\n", b"\r")]

    def __init__(self):
        self.messages = []  # (sender, content)
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def stop(self):
        self.listening.close()

    def serve(self, connection):
        connection.settimeout(20)
        buffer, data = b"", False
        try:
            connection.sendall(b"220 careless\r\n")
            while True:
                more = connection.recv(65536)
                if not more:
                    return
                buffer += more
                while True:
                    if data:
                        found = [(buffer.find(e), e) for e in self.ENDS if e in buffer]
                        start = next((e[1:] for e in (b"\n.\r\n", b"\n.\n") if buffer.startswith(e[1:])), None)
                        if start:
                            found.append((0, start))
                        if not found:
                            break
                        at, end = min(found, key=lambda f: f[0])
                        self.messages.append((self.sender, buffer[:at]))
                        buffer, data = buffer[at + len(end):], False
                        connection.sendall(b"250 taken\r\n")
                        continue
                    line, newline, rest = buffer.partition(b"\n")
                    if not newline:
                        break
                    buffer = rest
                    verb = line[:4].upper()
                    if verb == b"MAIL":
                        self.sender = line.partition(b"<")[2].partition(b">")[0].decode()
                    data = verb == b"DATA"
                    connection.sendall(b"354 go on\r\n" if data else b"250 ok\r\n")
                    if verb == b"QUIT":
                        return
        except OSError:
            pass
        finally:
            connection.close()


class Client:
    """One session that tries to smuggle; says whether the outer message was acknowledged."""

    def __init__(self, port, recipient):
        self.port, self.recipient = port, recipient

    def attempt(self, number, sequence):
        carrier, cut = number % 3, (number // 3) % 3
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as s:
            self.stream = s.makefile("rb")
            self.replies(1)
            s = self.greet(s, secure=carrier == 1)
            envelope = [b"MAIL FROM:<ann@sender.test>\r\n", b"RCPT TO:<" + self.recipient + b">\r\n",
                        b"DATA\r\n"]
            if carrier == 2:
                s.sendall(b"".join(envelope))
                self.replies(3)
            else:
                for line in envelope:
                    s.sendall(line)
                    self.replies(1)
            content = content_of(number, sequence, self.recipient)
            if cut == 0:
                s.sendall(content)
            elif cut == 1:
                for octet in content:
                    s.sendall(bytes([octet]))
            else:
                half = content.find(b".") if b"." in content else len(content) // 2
                s.sendall(content[:half])
                time.sleep(0.002)
                s.sendall(content[half:])
            # The inner message ends with a true end of data, so it would have been accepted by now.
            s.sendall(b"QUIT\r\n") if sequence[2] is not None else self.half_close(s)
            said = b"".join(self.rest())
            return said.count(b"250 2.0.0 queued as")

    @staticmethod
    def half_close(s):
        s.unwrap() if isinstance(s, ssl.SSLSocket) else s.shutdown(socket.SHUT_WR)

    def greet(self, s, secure):
        s.sendall(b"EHLO client.test\r\n")
        self.replies(1)
        if not secure:
            return s
        s.sendall(b"STARTTLS\r\n")
        self.replies(1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s = context.wrap_socket(s)
        self.stream = s.makefile("rb")
        return self.greet(s, secure=False)

    def replies(self, number):
        while number:
            line = self.stream.readline()
            if not line:
                raise EOFError
            number -= line[3:4] == b" "

    def rest(self):
        try:
            return self.stream.readlines()
        except OSError:
            return []


class Smuggling(unittest.TestCase):
    def through(self, port):
        """The whole matrix to the relay, whose next hop is there; returns the messages taken."""
        relay = Relay(port, domain="first.test", srs="first.test", tls=True,
                      aliases={"user": ["user@fwd.test"]}, config={"limits": {"max_errors": 1000}}).start()
        self.addCleanup(relay.remove)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            counts = pool.map(lambda case: Client(relay.port, b"user@first.test").attempt(*case),
                              enumerate(MATRIX, 1))
            accepted = dict(enumerate(counts, 1))
        self.assertEqual(len(accepted), 972)
        self.assertEqual({n for n, count in accepted.items() if count > 1}, set(), "two messages in one")
        taken = sum(accepted.values())
        self.assertGreater(taken, 10, "nothing was taken: nothing was tested")
        wait_for(relay.is_empty, timeout=60, what="an empty queue")
        return taken

    def test_a_careless_next_hop_gets_one_message_for_one(self):
        sink = CarelessSink()
        self.addCleanup(sink.stop)
        taken = self.through(sink.port)
        self.assertEqual(len(sink.messages), taken)
        self.assertNotIn("smuggled@evil.test", {sender for sender, _ in sink.messages})

    def test_control_the_careless_next_hop_can_be_smuggled_through(self):
        sink = CarelessSink()
        self.addCleanup(sink.stop)
        for number, sequence in enumerate(MATRIX, 1):
            if sequence[2] is not None and number % 3 != 1:  # it has no TLS
                Client(sink.port, b"user@first.test").attempt(number, sequence)
        smuggled = [c for sender, c in sink.messages if sender == "smuggled@evil.test"]
        self.assertGreater(len(smuggled), 20)

    def peer(self, kind, **options):
        folder = scratch_folder(self, 0o755)
        sink = Sink().start()
        self.addCleanup(sink.stop)
        peer = kind(os.path.join(folder, "peer"), sink.port, "none").start(**options)
        self.addCleanup(peer.stop)
        return peer, sink

    def behind(self, kind):
        peer, sink = self.peer(kind)
        taken = self.through(peer.port)
        wait_for(lambda: len(sink.messages) >= taken, timeout=60, what="delivery through " + peer.name)
        time.sleep(1)  # for what must not come
        self.assertEqual(len(sink.messages), taken)

    def test_through_postfix(self):
        self.behind(peers.PostfixStack)

    def test_through_exim(self):
        self.behind(peers.Exim)

    def test_control_this_postfix_can_be_smuggled_into(self):
        """Without us in front, its default takes LF.CRLF for the end of data: the matrix sees it."""
        peer, sink = self.peer(peers.PostfixStack)
        client = Client(peer.port, b"user@fwd.test")
        for number in (2, 3, 6, 8):  # carriers and cuts without TLS
            client.attempt(number, (b"\n", b".", b"\r\n"))
        wait_for(lambda: [m for m in sink.messages if b"Subject: smuggled" in m.content.partition(b"\r\n\r\n")[0]],
                 timeout=30, what="the smuggled message")


if __name__ == "__main__":
    unittest.main()
