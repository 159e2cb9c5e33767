"""The goals that the project has set itself, judged from what one session measured."""

from dataclasses import dataclass

from .figures import bound_rate, median, rate_share


@dataclass(frozen=True)
class Goal:
    text: str
    wanted: float
    measured: float
    unit: str = "x"
    at_most: bool = False

    @property
    def holds(self):
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted

    def row(self):
        sign = "≤" if self.at_most else "≥"
        return (self.text, f"{sign} {self.wanted:.4g} {self.unit}", f"{self.measured:.4g} {self.unit}",
                "yes" if self.holds else "NO")

    def as_dict(self):
        return {"goal": self.text, "wanted": self.wanted, "at_most": self.at_most, "measured": self.measured,
                "unit": self.unit, "holds": self.holds}


RATE = "delivered_per_second"
CPU = "cpu_ms_per_message"
# mode, other, factor by which we are to be faster, words
RATES = [("new", "postfix", 8, "Postfix's stack, a new connection per message"),
         ("kept", "postfix", 8.5, "Postfix's stack, kept connections"),
         ("ed25519", "postfix", 12, "Postfix's stack, our Ed25519 against its RSA"),
         ("new", "exim", 25, "Exim"),
         ("unsigned", "postfix", 5, "Postfix, neither signs"),
         ("10 MiB", "postfix", 2, "Postfix's stack, 10 MiB messages")]


def rate_goals(results):
    return [Goal("rate of " + words, factor, median(results[mode]["srs-relay"], RATE) / median(results[mode][other], RATE))
            for mode, other, factor, words in RATES
            if {"srs-relay", other} <= results.get(mode, {}).keys()]


def cpu_goals(results):
    return [Goal(f"CPU per message of Postfix's stack to ours, {words}", 12,
                 median(results[mode]["postfix"], CPU) / median(results[mode]["srs-relay"], CPU))
            for mode, words in (("new", "new connections"), ("kept", "kept connections"))
            if {"srs-relay", "postfix"} <= results.get(mode, {}).keys()]


def bound_goals(results, signature, cores):
    """Ours as a share of what sockets and signature alone would allow."""
    return [Goal(f"share of the bound, {words}", 75,
                 100 * median(results[mode]["srs-relay"], RATE)
                 / bound_rate(median(results[mode]["echo"], RATE), signature, cores), "%")
            for mode, words in (("new", "new connections"), ("kept", "kept connections"))
            if {"srs-relay", "echo"} <= results.get(mode, {}).keys()]


def latency_goals(latency):
    if not latency:
        return []
    theirs = latency["postfix"]["p99"]
    return [Goal("p99 of acceptance at half of each one's top rate", theirs, latency["srs-relay"]["p99"], "ms", at_most=True),
            Goal("p99 of acceptance, both at half of Postfix's top rate", theirs,
                 latency["srs-relay at postfix's rate"]["p99"], "ms", at_most=True)]


def order_goals(found):
    """`found`: "alone" or the order obeyed meanwhile -> quantiles of the wait for a 250, in ms. The longest wait is
    shown and not judged: a disk that is busy elsewhere makes one of those in any minute."""
    return [Goal(f"p99.9 of the wait for a 250 during {order}, beyond that without", 50,
                 quantiles["p999"] - found["alone"]["p999"], "ms", at_most=True)
            for order, quantiles in found.items() if order != "alone"]


def kept_rate_goals(times, share):
    """`times`: mode -> (before, after), of a message in each run. No commit makes a mode slower."""
    return [Goal(f"rate of {mode}, of that before", share, rate_share(before, after)) for mode, (before, after) in times.items()]


def judge(results, latency, signature, cores):
    """`results`: mode -> kind -> runs."""
    return (rate_goals(results) + cpu_goals(results) + bound_goals(results, signature, cores) + latency_goals(latency))
