"""Leaves no process and no scratch file of a program behind, whatever ends it. (Descendants that are told
by a pipe or a signal of their parent's death would not do: mail systems of others listen to neither.)

Three processes take part. The one that was called waits, and hands on its signals. Its child, the watcher, adopts what
loses its parent (daemons, too), and ends all of it when the third process has ended, in which the program runs, or when
the first one is gone. Scratch files lie in a folder that the watcher removes. Only SIGKILL to the watcher itself, which
nobody has a reason for, leaves something.

  python3 -m tests.guard PROGRAM [ARGUMENT …]"""

import ctypes
import os
import select
import shutil
import signal
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10  # seconds until what was killed is gone


def begin():
    """Returns in the process in which the program is to run; to be called before it has threads or children."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until everybody knows what to do with them
    alive, held_by_the_first = os.pipe()
    watcher = os.fork()
    if watcher:
        os.close(alive)
        take_signals(lambda number, _: os.kill(watcher, number))
        sys.exit(code_of(os.waitpid(watcher, 0)[1]))
    os.close(held_by_the_first)
    os.setpgrp()  # what a terminal sends, the first one hands on
    adopt_orphans()
    scratch = tempfile.mkdtemp(prefix="srs-relay-")
    os.chmod(scratch, 0o711)  # mail systems that change user have folders in it
    worker = os.fork()
    if worker:
        code = 1
        try:
            code = watch(worker, alive)
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            end_all()
            shutil.rmtree(scratch, ignore_errors=True)
            os._exit(code)  # nothing here of what the program does at its end
    os.close(alive)
    os.environ["TMPDIR"] = scratch
    tempfile.tempdir = None  # what was chosen before
    take_signals(lambda number, _: sys.exit(128 + number))


def take_signals(handler):
    for number in SIGNALS:
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def adopt_orphans():
    """Descendants whose parent ends become children of this process, not of init."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("prctl: no child subreaper")


def code_of(status):
    """As a shell says it: 128 and the number of the signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def watch(worker, alive):
    """Waits until the worker has ended, the first process is gone, or a second signal asks for the end. The exit code."""
    asked = []

    def hand_on(number, _):
        asked.append(number)
        os.kill(worker, number)

    awake, waker = os.pipe()  # every signal is told of here, that of a child which has ended as well
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    take_signals(hand_on)
    while len(asked) < 2:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == worker:
                return code_of(ended[1])
        ready = select.select([alive, awake], [], [])[0]
        if alive in ready:
            return 128 + signal.SIGKILL
        os.read(awake, 512)
    return 128 + asked[-1]


def end_all():
    """Kills the children of this process, which adopts orphans, until it has none: theirs become its own as they end."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for child in children_of(os.getpid()):
            os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def children_of(pid):
    """Pids of the children of all its threads; none of a process that is gone."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as f:
                found += map(int, f.read().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


if __name__ == "__main__":
    begin()
    os.execvp(sys.argv[1], sys.argv[1:])
