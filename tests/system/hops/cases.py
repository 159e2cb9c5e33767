"""Every next hop under every condition that can be set up. Missing combinations: Postfix knows no limit of
messages a connection (the doorman says 421 in its place), and demands certificates only where TLS is
required, by a 421 after the handshake; OpenSMTPD has no limit of connections, and its TLS does not work on
Debian 12, so that it stands for hosts that demand what they cannot do."""

import dataclasses

from .exim import EximHop
from .hop import BROKEN, BROKEN_REQUIRED, CERTIFICATE, CERTIFICATE_REQUIRED, OFFERED, REQUIRED, Terms
from .opensmtpd import OpenSmtpdHop
from .postfix import PostfixHop
from .strict import StrictHop

POSTSCREEN = {"postscreen_greet_wait": "2s", "postscreen_greet_action": "enforce",
              "postscreen_pipelining_enable": "yes", "postscreen_pipelining_action": "enforce",
              "postscreen_non_smtp_command_enable": "yes", "postscreen_non_smtp_command_action": "enforce",
              "postscreen_bare_newline_enable": "yes", "postscreen_bare_newline_action": "enforce",
              "postscreen_cache_map": "btree:$data_directory/postscreen_cache",
              "postscreen_upstream_proxy_protocol": "", "postscreen_access_list": ""}
# A recipient is unknown if the sink behind does not know it, so Postfix asks there first.
VERIFY = {"smtpd_recipient_restrictions": "reject_unverified_recipient, @POLICY",
          "unverified_recipient_reject_code": "550", "address_verify_poll_count": "1",
          "address_verify_poll_delay": "1s", "address_verify_map": "btree:$data_directory/verify_cache"}
IMPATIENT = {"smtpd_hard_error_limit": "3", "smtpd_soft_error_limit": "2", "smtpd_error_sleep_time": "1s"}
EVERYWHERE = {stage: 0.06 for stage in ("helo", "mail", "rcpt", "data", "dot")} | {"connect": 0.03}


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    hop: type
    terms: Terms
    waits: bool = False       # nothing may end: every attempt has to be put off
    busy_first: bool = False  # another host stands before this one, and has no time at MAIL


def limits(kind):
    return [Case(f"{kind.name}-recipients-1", kind, Terms(recipients=1)),
            Case(f"{kind.name}-messages-4", kind, Terms(messages=4))]


CASES = [
    Case("postfix-greylist", PostfixHop, Terms(greylist_all=True)),
    Case("postfix-postscreen", PostfixHop, Terms(settings=POSTSCREEN)),
    Case("postfix-verify", PostfixHop, Terms(settings=VERIFY)),
    Case("postfix-errors-3", PostfixHop, Terms(settings=IMPATIENT)),
    Case("postfix-recipients-2", PostfixHop, Terms(recipients=2, greylist_all=True)),
    Case("postfix-connections-3", PostfixHop, Terms(connections=3)),
    Case("postfix-second-host", PostfixHop, Terms(), busy_first=True),
    *limits(PostfixHop),
    Case("postfix-tls", PostfixHop, Terms(tls=REQUIRED)),
    Case("postfix-certificate", PostfixHop, Terms(tls=CERTIFICATE_REQUIRED), waits=True),
    Case("exim-greylist", EximHop, Terms(greylist_all=True)),  # counts RSET: ten without a message, and it drops us
    Case("exim-defers", EximHop, Terms(defers=EVERYWHERE)),
    Case("exim-connections-3", EximHop, Terms(connections=3, delay=0.3)),
    *limits(EximHop),
    Case("exim-tls", EximHop, Terms(tls=REQUIRED)),
    Case("exim-certificate", EximHop, Terms(tls=CERTIFICATE)),
    Case("exim-certificate-required", EximHop, Terms(tls=CERTIFICATE_REQUIRED), waits=True),
    Case("opensmtpd-greylist", OpenSmtpdHop, Terms(greylist_all=True)),
    Case("opensmtpd-defers", OpenSmtpdHop, Terms(defers={"mail": 0.05, "rcpt": 0.1, "data": 0.05, "dot": 0.05})),
    *limits(OpenSmtpdHop),
    Case("opensmtpd-broken-tls", OpenSmtpdHop, Terms(tls=BROKEN)),
    Case("opensmtpd-broken-tls-required", OpenSmtpdHop, Terms(tls=BROKEN_REQUIRED), waits=True),
    Case("aiosmtpd-strict", StrictHop, Terms(defers={"mail": 0.05, "rcpt": 0.1, "dot": 0.1})),
    Case("aiosmtpd-connections-3", StrictHop, Terms(connections=3, delay=0.1)),
    *limits(StrictHop),
    Case("aiosmtpd-tls", StrictHop, Terms(tls=OFFERED)),
    Case("aiosmtpd-tls-required", StrictHop, Terms(tls=REQUIRED)),
    Case("aiosmtpd-certificate", StrictHop, Terms(tls=CERTIFICATE)),
    Case("aiosmtpd-certificate-required", StrictHop, Terms(tls=CERTIFICATE_REQUIRED), waits=True),
]


def named(name):
    return next(case for case in CASES if case.name == name)
