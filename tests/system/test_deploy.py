"""The files of `cmake --install`, and the relay under systemd's protocol."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from .harness import BINARY, ROOT, Relay, wait_for

BUILD = os.path.dirname(os.path.dirname(BINARY))


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="srs-relay-install-")
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.folder], check=True,
                       capture_output=True)
        cls.unit = os.path.join(cls.folder, "lib/systemd/system/srs-relay.service")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def test_everything_is_there(self):
        for path in ("bin/srs-relay", "lib/systemd/system/srs-relay.service",
                     "lib/sysusers.d/srs-relay.conf", "share/doc/srs-relay/examples/minimal.toml"):
            self.assertTrue(os.path.isfile(os.path.join(self.folder, path)), path)
        version = subprocess.run([os.path.join(self.folder, "bin/srs-relay"), "--version"],
                                 capture_output=True, text=True, check=True).stdout
        self.assertRegex(version, r"\d+\.\d+\.\d+")

    def test_the_unit_is_valid_and_well_shielded(self):
        # The copy names the program where it is now, and a user that exists here.
        with open(self.unit, encoding="utf-8") as f:
            text = f.read()
        self.assertIn("/bin/srs-relay serve", text)
        text = re.sub(r"=\S*/bin/srs-relay", "=" + os.path.join(self.folder, "bin/srs-relay"), text)
        text = re.sub(r"(?m)^(User|Group)=.*$", r"\1=root", text)
        unit = os.path.join(self.folder, "srs-relay.service")
        with open(unit, "w", encoding="utf-8") as f:
            f.write(text)
        verify = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                                capture_output=True, text=True)
        about_us = [line for line in verify.stderr.splitlines() if "srs-relay.service" in line]
        self.assertEqual(about_us, [])
        # Negative control: verify does notice.
        with open(unit, "w", encoding="utf-8") as f:
            f.write(text.replace("Type=notify", "Type=nonsense"))
        broken = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                                capture_output=True, text=True)
        self.assertIn("nonsense", broken.stderr)
        security = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager",
             self.unit], capture_output=True, text=True)
        self.assertEqual(security.returncode, 0, security.stdout[-600:] + security.stderr)

    def test_the_log_has_a_folder_of_its_own(self):
        """[log] file lies where systemd makes a folder that others of the group may read, and nobody else."""
        with open(self.unit, encoding="utf-8") as f:
            text = f.read()
        service = text.partition("[Service]\n")[2].partition("\n[")[0].splitlines()
        self.assertIn("LogsDirectory=srs-relay", service)
        self.assertIn("LogsDirectoryMode=0750", service)
        with open(os.path.join(ROOT, "config/hosting.toml"), encoding="utf-8") as f:
            self.assertIn('"/var/log/srs-relay/', f.read())
        # Negative control: the parser of systemd, which accepts the unit above, refuses a wrong
        # value there.
        unit = os.path.join(self.folder, "logs.service")
        for value, is_taken in (("srs-relay", True), ("/var/log/srs-relay", False), ("../srs-relay", False)):
            with self.subTest(value):
                with open(unit, "w", encoding="utf-8") as f:
                    f.write(f"[Service]\nExecStart=/bin/true\nLogsDirectory={value}\n")
                verify = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
                self.assertEqual("LogsDirectory=" not in verify.stderr, is_taken, verify.stderr)

    def test_the_examples_pass_the_check(self):
        for name in ("minimal.toml", "hosting.toml"):
            with self.subTest(name):
                out = subprocess.run([BINARY, "check", os.path.join(ROOT, "config", name)],
                                     capture_output=True, text=True)
                # Keys and certificates of an example are not there; everything else is right.
                errors = [e for e in out.stderr.splitlines() if ": error" in e]
                self.assertEqual([e for e in errors if "No such file" not in e], [])


class UnderSystemd(unittest.TestCase):
    def setUp(self):
        self.relay = Relay(1)
        self.addCleanup(self.relay.remove)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(self.relay.path("notify"))
        self.notices.settimeout(20)
        self.addCleanup(self.notices.close)

    def start(self, **environment):
        env = dict(os.environ, NOTIFY_SOCKET=self.relay.path("notify"), **environment)
        self.log = open(self.relay.path("log"), "ab")
        self.addCleanup(self.log.close)
        self.relay.log = self.log
        self.relay.process = subprocess.Popen(
            [BINARY, "serve", "-c", self.relay.path("relay.toml")], env=env, stderr=self.log)

    def heard(self, word):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if word in self.notices.recv(4096).decode():
                return True
        return False

    def test_it_tells_when_it_is_ready_alive_reloading_and_stopping(self):
        self.start()
        self.assertTrue(self.heard("READY=1"))
        with socket.create_connection(("127.0.0.1", self.relay.port), timeout=5) as ready:
            self.assertTrue(ready.recv(100).startswith(b"220 "))
        self.assertTrue(self.heard("WATCHDOG=1"))
        self.relay.process.send_signal(signal.SIGHUP)
        self.assertTrue(self.heard("RELOADING=1"))
        self.assertTrue(self.heard("READY=1"))
        self.relay.process.send_signal(signal.SIGTERM)
        self.assertTrue(self.heard("STOPPING=1"))
        self.assertEqual(self.relay.process.wait(timeout=60), 0)

    def test_a_secret_can_come_as_a_credential(self):
        credentials = self.relay.path("credentials")
        os.mkdir(credentials, 0o700)
        os.rename(self.relay.path("srs.key"), os.path.join(credentials, "srs"))
        with open(self.relay.path("relay.toml"), encoding="utf-8") as f:
            text = f.read().replace('file = "srs.key"', 'credential = "srs"')
        with open(self.relay.path("relay.toml"), "w", encoding="utf-8") as f:
            f.write(text)
        self.start(CREDENTIALS_DIRECTORY=credentials)
        self.assertTrue(self.heard("READY=1"))


class SelfCheck(unittest.TestCase):
    def test_dns_of_the_srs_domain_is_checked_at_start(self):
        from .nameserver import Nameserver
        dns = Nameserver({"relay.example": ["@ 60 IN MX 10 mx.fwd.test.",
                                         '@ 60 IN TXT "v=spf1 mx -all"'],
                          "other.example": ["@ 60 IN A 192.0.2.1"]}).start()
        self.addCleanup(dns.stop)
        for domain, good in (("relay.example", True), ("other.example", False)):
            with self.subTest(domain):
                relay = Relay(1, srs=domain, extra=f'[dns]\nforward_to = "127.0.0.1@{dns.port}"\n')
                self.addCleanup(relay.remove)
                relay.start()
                wait_for(lambda: len(relay.events("srs_check")) >= (1 if good else 2), what="the check")
                self.assertEqual({e["ok"] for e in relay.events("srs_check")}, {good})
                if not good:
                    problems = " ".join(e["problem"] for e in relay.events("srs_check"))
                    self.assertIn("no usable MX", problems)
                    self.assertIn("no SPF record", problems)
                relay.stop()
