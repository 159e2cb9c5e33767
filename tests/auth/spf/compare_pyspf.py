"""Asks pyspf and our own checker the same generated questions. Where they differ, the clause of
RFC 7208 that decides stands in DISAGREEMENTS; anything else fails, and so does an unused entry."""
import collections
import json
import os
import random
import re
import subprocess
import unittest

import spf

CHECK = os.environ.get("CHECK_SPF", "build/fuzz/bin/check_spf")
CASES = 3000

V4 = ["192.0.2.1", "192.0.2.77", "198.51.100.9", "203.0.113.250"]
V6 = ["2001:db8::1", "2001:db8:0:1::77", "2001:db8:ffff::9"]
HOSTS = [f"h{n}.example.org" for n in range(6)]
VOID = ["gone.example.org", "nothing.example.net"]
BROKEN = ["broken.example.org"]
POLICIES = [f"p{n}.example.net" for n in range(5)]


class Zone:
    """Records by name and type, as in vectors/spf."""

    def __init__(self):
        self.names = {}

    def add(self, name, kind=None, value=None):
        entry = self.names.setdefault(name, {"records": {}, "timeout": False, "timeout_types": []})
        if kind:
            entry["records"].setdefault(kind, []).append(value)
        return entry


def domain(dice):
    pool = dice.choice([HOSTS, HOSTS, HOSTS, POLICIES, VOID, BROKEN, ["mail.example.org"]])
    name = dice.choice(pool)
    return name + "." if dice.random() < 0.05 else name.upper() if dice.random() < 0.05 else name


def macro(dice):
    # Without %{p}: pyspf looks for the client's names while it reads a record, matched or not.
    letter = dice.choice("slodihv")
    if dice.random() < 0.15:
        letter = letter.upper()
    digits = dice.choice(["", "", "", "1", "2", "3", "12"])
    reverse = dice.choice(["", "", "r"])
    delimiters = dice.choice(["", "", "", ".", "-", "+-", "_=/,"])
    return "%{" + letter + digits + reverse + delimiters + "}"


def domain_spec(dice):
    kind = dice.random()
    if kind < 0.7:
        return domain(dice)
    if kind < 0.9:
        return macro(dice) + "." + domain(dice)
    if kind < 0.95:
        return macro(dice) + dice.choice(["-", "", "."]) + macro(dice)
    return dice.choice(["%%.", "%_.", "%-", "a%%b."]) + domain(dice)


def cidr(dice):
    return dice.choice(["", "", "", "/24", "/32", "/0", "//64", "//128", "/16//48", "/8//0"])


def address_term(dice):
    if dice.random() < 0.6:
        return "ip4:" + dice.choice(V4) + dice.choice(["", "", "/24", "/31", "/0", "/32"])
    return "ip6:" + dice.choice(V6) + dice.choice(["", "", "/64", "/48", "/0", "/128"])


def term(dice):
    sign = dice.choice(["", "", "", "+", "-", "~", "?"])
    kind = dice.choice(["ip", "ip", "a", "a", "mx", "mx", "include", "include", "exists", "ptr"])
    if kind == "ip":
        return sign + address_term(dice)
    if kind in ("a", "mx"):
        where = ":" + domain_spec(dice) if dice.random() < 0.8 else ""
        return sign + kind + where + cidr(dice)
    if kind == "include":
        return sign + "include:" + (dice.choice(POLICIES) if dice.random() < 0.8 else domain_spec(dice))
    if kind == "exists":
        return sign + "exists:" + domain_spec(dice)
    return sign + "ptr" + dice.choice(["", ":example.org", ":" + domain(dice)])


def broken_term(dice):
    """A term with one octet changed, added or missing."""
    text = list(term(dice))
    at = dice.randrange(len(text))
    change = dice.choice(["drop", "double", "replace"])
    if change == "drop":
        del text[at]
    elif change == "double":
        text.insert(at, text[at])
    else:
        text[at] = dice.choice("%{}:/=.-+~?,;xX09\t")
    return "".join(text)


def record(dice, depth=0):
    terms = [term(dice) for _ in range(dice.choice([0, 1, 1, 2, 2, 3, 4, 6, 9, 12]))]
    if dice.random() < 0.12:
        terms.insert(dice.randrange(len(terms) + 1), broken_term(dice))
    if dice.random() < 0.1:
        terms.insert(dice.randrange(len(terms) + 1), dice.choice(["foo=bar", "x.y-z_1=%{d}%%", "foo="]))
    end = dice.random()
    if end < 0.5:
        terms.append(dice.choice(["-all", "~all", "?all", "+all"]))
    elif end < 0.7:
        terms.insert(dice.randrange(len(terms) + 1), "redirect=" + dice.choice(POLICIES + VOID))
    version = dice.choice(["v=spf1"] * 12 + ["V=SPF1", "v=spf10", "v=spf1\t"])
    return (" " * dice.choice([1, 1, 1, 2])).join([version] + terms)


def zone_of(dice, client):
    zone = Zone()
    for name in HOSTS + ["mail.example.org"]:
        for _ in range(dice.choice([0, 1, 1, 2])):
            zone.add(name, "A", dice.choice(V4))
        for _ in range(dice.choice([0, 1, 1])):
            zone.add(name, "AAAA", dice.choice(V6))
        for preference in range(dice.choice([0, 0, 1, 2, 3])):
            zone.add(name, "MX", [preference, dice.choice(HOSTS + VOID[:1] + BROKEN)])
        zone.add(name)
    if dice.random() < 0.1:
        for preference in range(dice.choice([10, 11])):
            zone.add(HOSTS[0], "MX", [preference + 10, f"m{preference}.example.org"])
            zone.add(f"m{preference}.example.org", "A", dice.choice(V4))
            zone.add(f"m{preference}.example.org", "AAAA", dice.choice(V6))
    if dice.random() < 0.2:
        zone.names[HOSTS[5]]["records"] = {"CNAME": [dice.choice(HOSTS[:5])]}
    for name in BROKEN:
        zone.add(name)["timeout"] = True
    for name in POLICIES + ["mail.example.org"]:
        for _ in range(dice.choice([0, 1, 1, 1, 1, 1, 1, 1, 2]) if name != "mail.example.org" else 1):
            zone.add(name, "TXT", [record(dice)])
        if dice.random() < 0.2:
            zone.add(name, "TXT", ["some other text"])
    reverse = spf.reverse_dots(client) + ".in-addr.arpa" if "." in client else reverse_v6(client)
    for _ in range(dice.choice([0, 1, 1, 2])):
        zone.add(reverse, "PTR", dice.choice(HOSTS + VOID + BROKEN))
    return zone.names


def reverse_v6(client):
    import ipaddress
    return ipaddress.ip_address(client).reverse_pointer


def questions():
    dice = random.Random(7208)
    for _ in range(CASES):
        client = dice.choice(V4 + V6[:2])
        local = dice.choice(["ann", "strong-bad", "a+b_c=d", "x.y"])
        yield {
            "ip": client,
            "helo": dice.choice(["mail.example.org", "mx.example.net", "single", "[192.0.2.1]"]),
            "mailfrom": dice.choice([local + "@mail.example.org"] * 5 + [""]),
            "zone": zone_of(dice, client),
        }


def ours(all_questions):
    out = subprocess.run([CHECK], input="".join(json.dumps(q) + "\n" for q in all_questions),
                         check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def lookup_in(zone):
    def lookup(name, kind, strict=True, timeout=20):
        name = name.lower().rstrip(".")
        entry = zone.get(name)
        if entry is None:
            return []
        records = entry["records"]
        if entry["timeout"] and kind not in records:
            raise spf.TempError("DNS timeout")
        if "CNAME" in records:
            return [((name, "CNAME"), records["CNAME"][0])] + lookup(records["CNAME"][0], kind)
        if kind == "TXT":
            return [((name, kind), tuple(s.encode("latin-1") for s in v)) for v in records.get(kind, [])]
        if kind == "MX":
            return [((name, kind), (v[0], v[1])) for v in records.get(kind, [])]
        if kind == "PTR":
            return [((name, kind), v) for v in sorted(set(records.get(kind, [])))]
        return [((name, kind), v) for v in records.get(kind, [])]
    return lookup


class HostByHost(spf.query):
    """§5.4 matches on the first MX host with an address that does; a checker that looks all of them up
    first meets void lookups and errors of hosts that do not matter."""

    def dns_mx(self, domainname):
        names = self.dns(domainname, "MX")
        if len(names) > spf.MAX_MX:
            raise spf.PermError("too many MX records")
        return (address for _, name in sorted(names) for address in self.dns_a(name, self.A))

    def cidrmatch(self, ipaddrs, n):
        return any(spf.query.cidrmatch(self, [address], n) for address in ipaddrs)


class ClientsNames(spf.query):
    """§5.5: "If a DNS error occurs while doing the PTR RR lookup, then this mechanism fails to
    match. If a DNS error occurs while doing an A RR lookup, then that domain name is skipped". The
    names belong to the client's network: they are no void lookups of the record's (§4.6.4)."""

    def validated_ptrs(self):
        if hasattr(self, "confirmed"):
            return self.confirmed
        try:
            names = self.dns_ptr(self.i)[:spf.MAX_PTR]
        except spf.TempError:
            names = []
        self.confirmed = []
        for name in names:
            voids, self.void_lookups = self.void_lookups, 0
            try:
                if self.cidrmatch(self.dns_a(name, self.A), self.cidrmax):
                    self.confirmed.append(name)
            except spf.TempError:
                pass
            self.void_lookups = voids
        return self.confirmed


class OneVoidATerm(spf.query):
    """§4.6.4 limits "the number of 'terms' for which DNS queries return" nothing: the hosts of one mx
    are one term."""

    def check_lookups(self):
        self.voids_before = self.void_lookups
        return super().check_lookups()

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        void = self.void_lookups > getattr(self, "voids_before", self.void_lookups)
        return super().dns(name, qtype, cnames, ignore_void or void)


class OneVoidAnAlias(spf.query):
    """§4.6.4 counts lookups that return nothing; one that goes through a CNAME is one lookup."""

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        return spf.query.dns(self, name, qtype, cnames, ignore_void or cnames is not None)


class NamesThatCannotBe(spf.query):
    """§4.8 leaves undefined what follows from a name that is no valid domain. For us one with an
    empty or too long label is a name that does not exist: a void lookup like others."""

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        if all(0 < len(label) < 64 for label in name.removesuffix(".").split(".")) or ignore_void:
            return super().dns(name, qtype, cnames, ignore_void)
        self.void_lookups += 1
        if self.void_lookups > spf.MAX_VOID_LOOKUPS:
            raise spf.PermError("Void lookup limit exceeded")
        return []


class PercentAtTheEnd(spf.query):
    """§7.1: macro-string = *( macro-expand / macro-literal ), macro-expand = … / "%%" / "%_" / "%-":
    wherever it stands, the end included."""

    def expand(self, s, stripdot=True):
        if s.endswith("%%") and not s.endswith("%%%"):
            return spf.query.expand(self, s[:-2], False) + "%"
        return spf.query.expand(self, s, stripdot)


class MacroGrammar(spf.query):
    """§7.1: macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) and three more, each
    delimiter one of ". - + , / _ =". A "%" that begins none of them is a syntax error."""

    MACRO = re.compile(r"%(\{[slodiphcrtv][0-9]*r?[-.+,/_=]*\}|[%_-])", re.IGNORECASE)

    def expand(self, s, stripdot=True):
        if "%" in self.MACRO.sub("", s):
            raise spf.PermError("not a macro", s)
        return super().expand(s, stripdot)


class OnlyVisibleLiterals(spf.query):
    """§7.1: macro-literal = %x21-24 / %x26-7E, "visible characters except "%""."""

    def validate_mechanism(self, mech):
        if not all("!" <= c <= "~" for c in mech):
            raise spf.PermError("not a macro-literal", mech)
        return spf.query.validate_mechanism(self, mech)


class IncludeOfItself(spf.query):
    """§4.6: permerror without evaluation is for syntax errors. A record that includes itself is
    ended by the limits of §4.6.4, and not at all when something matches before."""

    def validate_mechanism(self, mech):
        try:
            return super().validate_mechanism(mech)
        except spf.PermError as error:
            if error.msg != "include has trivial recursion":
                raise
            return mech, "include", self.d, self.cidrmax, spf.RESULTS.get(mech[0], "pass")


# Differences of pyspf from RFC 7208, or from our reading of it, each with a correction.
DISAGREEMENTS = [OneVoidATerm, MacroGrammar, HostByHost, ClientsNames, NamesThatCannotBe, OneVoidAnAlias,
                 PercentAtTheEnd, IncludeOfItself, OnlyVisibleLiterals]


def pyspf(question, mends=()):
    """The result of pyspf, in strict mode, with some of its ways mended."""
    spf.DNSLookup = lookup_in(question["zone"])
    query = type("Mended", (*mends, spf.query), {})(
        i=question["ip"], s=question["mailfrom"], h=question["helo"], strict=True, querytime=0)
    result = query.check()
    return {"result": result[0], "problem": getattr(query, "prob", None) or result[2]}


class Differential(unittest.TestCase):
    def test_same_results(self):
        asked = list(questions())
        mine = ours(asked)
        self.assertEqual(len(mine), len(asked))
        counts = collections.Counter()
        needed = collections.Counter()
        strange = []
        for question, own in zip(asked, mine):
            counts[own["result"]] += 1
            if pyspf(question)["result"] == own["result"]:
                continue
            theirs = pyspf(question, DISAGREEMENTS)
            if theirs["result"] != own["result"]:
                strange.append((question, own, theirs))
                continue
            for one in DISAGREEMENTS:
                others = [other for other in DISAGREEMENTS if other is not one]
                if pyspf(question, others)["result"] != own["result"]:
                    needed[one.__name__] += 1
        print(f"{len(asked)} questions, {dict(counts)}; differing for a reason: {dict(needed)}")
        for question, own, theirs in strange[:int(os.environ.get("SHOW", "5"))]:
            print(json.dumps(question), "\nours", own, "\npyspf", theirs)
        self.assertEqual(len(strange), 0, "differences without a reason")
        self.assertEqual(set(needed), {one.__name__ for one in DISAGREEMENTS}, "entries not needed")
        for result in ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"):
            self.assertGreater(counts[result], CASES // 100, result)


if __name__ == "__main__":
    unittest.main()
