"""The last line of `simulate`."""

import re


def worlds_in(said):
    """How many came to their end; None: it did not get so far."""
    found = re.search(r"^(\d+) worlds,", said, re.MULTILINE)
    return found and int(found[1])


def judged(report, wanted):
    """… of the report of a program: who was to run so many worlds has not passed with fewer, however well they went."""
    done = worlds_in(report["said"])
    if not report["pass"] or done == wanted:
        return report
    return {**report, "pass": False, "summary": f"stopped by time after {done} of {wanted} worlds: {report['summary']}"}
