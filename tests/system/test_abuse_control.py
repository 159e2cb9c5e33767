"""Lists in the DNS served by nsd, greylisting and rates, heard by clients from many
loopback addresses."""

import json
import smtplib
import socket
import time
import unittest

from .harness import MESSAGE, Relay, Sink, wait_for
from .nameserver import Nameserver

LOOPBACK_V6 = "1" + ".0" * 31


def reverse(address):
    return LOOPBACK_V6 if ":" in address else ".".join(reversed(address.split(".")))


def listed(*addresses, answer="127.0.0.2"):
    return [f"{reverse(a)} 60 IN A {answer}" for a in addresses]


class AbuseControl(unittest.TestCase):
    def relay(self, extra, zones=None):
        """A relay that forwards to self.sink, and asks a name server with `zones`, if any."""
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        if zones is not None:
            self.dns = Nameserver(zones).start()
            self.addCleanup(self.dns.stop)
            extra = f'[dns]\nforward_to = "127.0.0.1@{self.dns.port}"\n' + extra
        relay = Relay(self.sink.port, aliases={"user": ["target@dest.test"], "two": ["b@dest.test"],
                                               "postmaster": ["boss@dest.test"]})
        self.addCleanup(relay.remove)
        relay.extra = extra + f'[[listener]]\naddress = "[::1]:{relay.port}"\n'
        relay.write_config()
        return relay.start()

    def send(self, relay, source="127.0.0.1", sender="ann@sender.test", to="user@fwd.test"):
        """The reply that decides, as (code, text)."""
        host = "::1" if ":" in source else "127.0.0.1"
        client = smtplib.SMTP(timeout=30, source_address=(source, 0), local_hostname="client.test")
        try:
            code, text = client.connect(host, relay.port)
            if code == 220:
                client.ehlo()
                client.mail(sender)
                code, text = client.rcpt(to)
                if code == 250:
                    code, text = client.data(MESSAGE)
                client.quit()  # or the next message would be taken for this one, sent again
        finally:
            client.close()
        return code, text.decode()

    def taken(self, relay, *args, **options):
        code, text = self.send(relay, *args, **options)
        self.assertEqual(code, 250, text)

    def put_off(self, relay, *args, **options):
        code, text = self.send(relay, *args, **options)
        self.assertIn(code, (450, 451), text)
        self.assertTrue(text.startswith("4.7.1 "), text)
        return text

    def counters(self, relay):
        return json.loads(relay.cli("--json", "status").stdout.splitlines()[0])["abuse"]


LISTS = """
[[dns_list]]
zone = "bl.example"
weight = 10
answers = ["127.0.0.2-11"]
[[dns_list]]
zone = "soft.example"
weight = 6
[[dns_list]]
zone = "wl.example"
kind = "allow"
weight = 5
"""


class DnsLists(AbuseControl):
    ZONES = {"bl.example": listed("127.0.0.2", "127.0.0.4", "::1")
             + listed("127.0.0.6", answer="127.0.0.12") + listed("127.0.0.7", answer="127.255.255.254")
             + listed("127.0.0.9", answer="192.0.2.1"),
             "soft.example": listed("127.0.0.3", "127.0.0.5"),
             "wl.example": listed("127.0.0.4", "127.0.0.8")}

    def test_clients_are_refused_by_their_score(self):
        relay = self.relay(LISTS, self.ZONES)
        for source in ("127.0.0.2", "::1"):
            code, text = self.send(relay, source)
            self.assertEqual((code, text), (550, f"5.7.1 {source} is listed by bl.example"))
        taken = {"127.0.0.1": "in no list", "127.0.0.3": "6 is below 10", "127.0.0.4": "10 - 5",
                 "127.0.0.6": "an answer that does not count", "127.0.0.7": "the list complains",
                 "127.0.0.9": "no answer of a list", "127.0.0.8": "allowed"}
        for source in taken:
            self.taken(relay, source)
        wait_for(lambda: len(self.sink.messages) == len(taken), what="delivery")
        refusals = relay.events("rejected")
        self.assertEqual([r["smtp"]["text"] for r in refusals],
                         ["127.0.0.2 is listed by bl.example", "::1 is listed by bl.example"])
        self.assertEqual({e["zone"] for e in relay.events("dns_list")}, {"bl.example"})
        counters = self.counters(relay)
        self.assertEqual((counters["listed"], counters["list_failures"]), (2, 2))
        self.assertIn("2 refused by DNS lists (2 lookups failed)", relay.cli("status").stdout)

    def test_postmaster_hears_whoever_is_listed(self):
        relay = self.relay(LISTS, self.ZONES)
        self.taken(relay, "127.0.0.2", to="Postmaster@fwd.test")
        code, _ = self.send(relay, "127.0.0.2", to="nobody@fwd.test")
        self.assertEqual(code, 550)
        wait_for(lambda: self.sink.messages, what="delivery")
        self.assertEqual(self.sink.messages[0].rcpt_tos, ["boss@dest.test"])

    def test_at_connect_there_is_no_banner(self):
        relay = self.relay(LISTS + '[abuse]\ndns_list_at = "connect"\n', self.ZONES)
        for source in ("127.0.0.2", "::1"):
            self.assertEqual(self.send(relay, source), (554, f"5.7.1 {source} is listed by bl.example"))
        self.taken(relay, "127.0.0.1")

    def test_two_lists_together_refuse_and_a_reload_changes_the_score(self):
        relay = self.relay(LISTS, self.ZONES)
        self.taken(relay, "127.0.0.5")
        relay.write_config(relay.extra + "[abuse]\ndns_list_refuse = 6\n")
        self.assertEqual(relay.cli("reload").returncode, 0)
        self.assertEqual(self.send(relay, "127.0.0.5"), (550, "5.7.1 127.0.0.5 is listed by soft.example"))

    def test_lists_that_are_down_let_mail_flow(self):
        relay = self.relay(LISTS, self.ZONES)
        self.assertEqual(self.send(relay, "127.0.0.2")[0], 550)
        self.dns.process.terminate()
        self.dns.process.wait()
        for source in ("127.0.0.20", "127.0.0.21", "127.0.0.22"):
            began = time.monotonic()
            self.taken(relay, source)
            self.assertLess(time.monotonic() - began, 9)
        self.assertEqual(self.send(relay, "127.0.0.2")[0], 550, "what is known stays known")
        told = relay.events("dns_list")
        self.assertEqual({e["zone"] for e in told}, {"bl.example", "soft.example", "wl.example"})
        self.assertEqual(len(told), 3, "once a minute for each")
        self.assertGreaterEqual(self.counters(relay)["list_failures"], 9)

    def test_a_list_that_lists_everybody_refuses_nobody(self):
        """RFC 5782 §5: 127.0.0.1 is in no list; where it is, the list has been given up."""
        relay = self.relay('[[dns_list]]\nzone = "gone.example"\n', {"gone.example": ["* 60 IN A 127.0.0.2"]})
        self.taken(relay, "127.0.0.2")
        self.assertEqual([e["problem"] for e in relay.events("dns_list")],
                         ["lists 127.0.0.1, and so everybody"])

    def test_a_list_that_never_answers_costs_five_seconds(self):
        with socket.socket(type=socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            relay = self.relay(f'[dns]\nforward_to = "127.0.0.1@{silent.getsockname()[1]}"\n' + LISTS)
            began = time.monotonic()
            self.taken(relay, "127.0.0.2")
            self.assertGreater(time.monotonic() - began, 4)
            self.assertLess(time.monotonic() - began, 8)
            began = time.monotonic()
            self.taken(relay, "127.0.0.2")
            self.assertLess(time.monotonic() - began, 2, "it is remembered that nobody answered")


GREYLIST = '[greylist]\nenabled = true\ndelay = "2s"\nretry_window = "1h"\ntrusted_after = 2\n'


class Greylisting(AbuseControl):
    def test_a_stranger_is_taken_when_it_comes_again_also_after_a_restart(self):
        relay = self.relay(GREYLIST)
        self.assertIn("Greylisted, try again in 2 seconds", self.put_off(relay))
        self.put_off(relay)
        self.put_off(relay, sender="bob@sender.test")
        self.put_off(relay, to="two@fwd.test")
        self.taken(relay, to="postmaster@fwd.test")
        self.assertEqual(relay.stop(), 0)
        time.sleep(2)
        relay.start()
        self.taken(relay)
        self.taken(relay)
        self.assertEqual(self.counters(relay)["greylist_passed"], 1)
        wait_for(lambda: len(self.sink.messages) == 3, what="delivery")

    def test_what_was_noted_survives_a_crash(self):
        relay = self.relay(GREYLIST)
        self.put_off(relay)
        relay.kill()
        time.sleep(2)
        relay.start()
        self.taken(relay)
        relay.kill()
        relay.start()
        self.taken(relay)
        self.assertEqual(self.counters(relay)["greylisted"], 0)

    def test_a_network_that_passed_twice_is_not_asked_again(self):
        relay = self.relay(GREYLIST)
        for sender in ("a@sender.test", "b@sender.test"):
            self.put_off(relay, sender=sender)
            time.sleep(2.1)
            self.taken(relay, sender=sender)
        self.taken(relay, "127.0.0.77", sender="new@other.test", to="two@fwd.test")
        self.put_off(relay, "127.0.5.1", sender="new@other.test", to="two@fwd.test")
        self.put_off(relay, "::1", sender="new@other.test", to="two@fwd.test")

    def test_allowed_clients_and_bounces_do_not_wait(self):
        relay = self.relay(LISTS + GREYLIST, DnsLists.ZONES)
        self.taken(relay, "127.0.0.8")
        wait_for(lambda: self.sink.messages, what="delivery")
        self.put_off(relay, "127.0.0.1")
        self.taken(relay, "127.0.0.1", sender="", to=self.sink.messages[0].mail_from)

    def test_control_without_greylisting_strangers_are_taken(self):
        self.taken(self.relay(""))


class Rates(AbuseControl):
    def test_a_client_is_put_off_and_recovers(self):
        relay = self.relay('[rates]\nper_client = "3/min"\n')
        for _ in range(3):
            self.taken(relay)
        self.assertIn("your address", self.put_off(relay))
        self.taken(relay, "127.0.0.2")
        wait_for(lambda: self.send(relay)[0] == 250, timeout=30, what="the rate to recover")
        self.assertEqual(self.counters(relay)["over_rate"],
                         len([e for e in relay.events("rejected") if e["smtp"]["code"] == 450]))

    def test_networks_and_aliases(self):
        relay = self.relay('[rates]\nper_network = "2/h"\nper_alias = "3/h"\n')
        self.taken(relay, "127.0.1.1")
        self.taken(relay, "127.0.1.2")
        self.assertIn("your network", self.put_off(relay, "127.0.1.3"))
        self.taken(relay, "127.0.2.1", to="user+tag@fwd.test")
        self.assertIn("this address", self.put_off(relay, "127.0.2.1", to="user+other@fwd.test"))
        self.taken(relay, "127.0.2.1", to="two@fwd.test")

    def test_a_claimed_sender_domain_limits_nobody_elses(self):
        relay = self.relay('[rates]\nper_sender_domain = "2/h"\n')
        for _ in range(5):  # claims only: nothing was sent
            with smtplib.SMTP("127.0.0.1", relay.port, source_address=("127.66.6.6", 0)) as client:
                client.ehlo()
                client.mail("x@victim.test")
                client.rcpt("user@fwd.test")
        for _ in range(2):
            self.taken(relay, "127.66.6.6", sender="x@victim.test")
        self.assertIn("this sender domain", self.put_off(relay, "127.66.6.7", sender="y@victim.test"))
        self.taken(relay, "127.0.2.1", sender="ann@victim.test")
        self.taken(relay, "127.66.6.6", sender="x@other.test")

    def test_guessing_addresses_is_slowed_down(self):
        """Over sessions, for a whole network."""
        relay = self.relay('[rates]\nunknown = "20/h"\n')
        replies = [self.send(relay, f"127.0.0.{n}", to=f"guess{n}@fwd.test")[0] for n in range(1, 31)]
        self.assertEqual(replies, [550] * 20 + [450] * 10)
        self.put_off(relay, to="user@fwd.test")
        self.taken(relay, "127.0.1.1")


class Recipients(AbuseControl):
    def accepted(self, relay, times, source="127.0.0.1"):
        """How many recipients are accepted of so many that are only asked for, on one connection."""
        accepted = 0
        with smtplib.SMTP("127.0.0.1", relay.port, source_address=(source, 0), local_hostname="client.test",
                          timeout=30) as client:
            client.ehlo()
            for _ in range(times):
                client.mail("ann@sender.test")
                code, text = client.rcpt("user@fwd.test")
                self.assertIn((code, text[:6]), ((250, b"2.1.5 "), (450, b"4.7.0 ")))
                accepted += code == 250
                client.rset()
        return accepted

    def test_asking_without_end_is_put_off_and_mail_is_not(self):
        """All threads count together, and a reload changes the limit for clients counted already."""
        relay = self.relay('[limits]\nrcpts_per_ip = "20/d"\n')
        self.assertEqual(sum(self.accepted(relay, 5) for _ in range(8)), 20)
        self.assertEqual(self.send(relay)[0], 450)
        for _ in range(30):
            self.taken(relay, "127.0.0.2")
        self.assertEqual(self.counters(relay)["over_rate"], 21)
        relay.write_config(relay.extra.replace("20/d", "30/d"))
        relay.cli("reload", check=True)
        self.assertEqual(self.accepted(relay, 15), 10)


if __name__ == "__main__":
    unittest.main()
