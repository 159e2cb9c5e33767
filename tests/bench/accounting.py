"""CPU time of processes that leave the tree of their parents, as Exim's do: a control group of their own
counts it, of either version of cgroups; None where neither can be used. And CPU time of one thread, the
queue's writer."""

import os
import time

HIERARCHIES = ("/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup", "/sys/fs/cgroup/unified")


class Account:
    """A group under `parent`; whoever joins, and all its descendants, are counted."""

    def __init__(self, folder):
        self.folder = folder

    @staticmethod
    def open(name, hierarchies=HIERARCHIES):
        for parent in hierarchies:
            if not os.path.exists(os.path.join(parent, "cgroup.procs")):
                continue
            account = Account(os.path.join(parent, f"srs-relay-bench-{name}-{os.getpid()}"))
            try:
                os.mkdir(account.folder)
            except OSError:
                continue
            if account.seconds() is not None:
                return account
            account.close()
        return None

    def join(self):
        """Puts the calling process into the group; for the time between fork and exec."""
        with open(os.path.join(self.folder, "cgroup.procs"), "w", encoding="ascii") as f:
            f.write("0")

    def pids(self):
        with open(os.path.join(self.folder, "cgroup.procs"), encoding="ascii") as f:
            return [int(line) for line in f]

    def seconds(self):
        """CPU used so far; None when this hierarchy does not count it."""
        try:
            with open(os.path.join(self.folder, "cpuacct.usage"), encoding="ascii") as f:
                return int(f.read()) / 1e9
        except OSError:
            pass
        try:
            with open(os.path.join(self.folder, "cpu.stat"), encoding="ascii") as f:
                return next((int(line.split()[1]) / 1e6 for line in f if line.startswith("usage_usec")), None)
        except OSError:
            return None

    def close(self):
        """Removes the group; tries again while its last process is still ending."""
        for _ in range(100):
            try:
                os.rmdir(self.folder)
                return
            except OSError:
                time.sleep(0.05)


def writer_of(pid):
    """The thread that writes the relay's queue: the only one with the policy SCHED_BATCH. None where the
    system does not let it have that policy."""
    threads = map(int, os.listdir(f"/proc/{pid}/task"))
    return next((thread for thread in threads if os.sched_getscheduler(thread) == os.SCHED_BATCH), None)


def thread_seconds(pid, thread):
    """CPU used so far: schedstat has it in ns, where stat has ticks of 10 ms."""
    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e9
