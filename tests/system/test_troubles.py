"""Troubles that a stranger causes are none of the host; a lack of resources is."""

import json
import resource
import smtplib
import socket
import unittest

from .harness import MESSAGE, Relay, Sink, wait_for

ROOM = {"per_ip": 1000, "per_network": 1000}


def begin(relay, source, octets=0):
    """A session from that address in the midst of a message, of which so much has been sent."""
    s = smtplib.SMTP("127.0.0.1", relay.port, local_hostname="c.test", timeout=30, source_address=(source, 0))
    s.ehlo()
    s.mail("ann@sender.test")
    s.rcpt("user@fwd.test")
    code, _ = s.docmd("DATA")
    assert code == 354
    s.send(b"Subject: x\r\n\r\n" + (b"x" * 98 + b"\r\n") * (octets // 100))
    return s


def troubles(relay):
    found = relay.cli("--json", "status")
    return found.returncode, [trouble["of"] for trouble in json.loads(found.stdout)["troubles"]]


class Strangers(unittest.TestCase):
    def test_who_uses_up_a_share_of_his_own_is_none_of_them(self):
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, config={"limits": dict(ROOM, memory="8MiB", memory_per_network="1MiB")})
        self.addCleanup(relay.remove)
        relay.start()
        crowd = [begin(relay, f"127.7.7.{1 + number % 9}", 200_000) for number in range(30)]
        said = set()
        for s in crowd[10:]:  # the first ones keep what they have
            s.send(b".\r\n")
            code, text = s.getreply()
            said.add((code, text.decode().split(",")[0]))
        self.assertEqual(said, {(452, "4.7.1 Too much mail at once from your network")})
        relay.send(MESSAGE)  # everybody else is served
        self.assertEqual({event["level"] for event in relay.events("rejected")}, {"info"})
        self.assertEqual(troubles(relay), (0, []))
        for s in crowd:
            s.close()


class Descriptors(unittest.TestCase):
    def test_too_few_are_told(self):
        relay = Relay(1, config={"limits": ROOM})
        self.addCleanup(relay.remove)
        relay.start()
        self.assertEqual(troubles(relay), (0, []))
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, (128, 128))
        flood = [socket.create_connection(("127.0.0.1", relay.port), timeout=30) for _ in range(300)]
        told = wait_for(lambda: relay.events("turned_away"), what="the line")
        self.assertEqual((told[0]["level"], told[0]["descriptors"]), ("warning", 128))
        self.assertEqual(troubles(relay), (1, ["descriptors"]))
        for s in flood:
            s.close()

        def accepted():
            try:
                return relay.send(MESSAGE)
            except (OSError, smtplib.SMTPException):
                return None
        wait_for(accepted, what="the relay to accept again")
        self.assertIn("TROUBLE descriptors: connections were not taken", relay.cli("status").stdout)
        self.assertEqual(len(relay.events("turned_away")), 1)


if __name__ == "__main__":
    unittest.main()
