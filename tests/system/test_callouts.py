"""Next hops that verify our senders, and hosts that verify recipients at us: real Postfix and Exim, in every
form of the question, from one host and from many of one network."""

import concurrent.futures
import unittest

from .callouts.exim import AskingExim
from .callouts.postfix import AskingPostfix
from .callouts.world import World
from .harness import wait_for

LIMIT = 20  # guesses of one network in an hour
MANY = tuple(f"127.0.0.{number}" for number in range(21, 29))


class Asking:
    """Cases for each program; `kind` is one of them."""

    kind = None
    hosts = ("127.0.0.11",)
    made = "strong"

    @classmethod
    def setUpClass(cls):
        cls.world = World(cls.kind, cls.hosts, cls.made)
        cls.pool = concurrent.futures.ThreadPoolExecutor(16)

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()
        cls.world.stop()

    def in_all(self, names, ask, expected):
        """Asks in all those forms at once: a question takes Postfix a second."""
        self.assertEqual(dict(zip(names, self.pool.map(ask, names))), dict.fromkeys(names, expected))

    def about_senders(self):
        return [name for name in self.kind.forms if not name.startswith("for-")]

    def test_mail_of_ours_is_taken_in_every_form_of_the_question(self):
        """The second message has the same sender, and the third another one."""
        expected = set()
        for subject, sender in (("one", "ann"), ("two", "ann"), ("three", "bob")):
            for name in self.about_senders():
                self.world.forward(name, sender, subject)
                expected.add((name, subject))
            wait_for(self.world.relay.is_empty, timeout=40, what="an empty queue")
        wait_for(lambda: self.world.forwarded() >= expected, timeout=40, what="all messages behind the next hop")
        self.assertEqual([(a["target"], a["smtp"]["text"]) for a in self.world.relay.events("attempt")
                          if a["outcome"] != "delivered"], [])

    def test_senders_are_told_apart_on_one_connection(self):
        one, two = self.world.srs("one"), self.world.srs("two")
        wrong = self.world.forged("one", number=1), self.world.expired("one")
        asked = one, *wrong, two, one

        def codes(name):
            with self.world.client(name) as client:
                return [self.world.ask(client, sender, f"target@{name}.hop.test")[0] for sender in asked]

        self.in_all(self.about_senders(), codes, [250, 550, 550, 250, 250])

    def test_a_right_address_is_answered_after_a_restart_and_after_many_wrong_ones(self):
        before = self.world.srs("before")
        self.world.restart()

        def code(address):
            with self.world.client("uncached") as client:
                return self.world.ask(client, address, "target@uncached.hop.test")[0]

        guesses = [self.world.forged("guess", number) for number in range(1, 31)]
        codes = list(self.pool.map(code, guesses))
        self.assertEqual(codes.count(550), LIMIT, codes)  # and then it hears 450, and puts off
        self.assertEqual(sum(400 <= c < 500 for c in codes), len(guesses) - LIMIT, codes)
        asking = {e["peer_ip"] for e in self.world.relay.events("rejected", since=self.world.relay.log_start)}
        self.assertLessEqual(asking, set(self.hosts))
        self.assertGreater(len(asking), len(self.hosts) // 2)
        self.assertEqual(list(self.pool.map(code, (before, self.world.srs("after")))), [250, 250])
        self.world.restart()


class AskingForRecipients(Asking):
    def about_recipients(self):
        return [name for name in self.kind.forms if name.startswith("for-")]

    def test_bounces_come_back_through_a_host_that_asks_for_their_recipients(self):
        def codes(name):
            with self.world.client(name) as client:
                client.sendmail("", [self.world.srs(name)], self.world.message("back", "mailer-daemon"))
                wrong = self.world.forged(name, number=2), self.world.expired(name)
                return [self.world.ask(client, "", address)[0] for address in wrong]

        self.in_all(self.about_recipients(), codes, [550, 550])
        expected = {f"{name}@sender.test" for name in self.about_recipients()}
        wait_for(lambda: self.world.returned() >= expected, timeout=40, what="all bounces at their senders")

    def test_mail_to_aliases_comes_through_a_host_that_asks_for_them(self):
        def codes(name):
            with self.world.client(name) as client:
                return [self.world.ask(client, "ann@sender.test", f"{who}@fwd.test")[0] for who in ("user", "nobody")]

        self.in_all(self.about_recipients(), codes, [250, 550])


class Postfix(AskingForRecipients, unittest.TestCase):
    kind = AskingPostfix


class PostfixOfClassicAddresses(AskingForRecipients, unittest.TestCase):
    kind, made = AskingPostfix, "classic"
    # Right ones hear 450, too, once the guesses are used up: test_forgery.
    test_a_right_address_is_answered_after_a_restart_and_after_many_wrong_ones = None


class Exim(AskingForRecipients, unittest.TestCase):
    kind = AskingExim

    def test_a_host_that_delivers_while_it_takes_asks_and_delivers_in_one(self):
        with self.world.client("for-cutthrough") as client:
            client.sendmail("ann@sender.test", ["user@fwd.test"], self.world.message("through", "ann"))
            client.sendmail("", [self.world.srs("through")], self.world.message("back", "mailer-daemon"))
            codes = [self.world.ask(client, "", address)[0]
                     for address in (self.world.forged("through", number=3), self.world.srs("through"))]
        self.assertEqual(codes, [550, 250])
        wait_for(lambda: any(b"Subject: through" in m.content and m.mail_from.endswith("@relay.test")
                             for m in self.world.sink.messages), what="the message behind the relay")
        wait_for(lambda: "through@sender.test" in self.world.returned(), what="the bounce at its sender")
        self.assertGreaterEqual(self.world.hop.log().count(" >> "), 2, "Exim delivered while it took")

    def later(self, name, author):
        """The reply to the dot of a message of that author."""
        message = self.world.message("header", "ann").replace(b"<ann@sender.test>", f"<{author}>".encode())
        with self.world.client(name) as client:
            client.ehlo_or_helo_if_needed()
            client.mail("ann@sender.test")
            client.rcpt(f"target@{name}.hop.test")
            return client.data(message)[0]

    def test_addresses_in_header_fields_are_answered_for_as_they_are(self):
        ours = self.world.srs("author")
        wrong = self.world.forged("author", number=4)
        for name in self.kind.later:
            said = [self.later(name, author) for author in
                    ("ann@sender.test", "user@fwd.test", "nobody@fwd.test", "postmaster@relay.test", ours, wrong)]
            self.assertEqual(said, [250, 250, 550, 250, 250, 550], name)

    def test_forwarded_mail_is_taken_by_a_host_that_asks_about_its_author(self):
        for name in self.kind.later:
            for author in ("ann@sender.test", "user@fwd.test"):
                content = self.world.message("later", "ann").replace(b"From: <ann@sender.test>",
                                                                     f"From: <{author}>".encode())
                self.world.relay.send(content, to=[f"{name}@fwd.test"])
            wait_for(self.world.relay.is_empty, timeout=40, what="an empty queue")
            wait_for(lambda: (name, "later") in self.world.forwarded(), timeout=40, what="mail behind the next hop")
        self.assertEqual([a["smtp"]["text"] for a in self.world.relay.events("attempt")
                          if a["target"].partition("@")[2].startswith("header") and a["outcome"] != "delivered"], [])


class PostfixOfManyHosts(Asking, unittest.TestCase):
    kind, hosts = AskingPostfix, MANY


class EximOfManyHosts(Asking, unittest.TestCase):
    kind, hosts = AskingExim, MANY


if __name__ == "__main__":
    unittest.main()
