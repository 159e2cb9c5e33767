"""Words spoken in the clear, about STARTTLS, are never heard inside TLS. Both directions, 104
cases each (after Poddebniak et al., "Why TLS is better without STARTTLS", 2021)."""

import socket
import ssl
import time
import unittest

from .evil_mx import Case, Dialogue, EvilHosts
from .harness import MESSAGE, Relay, Sink, scratch_folder, wait_for
from .scripted import make_certificate

COMMANDS = [b"NOOP", b"RSET", b"QUIT", b"EHLO injected.test", b"HELO injected.test", b"STARTTLS",
            b"MAIL FROM:<injected@evil.test>", b"RCPT TO:<user@fwd.test>", b"DATA", b"VRFY root", b"AUTH PLAIN AAAA",
            b"MAIL FROM:<injected@evil.test>\r\nRCPT TO:<user@fwd.test>\r\nDATA\r\nx: y\r\n\r\nz\r\n.", b"\0\xff junk"]
ENDS = [b"\r\n", b"\n", b"", b" "]
WAYS = ["one write", "two writes"]

REPLIES = [b"250 2.0.0 ok", b"250-evil.test\r\n250 SIZE 10", b"250-evil.test\r\n250 STARTTLS", b"354 go on",
           b"220 again", b"421 4.3.2 bye", b"550 5.7.1 no", b"250", b"250-", b"\r\n250 ok", b"NOOP",
           b"250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 2.0.0 taken", b"\x16\x03\x01\x00\x02ab"]


class Inbound(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = Sink().start()
        cls.relay = Relay(cls.sink.port, tls=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.relay.remove()
        cls.sink.stop()

    def attempt(self, command, end, way):
        """The reply of the server to one NOOP inside TLS; b"" if there is no TLS."""
        with socket.create_connection(("127.0.0.1", self.relay.port), timeout=10) as s:
            stream = s.makefile("rb")
            stream.readline()
            s.sendall(b"EHLO client.test\r\n")
            while stream.readline()[3:4] == b"-":
                pass
            if way == "one write":
                s.sendall(b"STARTTLS\r\n" + command + end)
            else:
                s.sendall(b"STARTTLS\r\n")
                s.sendall(command + end)
            if not stream.readline().startswith(b"220"):
                return b""
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            try:
                with context.wrap_socket(s) as tls:
                    tls.settimeout(3)
                    tls.sendall(b"NOOP\r\nMAIL FROM:<ann@sender.test>\r\nQUIT\r\n")
                    heard = b""
                    while more := tls.recv(4096):
                        heard += more
                    return heard
            except OSError:
                return b""

    def test_104_injections_are_not_heard(self):
        number = 0
        for command in COMMANDS:
            for end in ENDS:
                for way in WAYS:
                    number += 1
                    with self.subTest(command=command, end=end, way=way):
                        self.assertEqual(self.attempt(command, end, way), b"")
        self.assertEqual(number, 104)
        self.assertEqual(self.sink.messages, [])
        self.assertEqual(self.relay.events("received"), [])

    def test_control_without_an_injection_it_is_heard(self):
        heard = self.attempt(b"", b"", "one write")
        self.assertTrue(heard.startswith(b"250 2.0.0"), heard)
        self.assertIn(b"\r\n503 5.5.1", heard)  # EHLO in the clear is forgotten
        self.assertEqual(len(heard.splitlines()), 3)


class InjectingCase(Case):
    def __init__(self, number, text, way, required):
        super().__init__(number, "STARTTLS", "inject", False)
        self.text, self.way = text, way
        self.required = required
        self.name = f"{text!r} {way} {'required' if required else 'optional'}"


class InjectingDialogue(Dialogue):
    def do_inject(self, _, reply):
        text = self.case.text + b"\r\n"
        if self.case.way == "one write":
            self.connection.sendall(reply + b"\r\n" + text)
        elif self.case.way == "two writes":
            self.connection.sendall(reply + b"\r\n")
            self.connection.sendall(text)
        elif self.case.way == "later":
            self.connection.sendall(reply + b"\r\n")
            time.sleep(0.02)
            self.connection.sendall(text)
        else:  # before the 220, which then comes too late
            self.connection.sendall(text + reply + b"\r\n")
        return True


class InjectingHosts(EvilHosts):
    dialogue = InjectingDialogue


class Outbound(unittest.TestCase):
    def test_104_injections_never_count_as_replies(self):
        folder = scratch_folder(self)
        kinds = [(text, way, required) for text in REPLIES for required in (False, True)
                 for way in ("one write", "two writes", "later", "before")]
        cases = [InjectingCase(number, *kind) for number, kind in enumerate(kinds, 1)]
        self.assertEqual(len(cases), 104)
        hosts = InjectingHosts(cases, make_certificate(folder, "evil.test"))
        self.addCleanup(hosts.stop)
        sink = Sink().start()
        self.addCleanup(sink.stop)
        routes = [{"match": f"c{c.number}.test", "via": [f"smtp://127.0.0.1:{c.port}"],
                   "tls": "require" if c.required else "auto"} for c in cases]
        routes.append({"match": "*", "via": [f"smtp://127.0.0.1:{sink.port}"]})
        relay = Relay(sink.port, config={"route": routes},
                      aliases={f"c{c.number}": [f"a@c{c.number}.test"] for c in cases}).start()
        self.addCleanup(relay.remove)
        for case in cases:
            relay.send(MESSAGE, to=[f"c{case.number}@fwd.test"])
        wait_for(relay.is_empty, timeout=60, what="an empty queue")
        for case in cases:
            with self.subTest(case.name):
                self.assertTrue(case.happened)
                self.assertEqual(len(case.taken), 1)
                self.assertTrue(case.taken[0][1].endswith(MESSAGE))
                if case.required:
                    self.assertEqual(case.in_the_clear, 0, "required TLS was left out")
        # A refusal in the clear may be injected, so it must not bounce a message.
        self.assertEqual([m for m in sink.messages if not m.mail_from], [])


if __name__ == "__main__":
    unittest.main()
