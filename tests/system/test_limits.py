"""Effects of other mail and of operators on a message under way, in a slice: scripts/campaign limits has
all."""

import concurrent.futures
import json
import subprocess
import sys
import unittest

from .ledger import limits, moods, threads
from .ledger.sink import Session


class Slice(unittest.TestCase):
    """All parts at once: they mostly wait."""

    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(len(limits.QUICK))
        cls.running = {name: cls.pool.submit(limits.run, name, 1, quick=True) for name in limits.QUICK}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()

    def judge(self, name):
        report = self.running[name].result()
        print(limits.summary(report))
        self.assertTrue(report["pass"], limits.summary(report) + "\n" + json.dumps(report["examples"], indent=1))
        return report

    def test_destinations_that_limit_close_refuse_and_fall_silent(self):
        self.assertGreater(self.judge("moods")["dsns"], 0)

    def test_more_silent_destinations_than_connections(self):
        self.judge("tarpits")

    def test_an_operators_orders_under_load(self):
        report = self.judge("verbs")
        self.assertGreater(report["orders"], 10)
        self.assertGreater(report["dropped"], 0)

    def test_threads_that_are_late(self):
        self.judge("threads")

    def test_kills_between_a_failure_and_its_dsn(self):
        report = self.judge("debts")
        self.assertGreater(report["kills"], 3)
        self.assertGreater(report["dsns"], 0)


class StoppedThread(unittest.TestCase):
    # Two threads; the second one's number is said.
    PROGRAM = ("import threading, time\n"
               "thread = threading.Thread(target=time.sleep, args=(30,), daemon=True)\n"
               "thread.start()\nprint(thread.native_id, flush=True)\ntime.sleep(30)\n")

    def state(self, thread):
        with open(f"/proc/{self.process.pid}/task/{thread}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0]

    def test_one_thread_stands_still_and_the_other_does_not(self):
        self.process = subprocess.Popen([sys.executable, "-c", self.PROGRAM], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        thread = int(self.process.stdout.readline())
        self.assertEqual(threads.threads_of(self.process.pid), sorted((self.process.pid, thread)))
        with threads.Stopped(thread):
            self.assertEqual(self.state(thread), "t")
            self.assertNotEqual(self.state(self.process.pid), "t")
        self.assertNotEqual(self.state(thread), "t")


class Transport:
    def __init__(self):
        self.said, self.closed = b"", False

    def write(self, data):
        self.said += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


class StrictSink(unittest.TestCase):
    """The ledger's sink refuses what is out of order, and excuses what is pipelined behind a refusal."""

    def setUp(self):
        self.written = []
        self.first_seen = {}

    def write(self, entry):
        self.written.append(entry)

    def objection(self, local):
        return b"450 4.2.0 not now\r\n" if local.startswith("temp") else None

    def talk(self, *lines, mood=None):
        session = Session(self, mood or moods.Healthy(None))
        transport = Transport()
        session.connection_made(transport)
        session.data_received(b"".join(line.encode() + b"\r\n" for line in lines))
        return [line[:3] for line in transport.said.decode().split("\r\n") if line[3:4] == " "], transport

    def wrong(self):
        return [entry["wrong"] for entry in self.written if "wrong" in entry]

    def test_a_message(self):
        codes, _ = self.talk("EHLO a", "MAIL FROM:<s@a>", "RCPT TO:<ok@b>", "DATA", "X-Ledger-Id: 7", "", "text", ".")
        self.assertEqual(codes, ["220", "250", "250", "250", "354", "250"])
        self.assertEqual((self.written[0]["id"], self.wrong()), (7, []))

    def test_mail_behind_a_transaction_that_was_not_reset(self):
        envelope = ("MAIL FROM:<s@a>", "RCPT TO:<temp@b>", "DATA")
        codes, _ = self.talk("EHLO a", *envelope, *envelope)
        self.assertEqual(codes[:5], ["220", "250", "250", "450", "503"])
        self.assertEqual(self.wrong(), ["MAIL FROM:<s@a>"])
        self.written.clear()
        codes, _ = self.talk("EHLO a", *envelope, "RSET", *envelope)
        self.assertEqual(self.wrong(), [])

    def test_a_trap_takes_one_recipient_and_closes(self):
        trap = moods.Trap(None)
        codes, transport = self.talk("EHLO a", "MAIL FROM:<s@a>", "RCPT TO:<ok@b>", "RCPT TO:<ok@c>", "DATA",
                                     "text", ".", mood=trap)
        self.assertEqual((codes[4], codes[-1], transport.closed), ("452", "250", True))
        codes, transport = self.talk("EHLO a", mood=trap)
        self.assertEqual((codes, transport.closed), (["421"], True))


if __name__ == "__main__":
    unittest.main()
