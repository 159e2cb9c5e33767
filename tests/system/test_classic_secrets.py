"""Classic addresses at an upgrade, on a fresh host, and where a secret says that it takes them: the reply
to RCPT of the running relay, and the output of the commands beside it."""

import os
import re
import smtplib
import subprocess
import time
import unittest

from .callouts.world import classic
from .harness import BINARY, MESSAGE, Relay, Sink, wait_for

DAY = 86_400


class ClassicSecrets(unittest.TestCase):
    def setUp(self):
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port)
        self.addCleanup(self.relay.remove)
        with open(self.relay.path("srs.key"), "rb") as f:
            self.address = classic(f.read().strip(), "ann", "sender.test")

    def memory(self):
        return self.relay.path("queue/srs-secrets")

    def remembered(self):
        with open(self.memory(), encoding="ascii") as f:
            return re.findall(r"^classic-before (\d+)", f.read(), re.MULTILINE)

    def code(self):
        """The reply to RCPT."""
        with smtplib.SMTP("127.0.0.1", self.relay.port, local_hostname="client.test", timeout=30) as client:
            client.ehlo()
            client.mail("")
            return client.rcpt(self.address)[0]

    def assertTaken(self, taken):
        """By the relay, and by what the commands say of it."""
        self.assertEqual(self.code(), 250 if taken else 550)
        said = self.relay.cli("srs", "explain", self.address)
        self.assertIn("valid (hash matches" if taken else "forged (a right classic tag of key k", said.stdout)
        self.assertEqual(self.relay.cli("resolve", self.address).returncode == 0, taken)

    def set(self, **srs):
        self.relay.config = {"srs": srs}
        self.relay.write_config()

    def forget(self):
        """As a version left it that knew nothing of a memory."""
        os.remove(self.memory())

    def test_a_fresh_host_takes_none(self):
        self.relay.start()
        self.assertTaken(False)
        self.assertEqual(self.remembered(), ["0"])
        self.relay.stop()
        self.relay.start()
        self.assertTaken(False)
        self.assertEqual(self.relay.events("srs_classic"), [])

    def test_a_fresh_host_that_was_killed_at_once_takes_none(self):
        self.relay.start()
        self.relay.kill()
        self.relay.start()
        self.assertTaken(False)

    def test_at_an_upgrade_what_is_under_way_comes_home(self):
        self.relay.start()
        self.relay.stop()
        self.forget()
        said = self.relay.cli("srs", "explain", self.address)  # before the first start of this version
        self.assertIn("valid (hash matches", said.stdout)
        self.relay.start()
        self.assertTaken(True)
        [event] = self.relay.events("srs_classic")
        self.assertEqual(event["secret"], "k")
        [since] = self.remembered()
        self.relay.send(b"Auto-Submitted: auto-replied\r\n" + MESSAGE, sender="", to=[self.address])
        wait_for(lambda: any("ann@sender.test" in m.rcpt_tos for m in self.sink.messages), what="the bounce at home")
        for stop in (self.relay.stop, self.relay.kill):
            stop()
            self.relay.start()
            self.assertTaken(True)
            self.assertEqual(self.remembered(), [since])
        self.set(max_age="20d")
        self.relay.cli("reload", check=True)
        self.assertTaken(True)
        # The time is over.
        self.relay.stop()
        self.age_memory(22 * DAY)
        self.relay.start()
        self.assertTaken(False)

    def age_memory(self, seconds):
        with open(self.memory(), encoding="ascii") as f:
            text = f.read()
        text = re.sub(r"classic-before (\d+)", lambda m: f"classic-before {int(m[1]) - seconds}", text)
        with open(self.memory(), "w", encoding="ascii") as f:
            f.write(text)

    def test_a_memory_of_tomorrow_ends_no_later_than_one_of_today(self):
        self.relay.start()
        self.relay.stop()
        self.forget()
        self.relay.start()
        self.relay.stop()
        self.age_memory(-1000 * DAY)
        self.relay.start()
        self.assertTaken(True)
        self.assertLess(int(self.remembered()[0]), time.time() + DAY)

    def test_a_secret_says_so_and_a_reload_is_enough(self):
        self.relay.start()
        self.assertTaken(False)
        secret = {"id": "k", "file": "srs.key"}
        self.set(secret=[{**secret, "classic": True}])
        self.relay.cli("reload", check=True)
        self.assertTaken(True)
        self.set(secret=[secret])
        self.relay.cli("reload", check=True)
        self.assertTaken(False)
        self.set(accept_classic=True)
        said = self.relay.cli("reload", check=True)
        self.assertIn("accept_classic", said.stdout + said.stderr)
        self.assertTaken(True)

    def test_a_memory_that_cannot_be_written_is_told_and_stops_no_working_host(self):
        self.relay.start()
        self.relay.stop()
        self.forget()
        os.mkdir(self.relay.path("queue/srs-secrets.new"))
        self.relay.start()
        self.assertTaken(True)
        self.assertIn("cannot write", self.relay.events("secret_memory")[0]["problem"])

    def test_a_fresh_host_that_cannot_remember_does_not_start(self):
        os.makedirs(self.relay.path("queue/srs-secrets.new"), mode=0o700)
        os.chmod(self.relay.path("queue"), 0o700)
        with self.assertRaisesRegex(AssertionError, "cannot write .*srs-secrets"):
            self.relay.start()
        os.rmdir(self.relay.path("queue/srs-secrets.new"))
        self.relay.start()
        self.assertTaken(False)

    def test_a_queue_named_without_a_folder_has_its_memory_beside_it(self):
        """With a configuration that is named without one: both lie where the relay is started."""
        self.relay.config = {"queue": {"store": "sqlite:queue.db"}}
        self.relay.write_config()
        os.chmod(self.relay.folder, 0o700)
        process = subprocess.Popen([BINARY, "serve", "-c", "relay.toml"], cwd=self.relay.folder,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        try:
            for line in process.stderr:
                if '"event":"started"' in line:
                    break
            else:
                self.fail(f"it did not start: {line}")
            self.assertTrue(os.path.exists(self.relay.path("srs-secrets")))
        finally:
            process.kill()
            process.wait()
            process.stderr.close()


if __name__ == "__main__":
    unittest.main()
