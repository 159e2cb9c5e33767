"""Mail in from and out to other people's MTAs: Postfix and Exim, and their load tools."""

import os
import re
import subprocess
import unittest

from tests.bench import peers
from tests.bench.peer import POSTFIX_ENVIRONMENT, SMTP_SINK, SMTP_SOURCE, wait_for_listener

from .harness import MESSAGE, Relay, Sink, free_port, scratch_folder, wait_for


class NextHop(unittest.TestCase):
    """Each of them takes our mail for fwd.test, rewrites and signs it once more, and hands it on."""

    def through(self, kind):
        folder = scratch_folder(self, 0o755)
        sink = Sink().start()
        self.addCleanup(sink.stop)
        peer = kind(os.path.join(folder, "peer"), sink.port, "none").start()
        self.addCleanup(peer.stop)
        relay = Relay(peer.port, domain="first.test", srs="first.test",
                      aliases={"user": ["user@fwd.test"], "bad": ["nobody@elsewhere.test"]}).start()
        self.addCleanup(relay.remove)
        relay.send(MESSAGE, to=["user@first.test"])
        wait_for(lambda: sink.messages, what="delivery through " + peer.name)
        return relay, sink, peer

    def check(self, kind, wrap):
        relay, sink, peer = self.through(kind)
        got = sink.messages[0]
        # Postfix adds the Date that our message lacks; every other octet is as it was.
        content = re.sub(rb"(?m)^Date: .*\r\n(?=\r\n)", b"", got.content, count=1)
        self.assertTrue(content.endswith(MESSAGE))
        # They wrap our strong address in one of theirs; we can still reverse the inner one.
        wrapped = re.match(wrap, got.mail_from)
        self.assertTrue(wrapped, got.mail_from)
        found = relay.cli("srs", "decode", "SRS0=" + wrapped.group(1) + "@first.test")
        self.assertEqual(found.stdout.strip(), "ann@sender.test", found.stderr)
        attempts = relay.events("attempt")
        self.assertEqual([a["outcome"] for a in attempts], ["delivered"])
        # A message that they refuse becomes a DSN, which they accept.
        relay.send(MESSAGE, to=["bad@first.test"])
        wait_for(lambda: [a for a in relay.events("attempt") if a["outcome"] == "failed"],
                 what="a refusal by " + peer.name)

    def test_postfix(self):
        self.check(peers.PostfixStack, r"SRS1=[^=]+=first\.test==(.+)@relay\.test$")

    def test_exim(self):
        self.check(peers.Exim, r"SRS0=[^=]+=[^=]+=first\.test=SRS0=(.+)@relay\.test$")


class LoadTools(unittest.TestCase):
    def test_smtp_source_in_and_smtp_sink_out(self):
        port, number = free_port(), 300
        folder = scratch_folder(self)
        sink = subprocess.Popen([SMTP_SINK, "-u", "nobody", "-d", "%S.", f"127.0.0.1:{port}", "100"],
                                env=POSTFIX_ENVIRONMENT, cwd=self.open_folder(folder))
        self.addCleanup(sink.wait)
        self.addCleanup(sink.terminate)
        wait_for_listener(port)
        relay = Relay(port, config={"limits": {"per_ip": 100, "per_network": 100}}).start()
        self.addCleanup(relay.remove)
        subprocess.run([SMTP_SOURCE, "-s", "10", "-m", str(number), "-l", "4096", "-f", "ann@sender.test",
                        "-t", "user@fwd.test", f"127.0.0.1:{relay.port}"],
                       env=POSTFIX_ENVIRONMENT, check=True, timeout=120)
        wait_for(relay.is_empty, timeout=60, what="an empty queue")
        dumped = [open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)]
        self.assertEqual(len(dumped), number)
        for text in dumped:
            self.assertRegex(text, rb"X-Mail-Args: <SRS0=[a-z2-7]{8}=..=sender\.test=ann@relay\.test>")
        ids = {re.search(rb"with SMTP id ([0-9A-Z]{26})", text).group(1) for text in dumped}
        self.assertEqual(len(ids), number)

    @staticmethod
    def open_folder(folder):
        os.chmod(folder, 0o777)
        return folder

    def swaks(self, relay, *options):
        return subprocess.run(["swaks", "--server", f"127.0.0.1:{relay.port}", "--from", "ann@sender.test",
                               "--to", "user@fwd.test", *options], capture_output=True, text=True, timeout=60)

    def test_swaks_plain_tls_pipelined_and_utf8(self):
        sink = Sink().start()
        self.addCleanup(sink.stop)
        relay = Relay(sink.port, tls=True).start()
        self.addCleanup(relay.remove)
        for number, options in enumerate(((), ("--tls",), ("--pipeline",), ("--tls", "--pipeline"),
                                          ("--header", "Subject: Grüße")), start=1):
            with self.subTest(options):
                done = self.swaks(relay, *options)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertRegex(done.stdout, r"250 2\.0\.0 queued as [0-9A-Z]{26}")
                wait_for(lambda: len(sink.messages) == number, what="delivery")
                self.assertIn(b"with ESMTPS id" if "--tls" in options else b"with ESMTP id",
                              sink.messages[-1].content)


if __name__ == "__main__":
    unittest.main()
