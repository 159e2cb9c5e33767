"""Debian 13 beside the Debian that this machine runs: a root of that release in which the tree is built, tested and
demonstrated. The root is kept in a cache folder; its packages come from the mirror that this machine's apt uses."""

import os
import shlex
import shutil
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "srs-relay", "debian13")
EDITION = "1"  # raise it when a root is to be made in another way
# Of these the versions are printed.
SHOWN = ("libssl-dev", "libunbound-dev", "libsqlite3-dev", "libtomlplusplus-dev", "libfmt-dev", "libre2-dev", "clang-19")


def steps(jobs, targets):
    """The commands of each step in the root, in the folder of the tree. The demo is the first command of
    the README."""
    return {"packages": "scripts/setup",
            "versions": "dpkg-query -W -f '${Package} ${Version}\\n' " + " ".join(SHOWN),
            "configure": "cmake --preset release",
            "build": f"ninja -C build/release -j {jobs} " + shlex.join(targets),
            "unit": f"ctest --test-dir build/release --output-on-failure -j {jobs} -L unit",
            "demo": "scripts/demo --once"}


# Namespaces of its own for mounts and processes: whatever happens, nothing is left mounted or running. The tree is
# read-only, and has a build folder of its own, so that two releases never share an object.
ENTER = """
set -e
root=$1 tree=$2 build=$3 command=$4
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$tree" "$root/srv"
mount -o remount,bind,ro "$root/srv"
mount --bind "$build" "$root/srv/build"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 sh -c "cd /srv && $command"
"""


def folder(name):
    return os.path.join(CACHE, name)


def mirror():
    """Of the first source of Debian itself that apt is configured with, and its proxy."""
    found = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian",
                            "Label: Debian"], capture_output=True, text=True, check=True).stdout.split()
    if not found:
        raise SystemExit("debian13: apt knows no mirror of Debian here (its lists may be empty: apt-get update)")
    proxy = subprocess.run(["apt-config", "dump", "Acquire::http::Proxy"], capture_output=True, text=True, check=True).stdout
    return found[0], [f"--aptopt={line}" for line in proxy.splitlines() if not line.endswith('"";')]


def is_current(edition):
    try:
        with open(edition, encoding="ascii") as f:
            return f.read() == EDITION
    except FileNotFoundError:
        return False


def make_root():
    """Makes the root unless there is one of this edition; then only the names of this machine's resolvers are taken."""
    if os.geteuid() != 0:
        raise SystemExit("debian13: this mounts and changes its root: only root can run it")
    root, edition = folder("root"), folder("edition")
    if not is_current(edition):
        if not shutil.which("mmdebstrap"):
            raise SystemExit("debian13: mmdebstrap is not there: apt-get install mmdebstrap")
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(CACHE, exist_ok=True)
        uri, options = mirror()
        made = subprocess.run(["mmdebstrap", "--mode=root", "--variant=minbase", *options, "trixie", root, uri],
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise SystemExit("debian13: mmdebstrap: " + made.stderr[-2000:])
        with open(os.path.join(root, "usr/sbin/policy-rc.d"), "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nexit 101\n")  # no package starts a service there
            os.chmod(f.name, 0o755)
        with open(edition, "w", encoding="ascii") as f:
            f.write(EDITION)
    shutil.copy("/etc/resolv.conf", os.path.join(root, "etc/resolv.conf"))
    os.makedirs(folder("build"), exist_ok=True)
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)


def run(command, log):
    """Runs it in the root; True when it ended with 0. What it says goes to the log."""
    with open(log, "w", encoding="utf-8") as f:
        return subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                               "bash", "-c", ENTER, "enter", folder("root"), ROOT, folder("build"), command],
                              stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT, check=False).returncode == 0


def campaign(only=(), jobs=None, targets=(), say=print):
    """Step by step, one line each; a step that needs a failed one is skipped."""
    report = {"pass": True, "steps": {}}
    began = time.monotonic()
    make_root()
    say(f"debian13 root: good, {time.monotonic() - began:.0f} s: {folder('root')}")
    for name, command in steps(jobs or os.cpu_count(), targets).items():
        if only and name not in only:
            continue
        log, began = folder(name + ".log"), time.monotonic()
        good = run(command, log)
        seconds = round(time.monotonic() - began)
        with open(log, encoding="utf-8", errors="replace") as f:
            said = f.read().splitlines()
        report["steps"][name] = {"pass": good, "seconds": seconds, "said": said if name == "versions" else said[-30:]}
        more = ": " + ", ".join(said) if name == "versions" else "" if good else f": see {log}"
        say(f"debian13 {name}: {'good' if good else 'BAD'}, {seconds} s{more}")
        if not good:
            say("\n".join(said[-30:]))
            report["pass"] = False
            break
    return report
