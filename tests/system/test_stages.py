"""Replies of the next hop at every stage, banner to dot, and the fate of the message."""

import threading
import unittest

from .harness import MESSAGE, Relay, scratch_folder, wait_for
from .scripted import ScriptedServer, make_certificate

STAGES = ["banner", "EHLO", "MAIL", "RCPT", "DATA", "dot"]


class Short(ScriptedServer):
    """Says `reply` to the MAIL that is one too many on its connection."""

    def __init__(self, messages, reply):
        self.most, self.reply = messages, reply
        self.of_connection = threading.local()  # each is served by a thread of its own
        super().__init__()

    def next_reply(self, stage):
        if stage == "MAIL":
            self.of_connection.mails = getattr(self.of_connection, "mails", 0) + 1
            if self.of_connection.mails > self.most:
                return self.reply
        return super().next_reply(stage)


class Stages(unittest.TestCase):
    def relay_to(self, server, routes=None):
        self.addCleanup(server.stop)
        relay = Relay(server.port, routes=routes).start()
        self.addCleanup(relay.remove)
        return relay

    def test_4xx_is_retried_until_it_is_taken(self):
        for stage in STAGES:
            with self.subTest(stage):
                server = ScriptedServer({stage: ["451 4.3.0 not now"]})
                relay = self.relay_to(server)
                relay.send(MESSAGE)
                wait_for(lambda: server.messages, what=f"delivery after 451 at {stage}")
                wait_for(relay.is_empty, what="an empty queue")
                attempts = relay.events("attempt")
                self.assertEqual([a["outcome"] for a in attempts], ["deferred", "delivered"])
                self.assertEqual(attempts[0]["smtp"]["code"], 451)
                self.assertEqual(len(server.messages), 1)
                relay.stop()

    def test_421_is_retried_over_a_new_connection(self):
        for stage in STAGES:
            with self.subTest(stage):
                server = ScriptedServer({stage: ["421 4.3.2 going down"]})
                relay = self.relay_to(server)
                relay.send(MESSAGE)
                wait_for(lambda: server.messages, what=f"delivery after 421 at {stage}")
                self.assertEqual(relay.events("attempt")[0]["smtp"]["code"], 421)
                relay.stop()

    def test_a_closed_connection_is_retried(self):
        for stage in STAGES:
            with self.subTest(stage):
                server = ScriptedServer({stage: [None]})
                relay = self.relay_to(server)
                relay.send(MESSAGE)
                wait_for(lambda: server.messages, what=f"delivery after a close at {stage}")
                relay.stop()

    def test_5xx_to_the_message_is_final_and_bounces(self):
        for stage in ("MAIL", "RCPT", "DATA", "dot"):
            with self.subTest(stage):
                server = ScriptedServer({stage: ["550 5.7.1 never"]})
                relay = self.relay_to(server)
                relay.send(MESSAGE)
                wait_for(lambda: server.messages, what=f"the DSN after 550 at {stage}")
                content = server.messages[0][0]
                self.assertIn(b"multipart/report", content)
                self.assertIn(b"Status: 5.7.1", content)
                self.assertIn("MAIL FROM:<>", " ".join(server.commands))
                self.assertEqual([a["outcome"] for a in relay.events("attempt")][0], "failed")
                relay.stop()

    def test_a_host_without_mail_service_ends_it_when_it_is_the_only_one(self):
        """554 (RFC 5321 section 3.1) or 521 (RFC 7504 section 3) in every banner: there is no later."""
        for code in (521, 554):
            with self.subTest(code):
                server = ScriptedServer({"banner": [f"{code} no mail here"]})
                relay = self.relay_to(server)
                relay.send(MESSAGE)
                wait_for(lambda: server.messages, what="the DSN")
                self.assertIn(b"multipart/report", server.messages[0][0])
                self.assertEqual([a["outcome"] for a in relay.events("attempt")][0], "failed")
                relay.stop()

    def test_5xx_to_the_connection_is_no_verdict_on_the_message(self):
        """5xx in the banner or at EHLO speaks of this server, now: later, it may take it."""
        for replies in ({"banner": ["550 5.3.2 not for you"]},
                        {"EHLO": ["554 5.3.2 no"], "HELO": ["554 5.3.2 no"]}):
            with self.subTest(replies):
                server = ScriptedServer(replies)
                relay = self.relay_to(server)
                relay.send(MESSAGE)
                wait_for(lambda: server.messages, what="delivery in the end")
                wait_for(relay.is_empty, what="an empty queue")
                wait_for(lambda: len(relay.events("attempt")) == 2, what="the line about the second attempt")
                attempts = relay.events("attempt")
                self.assertEqual([a["outcome"] for a in attempts], ["deferred", "delivered"])
                self.assertEqual(attempts[0]["smtp"]["code"], int(list(replies.values())[0][0][:3]))
                self.assertTrue(server.messages[0][0].endswith(b"end\r\n\r\n"))
                relay.stop()

    def test_354_without_a_recipient_gets_nothing_but_a_dot(self):
        """RFC 2920 §3.1: DATA was pipelined, and the server is as odd as it may be."""
        server = ScriptedServer({"RCPT": ["451 4.3.0 not now"], "DATA": ["354 go on anyway"]})
        relay = self.relay_to(server)
        relay.send(MESSAGE)
        wait_for(lambda: server.messages, what="delivery")
        self.assertEqual(len(server.messages), 1)
        self.assertTrue(server.messages[0][0].endswith(b"end\r\n\r\n"))

    def test_a_server_that_takes_two_messages_a_connection_is_sent_two(self):
        for reply in ("421 4.7.0 Too many messages on this connection", "452 4.5.3 Too many messages"):
            with self.subTest(reply):
                server = Short(2, reply)
                relay = self.relay_to(server)
                for _ in range(60):
                    relay.send(MESSAGE)
                wait_for(lambda: len(server.messages) == 60, timeout=60, what="delivery")
                wait_for(relay.is_empty, what="an empty queue")
                put_off = [a for a in relay.events("attempt") if a["outcome"] == "deferred"]
                self.assertLess(len(put_off), 15, "once a session, until it is known")
                relay.stop()

    def test_a_server_that_forgets_that_it_refused_gets_no_empty_message(self):
        server = ScriptedServer({"MAIL": ["451 4.3.0 not now"]}, stateless=True)
        relay = self.relay_to(server)
        relay.send(MESSAGE)
        wait_for(lambda: server.messages, what="delivery")
        wait_for(relay.is_empty, what="an empty queue")
        self.assertEqual(len(server.messages), 1)
        self.assertTrue(server.messages[0][0].endswith(b"end\r\n\r\n"))

    def test_ehlo_refused_falls_back_to_helo(self):
        server = ScriptedServer({"EHLO": ["502 5.5.1 what is that"]})
        relay = self.relay_to(server)
        relay.send(MESSAGE)
        wait_for(lambda: server.messages, what="delivery after HELO")
        self.assertTrue([c for c in server.commands if c.startswith("HELO ")])
        self.assertEqual([a["outcome"] for a in relay.events("attempt")], ["delivered"])


class OutboundTls(unittest.TestCase):
    def setUp(self):
        self.folder = scratch_folder(self)

    def through(self, server, tls=None, ca_file=None, host="127.0.0.1"):
        """The relay with one route to the server, a message on its way."""
        self.addCleanup(server.stop)
        route = {"match": "*", "via": [f"smtp://{host}:{server.port}"], **({"tls": tls} if tls else {})}
        config = {"route": [route], "outbound": {"ca_file": ca_file} if ca_file else {}}
        relay = Relay(server.port, config=config)
        self.addCleanup(relay.remove)
        relay.start()
        relay.send(MESSAGE)
        return relay

    def test_tls_is_used_where_it_is_offered(self):
        server = ScriptedServer(certificate=make_certificate(self.folder, "scripted.test"))
        relay = self.through(server)
        wait_for(lambda: server.messages, what="delivery")
        self.assertEqual(server.messages[0][1], "TLSv1.3")
        wait_for(lambda: relay.events("attempt"), what="the log")
        self.assertEqual(relay.events("attempt")[0]["tls"], "TLSv1.3")
        # Extensions learnt in the clear are forgotten: EHLO is sent again inside TLS.
        self.assertEqual(len([c for c in server.commands if c.startswith("EHLO ")]), 2)

    def test_a_broken_handshake_is_forgiven_when_tls_is_optional(self):
        server = ScriptedServer(certificate=make_certificate(self.folder, "scripted.test"),
                                break_handshake=1)
        self.through(server)
        wait_for(lambda: server.messages, what="delivery in the clear")
        self.assertIsNone(server.messages[0][1])

    def test_starttls_refused_is_forgiven_when_tls_is_optional(self):
        server = ScriptedServer({"STARTTLS": ["454 4.7.0 not now"]},
                                certificate=make_certificate(self.folder, "scripted.test"))
        self.through(server)
        wait_for(lambda: server.messages, what="delivery in the clear")
        self.assertIsNone(server.messages[0][1])

    def test_required_tls_is_never_left_out(self):
        server = ScriptedServer()  # offers none
        relay = self.through(server, tls="require")
        wait_for(lambda: len(relay.events("attempt")) > 1, what="two attempts")
        self.assertEqual({a["outcome"] for a in relay.events("attempt")}, {"deferred"})
        self.assertEqual(server.messages, [])
        self.assertFalse([c for c in server.commands if c.startswith("MAIL")])

    def test_required_tls_survives_a_broken_handshake(self):
        server = ScriptedServer(certificate=make_certificate(self.folder, "scripted.test"),
                                break_handshake=1)
        self.through(server, tls="require")
        wait_for(lambda: server.messages, what="delivery after the retry")
        self.assertEqual(server.messages[0][1], "TLSv1.3")

    def test_an_unknown_certificate_is_refused_where_it_must_be_verified(self):
        server = ScriptedServer(certificate=make_certificate(self.folder, "localhost"))
        relay = self.through(server, tls="verify", host="localhost")
        wait_for(lambda: len(relay.events("attempt")) > 1, what="two attempts")
        self.assertEqual(server.messages, [])
        self.assertEqual(relay.events("attempt")[0]["smtp"]["stage"], "starttls")

    def test_a_verified_certificate_is_taken(self):
        authority = make_certificate(self.folder, "authority")
        server = ScriptedServer(certificate=make_certificate(self.folder, "localhost", authority))
        self.through(server, tls="verify", ca_file=authority[1], host="localhost")
        wait_for(lambda: server.messages, what="delivery")
        self.assertEqual(server.messages[0][1], "TLSv1.3")

    def test_a_good_certificate_for_another_name_is_refused(self):
        authority = make_certificate(self.folder, "authority")
        server = ScriptedServer(certificate=make_certificate(self.folder, "other.test", authority))
        relay = self.through(server, tls="verify", ca_file=authority[1], host="localhost")
        wait_for(lambda: len(relay.events("attempt")) > 1, what="two attempts")
        self.assertEqual(server.messages, [])
