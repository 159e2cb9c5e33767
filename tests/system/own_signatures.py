"""Signatures and seals of the relay as other verifiers see them; and its behaviour when its own
signatures are wrong (srs-relay-controls with RELAY_SABOTAGE=signature-broken): it must see that itself."""

import json
import smtplib

from .harness import wait_for
from .judged_relay import JudgedRelay
from .senders import AUTHORISED, Sender

OURS = "relay.test"  # signs and seals


class Place(JudgedRelay):
    """A relay that verifies, signs and seals everything, and a next hop that looks at it."""

    def __init__(self):
        self.author = Sender("good.example", AUTHORISED)
        super().__init__([self.author], OURS, srs=OURS,
                         config={"arc": {"domain": OURS, "selector": "rsa", "file": "rsa.pem", "seal": "always"}})

    def sends(self, message):
        """The code that the client hears."""
        try:
            self.relay.send(message, sender="ann@good.example")
            return 250
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code

    def holds(self, got):
        """Both our signatures, the author's and the seal?"""
        found = self.receiver.judge(got)
        ours = [passes for domain, passes in found.signatures if domain == OURS]
        return len(ours) == 2 and len(found.signatures) == 3 and all(p for _, p in found.signatures) \
            and found.arc == "pass"


def campaign(messages):
    place = Place()
    try:
        codes = [place.sends(place.author.sign(place.author.message(f"number {i}"))) for i in range(messages)]
        taken = codes.count(250)
        wait_for(lambda: len(place.sink.messages) >= taken, what="all deliveries")
        broken = sum(not place.holds(got) for got in place.sink.messages)
        wait_for(lambda: len(place.relay.events("self_check_failed")) >= codes.count(451),
                 what="an event for each refusal")
        events = place.relay.events("self_check_failed")
        status = json.loads(place.relay.cli("--json", "status").stdout.splitlines()[0])
    finally:
        place.stop()
    report = {"sent": messages, "taken": taken, "put_off": codes.count(451), "broken": broken,
              "checks": status["self_checks"], "failures": status["self_check_failures"],
              "events": sum(e["domain"] == OURS and e["selector"] in ("rsa", "ed25519") for e in events)}
    # Every fault must show: no broken signature leaves, and each refusal has its event.
    report["escaped"] = broken + abs(report["put_off"] - report["events"]) + abs(report["events"] - report["failures"])
    report["pass"] = taken == messages and report["failures"] == 0 and report["escaped"] == 0
    report["summary"] = summary(report)
    return report


def summary(report):
    return (f"{report['sent']} messages: {report['taken']} taken, {report['put_off']} put off, {report['checks']} "
            f"checked before they left, {report['failures']} did not hold, {report['broken']} left broken")
