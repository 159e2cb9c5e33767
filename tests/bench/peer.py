"""Base of every mail system under measurement: a folder, a port, processes that use CPU and memory."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.environ.get("RELAY_PEERS") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "srs-relay/peers")
POSTFIX = os.path.join(PEERS, "postfix")
RELEASE = os.path.join(ROOT, "build/release/bin")
LIBRARIES = ":".join(POSTFIX + p for p in ("/usr/lib/postfix", "/usr/lib/x86_64-linux-gnu", "/usr/lib"))
POSTFIX_ENVIRONMENT = dict(os.environ, LD_LIBRARY_PATH=LIBRARIES)
SMTP_SOURCE = os.path.join(POSTFIX, "usr/sbin/smtp-source")
SMTP_SINK = os.path.join(POSTFIX, "usr/sbin/smtp-sink")
TICKS = os.sysconf("SC_CLK_TCK")


def write(path, text, mode=0o644):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as f:
        f.write(text)


def free_port():
    """A port that nobody has at any address, below those the system gives to outgoing connections: none
    of the thousands of a run takes it while its owner is away."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as s:
            try:
                s.bind(("", port))
                return port
            except OSError:
                continue


def wait_for_port(port, seconds=20):
    """Until an SMTP server greets there; leaves it as a client should, so that its log holds no complaint."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as s:
            s.settimeout(5)
            try:
                s.connect(("127.0.0.1", port))
                with s.makefile("rb") as replies:
                    if any(line.startswith(b"220 ") for line in replies):  # "220-" goes before it
                        s.sendall(b"QUIT\r\n")
                        replies.readline()
                        return
            except OSError:  # nobody listens, or it has no time yet
                pass
        time.sleep(0.05)
    raise RuntimeError(f"nothing answered on port {port} within {seconds} s")


def in_time(is_so, seconds):
    """Whether the condition came true within that time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def wait_for_listener(port, seconds=10):
    """Until something listens there; does not connect, as smtp-sink counts every session."""
    end = time.monotonic() + seconds
    wanted = f":{port:04X} "
    while time.monotonic() < end:
        with open("/proc/net/tcp", encoding="ascii") as f:
            if any(wanted in line.split(maxsplit=3)[1] + " " and line.split()[3] == "0A" for line in f):
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


def processes():
    """pid -> (parent, CPU seconds with those of reaped children)."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(entry)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICKS)
    return found


def resident(pid):
    """0 for a process that has ended."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return next((int(line.split()[1]) for line in f if line.startswith("VmRSS:")), 0) * 1024


def machine_seconds():
    """(CPU used by all processes, CPU there was) since the start of the machine."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(field) for field in f.readline().split()[1:9]]
    everything = sum(ticks)
    return (everything - ticks[3] - ticks[4]) / TICKS, everything / TICKS


def generators(*more):
    """Where the programs of this folder are, which are built on demand."""
    subprocess.run(["ninja", "-C", os.path.dirname(RELEASE), "echo_relay", "load", "sink", *more], check=True,
                   stdout=subprocess.DEVNULL)
    return RELEASE


class Peer:
    """A mail system in a folder of its own. `roots` are the pids its processes descend from."""

    name = ""
    counts_cpu = True  # false when its processes leave the tree and take their CPU time with them
    share = 1.0  # of the messages of a run that it gets, as the slower would take the whole day

    def __init__(self, folder, sink_port, signature="rsa"):
        self.folder, self.sink_port, self.signature = folder, sink_port, signature
        self.port = free_port()
        self.roots = []
        os.makedirs(folder)
        os.chmod(folder, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def tree(self):
        """Its living processes: pid -> CPU seconds."""
        everyone = processes()
        mine = {pid: everyone[pid][1] for pid in self.roots if pid in everyone}
        grew = True
        while grew:
            new = {p: cpu for p, (parent, cpu) in everyone.items() if parent in mine and p not in mine}
            mine.update(new)
            grew = bool(new)
        return mine

    def pids(self):
        return list(self.tree())

    def cpu_seconds(self):
        return sum(self.tree().values())

    def memory(self):
        """Proportional set size of all its processes, octets."""
        total = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                    total += next(int(line.split()[1]) for line in f if line.startswith("Pss:")) * 1024
            except (OSError, StopIteration):
                pass
        return total

    def stop(self):
        for pid in reversed(self.roots):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
            end = time.monotonic() + 20
            while time.monotonic() < end and self.alive(pid):
                time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def alive(pid):
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        return os.path.exists(f"/proc/{pid}/stat")

    def rsa_key(self):
        path = self.path("dkim.pem")
        subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
        os.chmod(path, 0o600)
        return path

    def pid_in(self, path, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with open(path, encoding="ascii") as f:
                    return int(f.read().strip())
            except (OSError, ValueError):
                time.sleep(0.05)
        raise RuntimeError(f"{self.name}: no pid in {path}")
