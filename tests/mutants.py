"""Mistakes that were made once, or would break a promise, put in one at a time: the tests must find each of them.

Each is a patch in a folder mutants/, which begins with words for people: what it breaks, and what should
notice. Two lines are for this program. `Found-by:` names what must find it, any of which is right: verdicts of
the simulation, or tests. Behind it either `Worlds:`, the first failing world of the simulation, counted from 1
(whoever changes the worlds measures anew), or `Tests:`, where the tests are: the program that holds unit tests, or a
module of system tests (tests.system.…), which then drive the mutant as a process."""

import glob
import os
import re
import shutil
import subprocess
import sys
import time

from tests.simulation import last_words

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(ROOT, "build/mutants/source")  # of HEAD; a patch comes and goes
BUILD = os.path.join(SOURCE, "build/release")
BIN = os.path.join(BUILD, "bin")
SIMULATE = os.path.join(BIN, "simulate")
SOUND = os.path.join(BIN, "simulate-sound")  # of the sources as they are
SYSTEM = {"srs-relay", "bare_listener"}  # what the system tests of mutants drive
CI_MINUTE = 60  # seconds that every build gives to the simulation


class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path).removesuffix(".patch")
        with open(path, encoding="utf-8") as f:
            header = f.read().partition("\ndiff --git ")[0]
        self.found_by = [rule.strip() for rule in self.line(header, "Found-by").split(",")]
        self.tests = self.line(header, "Tests", needed=False)  # None: the simulation is to find it
        self.worlds = None if self.tests else int(self.line(header, "Worlds"))

    @property
    def is_system(self):
        return bool(self.tests) and self.tests.startswith("tests.system.")

    @property
    def programs(self):
        return SYSTEM if self.is_system else {self.tests or "simulate"}

    def line(self, header, key, needed=True):
        found = re.search(f"^{key}: (.+)$", header, re.MULTILINE)
        if not found and needed:
            raise SystemExit(f"{self.path}: no line `{key}:`")
        return found and found[1]

    def note(self, worlds):
        """Writes down after how many worlds it was found."""
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(re.sub("^Worlds: .+$", f"Worlds: {worlds}", text, count=1, flags=re.MULTILINE))


def all_mutants(only=()):
    mutants = [Mutant(path) for path in sorted(glob.glob(os.path.join(ROOT, "tests/*/mutants/*.patch")))]
    return [mutant for mutant in mutants
            if not only or any(mutant.name.startswith(name.removesuffix(".patch")) for name in only)]


def check(only=()):
    """Whether all patches apply to the sources as they are."""
    mutants = all_mutants(only)
    stale = [mutant.name for mutant in mutants
             if subprocess.run(["git", "apply", "--check", mutant.path], cwd=ROOT, check=False).returncode != 0]
    return {"pass": bool(mutants) and not stale, "mutants": len(mutants), "stale": stale}


def run(*words, cwd=SOURCE):
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout.strip()


def copy_head():
    """Only files that differ are written, so that the next build is a small one."""
    head = run("git", "rev-parse", "HEAD", cwd=ROOT)
    if not os.path.exists(os.path.join(SOURCE, ".git")):
        run("git", "worktree", "prune", cwd=ROOT)
        run("git", "worktree", "add", "--force", "--detach", SOURCE, head, cwd=ROOT)
    run("git", "checkout", "--quiet", "--force", "--detach", head)
    run("cmake", "--preset", "release")


def build(programs):
    run("nice", "-n", "10", "ninja", "-C", BUILD, "-j", str(os.cpu_count()), *programs)


def first_failing(program, start, worlds, seconds):
    """(seed or None, names of the verdicts, worlds that were run)."""
    ended = subprocess.run([program, "--worlds", str(worlds), "--from", str(start), "--seconds", str(seconds),
                            "--jobs", str(os.cpu_count()), "--failures", "1"],
                           capture_output=True, text=True, check=False)
    done = last_words.worlds_in(ended.stdout)
    if ended.returncode == 0:
        return None, [], done
    # Seeds are begun in their order, and what has begun goes on to its end: the least is the first.
    failing = {}
    seed = None
    for line in ended.stdout.splitlines():
        if found := re.match(r"seed (\d+)(?: \(|: (the process died))", line):
            seed = int(found[1])
            failing[seed] = [found[2]] if found[2] else []
        elif seed is not None and (found := re.match(r"  ([a-zA-Z -]+): copy ", line)):
            failing[seed].append(found[1])
    first = min(failing)
    return first, list(dict.fromkeys(failing[first])), done


def first_that_shows(worlds, seconds):
    """The same, of the mutant. A world in which the sources as they are fail, too, shows nothing."""
    start, end = 1, time.monotonic() + seconds
    while True:
        seed, verdicts, done = first_failing(SIMULATE, start, worlds - start + 1, max(1, end - time.monotonic()))
        if seed is None or first_failing(SOUND, seed, 1, seconds)[0] is None:
            return seed, verdicts, seed or start - 1 + done
        start = seed + 1


def failing_tests(mutant):
    """Names of those that fail of the tests which should, and how many of them ran."""
    if mutant.is_system:
        return failing_system_tests(mutant)
    ended = subprocess.run([os.path.join(BIN, mutant.tests), "--gtest_filter=" + ":".join(mutant.found_by)],
                           capture_output=True, text=True, check=False, timeout=600)
    failing = dict.fromkeys(re.findall(r"^\[  FAILED  \] ([^\s,]+)(?:, where .+)? \(", ended.stdout, re.MULTILINE))
    ran = re.search(r"^\[=+\] Running (\d+) tests?", ended.stdout, re.MULTILINE)
    if ended.returncode != 0 and not failing:
        failing = {"the process died": None}
    return list(failing), int(ran[1]) if ran else 0


def failing_system_tests(mutant):
    ended = subprocess.run([sys.executable, "-W", "ignore", "-m", "unittest",
                            *(f"{mutant.tests}.{name}" for name in mutant.found_by)], cwd=SOURCE,
                           env={**os.environ, "RELAY_BINARY": os.path.join(BIN, "srs-relay")},
                           capture_output=True, text=True, check=False, timeout=1200)
    failing = re.findall(rf"^(?:FAIL|ERROR): \S+ \({re.escape(mutant.tests)}\.(\S+)\)$", ended.stderr, re.MULTILINE)
    ran = re.search(r"^Ran (\d+) tests? in ", ended.stderr, re.MULTILINE)
    return list(dict.fromkeys(failing)), int(ran[1]) if ran else 0


def try_one(mutant, worlds, seconds):
    patch = os.path.abspath(mutant.path)
    run("git", "apply", patch)
    try:
        build(mutant.programs)
        begin = time.monotonic()
        if mutant.tests:
            verdicts, done = failing_tests(mutant)
            found = bool(verdicts)
        else:
            seed, verdicts, done = first_that_shows(worlds, seconds)
            found = seed is not None
        took = round(time.monotonic() - begin, 1)
    finally:
        run("git", "checkout", "--quiet", "--force", "--", ".")
    return {"found": found, "ran": done, "verdicts": verdicts, "seconds": took,
            "right": found and any(verdict in mutant.found_by for verdict in verdicts)}


def summary(mutant, found):
    where = f"{found['ran']} tests" if mutant.tests else f"world {found['ran']}"
    if not found["found"]:
        return f"mutant {mutant.name}: NOT FOUND ({where}, {found['seconds']} s)"
    said = ", ".join(found["verdicts"])
    wrong = "" if found["right"] else f" -- WRONG, should be {' or '.join(mutant.found_by)}"
    moved = "" if mutant.tests or found["ran"] == mutant.worlds else f" (the patch says {mutant.worlds})"
    return f"mutant {mutant.name}: {where}{moved}, {found['seconds']} s: {said}{wrong}"


def is_sound(mutants, worlds, seconds, say):
    """Whether what is to find the mutants finds nothing in the sources as they are."""
    sound = bool(mutants)
    if any(not mutant.tests for mutant in mutants):
        shutil.copy2(SIMULATE, SOUND)
        seed, verdicts, done = first_failing(SOUND, 1, worlds, seconds)
        say(f"sound: {done} worlds, " + ("clean" if seed is None else f"FAILING at {seed}: {', '.join(verdicts)}"))
        sound = seed is None
    for mutant in mutants:
        if not mutant.tests:
            continue
        failing, ran = failing_tests(mutant)
        if failing or ran != len(mutant.found_by):
            say(f"{mutant.name}: of {len(mutant.found_by)} tests {ran} ran, FAILING: {', '.join(failing)}")
            sound = False
    return sound


def campaign(only, worlds, seconds, sound_worlds, note=False, say=print):
    mutants = all_mutants(only)
    copy_head()
    build(set().union(*(mutant.programs for mutant in mutants)))
    report = {"pass": is_sound(mutants, sound_worlds, seconds, say), "mutants": {}}
    for mutant in mutants if report["pass"] else ():
        found = try_one(mutant, worlds, seconds)
        report["mutants"][mutant.name] = found
        report["pass"] = report["pass"] and found["right"]
        say(summary(mutant, found))
        if note and found["right"] and not mutant.tests:
            mutant.note(found["ran"])
    found = [one for one in report["mutants"].values() if one["right"]]
    simulated = [mutant for mutant in mutants if not mutant.tests]  # of these the minute is asked
    quick = [mutant for mutant in simulated if report["mutants"].get(mutant.name, {}).get("right")
             and report["mutants"][mutant.name]["seconds"] <= CI_MINUTE]
    report["quickly"] = len(quick)
    if not only and 2 * len(quick) < len(simulated):
        report["pass"] = False
    say(f"mutants: {len(found)} of {len(mutants)} found, {report['quickly']} by the simulation within {CI_MINUTE} s")
    return report
