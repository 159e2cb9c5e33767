"""The arithmetic of the benchmarks: nothing here measures, and all of it is tested."""

import random
import statistics


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def signature_seconds(speed_output):
    """CPU of one RSA-2048 signature, from `openssl speed -mr rsa2048`: a line +F2:2:2048:SIGN:VERIFY, in
    operations per second, or in seconds per operation as older versions print it."""
    line = next(line for line in speed_output.splitlines() if line.startswith("+F2:"))
    value = float(line.split(":")[3])
    return 1 / value if value > 1 else value


def bound_rate(echo_rate, seconds, cores):
    """Messages per second that no relay on this machine can pass, with this generator and this sink.

    Generator, relay and sink share the machine and load it fully. A message through the echo relay
    then takes 1 / echo_rate of the whole machine: all three programs' sockets, nothing else. A relay
    that signs must add `seconds` of CPU, which `cores` do side by side. Disk, parsing, log and queue
    are taken as free, so the bound lies above what is possible.
    """
    return 1 / (1 / echo_rate + seconds / cores)


def paired_ratios(before, after):
    """after / before of runs made next to each other, so that they saw the same machine."""
    return [a / b for b, a in zip(before, after, strict=True)]


def paired_median(before, after):
    return statistics.median(paired_ratios(before, after))


def rate_share(before, after):
    """The rate after, of that before, in the median pair of runs; from the times of a message. Not the ratio of two
    medians: they may be of runs minutes apart, between which the machine changes more than the commits do."""
    return 1 / paired_median(before, after)


def in_turns(names, rounds):
    """The names in their order and in the opposite one, so that nobody always comes first: a list a round."""
    return [list(names) if number % 2 == 0 else list(reversed(names)) for number in range(rounds)]


def band(ratios, rounds=2000, share=0.95, seed=1):
    """(low, median, high): where the median of these ratios lies in `share` of all resamplings. With
    fewer than five, there is nothing to resample: the extremes."""
    middle = statistics.median(ratios)
    if len(ratios) < 5:
        return min(ratios), middle, max(ratios)
    dice = random.Random(seed)
    medians = sorted(statistics.median(dice.choices(ratios, k=len(ratios))) for _ in range(rounds))
    cut = round(rounds * (1 - share) / 2)
    return medians[cut], middle, medians[rounds - 1 - cut]


def verdict(low, high, tolerance=0.05):
    """Of a cost ratio, after / before. Only a band that lies beyond the tolerance as a whole counts."""
    if low > 1 + tolerance:
        return "slower"
    return "faster" if high < 1 - tolerance else "same"


def scaled(times, to_sum):
    """The same shares of another sum: step -> time."""
    total = sum(times.values())
    return {step: time / total * to_sum for step, time in times.items()} if total else {}
