"""scripts/campaign overload: every case in full size, and when it is good. One line of figures for each."""

from . import floods, overload

SENDS, ROUNDS = 1000, 2  # of the normal load beside each flood; in rounds, as the machine has other things to do as well
CASES = {
    "slow_clients": ((5000,), lambda r: r["still_there"] == 0 and r["p99_among_ms"] <= 2 * r["p99_alone_ms"] + 20),
    # 20 too many came, and a few places are left for networks that have none.
    "full_house": ((1000,), lambda r: 20 <= r["refused"] <= 30 and r["recovered_after_s"] <= 5),
    "idle_tls": ((10_000,), lambda r: r["sessions"] == 10_000 and r["beyond_kib"] <= 8 and r["rss_mib"] <= 300),
    "drain": ((1000,), lambda r: r["heard_421"] == 1000 and r["taken"] == r["delivered"] == 20
              and r["stopped_after_s"] <= 15),
    "big_messages": ((500, 50 * overload.MIB, 256 * overload.MIB), lambda r: r["alive"] and not r["other"]),
    "few_descriptors": ((1000,), lambda r: r["cpu_share"] < 0.5 and r["recovered_after_s"] <= 5),
    "full_disk": ((), lambda r: r["lost"] == 0 and r["recovered_after_s"] <= 5),
    "clock_jumps": ((), lambda r: r["bounced"] == 0),
    "reloads": ((1000,), lambda r: r["failed_sessions"] == 0),
    "noops_during_reloads": ((300_000, 100), lambda r: r["p999_ms"] <= 20 and r["applied"] == 100 and not r["failed"]),
}


def run_one(name):
    """What was found, and whether it is good."""
    if name.startswith("flood_"):
        found = floods.judged(name.removeprefix("flood_"), SENDS, ROUNDS)
        return found, not found["wrong"]
    arguments, good = CASES[name]
    found = getattr(overload, name)(*arguments)
    return found, bool(good(found))


def campaign(only=None, say=print):
    report = {"pass": True, "cases": {}}
    for name in only or [*CASES, *("flood_" + flood for flood in floods.FLOODS)]:
        found, good = run_one(name)
        report["cases"][name] = found
        report["pass"] = report["pass"] and good
        say(f"overload {name}: {'good' if good else 'BAD'}: {figures(found)}")
    return report


def figures(found):
    """One line, as it may stand in a table."""
    if "flood" not in found:
        return ", ".join(f"{what} {number(value)}" for what, value in found.items())
    line = (f"{number(found['sends'])} sends each, 99th percentile {found['flooded_p99_ms']} ms beside it, "
            f"{found['control_p99_ms']} ms in the control, {len(found['flooded_refused'])} refused; it did: "
            + did(found["flooded_did"]) + "; in the control: " + did(found["control_did"]))
    if "rows" in found:
        line += f"; {number(found['rows'])} rows wait, strangers heard {found['strangers_heard']}"
    return line + (f"; WRONG: {'; '.join(found['wrong'])}" if found["wrong"] else "")


def did(deeds):
    return ", ".join(f"{number(value)} {what.replace('_', ' ')}" for what, value in sorted(deeds.items()))


def number(value):
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
