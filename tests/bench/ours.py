"""Our relay as a peer of others, and the echo relay that bounds what any relay can do."""

import os
import subprocess

from .peer import RELEASE, Peer, wait_for_port, write
from .sinks import make_certificate

BINARY = os.environ.get("RELAY_BINARY") or os.path.join(RELEASE, "srs-relay")
KEYS = {"rsa": ["rsa"], "ed25519": ["ed25519"], "both": ["ed25519", "rsa"], "none": []}


class SrsRelay(Peer):
    """`dns_port`: verify incoming mail, asking there; `seal`: with ARC, every copy; `starttls`:
    offered, with a certificate that the sink may use, too. `aliases`: more lines of the alias file; `routes`:
    (domain, port of 127.0.0.1, or address and port); `outbound`: lines of that section."""

    name = "srs-relay"
    certificate = None  # file names of it and its key

    def start(self, binary=BINARY, **wishes):
        self.configure(binary, **wishes)
        self.launch(binary)
        wait_for_port(self.port, seconds=60)
        return self

    def configure(self, binary=BINARY, extra="", threads=2, dns_port=None, seal=False, aliases=None, routes=(),
                  starttls=False, outbound=("connections = 50",)):
        write(self.path("srs.key"), "bench/bench/bench/bench/0123456789ab", 0o600)
        keys = KEYS[self.signature]
        for kind in keys + (["seal"] if seal else []):
            subprocess.run([binary, "dkim", "new", "--domain", "relay.test", "--selector", kind, "--type",
                            "rsa" if kind == "seal" else kind, "--out", self.path(kind + ".pem")],
                           check=True, capture_output=True)
        lines = self.identity(threads, aliases) + self.leaving(keys, seal, routes, outbound) + self.limits(binary)
        # The peers do not verify; with verification, somebody has to answer our questions.
        lines += ["[dns]", f'forward_to = ["127.0.0.1@{dns_port}"]'] if dns_port else []
        lines += ["[auth]", f"verify = {'true' if dns_port else 'false'}", "[bounces]", 'to = "anyone"']
        if starttls:
            self.certificate = make_certificate(self.folder)
            lines += ["[tls]", 'cert = "tls.crt"', 'key = "tls.key"']
        write(self.path("relay.toml"), "\n".join(lines) + "\n" + extra)

    def identity(self, threads, aliases):
        lines = ["schema = 1", 'hostname = "mx.relay.test"', f"threads = {threads}", "[[listener]]",
                 f'address = "127.0.0.1:{self.port}"', "[[domain]]", 'name = "fwd.test"']
        if aliases:
            write(self.path("aliases"), "".join(aliases))
            lines += ['aliases = ["file:aliases"]']
        return lines + ["[domain.alias]", 'user = "target@dest.test"', "[srs]", 'domain = "relay.test"',
                        "[[srs.secret]]", 'id = "k"', 'file = "srs.key"']

    def leaving(self, keys, seal, routes, outbound):
        lines = []
        for match, place in (*routes, ("*", self.sink_port)):
            host = place if isinstance(place, str) else f"127.0.0.1:{place}"
            lines += ["[[route]]", f'match = "{match}"', f'via = ["smtp://{host}"]']
        if keys:
            listed = ", ".join(f'{{selector="{k}", file="{k}.pem"}}' for k in keys)
            lines += ["[[dkim]]", 'domain = "relay.test"', f"keys = [{listed}]"]
        if seal:
            lines += ["[arc]", 'domain = "relay.test"', 'selector = "seal"', 'file = "seal.pem"', 'seal = "always"']
        return lines + ["[outbound]", "allow_private = true", *outbound]

    @staticmethod
    def limits(binary):
        """Sections with limits that let one address send everything, and with the places of files."""
        with open(binary, "rb") as f:  # an older build to compare with may not have the keys
            knows = f.read()
        paces = [f'{key} = "1000000/s"' for key in ("new_per_ip", "handshakes_per_ip") if key.encode() in knows]
        return ["[limits]", "per_ip = 2000", "per_network = 2000", "max_connections = 4000", "handshakes = 4000",
                'memory = "256MiB"', *paces, "[control]", 'socket = "control.sock"', "[queue]", 'store = "sqlite:queue/queue.db"',
                'min_free = "1MiB"', "[log]", 'file = "relay.log"']

    def launch(self, binary=BINARY):
        """Starts the relay with the configuration that was written; does not wait until it listens."""
        with open(self.path("stderr"), "wb") as errors:
            process = subprocess.Popen([binary, "serve", "-c", self.path("relay.toml")], stderr=errors,
                                       stdin=subprocess.DEVNULL)
        self.roots = [process.pid]


class EchoRelay(Peer):
    """Sockets and nothing else: no disk, no parsing, no signature."""

    name = "echo"
    share = 4.0

    def start(self, threads=2):
        process = subprocess.Popen([os.path.join(RELEASE, "echo_relay"), str(self.port), str(self.sink_port),
                                    str(threads)], stdin=subprocess.DEVNULL)
        self.roots = [process.pid]
        wait_for_port(self.port)
        return self
