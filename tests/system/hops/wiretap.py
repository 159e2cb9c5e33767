"""The dialogues on a port of the loopback interface, as the kernel saw them: a judge that depends on no
log, and the transcript of failures. Sessions in the clear only."""

import collections
import re
import socket
import struct
import threading

ETH_P_IP = 0x0800
PACKET_OUTGOING = 4
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


class Wiretap:
    """Listens from start() to stop(). `works` is false where the machine does not let us."""

    def __init__(self, port):
        self.port = port
        self.flows = collections.defaultdict(Flow)  # (port of the client, number of its use)
        self.uses = collections.Counter()
        self.works = False
        self.stopped = False

    def start(self):
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        except PermissionError:
            return self
        self.works = True
        self.socket.bind(("lo", ETH_P_IP))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
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
            self.socket.close()

    def faults(self):
        """The end of the conversation before each 503 that is our fault."""
        return [" | ".join(flow.lines[max(0, index - 8):index + 1])
                for flow in list(self.flows.values()) for index in flow.faults]

    def count(self, pattern):
        """How many lines of the server are such."""
        pattern = re.compile(pattern)
        return sum(1 for flow in list(self.flows.values()) for line in flow.lines
                   if line.startswith("S") and pattern.match(line[3:]))
