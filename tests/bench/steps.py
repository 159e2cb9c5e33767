"""Stacks of a profile as steps of the data walk (ARCHITECTURE.md): which part of the work a sample of
CPU time belongs to, and which thread's role it was."""

import re

# The first rule that knows a frame, from the innermost outwards, names the step. What everybody uses
# (memory, copying, hash functions, locks) has no rule: it belongs to who called it.
STEPS = [
    ("queue: digest of the content", r"spool::(chunk_digest|sha256)"),
    ("disk: write and sync", r"fdatasync|fsync|pwrite|ext4_|jbd2|__x64_sys_(pread|ftruncate|fallocate)|"
                             r"unixWrite|unixSync|unixRead"),
    ("log: write", r"LogFile|__x64_sys_write$|ksys_write"),
    ("accept, connect, close", r"__x64_sys_(accept|connect|socket|close|shutdown|bind|setsockopt|getsockname|getpeername)|"
                               r"inet_csk_accept|tcp_v4_connect|net::Listener|net::PoolDialer|tcp_close|__fput|task_work_run"),
    ("sockets: read and write", r"__x64_sys_(sendmsg|sendto|recvmsg|recvfrom|read|readv|writev)|tcp_sendmsg|tcp_recvmsg|sock_"),
    ("TLS", r"\bSSL_|ssl3_|tls1|\btls_|net::TlsStream|net::OpensslAcceptor"),
    ("wake-ups and scheduling", r"__x64_sys_(epoll|futex|sched|eventfd|timerfd|clock_nanosleep)|epoll_wait|pthread_cond|"
                                r"__schedule|schedule_|DeadlineWheel|scheduler::run|scheduler::do_run|epoll_reactor|timer_queue"),
    ("RSA and Ed25519 signature", r"rsa_|RSA_|BN_|bn_|ed25519|ECX|x25519|EVP_DigestSign|EVP_PKEY_sign|"
                                  r"sign_over|PrivateKey::sign"),
    ("verification", r"auth::spf|auth::dmarc|auth::iprev|auth::arc::(Chain|Verif)|"
                     r"dkim::(Verifier|SignatureCheck|KeySource)|MessageCheck"),
    ("signed header and body hash", r"dkim::|auth::arc|auth::OpensslSigner|BodyHash|Canonical"),
    ("results field", r"auth::results"),
    ("queue: SQLite", r"sqlite3|spool::"),
    ("DNS", r"\bub_|unbound|ldns|dns::|libworker|outnet_|mesh_"),
    ("SMTP parsing", r"smtp::|mail::(parse|header|author|Mailbox|Domain|split_header|find_fields|readable)"),
    ("forwarding decision and SRS", r"forward::|\bsrs::"),
    ("receiving session", r"inbound::"),
    ("delivery", r"delivery::"),
    ("log: make the line", r"base::(Event|Log)|app::LogSink|app::redact"),
    ("coroutines and hand-over", r"awaitable|await_answer|asio::"),
    ("streams", r"net::"),
]
COMPILED = [(step, re.compile(pattern)) for step, pattern in STEPS]
OTHER = "other"

# A thread is what its stacks show most often.
ROLES = [
    ("writer", re.compile(r"SqliteSpool::run|sqlite3_step|spool::Store::")),
    ("signer", re.compile(r"OpensslSigner::(run|work|loop)|OpensslSigner::.*lambda|rsa_ossl_private|RSA_sign")),
    ("log", re.compile(r"LogSink::run")),
    ("DNS", re.compile(r"libworker|comm_base_dispatch|ub_event")),
    ("shard", re.compile(r"net::Shard|scheduler::run|epoll_reactor|inbound::|delivery::")),
]


def step_of(frames):
    """`frames`: symbols, innermost first."""
    for frame in frames:
        for step, pattern in COMPILED:
            if pattern.search(frame):
                return step
    return OTHER


def role_votes(frames):
    return {role for role, pattern in ROLES if any(pattern.search(frame) for frame in frames)}


def role_of(votes):
    """`votes`: role -> samples of a thread that show it. Roles of few words come before the shard, whose
    frames are everywhere."""
    return max(votes, key=votes.get, default=OTHER)


def samples(lines):
    """(thread, period, frames) from the lines of `perf script -F tid,period,ip,sym,dso`. A frame
    is "symbol (library)"."""
    thread, period, frames = None, 0, []
    for line in lines:
        if not line.strip():
            if thread is not None:
                yield thread, period, frames
            thread, frames = None, []
        elif thread is None:
            fields = line.split()
            thread, period = int(fields[0].partition("/")[2] or fields[0].partition("/")[0]), int(fields[1].rstrip(":"))
        else:
            symbol, _, library = line.strip().partition(" ")[2].rpartition(" (")
            frames.append(f"{symbol or '?'} ({library.rpartition('/')[2]}")
    if thread is not None:
        yield thread, period, frames


class Profile:
    """CPU time by role and step."""

    def __init__(self, lines):
        self.by_thread, self.votes, self.symbols = {}, {}, {}
        for thread, period, frames in samples(lines):
            self.add(thread, period, frames)

    def add(self, thread, period, frames):
        step = step_of(frames)
        times = self.by_thread.setdefault(thread, {})
        times[step] = times.get(step, 0) + period
        votes = self.votes.setdefault(thread, {})
        for role in role_votes(frames):
            votes[role] = votes.get(role, 0) + 1
        # Where a step is spent; of one that is none, who might name it.
        where = frames[0] if step != OTHER else " < ".join(frames[:4])
        within = self.symbols.setdefault(step, {})
        within[where] = within.get(where, 0) + period

    def table(self):
        """(role, step) -> time."""
        times = {}
        for thread, steps in self.by_thread.items():
            role = role_of(self.votes[thread])
            for step, time in steps.items():
                times[role, step] = times.get((role, step), 0) + time
        return times
