"""Addresses in forms outside of RFC 5321 that machines and people write: taken, passed on, and answered."""

import email
import re
import socket
import unittest

from . import senders
from .harness import MESSAGE, Liberal, Relay, Sink, wait_for
from .senders import Sender

LONG = "bounces+" + "x" * 180 + "-" + "y" * 11  # 200 octets
LONG_TARGET = "reply+" + "t" * 100

ALIASES = {"user": ["target@dest.test"],
           "a..b": ["c..d@dest.test"],
           "far": [LONG_TARGET + "@dest.test"],
           "jürgen": ["j@dest.test"],
           "admin": ["boss@dest.test"],
           "gone": ["nobody@dest.test"]}


class Verbatim(Liberal):
    """Paths as they are on the wire; aiosmtpd takes their quotes away."""

    def _getaddr(self, arg):
        path = re.match(r'\s*<((?:"(?:\\.|[^"\\])*"|[^">])*)>', arg)
        return (path[1] or "<>", arg[path.end():]) if path else (None, None)


class VerbatimSink(Sink):
    smtp = Verbatim


class Line:
    """A session of which every octet is ours."""

    def __init__(self, port, hello="EHLO client.test"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")
        self.reply()
        self.hello = self.say(hello)

    def reply(self):
        while True:
            line = self.stream.readline().decode()
            if line[3:4] != "-":
                return line.rstrip("\r\n")

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.reply()

    def message(self, mail, rcpt, content=MESSAGE):
        """The reply to the dot, or the first that is no 2xx or 3xx."""
        for line in (mail, rcpt, "DATA"):
            said = self.say(line)
            if said[0] not in "23":
                return said
        self.socket.sendall(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        return self.reply()

    def close(self):
        # A client that says nothing after the 250 may not have heard it: the same message, sent
        # again, would be taken for a second try.
        if self.stream.closed:
            return
        self.say("QUIT")
        self.stream.close()
        self.socket.close()


class Addresses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = VerbatimSink(replies={"RCPT": lambda a: "550 5.1.1 unknown" if a.startswith("nobody@") else None})
        cls.sink.start()
        patterns = [{"match": "token-(?P<t>.+)", "to": ["app+${t}@dest.test"]}]
        domain = {"name": "fwd.test", "alias": ALIASES, "pattern": patterns}
        cls.relay = Relay(cls.sink.port, config={"domain": [domain],
                                                 "defaults": {"postmaster": "admin@fwd.test"}})
        cls.relay.start()

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()
        cls.relay.stop()
        cls.relay.remove()

    def setUp(self):
        self.sink.messages.clear()

    def line(self, hello="EHLO client.test"):
        line = Line(self.relay.port, hello)
        self.addCleanup(line.close)
        return line

    def sent(self, mail="MAIL FROM:<ann@sender.test>", rcpt="RCPT TO:<user@fwd.test>",
             hello="EHLO client.test", content=MESSAGE):
        """The message as it arrived at the next hop."""
        self.sink.messages.clear()
        line = self.line(hello)
        reply = line.message(mail, rcpt, content)
        line.close()
        self.assertTrue(reply.startswith("250 2.0.0 queued"), f"{hello} {mail} {rcpt}: {reply}")
        wait_for(lambda: self.sink.messages, what="delivery")
        return self.sink.messages[0]

    def bounced(self, sender):
        """To whom the null sender's mail to this address of ours goes."""
        return self.sent("MAIL FROM:<>", f"RCPT TO:<{sender}>").rcpt_tos[0]

    def test_forms_of_an_address(self):
        for form in ("<ann@sender.test>", " <ann@sender.test>", "ann@sender.test", " ann@sender.test",
                     "ann@sender.test SIZE=100 BODY=8BITMIME", "<ann@sender.test.>",
                     "<@a.test,@b.test:ann@sender.test>", "@a.test:ann@sender.test."):
            with self.subTest(form):
                got = self.sent("MAIL FROM:" + form, "RCPT TO:user@fwd.test")
                self.assertIn("=sender.test=ann@relay.test", got.mail_from)
                self.assertEqual(got.rcpt_tos, ["target@dest.test"])
        for form in (" user@fwd.test", "<user@fwd.test.>", "<@relay.test:user@fwd.test>", '"user"@fwd.test'):
            with self.subTest(form):
                self.assertEqual(self.sent(rcpt="RCPT TO:" + form).rcpt_tos, ["target@dest.test"])

    def test_dots_are_sent_on_in_quotes(self):
        got = self.sent("MAIL FROM:<an..n.@sender.test>", "RCPT TO:<A..B@fwd.test>")
        self.assertEqual(got.rcpt_tos, ['"c..d"@dest.test'])
        self.assertRegex(got.mail_from, r'^"SRS0=[^"]+=sender\.test=an\.\.n\."@relay\.test$')
        self.assertEqual(self.bounced(got.mail_from), '"an..n."@sender.test')
        # A host that takes the quotes away sends its bounce so.
        self.assertEqual(self.bounced(got.mail_from.replace('"', "")), '"an..n."@sender.test')

    def test_long_senders_come_back(self):
        for sender in (LONG + "@news.sender.test", '"' + LONG[:-2] + ' z"@news.sender.test', "a.." + LONG + "@x.test"):
            with self.subTest(sender):
                got = self.sent(f"MAIL FROM:<{sender}>")
                self.assertTrue(got.mail_from.startswith("srst="), got.mail_from)
                self.assertLessEqual(len(got.mail_from.rpartition("@")[0]), 64)
                self.assertEqual(self.bounced(got.mail_from).replace('"', ""), sender.replace('"', ""))

    def test_a_failure_is_told_to_a_long_sender_with_dots(self):
        sender = "a.." + LONG + "@news.sender.test"
        self.assertTrue(self.line().message(f"MAIL FROM:<{sender}>", "RCPT TO:<gone@fwd.test>").startswith("250"))
        wait_for(lambda: self.sink.messages, what="the DSN")
        dsn = self.sink.messages[0]
        self.assertEqual((dsn.mail_from, dsn.rcpt_tos), ("", [f'"a..{LONG}"@news.sender.test']))
        self.assertIn("gone@fwd.test", dsn.content.decode())
        self.assertEqual(email.message_from_bytes(dsn.content).get_content_type(), "multipart/report")

    def test_long_recipients_and_targets(self):
        self.assertEqual(self.sent(rcpt="RCPT TO:<far@fwd.test>").rcpt_tos, [LONG_TARGET + "@dest.test"])
        token = "A" * 90 + "b" * 90
        self.assertEqual(self.sent(rcpt=f"RCPT TO:<token-{token}@fwd.test>").rcpt_tos, [f"app+{token}@dest.test"])
        self.assertTrue(self.line().message(f"MAIL FROM:<{'a' * 250}@sender.test>", "").startswith("501 5.1.7"))

    def test_utf8_names_are_found_in_every_writing(self):
        for name in ("jürgen", "JÜRGEN", "ju\u0308rgen"):
            with self.subTest(name):
                got = self.sent("MAIL FROM:<ann@sender.test> SMTPUTF8", f"RCPT TO:<{name}@fwd.test>")
                self.assertEqual(got.rcpt_tos, ["j@dest.test"])

    def test_any_name_is_taken_and_stays_one_word(self):
        for name, word in (("my pc", "my?pc"), ("(none)", "?none?"), ("[::1]", "?::1?"), ("a\"b'c", "a?b'c"),
                           ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"), ("x ([203.0.113.9])", "x???203.0.113.9??"),
                           ("mül.test", "m??l.test"), ("a" * 300, "a" * 255)):
            for verb in ("EHLO ", "HELO "):
                with self.subTest(verb + name):
                    content = self.sent(hello=verb + name).content
                    self.assertTrue(content.startswith(f"Received: from {word} ([127.0.0.1])\r\n".encode()),
                                    content[:100])
        self.assertTrue(self.line("EHLO").hello.startswith("501 5.5.4"))

    def test_the_postmaster_reads_what_is_for_this_host(self):
        for to in ("<postmaster>", "postmaster", "<Postmaster@relay.test>", "<abuse@relay.test>",
                   "<postmaster@mx.fwd.test>", "<abuse@mx.fwd.test.>", "<MAILER-DAEMON@mx.fwd.test>",
                   "<postmaster@fwd.test>"):
            with self.subTest(to):
                self.assertEqual(self.sent(rcpt="RCPT TO:" + to).rcpt_tos, ["boss@dest.test"])
        self.assertTrue(self.line().message("MAIL FROM:<>", "RCPT TO:<root@mx.fwd.test>").startswith("550 5.7.1"))

    def test_a_long_way_and_a_large_header(self):
        hops = b"".join(b"Received: from a.test by b.test; x\r\n" for _ in range(99))
        to = b"To: " + b",\r\n ".join(b"somebody%d@example.test" % i for i in range(8000)) + b"\r\n"
        content = hops + to + b"From: ann@sender.test\r\n\r\nhello\r\n"
        self.assertGreater(len(content), 200_000)
        self.assertTrue(self.sent(content=content).content.endswith(content))
        looping = hops + b"Received: from c.test by d.test; x\r\n" * 2 + b"\r\nhello\r\n"
        reply = self.line().message("MAIL FROM:<ann@sender.test>", "RCPT TO:<user@fwd.test>", looping)
        self.assertTrue(reply.startswith("554 5.4.6"), reply)


class NamedResults(unittest.TestCase):
    def test_a_name_that_is_none_is_quoted_or_left_out_of_the_results(self):
        """Of the null sender SPF is asked by HELO, which stands in Authentication-Results."""
        author = Sender("author.example", None, None)
        world = senders.world([author])
        self.addCleanup(world.stop)
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, verify=True, config={"dns": {"forward_to": [f"127.0.0.1@{world.port}"]}})
        self.addCleanup(relay.remove)
        relay.start()
        for name, shown in (("my pc", '"my?pc"'), ("x; dmarc=pass", "unknown"), ('a"b', "unknown"),
                            ("(none)", "unknown"), ("mx.author.example", "mx.author.example")):
            with self.subTest(name):
                sink.messages.clear()
                line = Line(relay.port, "EHLO " + name)
                self.addCleanup(line.close)
                reply = line.message("MAIL FROM:<>", "RCPT TO:<user@fwd.test>", author.sign(author.message()))
                self.assertTrue(reply.startswith("250 2.0.0 queued"), reply)
                wait_for(lambda: sink.messages, what="delivery")
                results = senders.fields_of(sink.messages[0].content, "Authentication-Results")[0]
                self.assertIn(f"smtp.helo={shown};", results)
                self.assertEqual(results.count("dmarc="), 1)


if __name__ == "__main__":
    unittest.main()
