"""A relay, one next hop that asks it, and a sink behind both."""

import base64
import hashlib
import hmac
import os
import shutil
import smtplib
import tempfile
import time

from ..harness import Relay, Sink

OURS = ("relay.test", "fwd.test")
DAY = 86_400
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def stamp(days):
    """That of Mail::SRS, so many days from now."""
    day = (int(time.time()) // DAY + days) % 1024
    return BASE32[day >> 5] + BASE32[day & 31]


def classic(secret, local_part, domain, days=0):
    """The address that Mail::SRS makes with this secret; a relay whose secret is `classic` takes it, too."""
    text = (stamp(days) + domain + local_part).lower().encode()
    tag = base64.b64encode(hmac.new(secret, text, hashlib.sha1).digest()).decode()[:4]
    return f"SRS0={tag}={stamp(days)}={domain}={local_part}@{OURS[0]}"


class World:
    def __init__(self, kind, hosts, made="strong"):
        """`made`: the format of the addresses."""
        self.folder = tempfile.mkdtemp(prefix="srs-relay-test-")
        os.chmod(self.folder, 0o755)  # they change user
        self.sink = Sink().start()
        self.relay = Relay(self.sink.port, aliases={"user": ["target@dest.test"]},
                           config={"defaults": {"postmaster": "postmaster@dest.test"},
                                   "srs": {"format": made,
                                           "secret": [{"id": "k", "file": "srs.key", "classic": True}]}})
        self.hop = kind(os.path.join(self.folder, "hop"), self.sink.port, self.relay.port, OURS, hosts)
        self.relay.aliases.update({name: [f"target@{name}.hop.test"] for name in self.hop.ports})
        self.relay.routes = [(f"{name}.hop.test", port) for name, port in self.hop.ports.items()] + self.relay.routes
        self.relay.write_config()
        self.relay.start()
        self.hop.start()
        self.known = {}

    def stop(self):
        self.hop.stop()
        self.relay.stop()
        self.relay.remove()
        self.sink.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self):
        self.relay.stop()
        self.relay.start()

    def message(self, subject, author):
        return (f"From: <{author}@sender.test>\r\nTo: <user@fwd.test>\r\nSubject: {subject}\r\n"
                f"Message-ID: <{subject}.{author}@sender.test>\r\n\r\nHello.\r\n").encode()

    def forward(self, alias, author, subject):
        self.relay.send(self.message(subject, author), sender=f"{author}@sender.test", to=[f"{alias}@fwd.test"])

    def client(self, name):
        """Connected with the next hop, at the port of that form."""
        return smtplib.SMTP("127.0.0.1", self.hop.ports[name], local_hostname=f"{name}.test", timeout=30)

    @staticmethod
    def ask(client, sender, recipient):
        """What RCPT is answered; the transaction ends there."""
        client.ehlo_or_helo_if_needed()
        client.mail(sender)
        said = client.rcpt(recipient)
        client.rset()
        return said

    def srs(self, local_part):
        """The strong address of that sender."""
        if local_part not in self.known:
            said = self.relay.cli("srs", "encode", f"{local_part}@sender.test", check=True).stdout
            self.known[local_part] = said.strip()
        return self.known[local_part]

    def forged(self, local_part, number):
        """With another tag, of as many letters."""
        tag = "".join("abcdefghijklmnopqrstuvwxyz234567"[(number >> 5 * i) & 31] for i in range(8))
        first, _, rest = self.srs(local_part).split("=", 2)
        return "=".join((first, tag, rest))

    def classic(self, local_part, days=0):
        with open(self.relay.path("srs.key"), "rb") as f:
            return classic(f.read().strip(), local_part, "sender.test", days)

    def expired(self, local_part):
        return self.classic(local_part, days=-40)

    def forwarded(self):
        """(form, subject) of what came out behind the next hop."""
        found = set()
        for message in self.sink.messages:
            for recipient in message.rcpt_tos:
                if recipient.endswith(".hop.test"):
                    subject = message.content.partition(b"Subject: ")[2].split(b"\r\n")[0].decode()
                    found.add((recipient.partition("@")[2].removesuffix(".hop.test"), subject))
        return found

    def returned(self):
        """To whom bounces went."""
        return {recipient for message in self.sink.messages if message.mail_from == ""
                for recipient in message.rcpt_tos}
