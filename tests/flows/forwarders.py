"""The two forwarders: srs-relay, and Postfix + PostSRSd, with their surroundings."""

import os
import shutil
import subprocess
import tempfile

from tests.bench import peers
from tests.bench.peer import POSTFIX, POSTFIX_ENVIRONMENT, write
from tests.system.harness import Relay, Sink, wait_for
from tests.system.moody_dns import MoodyDns
from tests.system.senders import txt
from tests.system.toml import merged

from .world import Domain, nameserver

USUAL, RISK = "127.0.0.5", "127.0.0.6"  # from where our relay sends
POSTMASTER = "ops@dest.example"


def mailbox_says(address):
    """The refusal of a target, whose name tells that it takes no mail; None: it takes mail."""
    if address.startswith("gone@"):
        return f"550 5.1.1 <{address}>: no such user"
    if address.startswith("full@"):
        return f"552 5.2.2 <{address}>: mailbox full"
    return None


def delay_of(name, slow):
    """Seconds until a name is answered; None for never. `slow`: zone -> its seconds, negative for never."""
    name = name.lower().rstrip(".")
    found = [delay for zone, delay in slow.items() if name == zone or name.endswith("." + zone)]
    return 0 if not found else None if found[0] < 0 else found[0]


class Ours:
    """srs-relay. `config`: as in configurations.toml, and perhaps more `zones`; `world`: what the DNS says
    of others; `next_hops`: (domain, port) besides the sink."""

    name = "srs-relay"

    def __init__(self, config, world, sink, next_hops=()):
        hosted = [{"name": name, "alias": aliases} for name, aliases in config["hosted"].items()]
        wanted = config.get("relay", {})
        usual = {"domain": hosted, "defaults": {"postmaster": POSTMASTER},
                 "risk": {"source": [RISK], "rate": "1000000/min", "connections": 20},
                 "limits": {"per_ip": 500, "per_network": 500}}
        self.relay = Relay(sink.port, hostname=config["hostname"], srs=config["srs"], source=USUAL,
                           verify=wanted.get("auth", {}).get("verify", True),
                           routes=[*next_hops, ("*", sink.port)], config=merged(usual, wanted))
        self.port = self.relay.port
        owned = [Domain(name, written) for name, written in config.get("domain", {}).items()]
        self.domains = {**world, **{domain.domain: domain for domain in owned}}
        self.nameserver = nameserver(self.domains.values(), self.own_zones(config))
        self.front = None
        if "slow" in config:
            self.front = MoodyDns(self.nameserver.port)
            self.front.mood = lambda name: delay_of(name, config["slow"])
        asked = (self.front or self.nameserver).port
        self.relay.config["dns"] = {"forward_to": [f"127.0.0.1@{asked}"]}
        self.relay.write_config()

    def own_zones(self, config):
        """The records that docs/deploy.md asks an operator to publish, and the key of a domain for
        rewritten authors."""
        keys = self.relay.records
        spf = txt(f"v=spf1 ip4:{USUAL} ip4:{RISK} -all")
        zones = {config["srs"]: [f"{name}. 60 IN TXT {txt(value)}" for name, value in keys.items()] +
                 [f"@ 60 IN TXT {spf}", "@ 60 IN MX 10 ns"], config["hostname"]: [f"@ 60 IN TXT {spf}"]}
        if "rewrite" in config.get("relay", {}):
            key = keys["rsa._domainkey." + config["srs"]]
            zones[config["relay"]["rewrite"]["domain"]] = [f"rsa._domainkey 60 IN TXT {txt(key)}",
                                                           f"_dmarc 60 IN TXT {txt('v=DMARC1; p=reject')}"]
        return {**zones, **config.get("zones", {})}

    def start(self):
        self.relay.start()

    def is_idle(self):
        return self.relay.is_empty()

    def stop(self):
        self.relay.stop()
        self.relay.remove()
        if self.front:
            self.front.stop()
        self.nameserver.stop()


class Theirs(peers.PostfixStack):
    """Postfix + PostSRSd, with the settings of Debian wherever these do not say otherwise."""

    name = "Postfix + PostSRSd"

    def __init__(self, config, world, sink, next_hops=()):
        self.home = tempfile.mkdtemp(prefix="srs-relay-test-")
        os.chmod(self.home, 0o755)  # they change user
        super().__init__(os.path.join(self.home, "peer"), sink.port, "none")
        self.config, self.srs, self.next_hops = config, config["srs"], next_hops
        self.domains = {**world, **{name: Domain(name, written) for name, written in config.get("domain", {}).items()}}

    def start_postsrsd(self):
        command = [os.path.join(POSTFIX, "usr/sbin/postsrsd"), "-D", "-d", self.srs, "-s", self.path("srs.secret"),
                   "-p", self.path("postsrsd.pid"), "-u", "nobody", "-f", str(self.srs_ports[0]),
                   "-r", str(self.srs_ports[1])]
        subprocess.run(command, env=POSTFIX_ENVIRONMENT, check=True)
        self.roots.append(self.pid_in(self.path("postsrsd.pid")))

    def aliases(self):
        """Domain, alias, targets; and the names that each host has (RFC 2142, /etc/aliases of Debian)."""
        hosted = {name: dict(aliases) for name, aliases in self.config["hosted"].items()}
        for name in (self.srs, self.config["hostname"]):
            hosted.setdefault(name, {})["abuse"] = [POSTMASTER]
        hosted[self.config["hostname"]]["mailer-daemon"] = [POSTMASTER]
        for aliases in hosted.values():
            aliases.setdefault("postmaster", [POSTMASTER])
        return hosted

    def settings(self):
        lines = [f"{'' if alias == '*' else alias}@{domain} {', '.join(targets)}"
                 for domain, aliases in self.aliases().items() for alias, targets in aliases.items()]
        write(self.path("aliases"), "\n".join(lines) + "\n")
        write(self.path("transport"), "".join(f"{domain} smtp:[127.0.0.1]:{port}\n" for domain, port in self.next_hops))
        return {**super().settings(), "myhostname": self.config["hostname"], "recipient_delimiter": "+",
                "virtual_alias_domains": ", ".join(self.aliases()),
                "virtual_alias_maps": "texthash:" + self.path("aliases"),
                "transport_maps": "texthash:" + self.path("transport")}

    def is_idle(self):
        folders = ("maildrop", "incoming", "active", "deferred")
        return not any(names for folder in folders for _, _, names in os.walk(self.path("queue/" + folder)))

    def stop(self):
        super().stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Place:
    """A forwarder of this kind, the sink behind it, and the second forwarder where there is one."""

    def __init__(self, kind, config, world):
        self.config = config
        self.sink = Sink(replies={"RCPT": mailbox_says}).start()
        self.second, hops = None, []
        if "second" in config:
            self.second = Theirs(config["second"], world, self.sink)
            hops = [(name, self.second.port) for name in [*config["second"]["hosted"], config["second"]["srs"]]]
        self.main = kind(config, world, self.sink, hops)
        if self.second:
            self.second.next_hops = [(name, self.main.port) for name in [*config["hosted"], config["srs"]]]
        self.everybody = [one for one in (self.main, self.second) if one]
        self.left_behind = False
        self.user = "user@" + next(iter(config["hosted"]))

    def start(self):
        for one in self.everybody:
            one.start()
        return self

    def settle(self):
        """Waits until no forwarder has mail left. Each is asked twice, because one may give mail back to another
        that was asked before. After a minute the mail that still waits is left behind."""
        try:
            wait_for(lambda: all(one.is_idle() for one in self.everybody * 2), timeout=60, step=0.1)
        except AssertionError:
            self.left_behind = True

    def port_for(self, address):
        """The port to which mail for an SRS address goes that was seen at the sink."""
        theirs = self.second and address.endswith("@" + self.second.srs)
        return self.second.port if theirs else self.main.port

    def stop(self):
        for one in self.everybody:
            one.stop()
        self.sink.stop()
