"""Our own sink: STARTTLS, many ports at once, tarpits, and how long each message was under way (sink.cpp)."""

import json
import os
import signal
import struct
import subprocess
import tempfile
import time

from .peer import RELEASE, in_time, wait_for_listener


def missing_from(content, expected):
    """The parts of the expected evidence that a message lacks."""
    unfolded = b"\n" + content.replace(b"\r\n", b"\n").replace(b"\n\t", b" ").replace(b"\n ", b" ")
    return [evidence.strip().decode() for evidence in expected if evidence not in unfolded]


def make_certificate(folder):
    """File names of a new certificate and its key: ECDSA, as most certificates are."""
    certificate, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=mx.relay.test", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return certificate, key


class LoopbackSink:
    """`ports`: numbers, or texts such as "2525:tarpit" and "2525:once". `certificate`: file names of it and its
    key, to offer STARTTLS. `skip`: the first so many messages of each port do not count for the latencies."""

    def __init__(self, *ports, certificate=None, skip=0):
        self.ports = [int(str(port).partition(":")[0]) for port in ports]
        self.folder = tempfile.TemporaryDirectory(prefix="srs-relay-sink-")
        self.results = {}  # port -> its line of JSON; once it has ended
        self.sample = b""
        given = ["--cert", certificate[0], "--key", certificate[1]] if certificate else []
        self.process = subprocess.Popen([os.path.join(RELEASE, "sink"), self.path("counts"), *given, "--skip", str(skip),
                                         "--sample", self.path("sample"), *map(str, ports)], stdout=subprocess.PIPE)
        for port in self.ports:
            wait_for_listener(port)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def taken(self, port=0):
        """Messages so far at one of the ports; `port`: its place in the list."""
        with open(self.path("counts"), "rb") as f:
            return struct.unpack_from("=Q", f.read(), 8 * port)[0]

    def wait_for(self, messages, seconds, port=0):
        """Whether so many messages came in that time."""
        return in_time(lambda: self.taken(port) >= messages, seconds)

    def stop(self):
        """Ends it; its CPU seconds. Waits first, because a message that is counted may not be answered yet."""
        time.sleep(0.05)
        self.process.send_signal(signal.SIGTERM)
        with self.process.stdout as said:
            self.results = {int(port): found for port, found in json.loads(said.read() or "{}").items()}
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if os.path.exists(self.path("sample")):
            with open(self.path("sample"), "rb") as f:
                self.sample = f.read()
        self.folder.cleanup()
        return usage.ru_utime + usage.ru_stime

    def doubts(self, mode):
        """In words, what of all that the mode is about was not done. To be called after stop()."""
        plain = sum(found["messages"] - found["encrypted"] for found in self.results.values())
        words = [f"no {evidence}" for evidence in missing_from(self.sample, mode.evidence())]
        return words + ([f"{plain} messages in the clear"] if plain and mode.starttls else [])
