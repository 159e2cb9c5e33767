"""A certificate that is renewed while the relay runs."""

import os
import socket
import ssl
import subprocess
import threading
import unittest
from unittest import mock

from .control import status
from .harness import Relay, Sink, wait_for


class Renewal(unittest.TestCase):
    def setUp(self):
        self.sink = Sink().start()
        self.addCleanup(self.sink.stop)
        self.relay = Relay(self.sink.port, tls=True)
        self.addCleanup(self.relay.remove)
        self.relay.start()
        self.addCleanup(self.relay.stop)

    def make(self, name, serial):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-set_serial",
             str(serial), "-subj", "/CN=" + self.relay.hostname, "-keyout", self.relay.path(name + ".key"),
             "-out", self.relay.path(name + ".crt")], check=True, capture_output=True)
        os.chmod(self.relay.path(name + ".key"), 0o600)

    def put(self, name, ending):
        os.replace(self.relay.path(name + ending), self.relay.path("tls" + ending))

    def served(self):
        """The certificate that a client sees, in DER."""
        with socket.create_connection(("127.0.0.1", self.relay.port), timeout=10) as plain:
            lines = plain.makefile("rb")
            lines.readline()
            plain.sendall(b"EHLO c.test\r\n")
            while lines.readline()[3:4] == b"-":
                pass
            plain.sendall(b"STARTTLS\r\n")
            lines.readline()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(plain) as wrapped:
                return wrapped.getpeercert(binary_form=True)

    def der(self, name):
        with open(self.relay.path(name + ".crt"), encoding="ascii") as f:
            return ssl.PEM_cert_to_DER_cert(f.read())

    def test_new_files_are_taken_without_a_reload(self):
        self.make("new", 7)
        new = self.der("new")
        self.put("new", ".crt")
        self.put("new", ".key")
        wait_for(lambda: self.served() == new, what="the new certificate")
        taken = self.relay.events("certificate")
        self.assertEqual([e.get("names") for e in taken], [[self.relay.hostname]])

    def test_half_a_pair_is_told_of_and_leaves_the_old_one_in_use(self):
        old = self.served()
        self.make("new", 7)
        new = self.der("new")
        self.put("new", ".crt")
        wait_for(lambda: self.relay.events("certificate"), what="a warning")
        self.assertIn("tls.key", self.relay.events("certificate")[0]["problem"])
        self.assertIn("tls.key", self.relay.cli("status").stdout)
        self.assertEqual(self.served(), old)
        self.put("new", ".key")
        wait_for(lambda: self.served() == new, what="the new certificate")
        self.assertNotIn("tls.key", self.relay.cli("status").stdout)

    def test_a_key_that_only_a_restart_takes_is_told_of(self):
        """A credential, as systemd gives it: a copy that is made at the start."""
        self.relay.stop()
        os.mkdir(self.relay.path("credentials"))
        os.replace(self.relay.path("tls.key"), self.relay.path("credentials/key"))
        self.relay.config["tls"] = {"key": {"credential": "key"}}
        self.relay.write_config()
        with mock.patch.dict(os.environ, CREDENTIALS_DIRECTORY=self.relay.path("credentials")):
            self.relay.start()
        self.assertEqual(status(self.relay)["needs_restart"], [])
        self.make("new", 7)
        new = self.der("new")
        self.put("new", ".crt")
        wait_for(lambda: status(self.relay)["needs_restart"] == ["tls.key"], what="the key's mention")
        self.assertIn("takes effect at the next start: tls.key", self.relay.cli("status").stdout)
        self.relay.stop()
        os.replace(self.relay.path("new.key"), self.relay.path("credentials/key"))
        with mock.patch.dict(os.environ, CREDENTIALS_DIRECTORY=self.relay.path("credentials")):
            self.relay.start()
        self.assertEqual(self.served(), new)
        self.assertEqual(status(self.relay)["needs_restart"], [])

    def updates_taken(self, most):
        """How many times a client may change its key, of `most`, until its connection ends."""
        command = ["openssl", "s_client", "-tls1_3", "-starttls", "smtp", "-connect", f"127.0.0.1:{self.relay.port}"]
        # Without a buffer: what could not be written to a client that has ended would break its pipe once more
        # when that buffer is closed.
        with subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as client:
            overdue = threading.Timer(30, client.kill)
            overdue.start()
            try:
                return next((taken for taken in range(most) if not self.is_served_after_update(client)), most)
            finally:
                overdue.cancel()
                client.kill()

    @staticmethod
    def is_served_after_update(client):
        """Each line is written when the one before has had its effect: s_client takes a command only where it
        begins what is read at once."""
        for line, answer in ((b"k\n", b"KEYUPDATE"), (b"noop\r\n", b"250 2.0.0")):
            try:
                client.stdin.write(line)
            except BrokenPipeError:
                return False
            if not any(answer in heard for heard in iter(client.stdout.readline, b"")):
                return False
        return True

    def test_the_limit_of_late_messages_is_that_of_the_last_reload_also_after_a_renewal(self):
        self.relay.configure(limits={"late_tls_messages": 2})
        self.relay.cli("reload", check=True)
        self.assertEqual(self.updates_taken(5), 2)
        self.make("new", 7)
        new = self.der("new")
        self.put("new", ".crt")
        self.put("new", ".key")
        wait_for(lambda: self.served() == new, what="the new certificate")
        self.assertEqual(self.updates_taken(5), 2)
        self.relay.configure(limits={"late_tls_messages": 5})
        self.relay.cli("reload", check=True)
        self.assertEqual(self.updates_taken(5), 5)


if __name__ == "__main__":
    unittest.main()
