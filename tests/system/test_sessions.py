"""Sessions over real sockets: too much content, silence in a drain, a lost 250."""

import json
import select
import socket
import struct
import time
import unittest

from .harness import Relay, Sink, wait_for

ANN = "ann@sender.test"
# As a power supply writes it: each time the same, without Message-ID and Date.
ALARM = b"From: ups@sender.test\r\nSubject: On battery\r\n\r\nAlarm\r\n"


class Client:
    """A plain client: says a line, hears a reply."""

    def __init__(self, relay, source=("127.0.0.1", 0)):
        self.socket = socket.create_connection(("127.0.0.1", relay.port), timeout=30, source_address=source)
        self.reader = self.socket.makefile("rb")
        self.hear()

    def hear(self):
        while True:
            line = self.reader.readline()
            if line[3:4] != b"-":
                return line.decode()

    def say(self, *lines):
        for line in lines:
            self.socket.sendall(line.encode() + b"\r\n")
            reply = self.hear()
        return reply

    def begin(self, data=True):
        envelope = ["EHLO client.test", "MAIL FROM:<ann@sender.test>", "RCPT TO:<user@fwd.test>"]
        return self.say(*envelope, *(["DATA"] if data else []))

    def close(self):
        self.reader.close()
        self.socket.close()


def sessions(relay):
    return json.loads(relay.cli("--json", "status").stdout)["sessions"]


class Sessions(unittest.TestCase):
    def setUp(self):
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)

    def relay(self, aliases=None, **config):
        relay = Relay(self.sink.port, aliases=aliases, config=config)
        self.addCleanup(relay.remove)
        return relay.start()


class EqualMessages(Sessions):
    def alarm(self, relay, reset=False):
        client = Client(relay)
        client.begin()
        client.socket.sendall(ALARM + b".\r\n")
        if reset:  # without having read the reply
            wait_for(lambda: relay.events("received"), what="the alarm to be accepted")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            return None
        reply = client.hear()
        client.close()  # a FIN, and no QUIT
        return reply.split()[-1]

    def test_five_equal_alarms_are_five_messages(self):
        relay = self.relay()
        numbers = {self.alarm(relay) for _ in range(5)}
        self.assertEqual(len(numbers), 5)
        wait_for(lambda: len(self.sink.messages) == 5, what="five alarms")
        self.assertEqual(relay.events("resent"), [])

    def test_an_alarm_whose_reply_was_lost_is_known_again(self):
        self.sink.stop()  # the alarm stays in the queue
        relay = self.relay()
        self.alarm(relay, reset=True)
        number = relay.events("received")[0]["msg_id"]
        wait_for(lambda: sessions(relay) == 0, what="the end of the session")
        self.assertEqual(self.alarm(relay), number)
        # It has read the reply, so the same content again, ten minutes later, is another alarm.
        # After a crash it is unknown which clients have read their replies.
        relay.kill()
        relay.start()
        self.assertEqual(self.alarm(relay), number)

    def test_an_orderly_end_leaves_no_doubt_about_an_alarm(self):
        self.sink.stop()
        relay = self.relay()
        first = self.alarm(relay)
        relay.stop()
        relay.start()
        self.assertNotEqual(self.alarm(relay), first)

    def test_after_a_crash_a_message_is_known_again_however_it_was_addressed(self):
        """By the commands of the client, and not by the fate of the message in the queue."""
        aliases = {"user": ["target@dest.test"], "info": ["target@dest.test"], "two": ["a@dest.test", "b@dest.test"],
                   "gone": ["x@dest.test"]}
        relay = self.relay(aliases=aliases)
        delivered = (["user@fwd.test"], ANN)
        before = [self.send_equal(relay, *delivered)]
        sender = wait_for(lambda: self.sink.messages, what="a copy")[0].mail_from  # an SRS address of ours
        wait_for(relay.is_empty, what="its record")
        self.sink.stop()
        cases = [delivered, (["two@fwd.test"], ANN), (["gone@fwd.test"] * 2, ANN),
                 (["user@fwd.test", "info@fwd.test"], ANN), (["gone@fwd.test", "two@fwd.test", "gone@fwd.test"], ANN),
                 (["gone@fwd.test", "user@fwd.test"], sender)]
        before += [self.send_equal(relay, *case) for case in cases[1:]]
        self.assertEqual(len(set(before)), len(cases))
        relay.kill()
        relay.start()
        self.assertEqual([self.send_equal(relay, *case) for case in cases], before)

    def send_equal(self, relay, recipients, sender=ANN):
        client = Client(relay)
        client.say("EHLO client.test", f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            self.assertTrue(client.say(f"RCPT TO:<{recipient}>").startswith("250"), recipient)
        client.say("DATA")
        client.socket.sendall(b"Message-ID: <1@sender.test>\r\n" + ALARM + b".\r\n")
        number = client.hear().split()[-1]
        client.close()  # nobody knows whether it has heard
        return number


class TooMuchContent(Sessions):
    def test_is_read_while_the_allowance_lasts(self):
        relay = self.relay(limits={"max_size": "1MiB"})
        client = Client(relay)
        client.begin()
        line = b"x" * 998 + b"\r\n"
        client.socket.sendall(b"Subject: big\r\n\r\n" + line * 1500 + b".\r\n")
        self.assertTrue(client.hear().startswith("552 5.3.4"))
        self.assertTrue(client.say("NOOP").startswith("250"))
        client.close()

    def test_and_then_the_client_hears_why_it_is_sent_away(self):
        """One that looks for a reply as it sends. The bound is what it may send before it finds one."""
        relay = self.relay(limits={"max_size": "1MiB"})
        client = Client(relay)
        client.begin()
        block = (b"x" * 998 + b"\r\n") * 16
        sent = 0
        while sent < 64 << 20 and not select.select([client.socket], [], [], 0)[0]:
            client.socket.sendall(block)
            sent += len(block)
        self.assertLess(sent, 64 << 20)
        self.assertTrue(client.hear().startswith("552 5.3.4"))
        self.assertTrue(client.hear().startswith("421 4.7.0"))
        client.close()
        wait_for(lambda: sessions(relay) == 0, what="the end of the session")
        # The octets were charged to it, and others are not harmed.
        relay.send(b"Subject: small\r\n\r\nx\r\n")


class Drain(Sessions):
    def test_half_a_handshake_ends_before_patience(self):
        relay = Relay(self.sink.port, tls=True)
        self.addCleanup(relay.remove)
        relay.start()
        client = Client(relay)
        client.say("EHLO c.test")
        self.assertTrue(client.say("STARTTLS").startswith("220"))
        client.socket.sendall(b"\x16")
        time.sleep(0.3)
        began = time.monotonic()
        self.assertEqual(relay.stop(), 0)
        self.assertLess(time.monotonic() - began, 25)
        client.close()

    def test_half_a_line_and_a_silent_transaction_hear_421_before_patience_ends(self):
        relay = self.relay()
        half, silent = Client(relay), Client(relay)
        half.socket.sendall(b"NOO")
        silent.begin(data=False)
        began = time.monotonic()
        self.assertEqual(relay.stop(), 0)
        # Ten seconds for a client that says nothing; patience is thirty.
        self.assertLess(time.monotonic() - began, 25)
        for client in (half, silent):
            self.assertTrue(client.hear().startswith("421 4.3.2"))
            client.close()
        self.assertTrue(relay.events("stopped")[0]["sessions_ended"])


if __name__ == "__main__":
    unittest.main()
