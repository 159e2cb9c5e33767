"""Stops single threads of a running process for a while, as a machine with other things to do does.

SIGSTOP stops all threads of a process. Three things stop one: the freezer of cgroups v1, which v2 does not
have, strace's delays, which must be asked for before the call they delay, and ptrace itself: PTRACE_SEIZE
and PTRACE_INTERRUPT stop a thread where it is, PTRACE_DETACH lets it go on. That is what is used here."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # waitpid: threads, too


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def threads_of(process):
    return sorted(int(name) for name in os.listdir(f"/proc/{process}/task"))


class Stopped:
    """`with Stopped(thread): …`: it does nothing meanwhile. In one thread of ours from begin to end, for the
    kernel knows the tracer by its thread."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        ptrace(SEIZE, self.thread)
        ptrace(INTERRUPT, self.thread)
        os.waitpid(self.thread, WALL)
        return self

    def __exit__(self, *_):
        try:
            ptrace(DETACH, self.thread)
        except ProcessLookupError:
            pass  # it was killed meanwhile
