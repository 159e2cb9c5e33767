"""One message through the relay, before and after; then a bounce on its way back."""

import email
import smtplib
import sys
import time

import dkim
import spf

from . import senders
from .harness import Relay, Sink, wait_for

OUR_ADDRESS = "127.0.0.1"  # from which the next hop sees us
ANN = senders.Sender("strict.example")  # its SPF forbids everybody, its DMARC says p=reject
EVE = (b"From: Ann <ann@strict.example>\r\nTo: info@fwd.example\r\nSubject: Invoice\r\n\r\nPay!\r\n")
MESSAGE = ANN.sign(
    b"From: Ann <ann@strict.example>\r\nTo: info@fwd.example\r\nSubject: Lunch?\r\n"
    b"Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <lunch@strict.example>\r\n\r\n"
    b"At noon?\r\n.hidden dot\r\n")
COLOUR = sys.stdout.isatty()


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def title(text):
    print("\n" + paint("1", text))


def line(label, text):
    print(f"  {label:<22} {text}")


class Checks:
    def __init__(self):
        self.failed = []

    def __call__(self, label, good, text):
        line(label, f"{text}  {paint('32', 'ok') if good else paint('31', 'NOT AS IT SHOULD BE')}")
        if not good:
            self.failed.append(label)


def spf_verdict(dns, sender, helo):
    """What a next hop that checks SPF says of `sender` coming from our address."""

    def lookup(name, qtype, tcpfallback=True, timeout=20):
        found = []
        for answer in dns.query(name, qtype):
            data = answer["data"]
            if answer["typename"] in ("TXT", "SPF"):
                data = tuple(data)
            found.append(((answer["name"], answer["typename"]), data))
        return found

    spf.DNSLookup = lookup
    query = spf.query(i=OUR_ADDRESS, s=sender, h=helo, strict=False)
    return query.check()[0]


def show_forwarding(check, relay, sink, dns):
    title("1. Ann writes to info@fwd.example, signed. Her domain says: v=spf1 -all, DMARC p=reject")
    number = relay.send(MESSAGE, sender="ann@strict.example", to=["info@fwd.example"])
    wait_for(lambda: sink.messages, what="the message at the next hop")
    got = sink.messages.pop()
    line("accepted as", number)
    title("   envelope             before -> after")
    line("MAIL FROM", f"ann@strict.example -> {got.mail_from}")
    line("RCPT TO", f"info@fwd.example -> {got.rcpt_tos[0]}")
    title("   what the relay put in front")
    for text in got.content[:-len(MESSAGE)].decode().split("\r\n")[:8]:
        print("  " + text.replace("\t", "    "))
    title("2. What the next hop sees")
    check("original octets", got.content.endswith(MESSAGE), "unchanged, from first field to last dot")
    without = spf_verdict(dns, "ann@strict.example", relay.hostname)
    check("SPF without SRS", without == "fail", without)
    with_srs = spf_verdict(dns, got.mail_from, relay.hostname)
    check("SPF with SRS", with_srs == "pass", with_srs)
    for index, kind in enumerate(("ed25519", "rsa")):
        good = dkim.DKIM(got.content).verify(
            idx=index, dnsfunc=lambda name, **_: dns.txt(name.decode()))
        check(f"DKIM {kind}", good, "pass" if good else "fail")
    good = dkim.DKIM(got.content).verify(idx=2, dnsfunc=lambda name, **_: dns.txt(name.decode()))
    check("Ann's signature", good, "pass: DMARC passes at the next hop" if good else "fail")
    return got.mail_from


def show_bounce(check, relay, sink, srs_sender):
    title("3. The mailbox is gone: a bounce travels back")
    relay.send(b"From: MAILER-DAEMON@dest.example\r\nSubject: Undeliverable\r\n\r\nNo such mailbox.\r\n",
               sender="", to=[srs_sender])
    wait_for(lambda: sink.messages, what="the bounce")
    bounce = sink.messages.pop()
    line("sent to", srs_sender)
    check("arrives at", bounce.rcpt_tos == ["ann@strict.example"], bounce.rcpt_tos[0])
    check("sender stays null", bounce.mail_from == "", "<>")
    title("4. The next hop refuses: the relay itself tells Ann")
    sink.replies = {"RCPT": lambda a: "550 5.1.1 no me@dest.example here" if "dest" in a else None}
    relay.send(MESSAGE, sender="ann@strict.example", to=["info@fwd.example"])
    wait_for(lambda: sink.messages, what="the DSN")
    dsn = sink.messages.pop()
    report = email.message_from_bytes(dsn.content)
    check("report to", dsn.rcpt_tos == ["ann@strict.example"], f"{dsn.rcpt_tos[0]}, {report['Subject']}")
    check("private target hidden", b"dest.example" not in dsn.content, "the alias only")
    sink.replies = {}


def show_refusal(check, relay, sink):
    title("5. Eve writes in Ann's name")
    try:
        relay.send(EVE, sender="ann@strict.example", to=["info@fwd.example"])
        said = "accepted"
    except smtplib.SMTPResponseException as refusal:
        said = f"{refusal.smtp_code} {refusal.smtp_error.decode()}"
    check("answer", said.startswith("550 5.7.1"), said)
    check("went nowhere", not sink.messages, "nothing was forwarded, nobody hears of it")


def main():
    once = "--once" in sys.argv[1:]
    check = Checks()
    sink = Sink().start()
    relay = Relay(sink.port, hostname="mx.fwd.example", domain="fwd.example", srs="relay.example",
                  aliases={"info": ["me@dest.example"]}, verify=True)
    dns = senders.world([ANN], {
        "relay.example": [f'@ 60 IN TXT "v=spf1 ip4:{OUR_ADDRESS} -all"', "@ 60 IN MX 10 ns", *senders.keys_of(relay)],
        "fwd.example": [f"mx 60 IN A {OUR_ADDRESS}", 'mx 60 IN TXT "v=spf1 a -all"']})
    try:
        relay.dns = dns.port
        if not once:
            relay.port = 2525
        relay.write_config()
        relay.start()
        srs_sender = show_forwarding(check, relay, sink, dns)
        show_bounce(check, relay, sink, srs_sender)
        show_refusal(check, relay, sink)
        if check.failed:
            print("\n" + paint("31", "not as it should be: " + ", ".join(check.failed)))
        else:
            print("\n" + paint("32", "All of it is as it should be."))
        if not once:
            print(f"\nThe relay listens on 127.0.0.1:{relay.port}. Try, in another terminal:\n"
                  f"  swaks --server 127.0.0.1:{relay.port} --from you@elsewhere.example --to info@fwd.example\n"
                  f"  build/release/bin/srs-relay -c {relay.path('relay.toml')} status\n"
                  f"Its log is {relay.path('log')}. Ctrl-C ends everything.")
            while True:
                while sink.messages:
                    got = sink.messages.pop(0)
                    print(f"arrived: {got.mail_from or '<>'} -> {', '.join(got.rcpt_tos)}")
                time.sleep(0.2)
    except KeyboardInterrupt:
        print()
    finally:
        relay.stop()
        relay.remove()
        sink.stop()
        dns.stop()
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
