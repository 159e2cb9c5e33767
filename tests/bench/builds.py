"""Release builds of commits, each in a worktree of its own under build/compare, which is kept: a commit
is built once, and the compiler's cache is shared."""

import os
import subprocess

from .peer import ROOT

PLACE = os.path.join(ROOT, "build/compare")


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, text=True).stdout.strip()


class Build:
    """A commit, built on demand."""

    def __init__(self, commit):
        self.commit = git("rev-parse", "--short=12", commit + "^{commit}")
        self.title = git("log", "-1", "--format=%h %s", self.commit)
        self.folder = os.path.join(PLACE, self.commit)
        self.output = os.path.join(self.folder, "build/release")

    def program(self, name):
        return os.path.join(self.output, "bin", name)

    def make(self, micro=True):
        """Builds the relay, and all programs named …_bench."""
        if not os.path.exists(self.folder):
            git("worktree", "prune")
            git("worktree", "add", "--detach", self.folder, self.commit)
        self.run("cmake", "--preset", "release")
        self.run("ninja", "-C", self.output, "srs-relay", *(self.micro_targets() if micro else []))
        return self

    def micro_targets(self):
        listed = self.run("ninja", "-C", self.output, "-t", "targets", "all")
        return sorted({line.partition(":")[0] for line in listed.splitlines()
                       if line.endswith(": phony") and line.partition(":")[0].endswith("_bench") and "/" not in line})

    def run(self, *words):
        ended = subprocess.run(["nice", *words], cwd=self.folder, capture_output=True, text=True)
        if ended.returncode:
            raise RuntimeError(f"{self.title}: {' '.join(words)}\n{ended.stdout[-4000:]}{ended.stderr[-4000:]}")
        return ended.stdout
