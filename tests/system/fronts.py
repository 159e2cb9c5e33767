"""Programs in front of the relay: HAProxy as a balancer, Postfix as a gateway."""

import os
import subprocess

from tests.bench import peers
from tests.bench.peer import PEERS, Peer, free_port, wait_for_listener, write

HAPROXY = os.path.join(PEERS, "haproxy")
LIBRARIES = os.path.join(HAPROXY, "usr/lib/x86_64-linux-gnu")

BALANCER = "127.0.0.8"
GATEWAY = "127.0.0.9"


class Balancer(Peer):
    """HAProxy, which connects from BALANCER. `options` stand at its server: "send-proxy-v2"."""

    name = "haproxy"

    def __init__(self, folder, relay_port, options, backend=""):
        super().__init__(folder, relay_port)
        self.options, self.backend = options, backend

    def start(self):
        write(self.path("haproxy.cfg"), f"""\
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend smtp
  bind 127.0.0.1:{self.port}
  default_backend relay
backend relay
  source {BALANCER}
  {self.backend}
  server relay 127.0.0.1:{self.sink_port} {self.options}
""")
        environment = dict(os.environ, LD_LIBRARY_PATH=LIBRARIES)
        with open(self.path("out"), "wb") as out:
            process = subprocess.Popen([os.path.join(HAPROXY, "usr/sbin/haproxy"), "-db", "-f", self.path("haproxy.cfg")],
                                       env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.roots.append(process.pid)
        wait_for_listener(self.port)
        return self


class Gateway(peers.Postfix):
    """Postfix that has the mail for fwd.test first, and hands it on from GATEWAY. `again`: it gives each message to
    itself once more, as one with a filter does."""

    name = "gateway"

    def __init__(self, folder, relay_port, xforward, again=False):
        super().__init__(folder, relay_port, "none")
        self.xforward, self.again = xforward, again
        self.inner = free_port()

    def settings(self):
        settings = {**super().settings(), "myhostname": "gw.test", "relay_domains": "fwd.test",
                    "smtp_bind_address": GATEWAY, "smtp_send_xforward_command": "yes" if self.xforward else "no",
                    "smtp_connection_cache_destinations": f"[127.0.0.1]:{self.sink_port}",
                    "smtp_connection_cache_time_limit": "30s", "initial_destination_concurrency": "1",
                    "default_destination_concurrency_limit": "1", "relay_destination_concurrency_limit": "1",
                    "minimal_backoff_time": "1s", "queue_run_delay": "1s"}
        if self.again:
            settings["content_filter"] = f"smtp:[127.0.0.1]:{self.inner}"
        return settings

    def services(self):
        return [*super().services(), f"{self.inner} inet n - n - - smtpd\n  -o content_filter="]

    def log(self):
        with open(self.path("mail.log"), encoding="utf-8", errors="replace") as f:
            return f.read()
