"""Ordinary life of next hops: they limit, close, put off, go silent, and come back, while other mail waits.
Nothing may be lost, sent twice, or told to a sender who was not refused."""

import collections
import ssl
import time
import unittest

from .harness import MESSAGE, Relay, scratch_folder, wait_for
from .hop import Close, Hop, silence
from .scripted import make_certificate


class Destinations(unittest.TestCase):
    def setUp(self):
        self.things = []

    def tearDown(self):
        for thing in reversed(self.things):
            thing.remove() if isinstance(thing, Relay) else thing.stop()

    def hop(self, plan=None, **options):
        self.things.append(Hop(plan, **options))
        return self.things[-1]

    def relay(self, hops, domains=("dest.test",), names="abcdefgh", via=None, **config):
        """Aliases a@fwd.test -> a@dest.test, ax@ -> a@x.test for further domains."""
        aliases = {}
        for domain in domains:
            for name in names:
                label = name if domain == "dest.test" else f"{name}-{domain.split('.')[0]}"
                aliases[label] = [f"{name}@{domain}"]
        aliases["all"] = [f"{name}@dest.test" for name in names]
        tables = {"queue": {"retry_schedule": ["1s"]}, **config}
        relay = Relay(hops[0].port, aliases=aliases, routes=[], config={
            **tables, "route": via or [{"match": "*", "via": [f"smtp://{h.host}:{h.port}" for h in hops]}]})
        self.things.append(relay)
        return relay.start()

    def outcomes(self, relay):
        return [(e["target"], e["outcome"]) for e in relay.events("attempt")]

    def settled(self, relay, timeout=30):
        wait_for(relay.is_empty, timeout=timeout, what="an empty queue")

    def check_truth(self, relay, *hops):
        """`delivered` only what a hop took, once; no complaint about our commands."""
        def said():
            return sorted(target for target, outcome in self.outcomes(relay) if outcome == "delivered")

        taken = sorted(sum((hop.recipients() for hop in hops), []))
        end = time.monotonic() + 5  # the log may be behind the queue
        while said() != taken and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(said(), taken)
        self.assertEqual(sum((hop.violations for hop in hops), []), [])
        self.assertEqual(relay.events("protocol_error"), [])

    def test_an_outage_never_answers_with_what_became_of_somebody_else(self):
        """The hop takes a, puts b off for its number, closes, and takes no more connections; later ones of the
        destination wait, and are neither marked delivered nor bounced."""
        for first in ("250 2.1.5 ok", "550 5.1.1 no such user"):
            with self.subTest(first):
                state = {"closed": False}

                def plan(verb, argument, connection):
                    if verb == "RCPT" and argument.startswith("a@"):
                        return first
                    if verb == "RCPT" and argument.startswith("b@") and not state["closed"]:
                        return "452 4.5.3 too many recipients"
                    if verb == "RCPT" and argument.startswith("c@") and not state["closed"]:
                        return "250 2.1.5 ok"
                    if verb == "dot" and not state["closed"]:
                        state["closed"] = True
                        hop.shut()
                        return "250 2.0.0 taken"
                    if verb not in ("banner", "EHLO") and state["closed"] and hop.listening is None:
                        raise Close
                    return None

                hop = self.hop(plan)
                relay = self.relay([hop], names="abcdefg")
                relay.send(MESSAGE, to=[name + "@fwd.test" for name in "acb"])
                wait_for(lambda: state["closed"], what="the first transaction")
                time.sleep(0.3)
                for name in "defg":
                    relay.send(MESSAGE, to=[name + "@fwd.test"])
                wait_for(lambda: {"d@dest.test", "g@dest.test"} <=
                         {target for target, _ in self.outcomes(relay)}, what="attempts")
                for target, outcome in self.outcomes(relay):
                    if target[0] in "defg":
                        self.assertEqual(outcome, "deferred", target)
                hop.open()
                self.settled(relay)
                self.check_truth(relay, hop)
                reached = {recipient for recipient in hop.recipients() if recipient != "ann@sender.test"}
                self.assertEqual(sorted(reached), [
                    name + "@dest.test" for name in ("abcdefg" if first[0] == "2" else "bcdefg")])
                relay.stop()

    def test_a_host_that_puts_off_hides_no_other(self):
        for stage, reply in (("MAIL", "451 4.3.0 backend down"), ("RCPT", "451 4.3.0 backend down"),
                             ("MAIL", "421 4.3.2 overloaded"), ("dot", "451 4.3.0 try again"),
                             ("DATA", "451 4.3.0 try again"), ("MAIL", None)):
            with self.subTest(f"{stage} {reply}"):
                def plan(verb, argument, connection):
                    if verb != stage:
                        return None
                    if reply is None:
                        raise Close
                    return reply

                bad, good = self.hop(plan), self.hop()
                relay = self.relay([bad, good])
                relay.send(MESSAGE, to=["a@fwd.test"])
                wait_for(lambda: good.recipients(), timeout=5, what="the second host")
                self.settled(relay)
                self.check_truth(relay, bad, good)
                self.assertEqual(len(relay.events("attempt")), 1, "in the same attempt")
                relay.stop()

    def test_throttling_and_greylisting_are_not_evaded_by_asking_another_host(self):
        for stage, reply in (("RCPT", "450 4.7.1 greylisted"), ("MAIL", "421 4.7.28 rate limit"),
                             ("RCPT", "452 4.2.2 mailbox full"), ("banner", "421 4.7.0 rate"),
                             ("EHLO", "450 4.7.1 slow down")):
            with self.subTest(f"{stage} {reply}"):
                times = []

                def plan(verb, argument, connection):
                    if verb != stage or len(times) >= 2:
                        return None
                    times.append(time.monotonic())
                    return reply

                first, second = self.hop(plan), self.hop()
                relay = self.relay([first, second])
                relay.send(MESSAGE, to=["a@fwd.test"])
                self.settled(relay)
                self.assertEqual(second.connections, 0)
                self.check_truth(relay, first)
                relay.stop()

    def test_a_full_mailbox_fails_at_once_and_only_too_many_recipients_wait(self):
        def plan(verb, argument, connection):
            return "552 5.2.2 over quota" if verb == "RCPT" and argument.startswith("a@") else None

        hop = self.hop(plan)
        relay = self.relay([hop])
        relay.send(MESSAGE, to=["a@fwd.test", "b@fwd.test"])
        wait_for(lambda: ("a@dest.test", "failed") in self.outcomes(relay), what="a failure")
        self.assertEqual([o for o in self.outcomes(relay) if o[0] == "a@dest.test"], [("a@dest.test", "failed")])

    def test_a_limit_of_recipients_is_learnt(self):
        count = {}
        too_many = []

        def plan(verb, argument, connection):
            if verb == "MAIL":
                count[connection] = 0
            if verb == "RCPT":
                count[connection] += 1
                if count[connection] > 2:
                    too_many.append(argument)
                    return "452 4.5.3 too many recipients"
            return None

        hop = self.hop(plan)
        names = "abcdefghijklmnopqrst"
        relay = self.relay([hop], names=names)
        # A destination whose hosts are not known has few copies in memory, which leave first.
        relay.send(MESSAGE, to=["a@fwd.test"])
        wait_for(hop.recipients, what="the first message")
        relay.send(MESSAGE, to=["all@fwd.test"])
        self.settled(relay)
        self.check_truth(relay, hop)
        self.assertEqual(len(hop.recipients()), len(names) + 1)
        self.assertEqual(len(too_many), len(names) - 2, "after the first transaction nobody is one too many")
        self.assertEqual(len(relay.events("attempt")), len(names) + 1)

    def test_a_limit_that_is_stated_does_not_widen_one_that_was_shown(self):
        """RCPTMAX=5 (RFC 9422), and two are taken: the tighter one counts."""
        count = {}
        too_many = []

        def plan(verb, argument, connection):
            if verb == "EHLO":
                return "250-hop.test\r\n250 LIMITS RCPTMAX=5"
            if verb == "MAIL":
                count[connection] = 0
            if verb == "RCPT":
                count[connection] += 1
                if count[connection] > 2:
                    too_many.append(argument)
                    return "452 4.5.3 too many recipients"
            return None

        hop = self.hop(plan)
        names = "abcdefghijklmnopqrst"
        relay = self.relay([hop], names=names)
        relay.send(MESSAGE, to=["all@fwd.test"])
        self.settled(relay)
        self.check_truth(relay, hop)
        self.assertEqual(len(too_many), 3, "after the first transaction nobody is one too many")

    def test_no_more_connections_costs_no_attempt(self):
        """421 at the banner while others of the group live says nothing about the message."""
        living = set()

        def plan(verb, argument, connection):
            if verb == "banner":
                if len(living) >= 2:
                    return "421 4.3.2 too many connections from you"
                living.add(connection)
            if verb == "dot":
                time.sleep(0.2)
            if verb == "QUIT":
                living.discard(connection)
            return None

        hop = self.hop(plan)
        relay = self.relay([hop])
        relay.send(MESSAGE, to=["a@fwd.test"])  # the group is known from then on
        wait_for(lambda: hop.recipients(), what="the first")
        for _ in range(5):
            for name in "bcdef":
                relay.send(MESSAGE, to=[name + "@fwd.test"])
        self.settled(relay)
        self.check_truth(relay, hop)
        self.assertEqual([o for o in self.outcomes(relay) if o[1] != "delivered"], [])

    def test_tls_that_fails_after_the_handshake_falls_back_to_the_clear(self):
        folder = self.folder()
        key, certificate = make_certificate(folder, "hop.test")

        def begin(connection):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_cert_chain(certificate, key)
            context.load_verify_locations(certificate)
            context.verify_mode = ssl.CERT_REQUIRED  # TLS 1.3 tells when the client thinks it is done
            return context.wrap_socket(connection, server_side=True)

        def plan(verb, argument, connection):
            return "250-hop.test\r\n250 STARTTLS" if verb == "EHLO" else None

        hop = self.hop(plan, begin=begin)
        relay = self.relay([hop])
        relay.send(MESSAGE, to=["a@fwd.test"])
        wait_for(lambda: hop.recipients(), timeout=10, what="delivery in the clear")
        self.settled(relay)
        self.assertEqual(len(relay.events("attempt")), 1)
        self.assertEqual(relay.events("attempt")[0]["tls_result"], "validation-failure")

    def test_a_refusal_that_may_be_for_the_clear_bounces_nothing(self):
        """The handshake fails once; in the clear the host demands TLS. Later the handshake works."""
        encrypt = self.encrypting()
        handshakes = []

        def begin(connection):
            handshakes.append(1)
            if len(handshakes) == 1:
                connection.close()
                raise Close
            encrypted.append(1)
            return encrypt(connection)

        encrypted = []

        def plan(verb, argument, connection):
            if verb == "EHLO":
                return "250-hop.test\r\n250 STARTTLS"
            if verb == "MAIL" and not encrypted:
                return "530 5.7.0 must issue a STARTTLS command first"
            return None

        hop = self.hop(plan, begin=begin)
        relay = self.relay([hop])
        relay.send(MESSAGE, to=["a@fwd.test"])
        wait_for(lambda: hop.recipients(), what="delivery by TLS")
        self.settled(relay)
        self.assertEqual(relay.events("dsn"), [])
        self.assertEqual([outcome for _, outcome in self.outcomes(relay)], ["deferred", "delivered"])

    def test_a_refusal_after_a_refused_starttls_bounces_nothing(self):
        """STARTTLS is offered and refused once, and recipients in the clear are unknown. Later both are
        taken."""
        encrypt = self.encrypting()
        refused, encrypted = [], []

        def begin(connection):
            encrypted.append(1)
            return encrypt(connection)

        def plan(verb, argument, connection):
            if verb == "EHLO":
                return "250-hop.test\r\n250 STARTTLS"
            if verb == "STARTTLS" and not refused:
                refused.append(1)
                return "454 4.7.0 TLS not available due to a temporary reason"
            if verb == "RCPT" and not encrypted:
                return "550 5.1.1 no such mailbox"
            return None

        hop = self.hop(plan, begin=begin)
        relay = self.relay([hop])
        relay.send(MESSAGE, to=["a@fwd.test"])
        wait_for(lambda: hop.recipients(), what="delivery by TLS")
        self.settled(relay)
        self.assertEqual(relay.events("dsn"), [])
        self.assertEqual([outcome for _, outcome in self.outcomes(relay)], ["deferred", "delivered"])

    def test_a_refusal_in_the_clear_hides_no_other_host(self):
        """The first host breaks off each handshake and takes nothing in the clear; the second one has TLS that works."""
        def break_off(connection):
            connection.close()
            raise Close

        def offer(verb, argument, connection):
            return "250-hop.test\r\n250 STARTTLS" if verb == "EHLO" else None

        def demand(verb, argument, connection):
            if verb == "MAIL":
                return "530 5.7.0 must issue a STARTTLS command first"
            return offer(verb, argument, connection)

        first, second = self.hop(demand, begin=break_off), self.hop(offer, begin=self.encrypting())
        relay = self.relay([first, second], queue={"retry_schedule": ["1h"]})
        relay.send(MESSAGE, to=["a@fwd.test"])
        self.settled(relay)
        self.check_truth(relay, first, second)
        self.assertEqual(second.recipients(), ["a@dest.test"])
        self.assertEqual(relay.events("dsn"), [])
        self.assertEqual(len(relay.events("attempt")), 1)

    def test_a_complaint_names_the_host_that_made_it(self):
        for stage in ("MAIL", "RCPT", "DATA"):
            with self.subTest(stage):
                complaints = []

                def plan(verb, argument, connection):
                    if verb == stage and not complaints:
                        complaints.append(verb)
                        return "503 5.5.1 bad sequence of commands"
                    return None

                first, second = self.hop(plan), self.hop()
                relay = self.relay([first, second])
                relay.send(MESSAGE, to=["a@fwd.test"])
                self.settled(relay)
                self.assertEqual(second.recipients(), ["a@dest.test"])
                [event] = relay.events("protocol_error")
                self.assertEqual((event["mx"]["port"], event["smtp"]["code"], event["level"]),
                                 (first.port, 503, "error"))
                relay.stop()
                complaints.clear()
                alone = self.hop(plan)
                relay = self.relay([alone])
                relay.send(MESSAGE, to=["a@fwd.test"])
                self.settled(relay)
                self.assertEqual([outcome for _, outcome in self.outcomes(relay)], ["deferred", "delivered"])
                self.assertEqual(len(relay.events("protocol_error")), 1)
                relay.stop()

    def test_tarpits_keep_nobody_else_waiting(self):
        """Thirty silent destinations, more than there are connections; others flow, old friends and new ones."""
        tarpit = self.hop(lambda verb, argument, connection: silence() if verb == "MAIL" else None)
        good, other = self.hop(), self.hop()
        domains = [f"t{i}.test" for i in range(30)]
        via = [{"match": d, "via": [f"smtp://127.0.0.{2 + i}:{tarpit.port}"]} for i, d in enumerate(domains)]
        tarpit.shut()
        tarpit.host = "0.0.0.0"
        tarpit.open()
        via += [{"match": "dest.test", "via": [f"smtp://127.0.0.1:{good.port}"]},
                {"match": "new.test", "via": [f"smtp://127.0.0.1:{other.port}"]}]
        relay = self.relay([good], domains=["dest.test", "new.test", *domains], names="abcd", via=via,
                           outbound={"allow_private": True, "max_connections": 10, "attempt_timeout": "30m"})
        relay.send(MESSAGE, to=["a@fwd.test"])
        wait_for(lambda: good.recipients(), what="the first")
        for name in "abcd":
            relay.send(MESSAGE, to=[f"{name}-{d.split('.')[0]}@fwd.test" for d in domains])
        wait_for(lambda: tarpit.connections >= 5, what="tarpits that hold us")
        begin = time.monotonic()
        for _ in range(5):
            relay.send(MESSAGE, to=["b@fwd.test"])
        wait_for(lambda: good.recipients().count("b@dest.test") == 5, timeout=5, what="a proven destination")
        self.assertLess(time.monotonic() - begin, 5)
        relay.send(MESSAGE, to=["a-new@fwd.test"])
        wait_for(lambda: other.recipients(), timeout=100, what="a destination nobody knows yet")

    def test_the_wait_for_the_dot_is_never_cut_short(self):
        """The time for an attempt ends while the server thinks about the dot: it is heard out."""
        hop = self.hop(lambda verb, argument, connection: time.sleep(4) if verb == "dot" else None)
        relay = self.relay([hop], outbound={"allow_private": True, "attempt_timeout": "2s"})
        relay.send(MESSAGE, to=["a@fwd.test"])
        self.settled(relay)
        self.check_truth(relay, hop)
        self.assertEqual([outcome for _, outcome in self.outcomes(relay)], ["delivered"])

    def test_the_time_for_an_attempt_ends_on_kept_connections_too(self):
        """One recipient a transaction, a second for each, and all connections but the first end with it: an attempt that
        began on a kept connection makes no new one when its time is over. The next job for the same host
        follows."""
        recipients = {}

        def plan(verb, argument, connection):
            if verb == "dot":
                time.sleep(1)
                if len(hop.recipients()) > 0:
                    return "250 2.0.0 taken\r\n421 4.3.2 closing"
            if verb == "MAIL":
                recipients[connection] = 0
            if verb == "RCPT":
                recipients[connection] += 1
                return "452 4.5.3 too many recipients" if recipients[connection] > 1 else None
            return None

        hop = self.hop(plan)
        relay = self.relay([hop], domains=["dest.test", "x.test"], names="abcdefghijkl",
                           outbound={"allow_private": True, "attempt_timeout": "3s", "connections": 1})
        relay.send(MESSAGE, to=["a@fwd.test"])
        wait_for(lambda: hop.recipients(), what="a connection that is kept")
        relay.send(MESSAGE, to=[name + "@fwd.test" for name in "abcdefghijkl"])
        wait_for(lambda: len(hop.recipients()) == 2, what="the first of twelve")
        relay.send(MESSAGE, to=["a-x@fwd.test"])
        self.settled(relay)
        self.assertLess(hop.recipients().index("a@x.test"), 8)
        self.check_truth(relay, hop)

    def test_verbs_reach_what_is_in_memory_and_what_is_under_way(self):
        gate = {"open": False}

        def plan(verb, argument, connection):
            while verb == "MAIL" and not gate["open"]:
                time.sleep(0.05)
            return None

        hop = self.hop(plan)
        relay = self.relay([hop], outbound={"allow_private": True, "connections": 1})
        ids = [relay.send(MESSAGE, to=[name + "@fwd.test"]) for name in "abcd"]
        wait_for(lambda: hop.connections, what="a connection")
        time.sleep(0.3)
        held = relay.cli("queue", "hold", ids[0])
        self.assertEqual((held.returncode, held.stdout.strip()), (0, "1 changed, 0 under way"))
        dropped = relay.cli("queue", "drop", ids[1], "--reason", "test")
        self.assertEqual((dropped.returncode, dropped.stdout.strip()), (0, "1 changed, 0 under way"))
        gate["open"] = True
        wait_for(lambda: len(hop.recipients()) == 2, what="the others")
        time.sleep(1.5)
        self.assertEqual(sorted(hop.recipients()), ["c@dest.test", "d@dest.test"])
        self.assertEqual([row["state"] for row in relay.rows()], ["held"])
        self.assertEqual(relay.cli("queue", "release", ids[0]).returncode, 0)
        self.settled(relay)
        self.check_truth(relay, hop)

    def test_retry_is_heard_at_once_and_releases_nothing(self):
        hop = self.hop()
        hop.shut()
        relay = self.relay([hop], queue={"retry_schedule": ["1h"]})
        number = relay.send(MESSAGE, to=["a@fwd.test"])
        held = relay.send(MESSAGE, to=["b@fwd.test"])
        wait_for(lambda: len(relay.events("attempt")) >= 2, what="attempts")
        relay.cli("queue", "hold", held)
        hop.open()
        begin = time.monotonic()
        self.assertEqual(relay.cli("queue", "retry", "all", "--yes").returncode, 0)
        wait_for(lambda: hop.recipients(), timeout=5, what="the retry")
        self.assertLess(time.monotonic() - begin, 2)
        time.sleep(0.5)
        self.assertEqual(hop.recipients(), ["a@dest.test"])
        self.assertNotEqual(number, held)

    def test_a_reload_is_heard_at_once(self):
        """A reload ends outages: the operator may have mended their cause."""
        hop = self.hop()
        hop.shut()
        relay = self.relay([hop], queue={"retry_schedule": ["1h"]})
        for name in "ab":
            relay.send(MESSAGE, to=[name + "@fwd.test"])
        wait_for(lambda: len(relay.events("attempt")) == 2, what="an outage, which lasts for half a minute")
        hop.open()
        relay.cli("reload", check=True)
        wait_for(lambda: relay.events("reload"), what="the reload")
        relay.send(MESSAGE, to=["c@fwd.test"])
        wait_for(lambda: len(relay.events("attempt")) == 3, what="an answer to the third")
        self.assertEqual(self.outcomes(relay)[-1], ("c@dest.test", "delivered"))
        self.check_truth(relay, hop)

    def test_a_message_too_large_for_one_host_goes_to_the_next(self):
        """Its SIZE (RFC 1870) is final only when every host says so."""
        def small(verb, argument, connection):
            return "250-hop.test\r\n250 SIZE 10" if verb == "EHLO" else None

        first, second = self.hop(small), self.hop()
        relay = self.relay([first, second])
        relay.send(MESSAGE, to=["a@fwd.test"])
        self.settled(relay)
        self.check_truth(relay, second)
        self.assertEqual(len(relay.events("attempt")), 1)
        relay.stop()

        senders = self.hop()
        first, second = self.hop(small), self.hop(small)
        relay = self.relay([first, second], via=[
            {"match": "sender.test", "via": [f"smtp://{senders.host}:{senders.port}"]},
            {"match": "*", "via": [f"smtp://{hop.host}:{hop.port}" for hop in (first, second)]}])
        relay.send(MESSAGE, to=["a@fwd.test"])
        self.settled(relay)
        [(recipient, content)] = senders.taken
        self.assertEqual(recipient, "ann@sender.test")
        self.assertIn(b"Status: 5.3.4", content)
        self.assertEqual(first.recipients() + second.recipients(), [])
        self.assertEqual([outcome for target, outcome in self.outcomes(relay) if target == "a@dest.test"], ["failed"])
        self.assertEqual((first.connections, second.connections), (1, 1))

    def test_who_is_refused_costs_the_others_no_attempt(self):
        """As Postfix does, the hop ends a session with 421 4.7.0 behind three errors."""
        errors = collections.Counter()

        def plan(verb, argument, connection):
            if verb != "RCPT" or "sender" in argument:
                return None
            if errors[connection] == 3:
                raise Close("421 4.7.0 hop.test Error: too many errors")
            if argument[0] in "abc":
                errors[connection] += 1
                return "550 5.1.1 no such user"
            return None

        hop = self.hop(plan)
        relay = self.relay([hop])
        relay.send(MESSAGE, to=["all@fwd.test"])
        self.settled(relay)
        self.check_truth(relay, hop)
        self.assertEqual(len(relay.events("dsn")), 1)
        outcomes = [outcome for outcome in self.outcomes(relay) if outcome[0].endswith("@dest.test")]
        self.assertEqual(sorted(outcomes), [
            (f"{name}@dest.test", "failed" if name in "abc" else "delivered") for name in "abcdefgh"])
        self.assertNotIn("421", [event["smtp"]["code"] for event in relay.events("attempt")])

    def test_an_empty_filter_selects_nothing(self):
        hop = self.hop()
        hop.shut()
        relay = self.relay([hop])
        relay.send(MESSAGE, to=["a@fwd.test"])
        for words in (["from:"], ["to:"], ["id:"], ["to:a@dest.test", "to:b@dest.test"], ["all", "to:x"], [""]):
            answer = relay.cli("queue", "drop", *words, "--reason", "test", "--yes")
            self.assertEqual(answer.returncode, 2, words)
        self.assertEqual(len(relay.rows()), 1)

    def test_one_dsn_for_all_failures_of_a_message(self):
        hop = self.hop(lambda verb, argument, connection:
                       "550 5.1.1 no such user here" if verb == "RCPT" and "sender" not in argument else None)
        domains = [f"d{i}.test" for i in range(8)]
        relay = self.relay([hop], domains=["dest.test", *domains], names="ab")
        relay.send(MESSAGE, to=[f"a-{d.split('.')[0]}@fwd.test" for d in domains] + ["all@fwd.test"])
        wait_for(lambda: relay.events("dsn"), what="a DSN")
        self.settled(relay)
        self.assertEqual(len(relay.events("dsn")), 1)
        [(recipient, content)] = hop.taken
        self.assertEqual(recipient, "ann@sender.test")
        text = content.decode()
        for d in domains:
            self.assertEqual(text.count(f"Final-Recipient: rfc822;a-{d.split('.')[0]}@fwd.test"), 1)
        self.assertEqual(text.count("Final-Recipient: rfc822;all@fwd.test"), 1, "two mailboxes, one address")
        self.assertIn("smtp; 550 5.1.1 no such user here", text.replace("\r\n ", " "))

    def test_an_idle_relay_ends_at_once(self):
        relay = self.relay([self.hop()])
        relay.send(MESSAGE, to=["a@fwd.test"])
        self.settled(relay)
        time.sleep(6)  # the connection is closed by then
        begin = time.monotonic()
        self.assertEqual(relay.stop(), 0)
        self.assertLess(time.monotonic() - begin, 1.5)

    def encrypting(self):
        """A hop with a certificate behind STARTTLS."""
        key, certificate = make_certificate(self.folder(), "hop.test")

        def encrypt(connection):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            return context.wrap_socket(connection, server_side=True)
        return encrypt

    def folder(self):
        return scratch_folder(self)


if __name__ == "__main__":
    unittest.main()
