"""scripts/campaign says in one line what it misses, and nothing of it is left, however it ends."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import unittest

from tests import guard

from .harness import BINARY, ROOT, scratch_folder, wait_for

CAMPAIGN = os.path.join(ROOT, "scripts/campaign")
PATIENCE = 30  # seconds; it takes one


def verbs():
    said = subprocess.run([CAMPAIGN, "--help"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    return re.search(r"\{([a-z0-9,-]+)\}", said)[1].split(",")


def name_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def below(pid):
    """All that descends from a process."""
    return [one for child in guard.children_of(pid) for one in (child, *below(child))]


class Left(unittest.TestCase):
    """Orphans of what a case starts become children of this process, so that none can hide."""

    def setUp(self):
        guard.adopt_orphans()
        self.scratch = scratch_folder(self)
        self.environment = {**os.environ, "TMPDIR": self.scratch}
        self.addCleanup(guard.end_all)

    def left(self):
        """Its processes and files that are left. What has ended is gone from the list."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        return [name_of(pid) for pid in below(os.getpid())] + os.listdir(self.scratch)

    def assert_nothing_left(self):
        end = time.monotonic() + PATIENCE
        while (left := self.left()) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(left, [])

    def start(self, *words, **environment):
        return subprocess.Popen([CAMPAIGN, *words], env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Missing(Left):
    def test_each_campaign_says_in_one_line_that_there_is_no_program(self):
        nowhere = os.path.join(self.scratch, "nowhere/srs-relay")
        asked = [verb for verb in verbs() if verb not in ("mutants", "debian13")]  # which build what they need anyway
        self.assertGreater(len(asked), 12)
        running = {verb: self.start("--binary", nowhere, verb) for verb in asked}
        for verb, process in running.items():
            with self.subTest(verb):
                said, complaint = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, said), (2, ""), complaint)
                self.assertRegex(complaint, r"\Acampaign: \S+/nowhere/[a-z_-]+ is not there: .+\n\Z")
        self.assert_nothing_left()

    def test_what_lies_beside_the_program_is_needed_too(self):
        alone = os.path.join(self.scratch, "srs-relay")
        os.symlink(BINARY, alone)
        with self.start("--binary", alone, "forgery") as process:
            self.assertIn("srs_forgery is not there", process.communicate(timeout=PATIENCE)[1])
            self.assertEqual(process.returncode, 2)


class Built(Left):
    def test_what_it_needs_is_built_and_a_failure_is_shown(self):
        tools = scratch_folder(self)
        for name, code in (("cmake", 0), ("ninja", 1)):
            with open(os.open(os.path.join(tools, name), os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="ascii") as f:
                f.write(f'#!/bin/sh\necho {name} "$@" >>{tools}/asked\necho this is wrong\nexit {code}\n')
        path = f"{tools}:{os.environ['PATH']}"
        for verb, programs in (("syscall", "srs-relay"), ("forgery", "srs-relay srs_forgery"),
                               ("controls", "srs-relay srs-relay-controls power_cut simulate")):
            with self.subTest(verb), self.start(verb, PATH=path, RELAY_BINARY="") as process:
                said, complaint = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, said), (2, ""), complaint)
                tree = os.path.join(ROOT, "build/release")
                self.assertRegex(complaint, rf"\Athis is wrong\ncampaign: `nice ninja -C {tree} {programs}` failed; .+\n\Z")
                with open(os.path.join(tools, "asked"), encoding="utf-8") as f:
                    self.assertEqual(f.read().splitlines()[-2:],
                                     ["cmake --preset release", f"ninja -C {tree} {programs}"])
        self.assert_nothing_left()


class Ended(Left):
    """A campaign under way, with a relay and a sink."""

    def setUp(self):
        super().setUp()
        self.campaign = self.start("--binary", BINARY, "kill", "--kills", "1000", "--messages", "100000")
        self.addCleanup(self.campaign.stdout.close)
        self.addCleanup(self.campaign.stderr.close)
        wait_for(self.is_under_way, timeout=60, what="a relay and a sink")

    def is_under_way(self):
        self.assertIsNone(self.campaign.poll())
        names = [name_of(pid) for pid in below(self.campaign.pid)]
        return all(any(part in name for name in names) for part in (" serve ", "tests.system.ledger.sink"))

    def test_by_sigkill(self):
        self.campaign.kill()
        self.campaign.wait(timeout=PATIENCE)
        self.assert_nothing_left()

    def test_by_sigkill_of_the_process_that_works(self):
        watcher, = guard.children_of(self.campaign.pid)
        worker, = guard.children_of(watcher)
        os.kill(worker, signal.SIGKILL)
        self.assertEqual(self.campaign.wait(timeout=PATIENCE), 128 + signal.SIGKILL)
        self.assert_nothing_left()

    def test_by_sigterm(self):
        self.campaign.terminate()
        self.assertEqual(self.campaign.wait(timeout=PATIENCE), 128 + signal.SIGTERM)
        self.assertNotIn("Traceback", self.campaign.stderr.read())
        self.assert_nothing_left()


class Guarded(Left):
    """Any other program, as of scripts/bench."""

    # A child, one that has left the session and lost its parent, and a file.
    PROGRAM = 'sleep 600 & (setsid sleep 600 &); touch "$TMPDIR/scratch"; echo ready; '

    def start_guarded(self, rest):
        process = subprocess.Popen([sys.executable, "-m", "tests.guard", "sh", "-c", self.PROGRAM + rest], cwd=ROOT,
                                   env=self.environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def test_its_exit_code_is_told(self):
        self.assertEqual(self.start_guarded("exit 3").wait(timeout=PATIENCE), 3)
        self.assert_nothing_left()

    def test_it_ends_with_who_called_it(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process = self.start_guarded("exec sleep 601")
                wait_for(lambda: sum(name_of(pid).startswith("sleep") for pid in below(process.pid)) == 3, what="all three")
                process.send_signal(number)
                process.wait(timeout=PATIENCE)
                self.assert_nothing_left()


class Sink(Left):
    def test_ends_with_the_process_that_began_it(self):
        program = ("import sys, time\nfrom tests.system.ledger.kill import SinkProcess\n"
                   "sink = SinkProcess(sys.argv[1])\nprint(sink.process.pid, flush=True)\ntime.sleep(600)\n")
        folder = scratch_folder(self)
        with subprocess.Popen([sys.executable, "-c", program, folder], cwd=ROOT, env=self.environment,
                              stdout=subprocess.PIPE, text=True) as process:
            self.assertIn("ledger.sink", name_of(int(process.stdout.readline())))
            process.kill()
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
