"""The dialogues on a port of the loopback interface, as the kernel saw them: a judge that depends on no
log, and the transcript of failures. Sessions in the clear only."""

import collections
import ctypes
import re
import socket
import struct
import threading

ETH_P_IP = 0x0800
PACKET_OUTGOING = 4
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
LONGEST = 20_000  # lines of one session that are kept
TOO_MANY_RECIPIENTS = re.compile(r"45[12][ -].*(4\.5\.3|[Tt]oo many recipients)")


class Flow:
    """One connection, line by line; what is between 354 and the dot is left out."""

    def __init__(self):
        self.next = {}           # direction -> sequence number
        self.rest = {"C": "", "S": ""}
        self.lines = []          # "C: …", "S: …"
        self.in_content = False
        self.encrypted = False
        self.unanswered = collections.deque(["banner"])
        self.sender_taken, self.recipients_taken = False, 0
        self.faults = []         # indices of lines that say we were out of order

    def add(self, who, sequence, data):
        expected = self.next.get(who, sequence)
        behind = (expected - sequence) & 0xFFFFFFFF
        if 0 < behind < 1 << 31:  # sent once more
            data = data[behind:]
            sequence = expected
        if not data:
            return
        self.next[who] = (sequence + len(data)) & 0xFFFFFFFF
        *lines, self.rest[who] = (self.rest[who] + data.decode("latin-1")).split("\r\n")
        for line in lines:
            if not self.encrypted:
                self.command(line) if who == "C" else self.reply(line)

    def keep(self, line):
        if len(self.lines) < LONGEST:
            self.lines.append(line[:200])

    def command(self, line):
        if self.in_content:
            self.in_content = line != "."
            if self.in_content:
                return
        self.keep("C: " + line)
        self.unanswered.append("dot" if line == "." else line[:4].upper())

    def reply(self, line):
        self.keep("S: " + line)
        if line[3:4] == "-" or not self.unanswered:
            return
        command, taken = self.unanswered.popleft(), line[:1] == "2"
        if line.startswith("503") and not self.is_excused(command):
            self.faults.append(len(self.lines) - 1)
        if command in ("MAIL", "RSET", "EHLO", "dot"):
            self.sender_taken, self.recipients_taken = command == "MAIL" and taken, 0
        elif command == "RCPT":
            self.recipients_taken += taken
        elif command == "DATA":
            self.in_content = line.startswith("354")
        elif command == "STAR":
            self.encrypted = taken

    def is_excused(self, command):
        """Commands pipelined behind a refusal are out of order, but no error (RFC 2920 §3.1)."""
        return command == "RCPT" and not self.sender_taken or command == "DATA" and not self.recipients_taken


def only_of_port(port):
    """A filter for the kernel, of struct sock_filter each: TCP from or to the port. Other tests send gigabytes over
    the loopback interface, of which most would be dropped, with packets of ours between them."""
    load_octet, load_header_length, load_port, equal, answer = 0x30, 0xB1, 0x48, 0x15, 0x06
    return b"".join(struct.pack("=HBBI", *step) for step in (
        (load_octet, 0, 0, 9), (equal, 0, 5, socket.IPPROTO_TCP),
        (load_header_length, 0, 0, 0),
        (load_port, 0, 0, 0), (equal, 3, 0, port),
        (load_port, 0, 0, 2), (equal, 1, 0, port),
        (answer, 0, 0, 0), (answer, 0, 0, 1 << 18)))


class Wiretap:
    """Listens from start() to stop(). `works` is false where the machine does not let us, `is_whole` if it has dropped
    packets."""

    def __init__(self, port):
        self.port = port
        self.flows = collections.defaultdict(Flow)  # (port of the client, number of its use)
        self.uses = collections.Counter()
        self.works = False
        self.is_whole = True
        self.stopped = False

    def start(self):
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        except PermissionError:
            return self
        self.works = True
        steps = ctypes.create_string_buffer(only_of_port(self.port))
        program = struct.pack("@HP", (len(steps) - 1) // 8, ctypes.addressof(steps))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        self.socket.bind(("lo", ETH_P_IP))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def run(self):
        while not self.stopped:
            try:
                packet, (_, _, direction, *_) = self.socket.recvfrom(1 << 17)
            except TimeoutError:
                continue
            if direction != PACKET_OUTGOING and len(packet) >= 40:  # each is seen twice
                self.hear(packet)

    def hear(self, packet):
        tcp = (packet[0] & 15) * 4
        if packet[9] != socket.IPPROTO_TCP:
            return
        source, destination, sequence, _, offset, flags = struct.unpack_from("!HHIIBB", packet, tcp)
        if self.port not in (source, destination):
            return
        who, client = ("C", source) if destination == self.port else ("S", destination)
        if who == "C" and flags & 2:  # SYN: the number of a port may come again
            self.uses[client] += 1
            return
        if flags & 2:
            return
        data = packet[tcp + (offset >> 4) * 4:struct.unpack_from("!H", packet, 2)[0] or len(packet)]
        if data:
            self.flows[(client, self.uses[client])].add(who, sequence, data)

    def stop(self):
        if self.works:
            self.stopped = True
            self.thread.join()
            _, dropped = struct.unpack("=II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
            self.is_whole = dropped == 0
            self.socket.close()

    def faults(self):
        """The end of the conversation before each 503 that is our fault. Nothing is said of one with gaps."""
        if not self.is_whole:
            return []
        return [" | ".join(flow.lines[max(0, index - 8):index + 1])
                for flow in list(self.flows.values()) for index in flow.faults]

    def count(self, pattern):
        """How many lines of the server are such."""
        pattern = re.compile(pattern)
        return sum(1 for flow in list(self.flows.values()) for line in flow.lines
                   if line.startswith("S") and pattern.match(line[3:]))
