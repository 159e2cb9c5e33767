"""A certificate that is renewed while the relay runs."""

import os
import socket
import ssl
import subprocess
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
        """How many updates of its key a client makes, of `most`, until its connection ends."""
        with subprocess.Popen(["openssl", "s_client", "-tls1_3", "-starttls", "smtp", "-connect",
                               f"127.0.0.1:{self.relay.port}"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            self.addCleanup(client.kill)

            def says(line):
                """Says it, and hears whether a reply comes; each line has to be read alone to be a command."""
                client.stdin.write(line)
                client.stdin.flush()

            def hears(word):
                return any(word in line for line in iter(client.stdout.readline, b""))

            try:
                for taken in range(most):
                    says(b"k\n")
                    self.assertTrue(hears(b"KEYUPDATE"))
                    says(b"noop\r\n")
                    if not hears(b"250 2.0.0"):
                        return taken
            except BrokenPipeError:
                return taken
            client.kill()
            return most

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
