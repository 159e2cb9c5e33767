"""Where the commands of documents are run: a relay like that of the README with mail in its queue, and what readers fill in."""

import functools
import itertools
import os
import re

from . import documents, senders, toml
from .harness import Relay, Sink, free_port, wait_for
from .rehearsal import Rehearsal

SRS = "srs.relay.example"

# A sentence names a command without arguments, so it is run with those that it needs.
NAMED = {
    "queue show": "srs-relay queue show 01JD7Z",
    "queue why": "srs-relay queue why 01JD7Z",
    "dkim new": "srs-relay dkim new --help",
    "srs-relay resolve": "srs-relay resolve --help",
    "srs-relay verify": "srs-relay verify --help",
    "scripts/bench": "scripts/bench --help",
    "scripts/campaign": "scripts/campaign --help",
}
# The values that the reader fills in. A callable is given the world.
FILLED_IN = (
    (r"\b01JD7Z\b|(?<= why )ID\b", lambda world: world.fresh()),
    (r"'SRS0=…@" + re.escape(SRS) + "'", lambda world: world.srs_address()),
    (r"'age:>2h'", "'age:<2h'"),  # nothing here is so old
    (r"\bto:ADDRESS\b", "to:me@mail.example"),
    (r"(?<=resolve )ADDRESS\b", "info@example.org"),
    (r"\[FILE\]", lambda world: world.relay.path("relay.toml")),
    (r"serve -c FILE\b", lambda world: f"serve -c {world.another_configuration()}"),
    (r"(?<=build/tidy )FILE\b", "relay/app/main.cpp"),
    (r"\bVERB WORDS\b", "list all"),
    (r"\bBASE\b", "HEAD~1"),
    (r"\[MODULE …\]", "forward"),
    (r"/usr/bin/python3", "python3"),
    (r"(?<=[ >\"=])/etc/(?=srs-relay|letsencrypt)", '"$HOST"/etc/'),
)
# These go on until they are told to end.
ENDLESS = ("srs-relay serve",)
UNTIL_STARTED = """%s 2>said & relay=$!
until grep -q '"event":"started"' said || ! kill -0 $relay; do sleep 0.05; done
kill $relay
wait $relay || { cat said; exit 1; }"""
# Words that the document promises in the output.
PROMISED = {
    "srs-relay --help": ["Exit codes:", "77  no permission"],
    "srs-relay --version": [r"\d+\.\d+\.\d+"],
    "srs-relay queue why": ["try again later", "next"],
    "srs-relay queue list": ["try again later"],
    "srs-relay queue hold": [r"\d changed"],
    "srs-relay queue pause": ["paused mx:google.com .*they are down"],
    "srs-relay reload": ["applied"],
    "srs-relay srs explain": ["family", "hop", "age", "key", "verdict +valid", "recovered +ann@sender.example"],
    "srs-relay verify mail.eml": ["v=spf1", "spf=pass", r"\* srs ", "keep .* dmarc="],
    "srs-relay resolve info@example.org": ["me@mail.example"],
    "srs-relay check --dns": ["0 errors"],
    "sudo srs-relay check --dns": ["0 errors", "DNS"],
    "for type in rsa ed25519": ["rsa._domainkey." + SRS, "ed25519._domainkey." + SRS, "v=DKIM1"],
    "grep -F": ['"event":"received"', '"event":"attempt"'],
}
NUMBERS = itertools.count(1)


class World:
    """A relay like that of the README, whose next hop puts everything off, and a DNS."""

    def __init__(self, case):
        case.addClassCleanup(self.end)
        self.ends = []
        sender = senders.Sender("sender.example", f"v=spf1 ip4:{senders.CLIENT} ip4:192.0.2.7 -all", "p=none")
        self.dns = senders.world([sender], {"mail.example": ["@ 60 IN MX 10 ns"]})
        self.ends.append(self.dns.stop)
        self.sink = Sink(replies={"RCPT": lambda address: "451 4.7.28 try again later"}).start()
        self.ends.append(self.sink.stop)
        self.relay = self.house()
        self.write_files(sender)
        self.relay.start()
        self.ends.append(self.relay.stop)
        self.send("1@sender.example")

    def house(self):
        aliases = {"info": "me@mail.example", "shop": "me@example.com"}
        relay = Relay(self.sink.port, hostname="mx1.relay.example", domain="example.org", srs=SRS, aliases=aliases, verify=True,
                      dns=self.dns.port, tls=True,
                      config={"consent": {"confirmed": "confirmed.txt"}, "queue": {"retry_schedule": ["1h"]}})
        self.ends.append(relay.remove)
        with open(relay.path("confirmed.txt"), "w", encoding="ascii"):
            return relay

    def write_files(self, sender):
        self.folder = self.relay.path("rehearsal")
        os.mkdir(self.folder)
        self.rehearsal = Rehearsal(self.folder, self.relay.path("relay.toml"))
        for name, place in (("log", "relay.log"), ("confirmed.txt", "confirmed.txt")):
            os.symlink(self.relay.path(name), os.path.join(self.folder, place))
        with open(os.path.join(self.folder, "mail.eml"), "wb") as f:
            f.write(sender.message())
        # What the README edits in; without the certificate, which is not there yet.
        text = "\n".join(block.text for block in documents.blocks_of("README.md", documents.text_of("README.md"))
                         if block.language == "toml")
        text = re.sub(r"(?ms)^\[tls\]\n.*?(?=^\[)", "", text).replace("/etc/srs-relay", self.folder + "/etc/srs-relay")
        with open(os.path.join(self.folder, "edited.toml"), "w", encoding="utf-8") as f:
            f.write(f'{text}\n[dns]\nforward_to = ["127.0.0.1@{self.dns.port}"]\n[queue]\nstore = "sqlite:{self.folder}/queue.db"\n'
                    f'[control]\nsocket = "{self.folder}/control.sock"\n')
        # A certificate as issued by an authority and stored by certbot.
        lineage = os.path.join(self.folder, "etc/letsencrypt/live/mx1.relay.example")
        os.makedirs(lineage)
        for name, place in (("tls.crt", "fullchain.pem"), ("tls.key", "privkey.pem")):
            os.symlink(self.relay.path(name), os.path.join(lineage, place))

    def end(self):
        for end in reversed(self.ends):
            end()

    def send(self, message_id):
        content = f"From: ann@sender.example\r\nTo: info@example.org\r\nMessage-ID: <{message_id}>\r\n\r\nHello.\r\n"
        id = self.relay.send(content.encode(), sender="ann@sender.example", to=["info@example.org", "shop@example.org"])
        wait_for(lambda: self.are_put_off(id), what="two copies that were put off", step=0.01)
        return id

    def are_put_off(self, id):
        copies = [row for row in self.relay.rows() if row["id"] == id]
        return len(copies) == 2 and all(row["attempts"] for row in copies)

    def fresh(self):
        """The id of a message that waits, whatever commands have done to those before."""
        return self.send(f"fresh{next(NUMBERS)}@sender.example")

    @functools.cache
    def srs_address(self):
        return "'" + self.relay.cli("srs", "encode", "ann@sender.example", check=True).stdout.strip() + "'"

    def another_configuration(self):
        """For a relay beside this one."""
        settings = toml.merged(self.relay.settings(), {"listener": [{"address": f"127.0.0.1:{free_port()}"}],
                                                       "queue": {"store": "sqlite:another/queue.db"},
                                                       "control": {"socket": "another.sock"}})
        path = self.relay.path("another.toml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(toml.text_of(settings))
        return path

    def prepared(self, text):
        """The command as it is run; what it works on is made."""
        text = NAMED.get(text, text)
        if text.partition(" ")[0] in documents.GROUPS:
            text = "srs-relay " + text
        if text.partition(" ")[0] in documents.ORDERS:
            text = f"srs-relay queue {text} --yes"
        for pattern, value in FILLED_IN:
            if re.search(pattern, text):
                text = re.sub(pattern, (value(self) if callable(value) else value).replace("\\", r"\\"), text)
        if " queue " in text and "state:held" in text or " queue release" in text:
            self.relay.cli("queue", "hold", self.fresh(), check=True)
        elif " queue " in text and " why " not in text:
            self.fresh()
        if text.startswith(ENDLESS):
            text = UNTIL_STARTED % text
        return text

    def fault_of(self, command):
        """What is wrong with it, or an empty text."""
        text = self.prepared(command.text)
        if outside := self.rehearsal.outside(text):
            return f"{command}\nnot run: {outside} is in no list of what is filled in"
        code, said = self.rehearsal.run(text, address="shopper@mail.example")
        missing = [words for words in command.printed if words not in said]
        missing += [words for begin, promised in PROMISED.items() if command.text.startswith(begin)
                    for words in promised if not re.search(words, said)]
        missing_tool = code == 127 or "command not found" in said
        if code == 0 and not missing and not missing_tool:
            return ""
        why = "a program is in no list" if missing_tool else f"says nothing of {missing}" if missing else "not done"
        return f"{command}\nexit code {code} ({why}):\n{said[-2000:]}"
