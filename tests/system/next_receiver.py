"""The verdicts of an independent receiver on a message: pyspf, dkimpy and authheaders, asked about the
very client, HELO, envelope and octets that came to the sink. Only the glue is ours."""

import re

import authheaders
import dkim
import spf
from authheaders import dmarc_lookup
from authres import DKIMAuthenticationResult, SPFAuthenticationResult
from publicsuffix2 import PublicSuffixList

# The public list does not know the suffix of the tests, and publicsuffix2 not the rule for unknown ones.
organisation_of = PublicSuffixList(["example"]).get_public_suffix
authheaders.get_org_domain = dmarc_lookup.get_org_domain = organisation_of


def readable(content):
    """Without the lines of the header that are no fields: dkimpy reads none of a message that has some,
    but other receivers do."""
    head, end, body = content.partition(b"\r\n\r\n")
    fields = re.findall(rb"(?m)^[^ \t\r\n][^\r\n]*(?:\r\n[ \t][^\r\n]*)*", head)
    return b"\r\n".join(f for f in fields if re.match(rb"[\x21-\x7e]+:", f)) + end + body


class Findings:
    """`spf`: result of MAIL FROM, or of HELO for the null sender; `signatures`: (d=, passes), topmost
    first; `arc`: of the chain; `dmarc`, `policy` and by what it is aligned: of the author in From, as
    authheaders reads it."""

    def __init__(self, spf_result, spf_domain, signatures, arc):
        self.spf, self.spf_domain, self.signatures, self.arc = spf_result, spf_domain, signatures, arc
        self.dmarc = self.policy = self.spf_aligned = self.dkim_aligned = None

    def names(self):
        """The domains that this message proves to come from."""
        proven = [domain for domain, passes in self.signatures if passes]
        return proven + ([self.spf_domain] if self.spf == "pass" else [])

    def aligned_with(self, domain):
        """Those of them that DMARC takes as `domain`, in relaxed mode."""
        return [name for name in self.names() if organisation_of(name) == organisation_of(domain)]


class Receiver:
    """Asks `world`, a nameserver; what it answered once it is taken to answer always."""

    def __init__(self, world):
        self.world = world
        self.known = {}

    def answers(self, name, kind):
        key = (name.lower().rstrip("."), kind)
        if key not in self.known:
            self.known[key] = self.world.query(*key)
        return self.known[key]

    def txt(self, name, timeout=5):
        """For dkimpy: octets, b"" for nothing."""
        name = name.decode("ascii") if isinstance(name, bytes) else name
        return next((b"".join(a["data"]) for a in self.answers(name, "TXT") if a["typename"] == "TXT"), b"")

    def dmarc_record(self, name):
        return self.txt(name).decode()

    def lookup(self, name, kind, strict=True, timeout=20):
        """For pyspf."""
        return [((a["name"], a["typename"]), a["data"]) for a in self.answers(name, kind)]

    def check_spf(self, client, helo, mail_from):
        spf.DNSLookup = self.lookup
        result = spf.query(i=client, s=mail_from or "postmaster@" + helo, h=helo).check()[0]
        return result, (mail_from.rpartition("@")[2] or helo).lower()

    def check_signatures(self, content):
        found = []
        for index in range(self.count(content, b"dkim-signature")):
            verifier = dkim.DKIM(content)
            try:
                passes = verifier.verify(idx=index, dnsfunc=self.txt)
            except Exception:  # dkimpy has no one exception for signatures that are strange
                passes = False
            domain = verifier.signature_fields.get(b"d", b"").decode("utf-8", "replace")
            found.append((domain.lower(), bool(passes)))
        return found

    def check_arc(self, content):
        if not self.count(content, b"arc-seal"):
            return "none"
        return dkim.ARC(content).verify(dnsfunc=self.txt)[0].decode()

    @staticmethod
    def count(content, name):
        return sum(field[0].lower() == name for field in dkim.rfc822_parse(content)[0])

    def judge(self, got):
        """All but DMARC, of a message at the sink."""
        content = readable(got.content)
        return Findings(*self.check_spf(got.client, got.helo, got.mail_from),
                        self.check_signatures(content), self.check_arc(content))

    def judge_author(self, got):
        """And DMARC, for a message whose From names one author."""
        found = self.judge(got)
        spf_result = SPFAuthenticationResult(result=found.spf, smtp_mailfrom="any@" + found.spf_domain)
        by_spf = self.dmarc(got, spf_result, None)
        by_dkim = [self.dmarc(got, None, DKIMAuthenticationResult(result="pass", header_d=domain))
                   for domain, passes in found.signatures if passes]
        found.spf_aligned = by_spf.result == "pass"
        found.dkim_aligned = any(one.result == "pass" for one in by_dkim)
        found.dmarc = "pass" if found.dkim_aligned else by_spf.result
        found.policy = by_spf.policy or "none"
        return found

    def dmarc(self, got, spf_result, dkim_result):
        return authheaders.check_dmarc(readable(got.content), spf_result, dkim_result, dnsfunc=self.dmarc_record)
