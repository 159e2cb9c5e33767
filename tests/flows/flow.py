"""An everyday flow, as the files in data/ write it down; README.md beside this file explains the words."""

import dataclasses
import glob
import os
import re
import tomllib

from .world import Domain, ascii_of

HERE = os.path.dirname(os.path.abspath(__file__))
DATE = "Tue, 24 Nov 2026 09:15:00 +0100"
FOOTER = "\n-- \nTo leave this list write to leave@lists.example\n"


@dataclasses.dataclass
class Flow:
    name: str
    kind: str                                # the file it stands in
    number: int                              # no other flow has it
    configuration: str = "house"
    # Who connects.
    client: str = "127.2.0.1"
    helo: str = "mx.somebody.example"
    mail_from: str = ""                      # "srs:ADDRESS": what the forwarder makes of ADDRESS
    to: list = dataclasses.field(default_factory=lambda: ["user@house.example"])
    bounce_of: str | None = None             # `to` is the SRS address under which ADDRESS's mail left
    brackets: bool = True                    # around the sender in MAIL FROM
    smtputf8: bool = False
    asks_only: bool = False                  # RCPT is as far as the client goes
    # What the message is.
    author: str = ""                         # From
    recipient: str = "user@house.example"    # To
    subject: str = "Hello"
    header: str = ""                         # more fields; {srs} and {to} stand for addresses
    much: dict = dataclasses.field(default_factory=dict)  # so many of them: "cc", "received", "fields"
    bare: bool = False                       # no fields but `header`
    headless: bool = False                   # no header at all
    body: str = "Hello.\n"
    repeat: int = 1                          # so many times the body
    report: dict | None = None               # in place of a body: multipart/report, see report_of()
    charset: str = "utf-8"
    bare_lf: bool = False
    signed: list = dataclasses.field(default_factory=list)
    broken: str = ""                         # what is changed behind the signatures: "footer", "subject"
    signed_again: list = dataclasses.field(default_factory=list)
    sealed: str = ""                         # by whom
    seal_says: str = "pass"                  # what the sealer writes about DMARC; the author comes behind it
    # What is right.
    refused: str = ""                        # the reply it begins with
    arrives: list | None = None
    under: str = ""                          # "srs" (the default), "null", "kept" or "any"
    way: str = ""                            # "usual" or "risk", where that is to be seen
    proof: str = ""                          # "dkim": a signature of its author passes at the next hop
    returns: str = ""                        # where a bounce of what arrived under SRS ends: the default is
                                             # mail_from; "nowhere" for a sender whom nobody can answer
    author_changes: bool = False             # From is rewritten
    hears: bool = False                      # the sender hears of a failure: the target takes no mail

    def __post_init__(self):
        for name in ("to", "arrives"):
            if isinstance(getattr(self, name), str):
                setattr(self, name, [getattr(self, name)])
        if self.bounce_of:
            self.bounce_of = self.bounce_of.replace("{mark}", self.mark)
            self.to, self.under = ["srs:" + self.bounce_of], "null"
            if not self.refused:
                self.arrives = self.arrives or [self.bounce_of]
        if not self.refused and not self.hears and self.arrives is None:
            self.arrives = ["user@dest.example"]
        if bool(self.refused) == bool(self.hears or self.arrives) and not self.asks_only:
            raise ValueError(f"{self.name}: it is refused, or arrives, or somebody hears of it")
        self.under = self.under or ("srs" if self.mail_from else "null")

    def __str__(self):
        return f"{self.kind}: {self.name}"

    @property
    def mark(self):
        return f"flow-{self.number:04d}"

    @property
    def author_domain(self):
        return ascii_of(re.search(r"@([\w.-]+)", self.author).group(1))

    def srs_senders(self):
        """The senders whose SRS addresses must be known before this flow is sent."""
        return [text[4:] for text in [*self.to, self.mail_from] if text.startswith("srs:")]

    def message(self, world, sealers, addresses):
        """The octets of the message. `addresses`: sender -> its SRS address."""
        content = self.unsigned(addresses)
        for domain in self.signed:
            content = signed_by(world[domain], content)
        if self.broken:
            content = changed(content, self.broken)
        for domain in self.signed_again:
            content = signed_by(world[domain], content)
        if self.sealed:
            seen = f"{self.sealed}; dmarc={self.seal_says} header.from={self.author_domain}"
            content = sealers[self.sealed].seal(content, seen)
        return content

    def unsigned(self, addresses):
        srs = addresses.get(self.srs_senders()[0], "") if self.srs_senders() else ""
        fields = []
        if not self.bare and not self.headless:
            fields = [f"From: {self.author}", f"To: {self.recipient}", f"Subject: {self.subject}", f"Date: {DATE}",
                      f"Message-ID: <{self.mark}@{ascii_of(self.helo)}>"]
        fields += self.header.strip("\n").splitlines() + many_fields(self.much)
        body = self.body * self.repeat
        body += "" if body.endswith("\n") or not body else "\n"
        if self.report is not None:
            more, body = report_of(self.report, srs)
            fields += more
        fields = [f for f in fields if f]
        if self.headless:
            text = body + self.mark + "\n"
        else:
            text = "\n".join([*fields, "X-Flow: " + self.mark]) + "\n\n" + body
        text = text.replace("{srs}", srs).replace("{mark}", self.mark)
        octets = text.encode(self.charset)
        return octets if self.bare_lf else octets.replace(b"\n", b"\r\n")


def many_fields(much):
    fields = [f"Received: from hop{n} by hop{n + 1}; {DATE}" for n in range(much.get("received", 0))]
    fields += [f"X-Note-{n}: {n}" for n in range(much.get("fields", 0))]
    people = [f"person-{n}@elsewhere.example" for n in range(much.get("cc", 0))]
    return fields + (["Cc: " + ",\n ".join(people)] if people else [])


def signed_by(domain, content):
    names = [name for name in (b"from", b"to", b"subject", b"x-flow") if re.search(rb"(?im)^" + name + rb":", content)]
    return domain.sign_fields(content, names)


def changed(content, how):
    if how == "footer":
        return content + FOOTER.replace("\n", "\r\n").encode()
    if how == "subject":
        return re.sub(rb"(?im)^Subject: ", b"Subject: [list] ", content, count=1)
    raise ValueError(how)


def report_of(written, srs):
    """Fields and body of a multipart/report (RFC 3462, 3464). `text`: what people read, `status`: the
    part for programs, "" for none, `type`: of that part, `original`: what is sent back of the mail."""
    boundary = written.get("boundary", "=_report_{mark}")
    kind = written.get("report_type", "delivery-status")
    fields = ["MIME-Version: 1.0", f'Content-Type: multipart/report; report-type={kind}; boundary="{boundary}"']
    parts = [("text/plain; charset=" + written.get("text_charset", "us-ascii"), written["text"])]
    if written.get("status"):
        parts.append((written.get("type", "message/delivery-status"), written["status"]))
    usual = f"Return-Path: <{srs}>\nFrom: ann@people.example\nTo: user@dest.example\nSubject: Hi\n"
    original = written.get("original", usual)
    if original:
        parts.append((written.get("original_type", "text/rfc822-headers"), original))
    body = "".join(f"--{boundary}\nContent-Type: {kind}\n\n{text.rstrip()}\n\n" for kind, text in parts)
    return fields, "This is a multi-part message in MIME format.\n\n" + body + f"--{boundary}--\n"


def load():
    """All flows, and the domains of their world by name."""
    flows, world = [], {}
    for path in sorted(glob.glob(os.path.join(HERE, "data", "*.toml"))):
        kind = os.path.basename(path)[:-len(".toml")]
        with open(path, "rb") as f:
            written = tomllib.load(f)
        for name, domain in written.get("domain", {}).items():
            made = Domain(name, domain)
            if made.domain in world:
                raise ValueError(f"{kind}: {name} is described twice")
            world[made.domain] = made
        for one in written["flow"]:
            if "report" in one and "report" in written.get("usual", {}):
                one["report"] = {**written["usual"]["report"], **one["report"]}
            flows.append(Flow(kind=kind, number=len(flows) + 1, **{**written.get("usual", {}), **one}))
    names = [flow.name for flow in flows]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"names that two flows have: {twice}")
    return flows, world
