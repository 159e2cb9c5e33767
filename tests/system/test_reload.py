"""Files that a reload reads for the first time, its messages, and slow readers of the log."""

import fcntl
import json
import os
import shutil
import signal
import smtplib
import subprocess
import time
import unittest

from .control import ask
from .harness import BINARY, MESSAGE, Relay, Sink, changed_by_sanitizers, free_port, scratch_folder, wait_for
from .scripted import ScriptedServer, make_certificate


def customer(panel, name):
    """A folder of that customer, with a file for one domain."""
    os.makedirs(os.path.join(panel, name))
    with open(os.path.join(panel, name, "mail.toml"), "w", encoding="ascii") as f:
        f.write(f'[[domain]]\nname = "{name}.test"\n[domain.alias]\na = "a@dest.test"\n')


class Bounded(unittest.TestCase):
    """Files in folders that are closed to the process, by the kernel."""

    def setUp(self):
        self.elsewhere = scratch_folder(self)
        self.panel = os.path.join(self.elsewhere, "panel")
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)

    def started(self, **config):
        self.relay = Relay(self.sink.port, config=config)
        self.addCleanup(self.relay.remove)
        self.relay.start()
        if self.relay.events("started")[0]["landlock"] == 0:
            self.skipTest("this kernel has no Landlock")

    def assert_applied(self):
        code, (answer,) = ask(self.relay, "reload")
        self.assertEqual((code, answer["applied"], answer["needs_restart"], answer["warnings"]), (0, True, [], []))

    def assert_needs_a_restart(self, what):
        code, (answer,) = ask(self.relay, "reload")
        self.assertEqual((code, answer["applied"]), (4, False), answer)
        self.assertIn("Permission denied", answer["problems"][0])
        self.assertIn(what, answer["problems"][0])
        self.assertIn("needs a restart", answer["problems"][0])

    def test_a_pattern_goes_on_to_match_and_finds_what_is_new(self):
        customer(self.panel, "c1")
        self.started(include=[self.panel + "/*/mail.toml"], defaults={"postmaster": "ops@dest.test"})
        self.relay.send(MESSAGE, to=["a@c1.test"])
        self.assert_applied()
        self.relay.send(MESSAGE, to=["a@c1.test"])
        customer(self.panel, "c2")
        self.assert_applied()
        self.relay.send(MESSAGE, to=["a@c1.test", "a@c2.test"])

    def test_a_pattern_that_comes_later_needs_a_restart(self):
        customer(self.panel, "c1")
        self.started()
        for pattern in ("/c1/*.toml", "/*/mail.toml"):
            with self.subTest(pattern):
                self.relay.config["include"] = [self.panel + pattern]
                self.relay.write_config()
                self.assert_needs_a_restart(self.panel)
        self.relay.send(MESSAGE)
        with self.assertRaises(smtplib.SMTPResponseException):
            self.relay.send(MESSAGE, to=["a@c1.test"])
        self.relay.stop()
        self.relay.start()
        self.relay.send(MESSAGE, to=["a@c1.test"])

    def test_a_folder_that_was_not_there_needs_a_restart(self):
        for pattern in ("/*/mail.toml", "/c1/mail.toml"):
            with self.subTest(pattern):
                self.started(include=[self.panel + pattern])
                customer(self.panel, "c1")
                self.assert_needs_a_restart(self.panel)
                self.relay.send(MESSAGE)
                shutil.rmtree(self.panel)

    def test_so_does_any_other_file(self):
        self.started()
        folder = Relay(1, tls=True)  # for its files
        self.addCleanup(folder.remove)
        with open(folder.path("confirmed"), "w", encoding="ascii") as f:
            f.write("target@dest.test\n")
        keys = [{"selector": "rsa", "file": folder.path("rsa.pem")}]
        before = dict(self.relay.config)
        for name, change in {"tls.crt": {"outbound": {"ca_file": folder.path("tls.crt")}},
                             "rsa.pem": {"dkim": [{"domain": self.relay.srs, "keys": keys}]},
                             "tls.key": {"tls": {"cert": folder.path("tls.crt"), "key": folder.path("tls.key")}},
                             "confirmed": {"consent": {"confirmed": folder.path("confirmed")}},
                             "srs.key": {"dns": {"trust_anchor": folder.path("srs.key")}}}.items():
            with self.subTest(name):
                self.relay.config = {**before, **change}
                self.relay.write_config()
                self.assert_needs_a_restart(name if name != "tls.key" else "tls.crt")

    def test_a_folder_of_the_log_that_is_made_anew_is_told(self):
        logs = self.elsewhere + "/logs"
        os.mkdir(logs)
        relay = Relay(1, config={"log": {"file": logs + "/relay.log"}})
        self.addCleanup(relay.remove)
        relay.log = open(relay.path("log"), "wb")
        relay.process = subprocess.Popen([BINARY, "serve", "-c", relay.path("relay.toml")], stderr=relay.log)

        def lines(name, folder):
            if not os.path.exists(folder + "/relay.log"):
                return []
            with open(folder + "/relay.log", encoding="utf-8") as f:
                return [event for event in map(json.loads, f) if event["event"] == name]
        started, = wait_for(lambda: lines("started", logs), what="the start")
        if started["landlock"] == 0:
            self.skipTest("this kernel has no Landlock")
        os.rename(logs, logs + ".old")
        os.mkdir(logs)
        relay.process.send_signal(signal.SIGUSR1)
        told, = wait_for(lambda: lines("log", logs + ".old"), what="the warning")
        self.assertEqual(told["level"], "warning")
        self.assertIn("needs a restart", told["hint"])


class Told(unittest.TestCase):
    def setUp(self):
        self.relay = Relay(1, tls=True)
        self.addCleanup(self.relay.remove)

    def write_mistakes(self):
        self.relay.config.update(limits={"max_size": 5}, queue={"expire": "5x"})
        self.relay.write_config()

    def reload_events(self, count):
        return wait_for(lambda: len(self.relay.events("reload")) >= count and self.relay.events("reload"),
                        what=f"{count} reloads")

    def test_what_is_in_force(self):
        other = free_port()
        self.relay.start()
        first, = self.relay.events("started")
        self.assertEqual((first["addresses"], first["tls"], first["domains"], first["aliases"]),
                         ([f"127.0.0.1:{self.relay.port}"], True, 1, 2))
        self.relay.tls = False
        self.relay.config.update(listener=[{"address": f"127.0.0.1:{other}"}])
        self.relay.aliases["third"] = ["c@dest.test"]
        self.relay.write_config()
        self.assertEqual(ask(self.relay, "reload")[0], 0)
        then, = self.reload_events(1)
        self.assertEqual((then["addresses"], then["tls"], then["domains"], then["aliases"]),
                         ([f"127.0.0.1:{other}"], False, 1, 3))

    def test_every_problem_stands_in_the_log_and_nothing_else(self):
        self.relay.start()
        self.write_mistakes()
        self.relay.process.send_signal(signal.SIGHUP)
        event, = self.reload_events(1)
        self.assertEqual((event["applied"], event["asked_by"], event["level"]), (False, ["a signal"], "error"))
        for words in ("limits.max_size", "queue.expire"):
            self.assertEqual(len([p for p in event["problems"] if words in p and "relay.toml:" in p]), 1, event)
        for line in self.relay.log_text().splitlines():
            json.loads(line)

    def test_a_long_list_of_problems_is_cut(self):
        self.relay.start()
        self.relay.aliases.update({f"a{n}": "nobody" for n in range(2000)})
        self.relay.write_config()
        code, (answer,) = ask(self.relay, "reload")
        self.assertEqual(code, 4)
        event, = self.reload_events(1)
        self.assertEqual(len(event["problems"]) + event["problems_left_out"], len(answer["problems"]))
        self.assertLess(len(json.dumps(event)), 48 * 1024)  # what the journal takes for a line

    def test_why_a_start_failed_has_a_priority_for_the_journal(self):
        self.write_mistakes()
        journal = open(self.relay.path("journal"), "w+b")
        self.addCleanup(journal.close)
        info = os.fstat(journal.fileno())
        ended = subprocess.run([BINARY, "serve", "-c", self.relay.path("relay.toml")], stderr=journal, timeout=60,
                               env=dict(os.environ, JOURNAL_STREAM=f"{info.st_dev}:{info.st_ino}"))
        self.assertEqual(ended.returncode, 4)
        journal.seek(0)
        lines = journal.read().splitlines()
        self.assertGreater(len(lines), 4)  # with the lines of the file, and carets below them
        self.assertEqual([line for line in lines if not line.startswith(b"<3>")], [])


class Unread(unittest.TestCase):
    """The reader of the log may have stopped."""

    def start(self, relay):
        self.addCleanup(relay.remove)
        ours, theirs = os.pipe()
        self.addCleanup(os.close, ours)
        os.set_blocking(theirs, False)
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
        try:
            while os.write(theirs, b"x" * 4096):
                pass
        except BlockingIOError:
            pass
        os.set_blocking(theirs, True)
        relay.log = open(relay.path("log"), "wb")
        relay.process = subprocess.Popen([BINARY, "serve", "-c", relay.path("relay.toml")], stderr=theirs,
                                         stdin=subprocess.DEVNULL)
        os.close(theirs)
        wait_for(lambda: os.path.exists(relay.path("control.sock")), what="the start")
        wait_for(lambda: ask(relay, "status")[0] == 0, what="an answer")
        return relay

    def test_a_reload_waits_for_nobody(self):
        relay = self.start(Relay(1))
        with open(relay.path("relay.toml"), encoding="utf-8") as f:
            good = f.read()
        with open(relay.path("relay.toml"), "w", encoding="utf-8") as f:
            f.write(good + "\n" + "".join(f"bad{n} = {n}\n" for n in range(500)))
        relay.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        self.assertEqual(relay.cli("--timeout", "60", "reload").returncode, 4)
        with open(relay.path("relay.toml"), "w", encoding="utf-8") as f:
            f.write(good)
        self.assertEqual(relay.cli("--timeout", "60", "reload").returncode, 0)

    @changed_by_sanitizers("leaks are looked for at the end")
    def test_nor_does_the_end(self):
        took = []
        for _ in range(3):  # the machine may be busy
            relay = self.start(Relay(1))
            time.sleep(0.5)
            began = time.monotonic()
            self.assertEqual(relay.stop(), 0)
            took.append(time.monotonic() - began)
            if took[-1] < 1.0:
                return
        self.fail(f"it took {took} s")

    def test_a_fifo_that_nobody_reads_holds_up_no_start(self):
        relay = Relay(1, config={"log": {"file": "log.fifo"}})
        self.addCleanup(relay.remove)
        os.mkfifo(relay.path("log.fifo"))
        with self.assertRaisesRegex(AssertionError, "cannot open log file .*log.fifo: nobody reads it"):
            relay.start()

    def test_nor_a_running_relay_when_its_reader_has_gone(self):
        relay = Relay(1, config={"log": {"file": "log.fifo"}})
        self.addCleanup(relay.remove)
        os.mkfifo(relay.path("log.fifo"))
        reader = os.open(relay.path("log.fifo"), os.O_RDONLY | os.O_NONBLOCK)
        relay.log = open(relay.path("log"), "wb")
        relay.process = subprocess.Popen([BINARY, "serve", "-c", relay.path("relay.toml")], stderr=relay.log)
        wait_for(lambda: os.path.exists(relay.path("control.sock")), what="the start")
        wait_for(lambda: ask(relay, "status")[0] == 0, what="an answer")
        os.close(reader)
        for number in (signal.SIGUSR1, signal.SIGHUP):
            relay.process.send_signal(number)
        wait_for(lambda: ask(relay, "status")[0] == 0, what="an answer")
        self.assertEqual(relay.stop(), 0)


class Authorities(unittest.TestCase):
    def setUp(self):
        self.folder = scratch_folder(self)

    def test_others_in_the_same_file_are_taken(self):
        old, new = (make_certificate(self.folder, name) for name in ("old authority", "new authority"))
        server = ScriptedServer(certificate=make_certificate(self.folder, "localhost", new))
        self.addCleanup(server.stop)
        relay = Relay(1, config={"route": [{"match": "*", "via": [f"smtp://localhost:{server.port}"], "tls": "verify"}],
                                 "outbound": {"ca_file": "ca.pem"}})
        self.addCleanup(relay.remove)
        shutil.copy(old[1], relay.path("ca.pem"))
        relay.start()
        relay.send(MESSAGE)
        wait_for(lambda: relay.events("attempt"), what="an attempt")
        self.assertEqual(server.messages, [])
        shutil.copy(new[1], relay.path("ca.pem"))
        code, (answer,) = ask(relay, "reload")
        self.assertEqual((code, answer["needs_restart"]), (0, []))
        wait_for(lambda: server.messages, what="delivery")

    def test_another_trust_anchor_in_the_same_file_needs_a_restart(self):
        relay = Relay(1, config={"dns": {"trust_anchor": "root.key"}})
        self.addCleanup(relay.remove)
        anchor = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"

        def reloaded(text):
            with open(relay.path("root.key"), "w", encoding="ascii") as f:
                f.write(text)
            return ask(relay, "reload")[1][0]["needs_restart"]
        with open(relay.path("root.key"), "w", encoding="ascii") as f:
            f.write(anchor + "\n")
        relay.start()
        self.assertEqual(reloaded(f"; looked at just now\n{anchor}\n"), [])
        self.assertEqual(reloaded(anchor.replace("20326", "38696") + "\n"), ["dns"])
        self.assertEqual(reloaded(anchor + "\n"), [])


class Ends(unittest.TestCase):
    @changed_by_sanitizers("leaks are looked for at the end")
    def test_with_many_aliases_as_soon_as_with_few(self):
        relay = Relay(1)
        self.addCleanup(relay.remove)
        with open(relay.path("many.aliases"), "w", encoding="ascii") as f:
            f.writelines(f"alias{n}: target{n}@dest.test\n" for n in range(300_000))
        relay.config["domain"] = [{"name": relay.domain, "aliases": ["file:many.aliases"]}]
        relay.write_config()
        took = []
        for _ in range(3):  # the machine may be busy
            relay.start()
            time.sleep(2)  # the start's own work is done
            began = time.monotonic()
            self.assertEqual(relay.stop(), 0)
            took.append(time.monotonic() - began)
            if took[-1] < 0.2:
                return
        self.fail(f"it took {took} s")
