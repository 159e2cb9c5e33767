"""nsd on loopback with zones of our own."""

import os
import shutil
import subprocess
import tempfile
import time

import DNS

from .harness import free_port

NSD = shutil.which("nsd") or "/usr/sbin/nsd"


class Nameserver:
    """`zones` maps a zone to its records: lines such as 'www 60 IN A 192.0.2.1'. A zone that is None
    answers SERVFAIL. With a zone "." every name exists or does not; without, other names are REFUSED."""

    def __init__(self, zones):
        self.folder = tempfile.mkdtemp(prefix="srs-relay-nsd-")
        self.zones = zones
        self.process = None

    def write_files(self, zones):
        self.port = free_port()
        config = [f"""server:
  ip-address: 127.0.0.1@{self.port}
  username: ""
  chroot: ""
  zonesdir: "{self.folder}"
  pidfile: "{self.folder}/pid"
  xfrdfile: ""
  zonelistfile: "{self.folder}/zonelist"
  database: ""
  do-ip6: no
  server-count: 1
  verbosity: 0
remote-control:
  control-enable: no"""]
        for zone, records in zones.items():
            config.append(f'zone:\n  name: "{zone}"\n  zonefile: "{zone.strip(".") or "root"}"')
            if records is None:  # a zone whose file is missing is what nsd answers SERVFAIL for
                continue
            with open(f"{self.folder}/{zone.strip('.') or 'root'}", "w", encoding="ascii") as f:
                f.write(f"$ORIGIN {zone.strip('.')}.\n@ 60 IN SOA ns hostmaster 1 60 60 60 60\n"
                        f"@ 60 IN NS ns\nns 60 IN A 127.0.0.1\n")
                f.write("\n".join(records) + "\n")
        with open(f"{self.folder}/nsd.conf", "w", encoding="ascii") as f:
            f.write("\n".join(config) + "\n")

    def start(self):
        for _ in range(10):  # a port that was free may be taken by the time nsd asks for it
            self.write_files(self.zones)
            if self.comes_up():
                return self
        raise RuntimeError("nsd does not answer")

    def comes_up(self):
        self.process = subprocess.Popen([NSD, "-d", "-c", f"{self.folder}/nsd.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(100):
            if self.process.poll() is not None:
                return False
            try:
                self.query("localhost", "A")
                return True
            except DNS.DNSError:
                time.sleep(0.05)
        self.process.terminate()
        self.process.wait()
        return False

    def query(self, name, kind):
        """Answers as (name, type) -> data, the way pyspf wants them."""
        request = DNS.DnsRequest(name, qtype=kind, server="127.0.0.1", port=self.port,
                                 protocol="udp", timeout=1)
        return request.req().answers

    def txt(self, name):
        """The TXT record of a name, its strings joined; for dkimpy."""
        for answer in self.query(name.rstrip("."), "TXT"):
            if answer["typename"] == "TXT":
                return b"".join(answer["data"])
        return b""

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
