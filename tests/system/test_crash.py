"""kill -9 under load: nothing that was acknowledged may be missing."""

import os
import re
import threading
import unittest

from .harness import Relay, Sink, wait_for

KILLS = int(os.environ.get("KILLS", "20"))


def missing(acknowledged, delivered):
    """The ledger's verdict: acknowledged numbers that never arrived."""
    return sorted(set(acknowledged) - set(delivered))


class Ledger(unittest.TestCase):
    def test_the_checker_sees_a_loss(self):
        self.assertEqual(missing([1, 2, 3], [1, 3, 3]), [2])
        self.assertEqual(missing([1, 2], [2, 1, 9]), [])


class KillNine(unittest.TestCase):
    def test_acknowledged_mail_survives(self):
        sink = Sink().start()
        relay = Relay(sink.port).start()
        acknowledged, stop, counter, lock = [], threading.Event(), [0], threading.Lock()

        def client():
            while not stop.is_set():
                with lock:
                    counter[0] += 1
                    number = counter[0]
                body = f"From: a@sender.test\r\nX-Number: {number}\r\n\r\n{number}\r\n".encode()
                try:
                    relay.send(body)
                except Exception:  # killed under it: not acknowledged, so not owed
                    continue
                with lock:
                    acknowledged.append(number)

        threads = [threading.Thread(target=client) for _ in range(4)]
        try:
            for thread in threads:
                thread.start()
            for _ in range(KILLS):
                stop.wait(0.4)
                relay.kill()
                relay.start()
            stop.set()
            for thread in threads:
                thread.join()
            wait_for(lambda: not relay.rows(), timeout=60, what="an empty queue")

            def numbers():
                return [int(re.search(rb"X-Number: (\d+)", m.content).group(1))
                        for m in sink.messages]

            self.assertGreater(len(acknowledged), KILLS)
            self.assertEqual(missing(acknowledged, numbers()), [])
            print(f"{len(acknowledged)} acknowledged through {KILLS} kills, 0 lost, "
                  f"{len(numbers()) - len(set(numbers()))} delivered twice")
        finally:
            stop.set()
            relay.remove()
            sink.stop()


if __name__ == "__main__":
    unittest.main()
