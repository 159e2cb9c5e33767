"""Too much of everything, and back: each function is one case, its size given by the caller, and
returns what it measured. test_overload.py runs them small, scripts/campaign overload in full."""

import concurrent.futures
import json
import multiprocessing
import os
import random
import resource
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time

from .crowd import Crowd, raise_descriptor_limit
from .flood_words import dial, open_content, say
from .harness import MESSAGE, ROOT, Relay, Sink, both_of, free_port, wait_for
from .ledger.kill import SinkProcess

MIB = 1 << 20


def memory_of(pid, name="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name + ":")) * 1024


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed_sends(relay, count):
    """Seconds of each of so many sessions with one message."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        relay.send(MESSAGE)
        times.append(time.monotonic() - began)
    return sorted(times)


def percentile(times, share):
    return times[min(len(times) - 1, int(len(times) * share))]


def slow_clients(count, sends=100):
    """Clients that drip; ordinary mail must not notice, and they are cut off in time."""
    raise_descriptor_limit(count + 1000)
    sink = Sink().start()
    relay = Relay(sink.port, extra=f"[limits]\nmax_connections = {2 * count}\ncommand_timeout = \"20s\"\n")
    try:
        relay.start()
        alone = timed_sends(relay, sends)
        crowd = Crowd(relay.port, count)
        crowd.drip()
        among = timed_sends(relay, sends)
        began = time.monotonic()
        while crowd.still_there() > count // 100 and time.monotonic() < began + 60:
            time.sleep(0.5)
        cut_after = time.monotonic() - began
        left = crowd.still_there()
        crowd.leave()
        wait_for(lambda: len(sink.messages) == 2 * sends, what="all mail")
        return {"clients": count, "p99_alone_ms": round(1000 * percentile(alone, 0.99), 1),
                "p99_among_ms": round(1000 * percentile(among, 0.99), 1),
                "cut_after_s": round(cut_after, 1), "still_there": left}
    finally:
        relay.remove()
        sink.stop()


def full_house(count):
    """All places taken: 421 at once for those who come, a shorter patience with those who wait, until
    a fifth of the places is free; and when the crowd goes, everything is as before."""
    raise_descriptor_limit(count + 1000)
    sink = Sink().start()
    relay = Relay(sink.port, extra=f"[limits]\nmax_connections = {count}\n")
    try:
        relay.start()
        crowd = Crowd(relay.port, count + 20)
        taken = len(crowd.sockets)
        began = time.monotonic()
        wait_for(lambda: crowd.still_there() <= count * 4 // 5, timeout=40, what="impatience")
        shed_after = time.monotonic() - began
        first = relay.send(MESSAGE)
        crowd.leave()
        began = time.monotonic()
        wait_for(lambda: accepts(relay), timeout=20, what="the relay to accept")
        recovered = time.monotonic() - began
        wait_for(lambda: len(sink.messages) >= 2, what="delivery")
        return {"places": count, "taken": taken, "refused": crowd.refused, "accepted_meanwhile": bool(first),
                "shed_after_s": round(shed_after, 1), "recovered_after_s": round(recovered, 1)}
    finally:
        relay.remove()
        sink.stop()


def idle_tls(count):
    """Memory of sessions that have done their handshake and say nothing: of the relay's, and of those of a bare
    OpenSSL in the same run."""
    raise_descriptor_limit(count + 1000)
    relay = Relay(1, tls=True, extra=f"[limits]\nmax_connections = {2 * count}\n")
    try:
        relay.start()
        ours, rss = growth(relay.process, relay.port, count,
                           lambda: json.loads(relay.cli("--json", "status").stdout)["sessions"])
        bare, _ = growth_of_bare_tls(relay, count)
        return {"sessions": ours["sessions"], "rss_mib": rss, "kib_each": ours["kib_each"],
                "bare_kib_each": bare["kib_each"], "beyond_kib": round(ours["kib_each"] - bare["kib_each"], 1)}
    finally:
        relay.remove()


def growth(process, port, count, sessions):
    """What a server grows by for each session of a crowd, and its resident memory in MiB with all of them. The
    first ones are not counted: what is made once would be."""
    first = Crowd(port, count // 10, tls=True)
    before = memory_of(process.pid)
    rest = count - count // 10
    crowd = Crowd(port, rest, tls=True)
    after = memory_of(process.pid)
    there = sessions()
    first.leave()
    crowd.leave()
    return {"sessions": there, "kib_each": round((after - before) / rest / 1024, 1)}, round(after / MIB, 1)


def growth_of_bare_tls(relay, count):
    pem, port = both_of(relay), free_port()
    with subprocess.Popen([sys.executable, "-W", "ignore", "-m", "tests.system.bare_tls", str(port), pem], cwd=ROOT,
                          stdout=subprocess.PIPE) as bare:
        try:
            bare.stdout.readline()
            return growth(bare, port, count, lambda: count)
        finally:
            bare.kill()


def drain(holders, messages=20):
    """A stop while many hold half a line or a transaction in which nothing happens, and some are in the middle of
    a message: clients that make progress get their 250, idle ones hear 421, and the stop waits no longer
    than a silence may last."""
    raise_descriptor_limit(holders + 1000)
    sink = Sink().start()
    relay = Relay(sink.port, extra=f"[limits]\nmax_connections = {2 * holders + messages}\n")
    try:
        relay.start()
        crowd = Crowd(relay.port, holders)
        for number, s in enumerate(crowd.sockets):
            if number % 2:
                say(s, b"EHLO crowd.test", b"MAIL FROM:<flood@sender.test>")
            s.sendall(b"RCP")
        working = [dial(relay.port, "127.0.0.1") for _ in range(messages)]
        for number, s in enumerate(working):
            open_content(s)
            s.sendall(b"From: Ann <ann@sender.test>\r\nMessage-ID: <%d@drain.test>\r\n\r\nline\r\n" % number)
            s.settimeout(30)
        began = time.monotonic()
        relay.process.send_signal(signal.SIGTERM)
        answers = []
        for s in working:  # a line each now and then: they are slow, not silent
            time.sleep(0.1)
            s.sendall(b"second line\r\n.\r\n")
        for s in working:
            answers.append(s.recv(512)[:3])
            s.close()
        farewells = 0
        for s in crowd.sockets:
            s.settimeout(60)
            farewells += s.recv(512).startswith(b"421")
        relay.process.wait(timeout=60)
        took = time.monotonic() - began
        crowd.leave()
        relay.start()
        wait_for(lambda: len(sink.messages) >= answers.count(b"250"), what="all mail")
        return {"holders": holders, "heard_421": farewells, "messages": messages, "taken": answers.count(b"250"),
                "delivered": len(sink.messages), "stopped_after_s": round(took, 1)}
    finally:
        relay.remove()
        sink.stop()


class MemoryCage:
    """A memory cgroup around the relay where one can be made; else None as `path`."""

    def __init__(self, limit):
        self.path = None
        for root, knob in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
            path = os.path.join(root, f"srs-relay-test-{os.getpid()}")
            try:
                os.mkdir(path)
                with open(os.path.join(path, knob), "w", encoding="ascii") as f:
                    f.write(str(limit))
                self.path = path
                return
            except OSError:
                if os.path.isdir(path):
                    os.rmdir(path)

    def put(self, pid):
        if self.path:
            with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as f:
                f.write(str(pid))

    def remove(self):
        if self.path:
            os.rmdir(self.path)


def send_big(port, octets, number):
    """"250", "452", …: the reply to the end of the content; "" if there was none."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=300) as s:
            s.ehlo("big.test")
            for line in (f"MAIL FROM:<big{number}@sender.test> SIZE={octets}", "RCPT TO:<user@fwd.test>", "DATA"):
                if s.docmd(line)[0] not in (250, 354):
                    return "refused"
            block = (b"%072d\r\n" % number) * 14_000
            s.sock.sendall(b"Subject: big\r\n\r\n")
            for _ in range(octets // len(block)):
                s.sock.sendall(block)
            s.sock.sendall(b".\r\n")
            return str(s.getreply()[0])
    except (OSError, smtplib.SMTPException):
        return ""


def big_messages(count, octets, limit=256 * MIB):
    """All at once, with limited memory: each is taken or put off, and no process is killed."""
    raise_descriptor_limit(2 * count + 1000)
    cage = MemoryCage(limit)
    with tempfile.TemporaryDirectory(prefix="srs-relay-big-") as folder:
        sink = SinkProcess(folder)
        relay = Relay(sink.port, extra=f"[limits]\nper_ip = {2 * count}\nper_network = {2 * count}\n"
                                       f"max_size = \"{octets // MIB + 1}MiB\"\nwasted = \"1TiB\"\n")
        try:
            relay.start()
            cage.put(relay.process.pid)
            with concurrent.futures.ThreadPoolExecutor(count) as pool:
                answers = list(pool.map(lambda n: send_big(relay.port, octets, n), range(count)))
            peak = memory_of(relay.process.pid, "VmHWM")
            small = timed_sends(relay, 5)
            alive = relay.process.poll() is None
            return {"messages": count, "mib_each": octets // MIB, "caged": cage.path is not None,
                    "limit_mib": limit // MIB, "peak_rss_mib": round(peak / MIB, 1), "alive": alive,
                    "taken": answers.count("250"), "put_off": answers.count("452") + answers.count("refused"),
                    "other": sum(a not in ("250", "452", "refused") for a in answers),
                    "then_small_ms": round(1000 * small[-1], 1)}
        finally:
            relay.remove()
            sink.stop()
            time.sleep(0.2)
            cage.remove()


def few_descriptors(clients=1000, limit=128):
    """More clients than descriptors; deliveries go on, the CPU rests, and it recovers."""
    raise_descriptor_limit(clients + 500)
    sink = Sink()  # down: mail waits for it
    relay = Relay(sink.port, extra="[limits]\nper_ip = 5000\nper_network = 5000\n")
    try:
        relay.start()
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        for _ in range(20):
            relay.send(MESSAGE)
        flood = []
        for _ in range(clients):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", relay.port))
            flood.append(s)
        sink.start()  # only now: delivery needs descriptors while there are none to spare
        before, began = cpu_of(relay.process.pid), time.monotonic()
        wait_for(lambda: len(sink.messages) == 20, timeout=30, what="deliveries during the flood")
        delivered_after = time.monotonic() - began
        time.sleep(max(0.0, 3 - delivered_after))
        share = (cpu_of(relay.process.pid) - before) / (time.monotonic() - began)
        for s in flood:
            s.close()
        began = time.monotonic()
        wait_for(lambda: accepts(relay), timeout=30, what="the relay to accept again")
        return {"clients": clients, "descriptors": limit, "cpu_share": round(share, 2),
                "delivered_after_s": round(delivered_after, 1),
                "recovered_after_s": round(time.monotonic() - began, 1)}
    finally:
        relay.remove()
        sink.stop()


def accepts(relay):
    try:
        return relay.send(MESSAGE)
    except (OSError, smtplib.SMTPException):
        return None


def full_disk(size_mib=48):
    """A disk of its own that fills up and is emptied by delivery. Nothing acknowledged is lost."""
    sink = Sink()  # down
    relay = Relay(sink.port)
    os.mkdir(relay.path("queue"), 0o700)
    acked = []
    try:
        relay.log = open(relay.path("log"), "ab")
        relay.process = subprocess.Popen(
            ["unshare", "-m" if os.getuid() == 0 else "-rm", "sh", "-c",
             f'mount -t tmpfs -o size={size_mib}m,mode=700 none "$1" && exec "$2" serve -c "$3"', "sh",
             relay.path("queue"), os.environ.get("RELAY_BINARY"), relay.path("relay.toml")], stderr=relay.log)
        wait_for(lambda: relay.events("started"), what="the relay to start")
        replies = set()
        for number in range(1000):
            try:
                relay.send(b"X-Number: %d\r\n\r\n" % number + b"x" * 76 + b"\r\n" * 2 + os.urandom(50_000).hex().encode()
                           .replace(b"a", b"\r\n"))
                acked.append(number)
            except smtplib.SMTPResponseException as e:
                replies.add((e.smtp_code, e.smtp_error.split()[0].decode()))
                if number - len(acked) > 20:
                    break
        sink.start()
        began = time.monotonic()
        wait_for(lambda: accepts(relay), timeout=60, what="room on the disk")
        recovered = time.monotonic() - began
        wait_for(lambda: len(sink.messages) == len(acked) + 1, timeout=60, what="delivery of all")
        arrived = sorted(int(m.content.split(b"X-Number: ")[1].split(b"\r\n")[0])
                         for m in sink.messages if b"X-Number: " in m.content)
        return {"acked": len(acked), "lost": len(set(acked) - set(arrived)),
                "twice": len(arrived) - len(set(arrived)), "replies": sorted(replies),
                "recovered_after_s": round(recovered, 1), "alive": relay.process.poll() is None}
    finally:
        relay.remove()
        sink.stop()


FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def clock_jumps(jumps=("+1d", "-1d", "+3650d", "+0d")):
    """The wall clock jumps while mail waits: nothing is bounced for its age alone."""
    sink = Sink()  # down
    relay = Relay(sink.port)
    stamp = relay.path("faketime")

    def set_clock(offset):
        with open(stamp, "w", encoding="ascii") as f:
            f.write(offset + "\n")
    set_clock("+0d")
    names = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": stamp, "FAKETIME_NO_CACHE": "1",
             "DONT_FAKE_MONOTONIC": "1"}
    before = {name: os.environ.get(name) for name in names}
    try:
        os.environ.update(names)
        try:
            relay.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        sent = 0
        for jump in jumps:
            set_clock(jump)
            for _ in range(5):
                relay.send(MESSAGE)
                sent += 1
            time.sleep(3)  # for attempts by the new clock
        seen = [e for e in relay.events("clock_jump")]
        waiting = len(relay.rows())
        sink.start()
        wait_for(relay.is_empty, timeout=60, what="delivery")
        return {"sent": sent, "waiting": waiting, "jumps_seen": len(seen), "delivered": len(
            [m for m in sink.messages if m.mail_from]), "bounced": len([m for m in sink.messages if not m.mail_from])}
    finally:
        relay.remove()
        sink.stop()


def ask_control(relay, request, timeout=20):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(relay.path("control.sock"))
        s.sendall(json.dumps(request).encode() + b"\n")
        s.shutdown(socket.SHUT_WR)
        return s.makefile("rb").read()


def reloads(count):
    """The configuration is read again and again under load; no session fails, memory is flat."""
    sink = Sink().start()
    relay = Relay(sink.port, tls=True)
    failed, sent, stopped = [], [0], threading.Event()

    def load():
        while not stopped.is_set():
            # One that equals what another session has just sent would be taken for a second try.
            message = MESSAGE.replace(b"Message-ID: <1@", b"Message-ID: <%d@" % random.getrandbits(60))
            try:
                relay.send(message, tls=random.random() < 0.2)
                sent[0] += 1
            except (OSError, smtplib.SMTPException) as e:
                failed.append(repr(e))
    try:
        relay.start()
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        memory = []
        applied = 0
        for number in range(count):
            if number % 10 == 5:  # a bad file in between: refused, and nothing changes
                relay.write_config(extra="[nonsense]\n")
            elif number % 10 == 6:
                relay.write_config()
            applied += b'"applied":true' in ask_control(relay, {"v": 1, "verb": "reload"})
            if number % (count // 10) == 0:
                memory.append(memory_of(relay.process.pid))
        stopped.set()
        for thread in threads:
            thread.join()
        wait_for(lambda: len(sink.messages) == sent[0], timeout=60, what="all mail")
        return {"reloads": count, "applied": applied, "refused": count - applied, "messages": sent[0],
                "failed_sessions": len(failed), "examples": failed[:3],
                "rss_mib": [round(m / MIB, 1) for m in memory]}
    finally:
        stopped.set()
        relay.remove()
        sink.stop()


def measure_noops(port, connections, ends):
    """In a process of its own, where nobody else takes turns: seconds that NOOP took, every 3 ms, until told
    to end. Each connection may be on another shard."""
    def connect():
        s = socket.create_connection(("127.0.0.1", port), timeout=30)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.recv(1000)
        return s

    sockets = [connect() for _ in range(connections)]
    times = []
    while not ends.poll():
        if len(times) % (5000 * connections) >= 5000 * connections - connections:
            sockets = [connect() for _ in range(connections)]  # so much says no client without a message
        for s in sockets:
            began = time.monotonic()
            s.sendall(b"NOOP\r\n")
            s.recv(1000)
            times.append(time.monotonic() - began)
        time.sleep(0.003)
    ends.send(times)


def noops(relay, connections, meanwhile):
    """The times that NOOPs took while meanwhile() ran, sorted."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=measure_noops, args=(relay.port, connections, theirs))
    process.start()
    theirs.close()  # or we would wait for who has died
    try:
        time.sleep(0.5)
        meanwhile()
    finally:
        ours.send(True)
        times = ours.recv()
        process.join()
    return sorted(times)


def noops_during_reloads(aliases, count):
    """Very many aliases are read again and again while mail comes in: sessions and `status` are not
    delayed."""
    sink = Sink().start()
    relay = Relay(sink.port, config={"limits": {"max_junk": 10_000}})
    relay.config["domain"] = [{"name": relay.domain, "aliases": ["file:many.aliases"], "alias": relay.aliases}]
    sent, failed, waits, applied, stopped = [0], [], [], [0], threading.Event()

    def load():
        while not stopped.is_set():
            message = MESSAGE.replace(b"Message-ID: <1@", b"Message-ID: <%d@" % random.getrandbits(60))
            try:
                relay.send(message)
                sent[0] += 1
            except (OSError, smtplib.SMTPException) as e:
                failed.append(repr(e))
            time.sleep(0.01)

    def look():
        while not stopped.is_set():
            began = time.monotonic()
            ask_control(relay, {"v": 1, "verb": "status"})
            waits.append(time.monotonic() - began)
            time.sleep(0.05)

    def reload():
        for number in range(count):
            with open(relay.path("many.aliases"), "w", encoding="ascii") as f:
                f.write(f"round{number}: a@dest.test\n")
                f.writelines(f"alias{n}: target{n}@dest.test\n" for n in range(aliases))
            applied[0] += b'"applied":true' in ask_control(relay, {"v": 1, "verb": "reload"}, 300)
    try:
        with open(relay.path("many.aliases"), "w", encoding="ascii"):
            pass
        relay.write_config()
        relay.start()
        threads = [threading.Thread(target=f) for f in (load, load, look)]
        for thread in threads:
            thread.start()
        quiet = noops(relay, 4, lambda: time.sleep(3))
        del waits[:]
        among = noops(relay, 4, reload)
        stopped.set()
        for thread in threads:
            thread.join()
        wait_for(lambda: len(sink.messages) == sent[0], timeout=60, what="all mail")

        def ms(times, share):
            return round(1000 * percentile(times, share), 1)
        return {"aliases": aliases, "reloads": count, "applied": applied[0], "messages": sent[0], "failed": len(failed),
                "noops": len(among), "p999_alone_ms": ms(quiet, 0.999), "p99_ms": ms(among, 0.99),
                "p999_ms": ms(among, 0.999), "worst_ms": ms(among, 1),
                "status_p99_ms": ms(sorted(waits), 0.99), "rss_mib": round(memory_of(relay.process.pid) / MIB, 1)}
    finally:
        stopped.set()
        relay.remove()
        sink.stop()
