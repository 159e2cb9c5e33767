"""The arithmetic behind the benchmarks, without a measurement."""

import os
import tempfile
import threading
import unittest
from xml.dom import minidom

from tests.bench import accounting, chart, crowd, figures, goals, latency, micro, modes, report, sinks, steps


def runs(*rates, cpu=1.0):
    return [{"delivered_per_second": rate, "cpu_ms_per_message": cpu, "memory": 0} for rate in rates]


class Bound(unittest.TestCase):
    def test_a_signature_is_spread_over_the_cores(self):
        # 1/4000 s of sockets and 1/2000 s of signature on two cores: half of the sockets' rate.
        self.assertAlmostEqual(figures.bound_rate(4000, 1 / 2000, 2), 2000)

    def test_without_signature_only_sockets_bound(self):
        self.assertAlmostEqual(figures.bound_rate(4000, 0, 2), 4000)

    def test_reads_what_openssl_prints_old_and_new(self):
        self.assertAlmostEqual(figures.signature_seconds("+DT:x\n+F2:2:2048:2000.0:60000.0\n"), 0.0005)
        self.assertAlmostEqual(figures.signature_seconds("+F2:2:2048:0.000500:0.000016\n"), 0.0005)


class Bands(unittest.TestCase):
    def test_noise_around_one_is_no_verdict(self):
        ratios = [0.9, 1.2, 0.95, 1.1, 1.0, 0.97, 1.05]
        low, middle, high = figures.band(ratios)
        self.assertLessEqual(low, middle)
        self.assertLessEqual(middle, high)
        self.assertEqual(figures.verdict(low, high), "same")

    def test_only_a_band_beyond_the_tolerance_is_slower(self):
        self.assertEqual(figures.verdict(1.06, 1.2), "slower")
        self.assertEqual(figures.verdict(1.04, 1.2), "same")
        self.assertEqual(figures.verdict(0.8, 0.94), "faster")

    def test_a_shift_of_a_fifth_is_seen_through_noise_of_a_tenth(self):
        before = [100, 105, 98, 102, 110, 95, 101]
        after = [121, 125, 119, 124, 130, 117, 120]
        low, _, high = figures.band(figures.paired_ratios(before, after))
        self.assertEqual(figures.verdict(low, high), "slower")

    def test_few_ratios_give_their_extremes(self):
        self.assertEqual(figures.band([1.1, 0.9, 1.0]), (0.9, 1.0, 1.1))

    def test_pairs_must_match(self):
        with self.assertRaises(ValueError):
            figures.paired_ratios([1, 2], [1])


class Turns(unittest.TestCase):
    def test_nobody_always_comes_first(self):
        self.assertEqual(figures.in_turns(["a", "b", "c"], 3), [["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"]])

    def test_what_slows_one_turn_down_does_not_show_in_its_ratio(self):
        # In the third turn the machine is half as fast. In the first it stumbled over one side, to which
        # medians of each side would give 60 against 100.
        self.assertAlmostEqual(figures.paired_median([100, 120, 50], [60, 110, 45]), 0.9)


class Crowds(unittest.TestCase):
    GROUPS = (crowd.Group("a", 1000, 2525), crowd.Group("t", 2, 2526))

    def test_each_destination_has_an_address_of_its_own(self):
        places = [place.rpartition(":")[0] for _, place in crowd.routes_of(self.GROUPS)]
        self.assertEqual(len(set(places)), 1002)
        self.assertEqual((crowd.address_of(0), crowd.address_of(62_499), crowd.address_of(62_500)),
                         ("127.1.0.1", "127.1.249.250", "127.2.0.1"))

    def test_each_alias_leads_to_the_domain_of_a_route(self):
        domains = [line.strip().rpartition("@")[2] for line in crowd.aliases_of(self.GROUPS)]
        self.assertEqual(domains, [domain for domain, _ in crowd.routes_of(self.GROUPS)])
        self.assertEqual(crowd.routes_of(self.GROUPS)[1000], ("t0.test", "127.1.4.1:2526"))


class Production(unittest.TestCase):
    CONTENT = (b"ARC-Seal: i=1; d=relay.test\r\n"
               b"Authentication-Results: mx.relay.test;\r\n\tspf=pass; dkim=pass;\r\n dmarc=pass\r\n"
               b"Received: from load.test\r\n\tby mx.relay.test with ESMTPS\r\n\r\ntext\r\n")

    def test_a_message_shows_that_it_was_verified_sealed_and_encrypted(self):
        self.assertEqual(sinks.missing_from(self.CONTENT, modes.PRODUCTION.evidence()), [])

    def test_what_a_message_lacks_is_named(self):
        lacking = self.CONTENT.replace(b"dkim=pass", b"dkim=fail").replace(b"ESMTPS", b"ESMTP")
        self.assertEqual(sinks.missing_from(lacking, modes.PRODUCTION.evidence()), ["dkim=pass", "with ESMTPS"])

    def test_a_mode_asks_for_what_it_is_about(self):
        evidence = {mode.name: mode.evidence() for mode in modes.COMPARED if mode.verify}
        self.assertEqual(set(evidence), {"production", "verified", "sealed"})
        self.assertIn(b"\nARC-Seal:", evidence["sealed"])
        self.assertNotIn(b"with ESMTPS", evidence["sealed"])
        self.assertNotIn(b"\nARC-Seal:", evidence["verified"])

    def test_no_mode_seals_what_it_does_not_verify(self):
        with self.assertRaisesRegex(ValueError, "only what was verified"):
            modes.Mode("", seal=True)

    def test_commits_are_compared_in_every_mode(self):
        self.assertEqual([mode.name for mode in modes.COMPARED],
                         ["new", "kept", "ed25519", "unsigned", "10 MiB", "production", "1 session", "200 sessions",
                          "verified", "sealed"])

    def test_commits_are_compared_in_this_mode_too(self):
        self.assertIn(modes.PRODUCTION, modes.COMPARED)
        self.assertEqual(modes.PRODUCTION.text(), "4 KiB, 20 sessions, new connections, rsa, verified, sealed, STARTTLS")


class Goals(unittest.TestCase):
    RESULTS = {"new": {"srs-relay": runs(900, 1000, 1100, cpu=0.5), "postfix": runs(100, 110, 90, cpu=7), "echo": runs(4000)},
               "10 MiB": {"srs-relay": runs(9), "postfix": runs(5)}}

    def judged(self, found=None):
        return {goal.text: goal for goal in goals.judge(self.RESULTS, found or {}, 1 / 2000, 2)}

    def test_ratios_are_of_medians(self):
        goal = self.judged()["rate of Postfix's stack, a new connection per message"]
        self.assertEqual((goal.measured, goal.holds), (10, True))

    def test_a_goal_that_is_missed_does_not_hold(self):
        self.assertFalse(self.judged()["rate of Postfix's stack, 10 MiB messages"].holds)

    def test_cpu_is_theirs_by_ours(self):
        self.assertEqual(self.judged()["CPU per message of Postfix's stack to ours, new connections"].measured, 14)

    def test_share_of_the_bound(self):
        self.assertAlmostEqual(self.judged()["share of the bound, new connections"].measured, 50)

    def test_modes_that_were_not_measured_are_not_judged(self):
        self.assertFalse([text for text in self.judged() if "Exim" in text or "kept" in text])

    def test_latency_is_compared_at_half_of_each_ones_rate(self):
        self.assertEqual(latency.rates_of(self.RESULTS["new"]),
                         {"srs-relay": ("srs-relay", 500), "postfix": ("postfix", 50),
                          "srs-relay at postfix's rate": ("srs-relay", 50)})
        found = {"srs-relay": {"p99": 9}, "postfix": {"p99": 8}, "srs-relay at postfix's rate": {"p99": 5}}
        judged = [goal.holds for text, goal in self.judged(found).items() if text.startswith("p99")]
        self.assertEqual(judged, [False, True])


class OrdersAndCommits(unittest.TestCase):
    def test_no_250_waits_long_for_an_order(self):
        found = {"alone": {"p99": 9, "p999": 30, "max": 60}, "queue.hold": {"p99": 9, "p999": 79, "max": 900},
                 "queue.release": {"p99": 9, "p999": 81, "max": 85}}
        self.assertEqual([(goal.measured, goal.holds) for goal in goals.order_goals(found)], [(49, True), (51, False)])

    def test_a_mode_keeps_its_rate(self):
        times = {"new": ([100, 101, 99], [103, 102, 150]), "kept": ([100, 100, 100], [104, 104, 90])}
        self.assertEqual([goal.holds for goal in goals.kept_rate_goals(times, 0.97)], [True, False])
        drifting = {"new": ([100, 110, 150], [100, 150, 152])}  # it became slower within a pair
        self.assertEqual([round(goal.measured, 2) for goal in goals.kept_rate_goals(drifting, 0.97)], [0.99])


class Modes(unittest.TestCase):
    def test_names_within_a_suite_are_unique(self):
        for name, suite in modes.SUITES.items():
            names = [mode.name for mode in suite()]
            self.assertEqual(len(names), len(set(names)), name)

    def test_others_sign_with_what_they_have(self):
        self.assertEqual(modes.Mode("", signature="ed25519").signature_of("postfix"), "rsa")
        self.assertEqual(modes.Mode("", signature="none").signature_of("postfix"), "none")
        self.assertEqual(modes.Mode("", signature="ed25519").signature_of("srs-relay"), "ed25519")

    def test_big_messages_are_few(self):
        self.assertEqual(modes.Mode("", size=modes.BIG).messages("srs-relay", 4000), 40)
        self.assertEqual(modes.Mode("").messages("postfix", 4000), 1000)


class Steps(unittest.TestCase):
    def test_what_all_use_belongs_to_who_called_it(self):
        frames = ["memcpy", "mi_malloc", "relay::forward::Planner::plan(…)", "relay::inbound::Session::run"]
        self.assertEqual(steps.step_of(frames), "forwarding decision and SRS")

    def test_the_innermost_frame_that_says_something_decides(self):
        cases = {("sha256_block", "EVP_DigestUpdate", "relay::auth::dkim::BodyHashes::update"): "signed header and body hash",
                 ("bn_mul_mont", "rsa_ossl_private_encrypt", "EVP_DigestSign", "relay::auth::dkim::PrivateKey::sign"):
                     "RSA and Ed25519 signature",
                 ("ext4_sync_file", "__x64_sys_fdatasync", "unixSync", "sqlite3_step"): "disk: write and sync",
                 ("[unknown] (libcrypto.so.3)", "EVP_DigestUpdate (libcrypto.so.3)", "relay::spool::chunk_digest"):
                     "queue: digest of the content",
                 ("sqlite3VdbeExec", "sqlite3_step", "relay::spool::Store::insert"): "queue: SQLite",
                 ("tcp_sendmsg", "__x64_sys_sendmsg", "relay::net::PlainStream::write"): "sockets: read and write",
                 ("[unknown]", "main"): steps.OTHER}
        for frames, step in cases.items():
            self.assertEqual(steps.step_of(frames), step, frames)

    def test_reads_perf_script_and_sums_by_role(self):
        profile = steps.Profile(["  11/12   2000000: \n", "\tffff [unknown] (/usr/lib/libcrypto.so.3)\n",
                                 "\tffff rsa_ossl_private_encrypt (/usr/lib/libcrypto.so.3)\n", "\n",
                                 "13 2000000:\n", "\tffff sqlite3_step (/usr/lib/libsqlite3.so.0)\n",
                                 "\tffff relay::spool::SqliteSpool::run() (/x/srs-relay)\n", "\n",
                                 "13 1000000:\n", "\tffff do_fdatasync ([kernel.kallsyms])\n", "\n"])
        self.assertEqual(list(profile.symbols["RSA and Ed25519 signature"]), ["[unknown] (libcrypto.so.3)"])
        self.assertEqual(profile.table(), {("signer", "RSA and Ed25519 signature"): 2000000,
                                           ("writer", "queue: SQLite"): 2000000,
                                           ("writer", "disk: write and sync"): 1000000})

    def test_shares_are_scaled_to_the_cost(self):
        self.assertEqual(figures.scaled({"a": 3, "b": 1}, 100), {"a": 75, "b": 25})
        self.assertEqual(figures.scaled({}, 100), {})


class Texts(unittest.TestCase):
    def test_a_chart_is_xml_and_its_bars_are_as_long_as_they_should_be(self):
        svg = chart.rates([("new <1>", {"srs-relay": 1000, "postfix": 100})], "per second")
        widths = [float(e.getAttribute("width")) for e in minidom.parseString(svg).getElementsByTagName("rect")]
        bars = [width for width in widths if 10 < width < chart.WIDTH]
        self.assertAlmostEqual(max(bars), 10 * min(bars), delta=1)
        self.assertLess(max(bars), chart.WIDTH - chart.VALUES)
        self.assertIn("new &lt;1&gt;", svg)

    def test_columns_stand_under_each_other(self):
        lines = report.table(("a", "b"), [("long cell", "x")])
        self.assertEqual(len({len(line) for line in lines}), 1)

    def test_what_could_not_be_measured_is_a_dash(self):
        self.assertEqual(report.figure(float("nan")), "–")
        self.assertEqual(report.plain({1: [float("nan"), 2.0, "x"]}), {"1": [None, 2.0, "x"]})

    def test_reads_the_times_of_google_benchmark_without_its_means(self):
        entries = [{"name": "a", "cpu_time": 2.0, "time_unit": "us", "run_type": "iteration"},
                   {"name": "b/manual_time", "cpu_time": 9.0, "real_time": 3.0, "time_unit": "ns", "run_type": "iteration"},
                   {"name": "a_mean", "cpu_time": 2.0, "time_unit": "us", "run_type": "aggregate"}]
        self.assertEqual(micro.times({"benchmarks": entries}), {"a": 2000, "b/manual_time": 3})
        self.assertEqual(micro.readable(1_500_000), "1.5 ms")


class Accounts(unittest.TestCase):
    def test_both_versions_of_control_groups_are_read(self):
        for name, text, seconds in (("cpuacct.usage", "1500000000\n", 1.5),
                                    ("cpu.stat", "usage_usec 2500000\nuser_usec 1\n", 2.5)):
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                    f.write(text)
                self.assertEqual(accounting.Account(folder).seconds(), seconds)

    def test_without_control_groups_there_is_no_account(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(accounting.Account.open("test", [folder]))

    def test_the_writer_is_the_thread_that_lets_others_go_first(self):
        there, known = threading.Event(), []

        def write():
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            known.append(threading.get_native_id())
            there.wait(10)

        self.assertIsNone(accounting.writer_of(os.getpid()))
        writer = threading.Thread(target=write)
        writer.start()
        while not known:
            there.wait(0.01)
        self.assertEqual(accounting.writer_of(os.getpid()), known[0])
        self.assertGreater(accounting.thread_seconds(os.getpid(), known[0]), 0)
        there.set()
        writer.join()


if __name__ == "__main__":
    unittest.main()
