"""Exim that verifies addresses: senders by the domain that a message is for, recipients by the name that
the client says in EHLO."""

import os

from tests.bench import peers

# The values of `verify =`. The domain NAME.hop.test, or the client NAME.test, chooses one.
FORMS = {
    "plain": "sender/callout=20s",
    "uncached": "sender/callout=20s,no_cache",
    "random": "sender/callout=20s,random",
    "postmaster": "sender/callout=20s,postmaster",
    "postmaster-mailfrom": "sender/callout=20s,postmaster_mailfrom=probe@mx.hop.test",
    "fullpostmaster": "sender/callout=20s,fullpostmaster",
    "everything": "sender/callout=20s,random,fullpostmaster,no_cache",
    "for-plain": "recipient/callout=20s",
    "for-uncached": "recipient/callout=20s,no_cache",
    "for-sender": "recipient/callout=20s,use_sender",
    "for-postmaster": "recipient/callout=20s,use_postmaster",
    "for-random": "recipient/callout=20s,random,no_cache",
    "for-hold": "recipient/callout=20s,use_sender,no_cache,hold",
    "for-cutthrough": "recipient/callout=20s,use_sender",
}
# The checks after the content: of the addresses in From, Sender and Reply-To.
LATER = {"header": "header_sender/callout=20s", "header-uncached": "header_sender/callout=20s,no_cache"}


class AskingExim(peers.Exim):
    """`relay_port` is whom it asks about `ours`, our domains."""

    forms = FORMS
    later = LATER

    def __init__(self, folder, sink_port, relay_port, ours, hosts):
        super().__init__(folder, sink_port, "none")
        self.relay_port, self.ours, self.hosts = relay_port, ours, hosts
        self.ports = {name: self.port for name in (*FORMS, *LATER)}

    def configuration(self):
        first = int(self.hosts[0].rpartition(".")[2])
        return self.filled_in(os.path.join(os.path.dirname(os.path.abspath(__file__)), "exim.conf"), {
            "OURS": " : ".join(self.ours), "QUESTIONS": "\n".join(map(self.question, FORMS)),
            "LATER": "\n".join(map(self.later_question, LATER)),
            "RELAY": str(self.relay_port), "FIRST": str(first), "MANY": str(len(self.hosts))})

    @staticmethod
    def question(name):
        which = (f"condition = ${{if eq{{$sender_helo_name}}{{{name}.test}}}}" if name.startswith("for-") else
                 f"domains = {name}.hop.test")
        kept = f"  warn {which}\n    control = cutthrough_delivery\n" if name == "for-cutthrough" else ""
        return f"{kept}  deny {which}\n    !verify = {FORMS[name]}"

    @staticmethod
    def later_question(name):
        return f"  deny condition = ${{if match{{$recipients}}{{@{name}.hop.test}}}}\n    !verify = {LATER[name]}"

    def log(self):
        with open(os.path.join(self.folder, "log", "mainlog"), encoding="utf-8", errors="replace") as f:
            return f.read()
