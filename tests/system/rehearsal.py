"""A folder in which commands of documents can be run: the scripts as they are, a relay that runs, a host's /etc, and
a PATH on which nothing lies but what the tables below name. So a command that they do not name is not found."""

import os
import re
import shutil
import signal
import stat
import subprocess

from . import harness
from .harness import ROOT
from .stand_in import presets, refusal, targets

BINARY = os.path.abspath(harness.BINARY)
PYTHON = "/usr/bin/python3"
PARSE = f'exec {PYTHON} {ROOT}/tests/system/stand_in.py "$@"'
PATIENCE = 60  # seconds; most take less than one

# Tools of the system, which behave here as everywhere.
TOOLS = ("base64", "basename", "bash", "cat", "chmod", "cp", "date", "dirname", "env", "find", "grep", "head", "id", "ln", "ls",
         "mkdir", "mv", "nice", "nproc", "rm", "sed", "sh", "sleep", "sort", "stat", "tail", "tar", "tee", "tr", "wc", "xargs")

# Commands that cannot run here and are only listed, with the reason.
NOT_HERE = {
    "systemctl": "no systemd runs in the test; tests/system/test_deploy.py and test_life.py play its part",
    "systemd-sysusers": "would make a user of this host; tests/system/test_deploy.py sees that its file is installed",
    "systemd-analyze": "needs the service to be installed; tests/system/test_deploy.py asks it about the unit",
    "apt-get": "would install packages; CI has installed them by scripts/setup before this test runs",
    "dpkg": "would unpack packages; CI has done it by scripts/setup-peers",
    "getent": "says that the users of the peers are there; else they would be made on this host",
    "git": "the folder is no repository; it would list the sources to format",
    "clang-format-19": "CI's step `format` runs it over all sources",
    "clang-tidy-19": "CI's step `tidy` runs it over all sources",
    "scripts/test": "runs all tests, this one among them",
}
SCRIPTS_OF_TESTS = ("tests/bench", "tests/architecture")
# Commands that build and test are replaced; stand_in.py checks whether the real one would begin.
ASKED = ("cmake", "ninja", "ctest")
# One question a line, its words with a separator behind each.
ASK = """printf '%%s\037' %s "$@" '
' >>"$HOST/asked\""""

# In which size CI runs what only looks at its arguments here: the file that has it, and words of it.
SLICES = {
    "scripts/campaign kill": ("tests/system/test_ledger.py", "kill.campaign("),
    "scripts/campaign syscall": ("scripts/test", "scripts/campaign syscall --stride"),
    "scripts/campaign errors": ("scripts/test", "scripts/campaign errors --stride"),
    "scripts/campaign hops": ("tests/system/test_hops.py", "run.run,"),
    "scripts/campaign overload": ("tests/system/test_overload.py", "overload."),
    "scripts/campaign limits": ("tests/system/test_limits.py", "limits.run,"),
    "scripts/campaign forgery": ("tests/system/test_forgery.py", "forgery.campaign("),
    "scripts/campaign laundering": ("tests/system/test_laundering.py", "laundering.campaign("),
    "scripts/campaign signatures": ("tests/system/test_own_signatures.py", "own_signatures.campaign("),
    "scripts/campaign simulate": ("scripts/test", "bin/simulate --worlds"),
    "scripts/campaign mutants": ("scripts/test", "scripts/campaign mutants --check"),
    "scripts/campaign power-cut": ("scripts/test", "scripts/campaign power-cut --images"),
    "scripts/campaign controls": ("scripts/test", "scripts/campaign controls"),
    "scripts/bench memory": ("scripts/test", "tests/bench/memory"),
    "scripts/demo": ("scripts/test", "./scripts/demo --once"),
    "scripts/fuzz": ("scripts/test", "scripts/fuzz all --time"),
    "scripts/setup": ("scripts/test", "./scripts/setup &&"),
    "scripts/setup-peers": ("scripts/test", "./scripts/setup-peers"),
}
# Commands that CI does not run, with the reason.
NOT_IN_CI = {
    "scripts/bench": "measures this machine, which must be idle; tests/bench/test_figures.py tests its arithmetic",
    "scripts/campaign debian13": "wants root, a mirror, and as long as CI as a whole",
    "scripts/check": "is a part of scripts/test, in another preset",
    "scripts/test": "is CI",
    "scripts/test-threads": "builds a third tree, for the sanitizer that takes longest",
}

# Written for the folder. CONFIGURATION is what srs-relay takes when it is given none.
WRITTEN = {
    # -u: there is no other user here.
    "sudo": '[ "$1" = -u ] && shift 2\nexec env CONFIGURATION="$HOST/etc/srs-relay/srs-relay.toml" "$@"',
    # Neither is there a user or group of the service.
    "install": 'for word; do\n  shift\n  case $previous in -o | -g) previous=; continue ;; esac\n  previous=$word\n'
               '  case $word in -o | -g) ;; *) set -- "$@" "$word" ;; esac\ndone\nexec /usr/bin/install "$@"',
    "sudoedit": 'cp "$HOST/edited.toml" "$1"',
    "dpkg-query": "echo installed",
    "srs-relay": f'for word; do case $word in -c | --config) exec "{BINARY}" "$@" ;; esac; done\n'
                 f'exec "{BINARY}" -c "$CONFIGURATION" "$@"',
}


def executable(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o755), "w", encoding="utf-8") as f:
        f.write(text)


class Rehearsal:
    def __init__(self, folder, configuration):
        self.folder, self.configuration = folder, configuration
        self.tools = os.path.join(folder, "on-the-path")
        for path in ("on-the-path", "scripts", *SCRIPTS_OF_TESTS, "etc/srs-relay", "etc/letsencrypt/renewal-hooks/deploy", "tmp"):
            os.makedirs(os.path.join(folder, path))
        self.noted = os.path.join(folder, "noted")
        for name in TOOLS:
            os.symlink(shutil.which(name), os.path.join(self.tools, name))
        for name, text in WRITTEN.items():
            executable(os.path.join(self.tools, name), f"#!/bin/sh\n{text}\n")
        for name in NOT_HERE:
            self.stand("scripts" in name and name or os.path.join("on-the-path", name), f'echo "{name} $*" >>"{self.noted}"')
        benches = "".join(f"{name}: phony\n" for name in targets() if name.endswith("_bench"))
        for name in ASKED:
            listing = f"case \"$*\" in *'-t targets all') echo '{benches}' ;; esac\n" if name == "ninja" else ""
            self.stand(os.path.join("on-the-path", name), listing + ASK % name)
        self.stand("on-the-path/python3", PARSE)
        self.copy_scripts()
        self.make_programs()

    def stand(self, path, text):
        executable(os.path.join(self.folder, path), f"#!/bin/sh\n{text}\n")

    def copy_scripts(self):
        """As they are, except that they find Python on the PATH; those in Python only look at their arguments."""
        for name in os.listdir(os.path.join(ROOT, "scripts")):
            source, copy = os.path.join(ROOT, "scripts", name), os.path.join(self.folder, "scripts", name)
            with open(source, encoding="utf-8") as f:
                text = f.read()
            if os.path.exists(copy):
                continue
            if "python3" in text.partition("\n")[0]:
                self.stand(os.path.join("scripts", name), f"exec python3 scripts/{name} \"$@\"")
            else:
                executable(copy, text.replace(PYTHON, "python3"))
                os.chmod(copy, stat.S_IMODE(os.stat(source).st_mode))
        for name in ("scripts/setup", "scripts/setup-peers"):  # others begin with them: once is enough
            os.rename(os.path.join(self.folder, name), os.path.join(self.folder, name + "-whole"))
            self.stand(name, f'[ -e "{name}-done" ] || {{ {name}-whole && : >"{name}-done"; }}')
        for name in (os.path.join(folder, one) for folder in SCRIPTS_OF_TESTS for one in os.listdir(os.path.join(ROOT, folder))):
            path = os.path.join(ROOT, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                self.stand(name, f"exec python3 {name} \"$@\"")

    def make_programs(self):
        """One for all, which goes by its name. A fuzz target says that it has done as much as anybody may want."""
        enough = "echo stat::number_of_executed_units: 1000000000 >&2"
        self.stand("program", f"case $0 in */fuzz_*) {enough} ;; esac\n" + ASK % "${0##*/}")
        names = [name for name in targets() if name not in ("all", "help", "srs-relay")]
        for preset in presets("configurePresets"):
            folder = os.path.join(self.folder, "build", preset, "bin")
            os.makedirs(folder)
            os.symlink(BINARY, os.path.join(folder, "srs-relay"))
            for name in names:
                os.symlink(os.path.join(self.folder, "program"), os.path.join(folder, name))

    def outside(self, command):
        """Absolute paths in it that are neither in the folder nor harmless: a command would change this
        host there."""
        said = re.sub(r"(?m)\s#.*$", "", command).replace('"$HOST"', "host")
        return [path for path in re.findall(r"(?m)(?:^|[\s='\">:(!])(/\w[\w./-]*)", said)
                if not path.startswith((os.path.dirname(self.folder), "/dev/null", "/dev/urandom", "/bin/sh"))]

    def run(self, command, **environment):
        """The text of a command as a shell understands it; (exit code, all that it said)."""
        everything = {"PATH": self.tools, "HOST": self.folder, "HOME": self.folder, "TMPDIR": os.path.join(self.folder, "tmp"),
                      "RELAY_PEERS": os.path.join(self.folder, "peers"), "LC_ALL": "C.UTF-8", "CONFIGURATION": self.configuration,
                      **environment}
        process = subprocess.Popen([os.path.join(self.tools, "bash"), "-euo", "pipefail", "-c", command], cwd=self.folder,
                                   env=everything, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", start_new_session=True)
        try:
            said = process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = process.communicate()[0] + f"\nnot done after {PATIENCE} s"
        refused = self.refused()
        return process.returncode or len(refused), said + "".join(refused)

    def refused(self):
        """Of what was asked since the last time."""
        path = os.path.join(self.folder, "asked")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            questions = [line.split("\037")[:-1] for line in f.read().split("\n\037")[:-1]]
        os.remove(path)
        return [why for name, *words in questions if (why := refusal(name, words))]

    def only_noted(self):
        """What ran into a program that cannot run here, a line each."""
        if not os.path.exists(self.noted):
            return []
        with open(self.noted, encoding="utf-8") as f:
            return f.read().splitlines()
