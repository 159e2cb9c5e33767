"""Incoming mail is verified, treated by the result, and leaves with the results in its header."""

import smtplib
import time
import unittest

import dkim

from . import senders
from .harness import Relay, Sink, wait_for
from .senders import AUTHORISED, Sender, fields_of


class AuthenticationCase(unittest.TestCase):
    """A relay that verifies, a world to ask about, and a next hop. `config` is more configuration."""

    senders = ()
    zones = {}
    config = {}
    aliases = None

    def setUp(self):
        self.relay = None
        self.sink = Sink().start()
        self.world = senders.world(self.senders, self.zones)
        self.relay = Relay(self.sink.port, aliases=self.aliases, verify=True, dns=self.world.port, config=self.config)
        self.relay.start()

    def tearDown(self):
        if self.relay:
            self.relay.stop()
            self.relay.remove()
        self.world.stop()
        self.sink.stop()

    def forwarded(self, message, sender, to=None):
        """What arrives at the next hop, with the A-R field's methods as {method: result}."""
        before = len(self.sink.messages)
        self.relay.send(message, sender=sender, to=to)
        wait_for(lambda: len(self.sink.messages) > before, what="delivery")
        got = self.sink.messages[before]
        got.results = {}
        for field in fields_of(got.content, "Authentication-Results")[:1]:
            for part in field.split(";")[1:]:
                method, _, result = part.strip().split()[0].partition("=")
                got.results.setdefault(method, []).append(result)
        return got

    def refusal(self, message, sender, to=None):
        with self.assertRaises(smtplib.SMTPResponseException) as refused:
            self.relay.send(message, sender=sender, to=to)
        return refused.exception.smtp_code, refused.exception.smtp_error.decode()


GOOD = Sender("good.example", AUTHORISED)
KEYED = Sender("keyed.example")
HINTED = Sender("hinted.example", policy="p=none")
CAREFUL = Sender("careful.example", policy="p=quarantine")
PLAIN = Sender("plain.example", None, None)


class Vast(Sender):
    """Its SPF record leads to more hosts than we ask about: who it authorises stays open."""

    def __init__(self, domain):
        super().__init__(domain, "v=spf1 " + " ".join(f"mx:m{n}.{domain}" for n in range(10)) + " -all")

    def records(self):
        hosts = [(f"m{n}", f"h{host}.m{n}") for n in range(10) for host in range(10)]
        return (super().records() + [f"{name} 60 IN MX 1 {host}" for name, host in hosts]
                + [f"{host} 60 IN A 192.0.2.9" for _, host in hosts])


VAST = Vast("vast.example")


class AtOurLimit(AuthenticationCase):
    senders = (VAST,)

    def test_what_was_left_unfinished_is_named_in_log_verify_and_queue(self):
        self.sink.replies["RCPT"] = lambda address: "451 4.3.0 Later"
        id = self.relay.send(VAST.message(), sender="ann@vast.example")  # p=reject: and yet not refused
        named = "left unfinished at our limit of lookups"
        self.assertIn(named, self.relay.cli("queue", "why", id).stdout)
        self.assertIn("asks for more lookups", self.relay.events("received")[0]["auth"]["problem"])
        message = self.relay.path("vast.eml")
        with open(message, "wb") as f:
            f.write(VAST.message())
        verdict = self.relay.cli("verify", message, "--ip", senders.CLIENT, "--helo", "vast.example",
                                 "--mail-from", "ann@vast.example", "--to", "user@fwd.test")
        self.assertIn(named, verdict.stdout)


class Verdicts(AuthenticationCase):
    senders = (GOOD, KEYED, HINTED, CAREFUL, PLAIN)
    zones = {"broken.example": None}

    def test_verify_reads_files_with_mixed_line_ends(self):
        signed = GOOD.sign(GOOD.message())
        unix = signed.replace(b"\r\n", b"\n")
        message = self.relay.path("mixed.eml")
        for content in (signed, unix, unix[:-1] + b"\r\n", unix.replace(b"\n\n", b"\r\n\n", 1)):
            with open(message, "wb") as f:
                f.write(content)
            verdict = self.relay.cli("verify", message, "--ip", senders.CLIENT, "--helo", "x.example",
                                     "--mail-from", "ann@good.example", "--to", "user@fwd.test")
            self.assertIn("dkim=pass", verdict.stdout.replace(" ", "").lower(), verdict.stdout)

    def test_everything_passes(self):
        message = GOOD.sign(GOOD.message())
        got = self.forwarded(message, "ann@good.example")
        self.assertTrue(got.content.endswith(message))
        self.assertIn("pass", got.results["spf"])
        self.assertEqual(got.results["dkim"], ["pass"])
        self.assertEqual(got.results["dmarc"], ["pass"])

    def test_dkim_alone_is_enough(self):
        got = self.forwarded(KEYED.sign(KEYED.message()), "ann@keyed.example")
        self.assertIn("fail", got.results["spf"])
        self.assertEqual(got.results["dkim"], ["pass"])
        self.assertEqual(got.results["dmarc"], ["pass"])
        self.assertTrue(got.mail_from.lower().startswith("srs0="), got.mail_from)

    def test_a_domain_without_records(self):
        got = self.forwarded(PLAIN.message(), "ann@plain.example")
        self.assertEqual(got.results["dkim"], ["none"])
        self.assertEqual(got.results["dmarc"], ["none"])

    def test_a_changed_body(self):
        message = HINTED.sign(HINTED.message()).replace(b"Hello.", b"Bye.")
        got = self.forwarded(message, "ann@hinted.example")
        self.assertEqual(got.results["dkim"], ["fail"])
        self.assertEqual(got.results["dmarc"], ["fail"])

    def test_reject_is_followed_in_the_session(self):
        """Mail that fails DMARC is not forwarded."""
        code, text = self.refusal(KEYED.message(), "ann@keyed.example")
        self.assertEqual(code, 550)
        self.assertTrue(text.startswith("5.7.1 "), text)
        self.assertIn("keyed.example", text)
        self.assertEqual(self.sink.messages, [])
        wait_for(lambda: self.relay.events("rejected"), what="the refusal in the log")

    def test_quarantine_leaves_by_the_risk_pool(self):
        got = self.forwarded(CAREFUL.message(), "ann@careful.example")
        self.assertEqual(got.results["dmarc"], ["fail"])
        received = self.relay.events("received")[-1]
        self.assertIn("risk", str(received))

    def test_temperror_is_put_off(self):
        """No answer from the DNS is not the answer "no policy"."""
        code, text = self.refusal(GOOD.message(author="Ann <ann@broken.example>"), "ann@broken.example")
        self.assertEqual(code, 451, text)

    def test_a_from_field_that_is_not_one(self):
        """An unclear author counts as unproven: the strictest policy holds."""
        for author in ("Ann <ann@good.example>, Eve <eve@plain.example>\r\nFrom: eve@plain.example", "Ann", ""):
            code, text = self.refusal(PLAIN.message(author=author or " "), "ann@plain.example")
            self.assertEqual(code, 550, text)

    def test_forged_results_are_removed(self):
        """Fields in our name are removed in any spelling; others stay, in their order."""
        forged = (b"Authentication-Results: mx.fwd.test; dmarc=pass header.from=bank.example\r\n"
                  b"Authentication-Results: other.test; spf=pass smtp.mailfrom=x@y.test\r\n"
                  b"authentication-results:\r\n\t(hi) MX.FWD.TEST 1; dkim=pass\r\n")
        message = PLAIN.message()
        got = self.forwarded(forged + message, "ann@plain.example")
        found = fields_of(got.content, "Authentication-Results")
        self.assertEqual(len(found), 2, found)
        self.assertTrue(found[0].startswith("mx.fwd.test;"))
        self.assertEqual(found[1], "other.test; spf=pass smtp.mailfrom=x@y.test")
        self.assertNotIn(b"bank.example", got.content)
        self.assertTrue(got.content.endswith(message))

    def test_the_null_sender_is_known_by_its_helo(self):
        """And the verdict says which identity was asked."""
        got = self.forwarded(GOOD.sign(GOOD.message()), "")
        self.assertEqual(got.mail_from, "")
        self.assertEqual(got.results["dmarc"], ["pass"])

    def test_no_dsn_to_an_unauthenticated_sender(self):
        """Nobody who did not write hears of a failure."""
        self.sink.replies = {"RCPT": lambda a: "550 5.1.1 no"}
        self.relay.send(PLAIN.message(), sender="victim@plain.example")
        wait_for(lambda: self.relay.events("suppressed"), what="the suppressed bounce")
        self.relay.send(GOOD.message(), sender="ann@good.example")
        wait_for(lambda: self.sink.replies and self.relay.events("dsn"), what="a DSN for good.example")
        self.assertEqual(len(self.relay.events("dsn")), 1)


class Sealing(AuthenticationCase):
    senders = (GOOD, KEYED, Sender("relay.test", None, None))
    config = {"arc": {"domain": "relay.test", "selector": "rsa", "file": "rsa.pem"},
              "target": [{"match": "always.test", "arc": "always"}, {"match": "never.test", "arc": "never"}]}
    aliases = {"user": ["a@dest.test"], "always": ["a@always.test"], "never": ["a@never.test"],
               "all": ["a@dest.test", "b@always.test", "c@never.test"]}

    def verify_arc(self, content):
        cv, results, reason = dkim.ARC(content).verify(dnsfunc=self.answer)
        return cv

    def answer(self, name, timeout=5):
        key = name.decode().rstrip(".")
        if key in self.relay.records:
            return self.relay.records[key].encode()
        return self.world.txt(key)

    def test_only_targets_that_want_it_get_a_seal(self):
        message = GOOD.sign(GOOD.message())
        self.relay.send(message, sender="ann@good.example", to=["all@fwd.test"])
        wait_for(lambda: sum(len(m.rcpt_tos) for m in self.sink.messages) == 3, what="three copies")
        for got in self.sink.messages:
            self.assertTrue(got.content.endswith(message))
            sealed = fields_of(got.content, "ARC-Seal")
            if "b@always.test" in got.rcpt_tos:
                self.assertEqual(got.rcpt_tos, ["b@always.test"])
                self.assertEqual(len(sealed), 1)
                self.assertEqual(self.verify_arc(got.content), b"pass")
            else:
                self.assertEqual(sealed, [], got.rcpt_tos)  # DKIM passes: the seal adds nothing

    def test_spf_alone_is_sealed_because_it_does_not_survive(self):
        got = self.forwarded(GOOD.message(), "ann@good.example")
        self.assertEqual(got.results["dmarc"], ["pass"])
        self.assertEqual(self.verify_arc(got.content), b"pass")
        self.assertIn("dmarc=pass", fields_of(got.content, "ARC-Authentication-Results")[0])
        never = self.forwarded(GOOD.message(), "ann@good.example", to=["never@fwd.test"])
        self.assertEqual(fields_of(never.content, "ARC-Seal"), [])


class Latency(AuthenticationCase):
    senders = (GOOD,)
    zones = {}

    def test_dead_dns_never_passes_and_ends_in_time(self):
        """It is put off, because its author is unknown for now."""
        self.world.stop()
        began = time.monotonic()
        code, text = self.refusal(GOOD.sign(GOOD.message()), "ann@good.example")
        self.assertEqual(code, 451, text)
        self.assertLess(time.monotonic() - began, 15)


if __name__ == "__main__":
    unittest.main()
