"""Nobody relays through us, nothing goes round, storms are calmed, logs hold."""

import itertools
import json
import re
import smtplib
import socket
import unittest

from .harness import MESSAGE, Relay, Sink, wait_for
from .scripted import ScriptedServer

VICTIM = ("victim", "elsewhere.test")


def open_relay_forms():
    """Ways to write "victim@elsewhere.test" so that a careless relay takes it for one of ours."""
    local, domain = VICTIM
    ours = ["fwd.test", "FWD.TEST", "relay.test", "mx.fwd.test", "[127.0.0.1]", "localhost"]
    plain = [f"{local}@{domain}", f'"{local}"@{domain}', f"{local}@{domain.upper()}", f"{local}+user@{domain}",
             f"user@{domain}", f"user@fwd.test.{domain}", f"user@xfwd.test", f"user@sub.fwd.test",
             f"user@fwd.test.", f"user@.fwd.test", f"user@fwd..test", f"user@fwd.test@{domain}",
             f"{local}@[192.0.2.1]", f"{local}@[IPv6:2001:db8::1]", f"{local}@192.0.2.1", f"{local}@#3221225985",
             f"{local}@3221225985", f"{local}@0300.0.2.1", local, f"{local}@", f"@{domain}", "@", "",
             f"{local}@{domain} ", f" {local}@{domain}", f"{local}@{domain},user@fwd.test",
             f"user@fwd.test,{local}@{domain}", f"user@fwd.test {local}@{domain}", f"user@fwd.test;{local}@{domain}",
             f"{local}%{domain}", f"{domain}!{local}", f"user@fwd.test\t{local}@{domain}"]
    wrapped = []
    for own in ours:
        for inner in (f"{local}%{domain}", f"{domain}!{local}", f'"{local}@{domain}"', f"{local}@{domain}",
                      f"{local}={domain}", f"{local}#{domain}", f"{local}:{domain}", f"{local}/{domain}",
                      f'"{local}%{domain}"', f'"{domain}!{local}"', f"{domain}::{local}", f"{local}.{domain}",
                      f"+{local}={domain}", f"SRS0={local}={domain}", f"SRS0=aaaaaaaa=AA={domain}={local}",
                      f"SRS1=aaaaaaaa=x.test==aaaaaaaa=AA={domain}={local}", f"SRS0+aaaaaaaa=AA={domain}={local}",
                      f"srst={local}", f"prvs=0123456789={local}", f"BATV={local}={domain}",
                      f"{local}\\@{domain}", f"{local}(x)@{domain}", f"<{local}@{domain}>", "MAILER-DAEMON",
                      "root", "abuse", f"|/bin/sh", f"/etc/passwd", f":include:/etc/passwd", f"\\{local}"):
            wrapped.append(f"{inner}@{own}")
        wrapped += [f"@{own}:{local}@{domain}", f"@{own},@{own}:{local}@{domain}", f"{domain}!{own}!{local}",
                    f"{own}!{local}@{domain}", f"{local}%{domain}%{own}", f"{local}%{own}@{domain}",
                    f"{local}@{domain}@{own}", f"{own}@{local}@{domain}"]
    cased = [form.upper() for form in wrapped] + [form.replace("@", "%40", 1) for form in wrapped]
    forms = list(dict.fromkeys(plain + wrapped + cased))
    return [f for f in forms if f.isprintable() or "\t" in f]


class OpenRelay(unittest.TestCase):
    def test_no_form_of_a_foreign_address_is_taken(self):
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, config={"limits": {"max_errors": 10_000, "max_junk": 10_000}}).start()
        self.addCleanup(relay.remove)
        forms = open_relay_forms()
        self.assertGreaterEqual(len(forms), 500)
        taken = []
        with socket.create_connection(("127.0.0.1", relay.port), timeout=20) as s:
            stream = s.makefile("rb")
            stream.readline()
            s.sendall(b"EHLO client.test\r\n")
            while stream.readline()[3:4] == b"-":
                pass
            for sender, form in itertools.product((b"<ann@sender.test>", b"<>"), forms):
                s.sendall(b"MAIL FROM:" + sender + b"\r\nRCPT TO:<" + form.encode() + b">\r\nRSET\r\n")
                self.assertTrue(stream.readline().startswith(b"250"))
                reply = stream.readline()
                self.assertTrue(stream.readline().startswith(b"250"))
                # After some guesses forged SRS addresses are not even checked.
                if not re.match(rb"5\d\d |450 4\.7\.1 Too many bounces", reply):
                    taken.append((sender, form, reply))
        # These are aliases of ours, although they look like other forms.
        allowed = {"user@fwd.test."}
        self.assertEqual([t for t in taken if t[1].lower() not in allowed], [])
        self.assertEqual((relay.rows(), sink.messages), ([], []))

    def test_control_a_form_of_ours_is_taken(self):
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port).start()
        self.addCleanup(relay.remove)
        relay.send(MESSAGE, to=["USER@Fwd.Test"])
        wait_for(lambda: sink.messages, what="delivery")


class Loops(unittest.TestCase):
    def test_two_relays_that_point_at_each_other(self):
        """At most three laps, one DSN, and quiet."""
        ends = Sink().start()  # where the DSN goes
        self.addCleanup(ends.stop)
        a = Relay(ends.port, hostname="mx.a.test", domain="a.test", srs="srs.a.test")
        b = Relay(ends.port, hostname="mx.b.test", domain="b.test", srs="srs.b.test")
        for here, there in ((a, b), (b, a)):
            here.aliases = {"user": [f"user@{there.domain}"]}
            here.routes = [(there.domain, there.port), (there.srs, there.port), ("sender.test", ends.port)]
            here.write_config()
            here.start()
            self.addCleanup(here.remove)
        a.send(MESSAGE, to=["user@a.test"])
        wait_for(lambda: ends.messages, what="the DSN")
        wait_for(lambda: a.is_empty() and b.is_empty(), what="empty queues")
        self.assertEqual(len(ends.messages), 1)
        dsn = ends.messages[0]
        self.assertEqual((dsn.mail_from, dsn.rcpt_tos), ("", ["ann@sender.test"]))
        self.assertIn(b"5.4.6", dsn.content)
        laps = len([e for e in a.events("received") if e.get("mail_from") != ""])
        self.assertLessEqual(laps, 3)

    def test_aliases_of_one_relay_that_point_at_each_other_are_refused_by_the_check(self):
        relay = Relay(1, aliases={"a": ["b@fwd.test"], "b": ["a@fwd.test"]})
        self.addCleanup(relay.remove)
        done = relay.cli("check", relay.path("relay.toml"))
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "leads back to itself")


class BounceStorm(unittest.TestCase):
    def test_an_srs_address_takes_so_many_bounces_an_hour_and_no_more(self):
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, config={"srs": {"bounces": {"per_address": 20, "per_sender": 30}}}).start()
        self.addCleanup(relay.remove)
        relay.send(MESSAGE)
        wait_for(lambda: sink.messages, what="delivery")
        address = sink.messages.pop().mail_from
        taken = refused = 0
        for _ in range(200):
            try:
                relay.send(MESSAGE, sender="<>", to=[address])
                taken += 1
            except smtplib.SMTPResponseException as e:
                self.assertIn(e.smtp_code, (450, 451, 452, 421))
                refused += 1
        self.assertEqual((taken, refused), (20, 180))
        wait_for(lambda: len(sink.messages) == 20, what="those taken")
        # The address is no mailbox, so it is refused for good as a sender.
        with self.assertRaises(smtplib.SMTPResponseException) as caught:
            relay.send(MESSAGE, to=[address])
        self.assertEqual(caught.exception.smtp_code, 550)
        wait_for(relay.is_empty, what="an empty queue")
        self.assertEqual(len(sink.messages), 20)

    def test_bounces_of_bounces_end(self):
        """Every server on the way refuses; there is one DSN, and it dies."""
        refusing = ScriptedServer({"RCPT": ["550 5.1.1 no"] * 100})
        self.addCleanup(refusing.stop)
        relay = Relay(refusing.port).start()
        self.addCleanup(relay.remove)
        for _ in range(10):
            relay.send(MESSAGE)
        wait_for(relay.is_empty, what="an empty queue")
        self.assertEqual(len([e for e in relay.events("dsn") if e.get("dsn_id")]), 10)
        self.assertEqual(len([c for c in refusing.commands if c.startswith("MAIL")]), 20)


class LogInjection(unittest.TestCase):
    EVIL = '\x1b[31mred\x07 "quote" \\ \u202e \x85 {"event":"forged"} %s %n'

    def test_what_others_say_never_makes_a_line(self):
        replies = [f"550 5.7.1 {self.EVIL}", "550-5.7.1 two\n550 5.7.1 lines {\"event\":\"forged\"}"]
        server = ScriptedServer({"RCPT": replies})
        self.addCleanup(server.stop)
        relay = Relay(server.port).start()
        self.addCleanup(relay.remove)
        for _ in replies:
            relay.send(MESSAGE.replace(b"<1@sender.test>", b'<\x1b[2J"}\\n{"event":"forged"}@x>'))
        with socket.create_connection(("127.0.0.1", relay.port), timeout=20) as s:
            # At once: it may be cut off in the middle.
            s.sendall(b"EHLO " + self.EVIL.encode() + b"\r\n"
                      b"EHLO \xff\xfe\r\n\x1b]0;title\x07\r\nMAIL FROM:<\"\x1b[31m\\\"}\"@x.test>\r\n"
                      b"RCPT TO:<\"{\\\"event\\\":\\\"forged\\\"}\"@fwd.test>\r\nRCPT TO:<a\x00b@fwd.test>\r\n"
                      + b"x" * 5000 + b"\r\nQUIT\r\n")
            s.makefile("rb").read()
        wait_for(lambda: len([a for a in relay.events("attempt") if a["outcome"] == "failed"]) >= 2,
                 what="the refusals")
        wait_for(lambda: relay.events("config_warning"), what="the review, which waits for an idle processor")
        relay.stop()
        with open(relay.path("log"), "rb") as f:
            log = f.read()
        self.assertIn(b"forged", log, "it was said, and is shown as text")
        self.assertFalse(re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", log))
        for line in log.splitlines():
            event = json.loads(line)
            self.assertNotEqual(event["event"], "forged")
            self.assertLess(len(line), 8000)
            self.assertNotRegex(line.decode(), "[\u0080-\u009f\u202a-\u202e\u2066-\u2069]")


if __name__ == "__main__":
    unittest.main()
