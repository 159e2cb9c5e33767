"""Mail in at one end, out at the other: envelope, bytes, signatures."""

import shutil
import smtplib
import socket
import subprocess
import unittest

import dkim

from .harness import MESSAGE, Relay, Sink, free_port, wait_for


class Forwarding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = Sink().start()
        cls.relay = Relay(cls.sink.port, tls=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()
        cls.code = cls.relay.stop()
        cls.relay.remove()

    def arrived(self, number=1):
        wait_for(lambda: len(self.sink.messages) >= number, what="delivery")
        return self.sink.messages

    def setUp(self):
        self.sink.messages.clear()

    def test_bytes_are_untouched_and_the_sender_is_rewritten(self):
        self.relay.send(MESSAGE)
        got = self.arrived()[0]
        self.assertRegex(got.mail_from, r"^SRS0=[a-z2-7]{8}=[A-Z2-7]{2}=sender\.test=ann@relay\.test$")
        self.assertEqual(got.rcpt_tos, ["target@dest.test"])
        self.assertTrue(got.content.endswith(MESSAGE))
        ours = got.content[:-len(MESSAGE)]
        self.assertTrue(ours.startswith(b"Received: from client.test ([127.0.0.1])"))
        self.assertEqual(ours.count(b"\r\nDKIM-Signature:"), 2)

    def test_both_signatures_verify_and_a_change_breaks_them(self):
        self.relay.send(MESSAGE)
        content = self.arrived()[0].content

        def record(name, **_):
            return self.relay.records[name.decode().rstrip(".")].encode()

        def verifies(message, index):
            try:
                return dkim.DKIM(message).verify(idx=index, dnsfunc=record)
            except dkim.ValidationError:
                return False

        for index in (0, 1):
            self.assertTrue(verifies(content, index), index)
            self.assertFalse(verifies(content.replace(b"Hello", b"Hallo"), index), index)
            self.assertFalse(verifies(b"From: other@x.test\r\n" + content, index), index)

    def test_the_only_recipient_is_named_in_the_trace(self):
        self.relay.send(MESSAGE)
        trace = self.arrived()[0].content[:-len(MESSAGE)]
        self.assertRegex(trace, rb"\r\n\tby [^ ]+ \(srs-relay\) with ESMTP id \w+\r\n\tfor <user@fwd\.test>;\r\n\t")
        back = self.sink.messages[0].mail_from
        self.sink.messages.clear()
        self.relay.send(MESSAGE, to=["two@fwd.test", "user@fwd.test"])
        wait_for(lambda: sum(len(m.rcpt_tos) for m in self.sink.messages) >= 3, what="delivery")
        for message in self.sink.messages:
            self.assertNotIn(b"\tfor ", message.content)
        self.sink.messages.clear()
        self.relay.send(MESSAGE, sender="", to=[back])
        self.assertNotIn(b"\tfor ", self.arrived()[0].content)

    def test_starttls_is_named_in_the_trace(self):
        self.relay.send(MESSAGE, tls=True)
        self.assertIn(b"with ESMTPS id", self.arrived()[0].content)

    def test_swaks_pipelined(self):
        if not shutil.which("swaks"):
            self.skipTest("swaks is not installed")
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{self.relay.port}", "--from", "ann@sender.test",
             "--to", "user@fwd.test", "--pipeline", "--silent", "3"], check=False)
        self.assertEqual(done.returncode, 0)
        self.arrived()

    def test_smtputf8_sender_becomes_an_ascii_token(self):
        with smtplib.SMTP("127.0.0.1", self.relay.port) as s:
            s.ehlo("client.test")
            s.send("MAIL FROM:<jürgen@sender.test> SMTPUTF8 BODY=8BITMIME\r\n".encode())
            self.assertEqual(s.getreply()[0], 250)
            self.assertEqual(s.rcpt("user@fwd.test")[0], 250)
            self.assertEqual(s.data("From: jürgen@sender.test\r\n\r\nhi\r\n".encode())[0], 250)
        token = self.arrived()[0].mail_from
        self.assertTrue(token.startswith("srst="), token)
        self.sink.messages.clear()
        with smtplib.SMTP("127.0.0.1", self.relay.port) as s:  # and back again
            s.ehlo("bouncer.test")
            self.assertEqual(s.mail("")[0], 250)
            self.assertEqual(s.rcpt(token)[0], 250)

    def test_refuses_what_is_not_ours(self):
        for rcpt, code in (("nobody@fwd.test", 550), ("x@elsewhere.test", 550),
                           ("victim%elsewhere.test@fwd.test", 550)):
            with self.assertRaises(smtplib.SMTPResponseException) as refused:
                self.relay.send(MESSAGE, to=[rcpt])
            self.assertEqual(refused.exception.smtp_code, code)

    def test_bare_line_feeds_are_refused_whole(self):
        raw = b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<user@fwd.test>\r\nDATA\r\n"
        with socket.create_connection(("127.0.0.1", self.relay.port)) as s:
            f = s.makefile("rb")
            self.assertTrue(f.readline().startswith(b"220"))
            s.sendall(b"HELO c\r\n")  # what comes behind it may not be sent with it
            self.assertTrue(f.readline().startswith(b"250"))
            s.sendall(raw)
            self.assertEqual([f.readline()[:3] for _ in range(3)], [b"250", b"250", b"354"])
            s.sendall(b"Subject: x\r\n\r\none\n.\r\nMAIL FROM:<evil@x.test>\r\n.\r\n")
            self.assertTrue(f.readline().startswith(b"550 5.6.0"))
        self.assertEqual(self.sink.messages, [])

    def test_a_big_message_streams_through(self):
        content = MESSAGE + (b"x" * 998 + b"\r\n") * 3000
        self.relay.send(content)
        self.assertTrue(self.arrived()[0].content.endswith(content))

    def test_several_targets_each_get_one_copy(self):
        self.relay.send(MESSAGE, to=["two@fwd.test", "user@fwd.test"])
        wait_for(lambda: sum(len(m.rcpt_tos) for m in self.sink.messages) >= 3, what="delivery")
        got = sorted(r for m in self.sink.messages for r in m.rcpt_tos)
        self.assertEqual(got, ["a@dest.test", "b@other.test", "target@dest.test"])


class Draining(unittest.TestCase):
    def test_sigterm_ends_cleanly(self):
        relay = Relay(free_port()).start()
        try:
            relay.send(MESSAGE)
            self.assertEqual(relay.stop(), 0)
            self.assertTrue(relay.events("stopped"))
        finally:
            relay.remove()


if __name__ == "__main__":
    unittest.main()
