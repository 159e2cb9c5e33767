"""Behind a real HAProxy and a real Postfix: the client is who sends."""

import os
import re
import smtplib
import socket
import subprocess
import unittest

from .fronts import BALANCER, GATEWAY, Balancer, Gateway
from .harness import Relay, Sink, scratch_folder, wait_for
from .nameserver import Nameserver

HONEST, LIAR = "127.0.0.7", "127.0.0.66"
ZONES = {"sender.example": [f'@ 60 IN TXT "v=spf1 ip4:{HONEST} -all"', '_dmarc 60 IN TXT "v=DMARC1; p=reject"'],
         "bl.example": [f"{'.'.join(reversed(HONEST.split('.')))} 60 IN A 127.0.0.2"],
         ".": []}


def message(number, fields=""):
    return (f"{fields}From: Ann <ann@sender.example>\r\nTo: user@fwd.test\r\nSubject: {number}\r\n"
            f"Message-ID: <{number}@sender.example>\r\n\r\nHello {number}.\r\n").encode()


def send(port, content, source=HONEST, helo="client.test"):
    """The last reply: (code, text)."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname=helo, timeout=30, source_address=(source, 0)) as s:
        s.ehlo()
        for command in (lambda: s.mail("ann@sender.example"), lambda: s.rcpt("user@fwd.test")):
            code, text = command()
            if code != 250:
                return code, text.decode()
        code, text = s.data(content)
        return code, text.decode()


def say(port, *parts, source="127.0.0.1"):
    """Everything that is heard until the other side closes, or says nothing for two seconds."""
    heard = b""
    with socket.socket() as s:
        s.settimeout(2)
        s.bind((source, 0))
        s.connect(("127.0.0.1", port))
        for part in (*parts, None):
            if part:
                s.sendall(part)
            try:
                more = s.recv(4096)
                while more:
                    heard += more
                    if part is not None and heard.endswith(b"\r\n"):
                        break
                    more = s.recv(4096)
            except OSError:
                pass
    return heard.decode()


class InFront(unittest.TestCase):
    def setUp(self):
        self.folder = scratch_folder(self, 0o755)
        self.world = Nameserver(ZONES).start()
        self.addCleanup(self.world.stop)
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)

    def relay(self, listener=None, **config):
        config = {"dns": {"forward_to": [f"127.0.0.1@{self.world.port}"]}, **config}
        relay = Relay(self.sink.port, verify=True, config=config)
        if listener:
            relay.config["listener"] = [{"address": f"127.0.0.1:{relay.port}", **listener}]
            relay.write_config()
        self.addCleanup(relay.remove)
        return relay.start()

    def front(self, kind, *arguments, **options):
        front = kind(os.path.join(self.folder, kind.__name__.lower()), *arguments, **options).start()
        self.addCleanup(front.stop)
        return front

    def received(self, relay, count):
        wait_for(lambda: len(relay.events("received")) >= count, what=f"{count} messages")
        events = relay.events("received")
        self.assertEqual(len(events), count)
        return events


class BehindHaproxy(InFront):
    def through(self, version, backend=""):
        relay = self.relay({"proxy": [BALANCER]})
        return relay, self.front(Balancer, relay.port, version, backend)

    def check_clients(self, version):
        relay, balancer = self.through(version)
        self.assertEqual(send(balancer.port, message(1))[0], 250)
        code, text = send(balancer.port, message(2), source=LIAR)
        self.assertEqual(code, 550, text)
        event, = self.received(relay, 1)
        self.assertEqual((event["peer_ip"], event["through"]), (HONEST, BALANCER))
        refused = relay.events("rejected")[-1]
        self.assertEqual((refused["peer_ip"], refused["through"]), (LIAR, BALANCER))
        wait_for(lambda: self.sink.messages, what="delivery")
        self.assertIn(f"([{HONEST}])".encode(), self.sink.messages[0].content)

    def test_version_1(self):
        self.check_clients("send-proxy")

    def test_version_2(self):
        self.check_clients("send-proxy-v2")

    def test_tlvs_are_skipped(self):
        self.check_clients("send-proxy-v2 proxy-v2-options crc32c,unique-id,authority")

    def test_health_checks_are_its_own(self):
        relay, balancer = self.through("send-proxy-v2 check check-send-proxy inter 200ms",
                                       "option smtpchk EHLO balancer.test")
        self.assertEqual(send(balancer.port, message(1))[0], 250)
        self.received(relay, 1)
        self.assertEqual(relay.events("rejected"), [])

    def test_limits_count_the_client(self):
        relay = self.relay({"proxy": [BALANCER]}, limits={"per_ip": 1})
        balancer = self.front(Balancer, relay.port, "send-proxy")
        with smtplib.SMTP("127.0.0.1", balancer.port, source_address=(HONEST, 0), timeout=30) as first:
            first.ehlo()
            self.assertEqual(say(balancer.port, source=HONEST),
                             "421 4.7.0 Too many connections from your address\r\n")
            self.assertRegex(say(balancer.port, source=LIAR), "^220 ")

    def test_it_must_send_the_header(self):
        relay = self.relay({"proxy": [BALANCER]})
        balancer = self.front(Balancer, relay.port, "")
        self.assertIn("421 4.7.0 127.0.0.8 must begin with a PROXY header", say(balancer.port, b"EHLO x\r\n"))
        self.assertEqual(len(relay.events("rejected")), 1)

    def test_who_is_not_named_hears_why(self):
        relay = self.relay()
        for version in ("send-proxy", "send-proxy-v2"):
            balancer = self.front(Balancer, relay.port, version)
            self.assertRegex(say(balancer.port), r"(220 .*\r\n)?421 4\.7\.0 No PROXY protocol for 127\.0\.0\.8")
            balancer.stop()

    def test_a_spoofed_header_names_nobody(self):
        relay = self.relay({"proxy": [BALANCER]})
        header = f"PROXY TCP4 {HONEST} 127.0.0.1 1 25\r\n".encode()
        self.assertIn("421 4.7.0 No PROXY protocol for 127.0.0.66", say(relay.port, header, source=LIAR))
        balancer = self.front(Balancer, relay.port, "send-proxy")
        self.assertRegex(say(balancer.port, header, source=LIAR), "421 4.7.0 (Wait|No PROXY protocol for 127.0.0.66)")
        for wrong in (b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", b"PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n", b"PROXY " + b"x" * 200,
                      b"\r\n\r\n\0\r\nQUIT\n\x21\x12\x00\x0c" + b"x" * 12):
            self.assertIn("421 4.7.0 The PROXY header", say(relay.port, wrong, source=BALANCER))
        self.assertEqual(relay.events("received"), [])


class BehindPostfix(InFront):
    def through(self, xforward, again=False, **gateway):
        relay = self.relay(gateway=[{"from": [GATEWAY], **gateway}])
        return relay, self.front(Gateway, relay.port, xforward=xforward, again=again)

    def test_xforward_names_the_client_of_each_message(self):
        relay, gateway = self.through(True)
        for number, source in enumerate((HONEST, LIAR, HONEST, HONEST), start=1):
            self.assertEqual(send(gateway.port, message(number), source=source)[0], 250)
        events = self.received(relay, 3)
        self.assertEqual({(e["peer_ip"], e["through"], e["helo"]) for e in events}, {(HONEST, GATEWAY, "client.test")})
        wait_for(lambda: re.search(r"550 5\.7\.1", gateway.log()), what="the refusal of the spoof")
        wait_for(lambda: len(self.sink.messages) == 3, what="delivery")
        self.assertIn(f"([{GATEWAY}])".encode(), self.sink.messages[0].content)
        self.assertNotIn("improper", gateway.log())

    def test_received_names_the_client(self):
        relay, gateway = self.through(False, client="received", names=["gw.test"])
        self.assertEqual(send(gateway.port, message(1))[0], 250)
        event, = self.received(relay, 1)
        self.assertEqual((event["peer_ip"], event["through"], event["helo"]), (HONEST, GATEWAY, "client.test"))

    def test_received_of_a_gateway_that_adds_several_fields(self):
        relay, gateway = self.through(False, again=True, client="received", names=["gw.test"])
        self.assertEqual(send(gateway.port, message(1))[0], 250)
        event, = self.received(relay, 1)
        self.assertEqual(event["peer_ip"], HONEST)
        wait_for(lambda: self.sink.messages, what="delivery")
        self.assertEqual(self.sink.messages[0].content.count(b"by gw.test"), 2)

    def test_a_forged_received_field_names_nobody(self):
        relay, gateway = self.through(False, again=True, client="received", names=["gw.test"])
        forged = f"Received: from client.test (unknown [{HONEST}])\r\n\tby gw.test (Postfix) with ESMTP id 1;\r\n\tx\r\n"
        self.assertEqual(send(gateway.port, message(1, forged), source=LIAR)[0], 250)
        self.assertEqual(send(gateway.port, message(2), source=LIAR, helo=f"[{HONEST}]")[0], 250)
        wait_for(lambda: len(re.findall(r"550 5\.7\.1", gateway.log())) >= 2, what="two refusals")
        self.assertEqual(relay.events("received"), [])
        refused = [e["peer_ip"] for e in relay.events("rejected") if e["smtp"]["stage"] == "end-of-data"]
        self.assertEqual(set(refused), {LIAR})

    def test_what_it_has_accepted_is_held(self):
        relay, gateway = self.through(True, refusals="hold")
        self.assertEqual(send(gateway.port, message(1), source=LIAR)[0], 250)
        event, = self.received(relay, 1)
        self.assertEqual(event["held_count"], 1)
        self.assertEqual([row["state"] for row in relay.rows()], ["held"])

    def test_what_the_lists_say_makes_no_bounce(self):
        """Its client is listed; Postfix has the message already when it hears so."""
        for named in ({"xforward": True}, {"xforward": False, "client": "received", "names": ["gw.test"]}):
            with self.subTest(**named):
                relay = self.relay(gateway=[{"from": [GATEWAY], "refusals": "hold",
                                             **{k: v for k, v in named.items() if k != "xforward"}}],
                                   dns_list=[{"zone": "bl.example"}])
                gateway = self.front(Gateway, relay.port, xforward=named["xforward"])
                self.assertEqual(send(gateway.port, message(1))[0], 250)
                event, = self.received(relay, 1)
                self.assertEqual((event["peer_ip"], event["held_count"]), (HONEST, 1))
                self.assertEqual([row["state"] for row in relay.rows()], ["held"])
                wait_for(lambda: "status=sent" in gateway.log(), what="the end in Postfix's queue")
                self.assertNotIn("status=bounced", gateway.log())
                gateway.stop()

    def test_a_client_behind_a_proxy_that_named_it_names_nobody(self):
        relay = self.relay(gateway=[{"from": [GATEWAY]}])
        with smtplib.SMTP("127.0.0.1", relay.port, source_address=(GATEWAY, 0), timeout=30) as s:
            s.ehlo()
            self.assertEqual(s.docmd("XCLIENT", f"ADDR={LIAR}")[0], 220)
            s.ehlo()
            self.assertEqual(s.mail("ann@sender.example")[0], 250)
            # From here on the client speaks, as through nginx mail.
            s.rset()
            s.ehlo()
            self.assertNotIn("xclient", s.esmtp_features)
            self.assertEqual(s.docmd("XCLIENT", f"ADDR={HONEST}"),
                             (421, b"4.7.0 Name another client on a new connection"))

    def test_xclient(self):
        relay = self.relay(gateway=[{"from": [GATEWAY]}])
        def swaks(*options):
            done = subprocess.run(["swaks", "--server", f"127.0.0.1:{relay.port}", "--from", "ann@sender.example", "--to",
                                   "user@fwd.test", "--ehlo", "client.test", *options], capture_output=True, text=True,
                                  timeout=60, check=False)
            return done.stdout
        named = ("--xclient", f"ADDR={HONEST} NAME=x", "--header", "From: ann@sender.example")
        self.assertIn("queued as", swaks("--local-interface", GATEWAY, *named))
        self.assertNotIn("XCLIENT", swaks("--local-interface", LIAR, *named))
        with smtplib.SMTP("127.0.0.1", relay.port, source_address=(LIAR, 0), timeout=30) as s:
            s.ehlo()
            self.assertEqual(s.docmd("XCLIENT", f"ADDR={HONEST}"), (550, b"5.7.0 No [[gateway]] names your address"))
        event, = self.received(relay, 1)
        self.assertEqual((event["peer_ip"], event["through"]), (HONEST, GATEWAY))

    def test_a_reload_takes_it_away(self):
        relay = self.relay(gateway=[{"from": [GATEWAY]}])
        with smtplib.SMTP("127.0.0.1", relay.port, source_address=(GATEWAY, 0), timeout=30) as s:
            s.ehlo()
            self.assertIn("xclient", s.esmtp_features)
            self.assertEqual(s.docmd("XFORWARD", f"ADDR={HONEST}")[0], 250)
            relay.config["gateway"] = []
            relay.write_config()
            self.assertEqual(relay.cli("reload").returncode, 0)
            self.assertEqual(s.docmd("XFORWARD", f"ADDR={HONEST}")[0], 550)
            self.assertEqual(s.docmd("XCLIENT", f"ADDR={HONEST}")[0], 550)
            s.ehlo()
            self.assertNotIn("xclient", s.esmtp_features)
            # It counts as an ordinary client, and its SPF fails.
            with self.assertRaises(smtplib.SMTPDataError):
                s.sendmail("ann@sender.example", ["user@fwd.test"], message(1))


if __name__ == "__main__":
    unittest.main()
