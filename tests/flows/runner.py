"""Sends flows through one forwarder, and tells what came of each."""

import concurrent.futures
import dataclasses
import re
import smtplib

WORKERS = 8
ORIGIN = "127.1.0.1"  # from where the people write whose mail bounces later


@dataclasses.dataclass
class Outcome:
    """The result of one flow: the reply that ended it, and the copies at the sink."""

    stage: str = ""
    reply: str = ""
    sent: bytes = b""
    copies: list = dataclasses.field(default_factory=list)   # (recipient, Delivered)
    heard: list = dataclasses.field(default_factory=list)    # reports to the sender

    @property
    def taken(self):
        return self.reply.startswith("250")

    def __str__(self):
        got = ", ".join(f"{to} from <{got.mail_from}> by {got.client}" for to, got in self.copies)
        return f"{self.stage}: {self.reply!r}; arrived: {got or 'nothing'}; heard: {len(self.heard)}"


def said(code, text):
    return f"{code} {text.decode('utf-8', 'replace')}".replace("\n", " ").replace("\r", "")


def converse(port, client, helo, mail_from, recipients, content, smtputf8=False, brackets=True):
    """(stage, reply) of one transaction. `content`: None to go no further than RCPT."""
    try:
        with smtplib.SMTP("127.0.0.1", port, local_hostname=helo, source_address=(client, 0), timeout=60) as s:
            s.ehlo()
            s.command_encoding = "utf-8" if smtputf8 else "ascii"
            words = " BODY=8BITMIME" if content and not content.isascii() else ""
            path = f"<{mail_from}>" if brackets else mail_from
            code, text = s.docmd("MAIL", f"FROM:{path}{words}{' SMTPUTF8' if smtputf8 else ''}")
            if code != 250:
                return "mail", said(code, text)
            for recipient in recipients:
                code, text = s.docmd("RCPT", f"TO:<{recipient}>")
                if code != 250:
                    return "rcpt", said(code, text)
            if content is None:
                return "rcpt", said(code, text)
            return "dot", said(*s.data(content))
    except smtplib.SMTPResponseException as refusal:
        return "data", said(refusal.smtp_code, refusal.smtp_error)
    except (smtplib.SMTPException, OSError) as trouble:
        return "connection", str(trouble)


def unquoted(address):
    """"a..b"@c and a..b@c are the same mailbox; a forwarder writes it as the standard demands."""
    local, at, domain = address.rpartition("@")
    return local[1:-1] + at + domain if re.fullmatch(r'"[\w.=+-]+"', local) else address


def header_of(content):
    return content.split(b"\r\n\r\n", 1)[0]


class Run:
    """Flows through one place. `sealers`: those who seal, by domain."""

    def __init__(self, place, flows, sealers):
        self.place, self.flows, self.sealers = place, flows, sealers
        self.domains = place.main.domains
        self.addresses = {}   # of a sender, its SRS address
        self.missing = {}     # of a sender whose mail did not arrive, why
        self.outcomes = {}    # by the name of the flow

    def run(self):
        self.learn({sender for flow in self.flows for sender in flow.srs_senders()})
        self.each(self.send, self.flows)
        self.place.settle()
        self.collect()
        return self.outcomes

    @staticmethod
    def each(step, things):
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(step, things))

    def learn(self, senders):
        """Learns the SRS addresses of these senders: each sends a message to an alias, and the sink sees under
        which address it leaves."""
        replies = {}

        def write(sender):
            people = self.domains[sender.rpartition("@")[2]]
            message = people.sign(f"From: <{sender}>\r\nTo: user@house.example\r\nSubject: first\r\n"
                                  f"X-Origin: {sender}\r\n\r\nHello.\r\n".encode())
            stage, reply = converse(self.place.main.port, ORIGIN, "mx.people.example", sender, [self.place.user],
                                    message)
            replies[sender] = f"mail of {sender} ended at {stage}: {reply}"

        self.each(write, sorted(senders))
        self.place.settle()
        for got in self.place.sink.messages:
            origin = re.search(rb"(?m)^X-Origin: (\S+)\r?$", header_of(got.content))
            if origin:
                self.addresses[origin.group(1).decode()] = got.mail_from
        self.missing = {sender: replies[sender] for sender in senders if sender not in self.addresses}

    def resolved(self, address):
        return self.addresses[address[4:]] if address.startswith("srs:") else address

    def send(self, flow):
        lacking = [self.missing[sender] for sender in flow.srs_senders() if sender in self.missing]
        if lacking:
            self.outcomes[flow.name] = Outcome(stage="not sent", reply=lacking[0])
            return
        content = flow.message(self.domains, self.sealers, self.addresses)
        outcome = Outcome(sent=content)
        outcome.stage, outcome.reply = converse(
            self.place.main.port, flow.client, flow.helo, self.resolved(flow.mail_from),
            [self.resolved(to) for to in flow.to], None if flow.asks_only else content, flow.smtputf8,
            flow.brackets)
        self.outcomes[flow.name] = outcome

    def collect(self):
        """Finds the flow of each message at the sink: of a copy by the flow's mark, of a report by its recipient."""
        by_mark = {flow.mark.encode(): flow for flow in self.flows}
        hears = {flow.mail_from: self.outcomes[flow.name] for flow in self.flows if flow.hears}
        for got in self.place.sink.messages:
            top = header_of(got.content)
            mark = re.search(rb"(?m)^X-Flow: (flow-\d{4})\r?$", top)
            written = re.search(rb"(?m)^(flow-\d{4})\r?$", got.content)
            flow = by_mark.get(mark.group(1)) if mark else None
            if not flow and written and by_mark[written.group(1)].headless:
                flow = by_mark[written.group(1)]  # there is no other place for its mark
            for to in got.rcpt_tos:
                if unquoted(to) in hears and not got.mail_from and b"multipart/report" in top:
                    hears[unquoted(to)].heard.append(got)
                elif flow:
                    self.outcomes[flow.name].copies.append((to, got))


def forwards(flow, outcome):
    """Whether the flow reached its aim: RCPT was accepted, the report was heard, or a copy arrived."""
    if flow.asks_only:
        return outcome.taken
    if flow.hears:
        return bool(outcome.heard)
    arrived = {unquoted(to) for to, _ in outcome.copies}
    return bool(arrived) and set(flow.arrives or arrived) <= arrived
