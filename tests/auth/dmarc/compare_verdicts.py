"""Verdicts on worlds made at random, ours against authheaders' (the Public Suffix List's rule).

What RFC 9989 changed is left out of these worlds: np=, psd=, t=, and records that are not in order. So is
sp= in the record of the author's own domain, which authheaders applies to that domain itself, against RFC 7489
§6.3."""

import functools
import json
import os
import pathlib
import random
import subprocess
import unittest

import authheaders
from authheaders import dmarc_lookup
from authres import DKIMAuthenticationResult, SPFAuthenticationResult

HERE = pathlib.Path(__file__).resolve().parent
VERDICTS = os.environ.get("DMARC_VERDICTS", str(HERE.parents[2] / "build/fuzz/bin/dmarc_verdicts"))

# It reads the whole list for every question.
authheaders.get_org_domain = dmarc_lookup.get_org_domain = functools.cache(dmarc_lookup.get_org_domain)

DOMAINS = ["example.com", "mail.example.com", "a.b.example.com", "b.example.com", "other.com", "x.other.com",
           "example.co.uk", "mail.example.co.uk", "other.co.uk", "co.uk", "com", "badexample.com"]


def record(rng, of_author):
    tags = [f"p={rng.choice(['none', 'quarantine', 'Reject'])}"]
    if not of_author and rng.random() < 0.4:
        tags.append(f"sp={rng.choice(['none', 'quarantine', 'reject'])}")
    for mode in ("adkim", "aspf"):
        if rng.random() < 0.5:
            tags.append(f"{mode}={rng.choice('rs')}")
    if rng.random() < 0.3:
        tags.append("rua=mailto:a@x.test")
    if rng.random() < 0.2:
        tags.append("xyz=1")
    rng.shuffle(tags)
    return "v=DMARC1" + rng.choice([";", "; ", " ; "]) + rng.choice([";", "; "]).join(tags) + rng.choice(["", ";"])


def worlds(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        author = rng.choice(DOMAINS[:9])
        names = rng.sample(DOMAINS, rng.randrange(0, 9))
        txt = {f"_dmarc.{name}": record(rng, name == author) for name in names}
        yield {"author": author, "spf": rng.choice(DOMAINS + [""] * 6),
               "dkim": rng.choices(DOMAINS, k=rng.randrange(2)), "txt": txt, "psl": True}


def theirs(world):
    spf = SPFAuthenticationResult(result="pass", smtp_mailfrom=f"a@{world['spf']}") if world["spf"] else None
    dkim = DKIMAuthenticationResult(result="pass", header_d=world["dkim"][0]) if world["dkim"] else None
    result, _, _, policy = authheaders.dmarc_per_from(world["author"], spf, dkim, lambda name: world["txt"].get(name))
    return f"{result} {policy or 'none'}"


def without_policy_of_none(line):
    return line if line.startswith("fail") else line.split()[0]


class Comparison(unittest.TestCase):
    def test_both_come_to_the_same_verdict(self):
        made = list(worlds(3000, seed=1))
        lines = "".join(json.dumps(world) + "\n" for world in made)
        ours = subprocess.run([VERDICTS], input=lines, capture_output=True, text=True, check=True).stdout.split("\n")
        seen = {}
        for world, our in zip(made, ours):
            self.assertEqual(without_policy_of_none(our), without_policy_of_none(theirs(world)), world)
            seen[our] = seen.get(our, 0) + 1
        print(f"{len(made)} verdicts agree: {seen}")
        self.assertGreaterEqual(len(seen), 7, "all results occur")


if __name__ == "__main__":
    unittest.main()
