"""Everyday mail through the whole product, and the same through Postfix + PostSRSd: the messages that
arrive, the refusals with their replies, and the readers of failures. Postfix forwards nearly everything;
what it forwards and we do not is exactly what docs/not-forwarded.md says, with the reasons."""

import concurrent.futures
import os
import re
import shutil
import tempfile
import tomllib
import unittest

from tests.system.arrivals import Sealer
from tests.system.harness import ROOT, changed_by_sanitizers, is_sanitized
from tests.system.next_receiver import Receiver, organisation_of
from tests.system.senders import fields_of, txt

from .flow import HERE, load
from .forwarders import RISK, USUAL, Ours, Place, Theirs
from .runner import Run, converse, forwards, header_of, unquoted

LIST = os.path.join(ROOT, "docs/not-forwarded.md")

with open(os.path.join(HERE, "configurations.toml"), "rb") as f:
    CONFIGURATIONS = tomllib.load(f)
FLOWS, WORLD = load()


def not_forwarded():
    """The table of docs/not-forwarded.md: name of the flow -> (reply, reason)."""
    with open(LIST, encoding="utf-8") as f:
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in f if line.startswith("| ")]
    return {name: (reply, reason) for name, reply, reason in rows if name != "Flow"}


def setUpModule():
    """Makes keys for the domains that seal, and puts them into the DNS of the flows."""
    global SEALERS
    folder = tempfile.mkdtemp(prefix="srs-relay-test-")
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    SEALERS = {name: Sealer(name, folder) for name in sorted({flow.sealed for flow in FLOWS if flow.sealed})}
    for name, sealer in SEALERS.items():
        line = f"{sealer.record['name']}. 60 IN TXT {txt(sealer.record['value'])}"
        WORLD[name].written.setdefault("records", []).append(line)


class Flows:
    """Mixed into a test of one configuration."""

    configuration = ""

    @classmethod
    def setUpClass(cls):
        cls.flows = [flow for flow in FLOWS if flow.configuration == cls.configuration]
        kinds = [Ours] if is_sanitized() else [Ours, Theirs]
        places = [Place(kind, cls.config(), WORLD) for kind in kinds]
        for place in places:
            cls.addClassCleanup(place.stop)
        with concurrent.futures.ThreadPoolExecutor() as pool:  # they mostly wait
            outcomes = list(pool.map(lambda place: Run(place.start(), cls.flows, SEALERS).run(), places))
        cls.place, cls.ours = places[0], outcomes[0]
        cls.theirs = outcomes[-1]
        cls.receiver = Receiver(cls.place.main.nameserver)

    def test_each_flow_ends_as_it_should(self):
        for flow in self.flows:
            with self.subTest(str(flow)):
                self.check(flow, self.ours[flow.name])

    def test_no_mail_is_left_behind(self):
        self.assertFalse(self.place.left_behind)

    def check(self, flow, outcome):
        if flow.refused:
            self.assertTrue(outcome.reply.startswith(flow.refused), f"wanted {flow.refused}, {outcome}")
            self.assertEqual(outcome.copies, [], outcome)
            return
        self.assertTrue(outcome.taken, outcome)
        if flow.asks_only:
            return
        arrived = sorted(unquoted(to) for to, _ in outcome.copies)
        self.assertEqual(arrived, sorted(flow.arrives or []), outcome)
        self.assertEqual(len(outcome.heard), int(flow.hears), outcome)
        for to, got in outcome.copies:
            self.check_copy(flow, got, outcome)

    def check_copy(self, flow, got, outcome):
        if flow.under == "srs":
            ends = tuple("@" + place["srs"] for place in (self.config(), self.config().get("second")) if place)
            self.assertTrue(got.mail_from.endswith(ends), outcome)
        elif flow.under != "any":
            self.assertEqual(unquoted(got.mail_from), "" if flow.under == "null" else flow.mail_from, outcome)
        if flow.way:
            self.assertEqual(got.client, {"usual": USUAL, "risk": RISK}[flow.way], outcome)
        if flow.author_changes:
            self.assertIn("@rewritten.example>", fields_of(got.content, "From")[0])
        else:
            self.assertTrue(got.content.endswith(outcome.sent), f"changed on the way: {got.content!r}")
        if flow.proof == "dkim":
            author = organisation_of(flow.author_domain)
            found = self.receiver.check_signatures(got.content)
            self.assertIn((author, True), [(organisation_of(domain), passes) for domain, passes in found])

    @classmethod
    def config(cls):
        return CONFIGURATIONS[cls.configuration]

    def test_a_bounce_of_what_arrived_finds_the_sender(self):
        """A bounce to the address under which the mail left. It is not signed, as those of Postfix are not."""
        wanted, replies = {}, {}
        for flow in self.flows:
            copies = self.ours[flow.name].copies
            if flow.under == "srs" and flow.returns != "nowhere" and not flow.refused and copies:
                wanted[flow.mark.replace("flow", "back")] = (flow, copies[0][1].mail_from)

        def bounce(mark):
            flow, address = wanted[mark]
            content = (f"From: MAILER-DAEMON@mx.dest.example (Mail Delivery System)\r\nTo: {address}\r\n"
                       f"Subject: Undelivered Mail Returned to Sender\r\nX-Flow: {mark}\r\n\r\nIt failed.\r\n")
            client = f"127.4.{flow.number // 100}.{flow.number % 100 + 1}"
            replies[mark] = converse(self.place.port_for(address), client, "mx.dest.example", "", [address],
                                     content.encode("utf-8"), not address.isascii())[1]

        Run.each(bounce, list(wanted))
        self.place.settle()
        found = self.bounces_at_the_sink()
        for mark, (flow, address) in wanted.items():
            with self.subTest(str(flow)):
                told = f"{address}: {replies[mark]}"
                self.assertEqual(found.get(mark), [("", flow.returns or flow.mail_from)], told)

    def bounces_at_the_sink(self):
        """Bounces at the sink: mark -> (sender, recipient) of each."""
        found = {}
        for got in self.place.sink.messages:
            mark = re.search(rb"(?m)^X-Flow: (back-\d{4})\r?$", header_of(got.content))
            if mark:
                pairs = [(got.mail_from, unquoted(to)) for to in got.rcpt_tos]
                found.setdefault(mark.group(1).decode(), []).extend(pairs)
        return found

    @changed_by_sanitizers("Postfix was asked beside the plain one")
    def test_what_postfix_forwards_and_we_do_not_is_written_down(self):
        differ = {flow.name for flow in self.flows
                  if forwards(flow, self.theirs[flow.name]) and not forwards(flow, self.ours[flow.name])}
        written = set(not_forwarded()) & {flow.name for flow in self.flows}
        for name in sorted(differ ^ written):
            with self.subTest(name):
                where = "is not in the list" if name in differ else "is in the list without need"
                self.fail(f"{where}: ours {self.ours[name]}; theirs {self.theirs[name]}")


class House(Flows, unittest.TestCase):
    configuration = "house"


class Below(Flows, unittest.TestCase):
    configuration = "below"


class Chain(Flows, unittest.TestCase):
    configuration = "chain"


class Classic(Flows, unittest.TestCase):
    configuration = "classic"


class Blind(Flows, unittest.TestCase):
    configuration = "blind"


class Rewriting(Flows, unittest.TestCase):
    configuration = "rewriting"


class Lenient(Flows, unittest.TestCase):
    configuration = "lenient"


class Slow(Flows, unittest.TestCase):
    configuration = "slow"


class TheData(unittest.TestCase):
    def test_there_are_enough_flows_in_few_configurations(self):
        self.assertLessEqual(len(CONFIGURATIONS), 8)
        self.assertEqual({flow.configuration for flow in FLOWS}, set(CONFIGURATIONS))
        self.assertEqual({case.configuration for case in Flows.__subclasses__()}, set(CONFIGURATIONS))
        self.assertGreaterEqual(sum(not flow.kind.startswith("bounces") for flow in FLOWS), 120)
        self.assertGreaterEqual(sum(flow.kind.startswith("bounces") for flow in FLOWS), 60)

    def test_they_are_of_many_services_and_systems(self):
        """A flow is named after whose mail it is, or tells a story."""
        def of_whom(kind):
            first = {re.match(r"[\w.-]+", flow.name)[0] for flow in FLOWS if flow.kind == kind}
            return first - {"a", "an", "no", "two", "empty"}

        self.assertGreaterEqual(len(of_whom("newsletters")), 10)
        self.assertGreaterEqual(len(of_whom("bounces")), 40)

    def test_who_hears_of_a_failure_sends_nothing_else(self):
        """Reports are known by whom they are for."""
        for configuration in CONFIGURATIONS:
            senders = [flow.mail_from for flow in FLOWS if flow.configuration == configuration]
            for flow in FLOWS:
                if flow.hears and flow.configuration == configuration:
                    self.assertEqual(senders.count(flow.mail_from), 1, flow.name)

    def test_the_list_names_flows_that_are_refused_and_says_why(self):
        refused = {flow.name: flow.refused for flow in FLOWS}
        for name, (reply, reason) in not_forwarded().items():
            with self.subTest(name):
                self.assertTrue(reply)
                self.assertEqual(refused.get(name), reply)
                self.assertGreater(len(reason), 20)


if __name__ == "__main__":
    unittest.main()
