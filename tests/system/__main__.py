"""All system tests, a process for each module, several at once: they mostly wait.

  python3 -m tests.system [--jobs N] [MODULE …]

What a module prints stands together, with its seconds. Exit code 0: every test of every module passed."""

import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
# These run alone, because they judge memory or waiting times.
ALONE = ("floods", "overload")
# The slowest modules begin first, so that the end does not wait for one of them.
SLOW = ("backscatter", "destinations", "check", "smuggling", "abuse_control", "copies", "hops")


def modules():
    found = sorted(path.stem.removeprefix("test_") for path in HERE.glob("test_*.py"))
    return sorted(found, key=lambda name: SLOW.index(name) if name in SLOW else len(SLOW))


def run(module):
    began = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-m", "unittest", "-v", f"tests.system.test_{module}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          cwd=HERE.parent.parent, check=False)
    verdict = "passed" if done.returncode == 0 else "FAILED"
    print(f"{done.stdout}== {module}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(prog="tests.system", description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="modules at once")
    parser.add_argument("modules", nargs="*", help="without test_; otherwise all")
    options = parser.parse_args()
    chosen = options.modules or modules()
    ordered = [m for m in chosen if m not in ALONE] + [m for m in chosen if m in ALONE]
    together = sum(m not in ALONE for m in ordered)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        passed = list(pool.map(run, ordered[:together]))
    passed += map(run, ordered[together:])
    print(f"{sum(passed)} modules passed, {len(passed) - sum(passed)} failed")
    for name in (name for name, good in zip(ordered, passed) if not good):
        print(f"FAILED: {name}")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
