"""Next hops that misbehave, each at one step of the dialogue and in one way, once; then they are
friendly. All of them live on ports of their own in one process."""

import random
import selectors
import socket
import ssl
import struct
import threading
import time

STEPS = ("banner", "EHLO", "STARTTLS", "handshake", "MAIL", "RCPT1", "RCPT2", "DATA", "dot", "QUIT")
ACTIONS = ("2xx", "4xx", "5xx", "421-close", "reset", "half-close", "silence", "drip", "junk", "NUL",
           "endless-line", "endless-multiline", "wrong-code", "early-reply", "double-reply")
# After one of these the server is out of step, so its verdict on the message counts as temporary.
OUT_OF_STEP = {"junk", "NUL", "wrong-code", "early-reply", "double-reply"}
FRIENDLY = {"banner": b"220 evil.test ESMTP", "STARTTLS": b"220 2.0.0 go on", "MAIL": b"250 2.1.0 ok",
            "RCPT1": b"250 2.1.5 ok", "RCPT2": b"250 2.1.5 ok", "DATA": b"354 go on",
            "dot": b"250 2.0.0 taken", "QUIT": b"221 2.0.0 bye"}
LONGEST = 20  # seconds an evil connection lasts at most


class Gone(Exception):
    """The connection is over."""


class Case:
    """`secure`: the dialogue is inside TLS; for the steps of TLS itself: TLS is required."""

    def __init__(self, number, step, action, secure):
        self.number, self.step, self.action, self.secure = number, step, action, secure
        self.name = f"{step} {action} {'TLS' if secure else 'plain'}"
        self.connections = 0
        self.happened = False
        self.in_the_clear = 0  # messages taken outside TLS
        self.taken = []   # (recipients, content) in friendly connections, or before the step
        self.unsure = []  # taken where the reply to the dot was the misbehaviour
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.port = self.listening.getsockname()[1]

    def begin(self):
        """Another connection: whether it is an evil one. The first is, and the next, too, when that one
        was over before the step, as on a machine that is too busy for the relay's patience. Not after
        an early reply, which misleads before the step."""
        self.connections += 1
        return not self.happened and self.connections <= (1 if self.action == "early-reply" else 3)

    @property
    def offers_tls(self):
        return self.secure or self.step in ("STARTTLS", "handshake")


def all_cases():
    kinds = [(s, a, secure) for s in STEPS for a in ACTIONS for secure in (False, True)]
    return [Case(number, *kind) for number, kind in enumerate(kinds, 1)]


class Dialogue:
    def __init__(self, case, connection, evil, context):
        self.case, self.connection, self.evil, self.context = case, connection, evil, context
        self.secured = False
        self.out_of_step = False
        self.early = b""  # what goes out together with the reply before

    def run(self):
        self.step("banner", FRIENDLY["banner"])
        self.stream = self.connection.makefile("rb")
        while True:
            line = self.stream.readline(4096)
            if not line:
                return
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                self.sender, self.recipients, self.asked = False, [], 0
                self.step("EHLO", self.extensions())
            elif verb == b"STAR":
                self.step("STARTTLS", FRIENDLY["STARTTLS"])
                if not self.out_of_step:
                    self.handshake()
            elif verb == b"MAIL":
                self.recipients, self.asked = [], 0
                self.sender = self.step("MAIL", FRIENDLY["MAIL"])
            elif verb == b"RCPT":
                self.asked += 1
                name = "RCPT1" if self.asked == 1 else "RCPT2"
                if self.step(name, FRIENDLY[name] if self.sender else b"503 5.5.1 no sender"):
                    self.recipients.append(line.split(b"<")[1].split(b">")[0].decode())
            elif verb == b"DATA":
                if not self.recipients:
                    self.say(b"554 5.5.1 no valid recipients")
                elif self.step("DATA", FRIENDLY["DATA"]):
                    self.content()
            elif verb == b"RSET":
                self.recipients, self.asked = [], 0
                self.say(b"250 2.0.0 ok")
            elif verb == b"QUIT":
                self.step("QUIT", FRIENDLY["QUIT"])
                return
            else:
                self.say(b"502 5.5.1 what?")

    def extensions(self):
        lines = [b"evil.test", b"PIPELINING", b"8BITMIME"]
        if self.case.offers_tls and not self.secured:
            lines.append(b"STARTTLS")
        return b"\r\n".join([b"250-" + x for x in lines[:-1]] + [b"250 " + lines[-1]])

    def handshake(self):
        if self.is_now("handshake"):
            self.misbehave("handshake", b"")
            if self.case.action not in ("2xx", "double-reply"):
                raise Gone
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.stream = self.connection.makefile("rb")
        self.secured = True

    def content(self):
        content = b""
        while not content.endswith(b"\r\n.\r\n") and content != b".\r\n":
            line = self.stream.readline(100_000)
            if not line:
                return
            content += line
        message = (tuple(self.recipients), content[:-3].replace(b"\r\n..", b"\r\n."))
        if self.is_now("dot"):
            if self.case.action not in ("4xx", "5xx", "421-close", "early-reply"):
                self.case.unsure.append(message)
            self.misbehave("dot", FRIENDLY["dot"])
        elif self.out_of_step:
            self.say(b"451 4.3.0 I have lost my place")
        else:
            self.case.in_the_clear += not self.secured
            self.case.taken.append(message)  # before the reply: who hears it may ask
            self.say(FRIENDLY["dot"])

    def is_now(self, step):
        # EHLO is said twice where TLS is used: the second time counts, if the dialogue is inside.
        here = self.secured == self.case.secure or step in ("banner", "STARTTLS", "handshake")
        now = self.case.step == step and (here or not self.case.secure)
        return self.evil and now and not self.case.happened

    def step(self, name, reply):
        """Answers one command; True when the answer was friendly."""
        follower = STEPS.index(name) + 1
        if self.evil and self.case.action == "early-reply" and follower < len(STEPS) \
                and STEPS[follower] == self.case.step and self.case.step != "handshake":
            self.early = b"\r\n" + (b"354 early" if self.case.step == "DATA" else b"250 2.0.0 early")
            self.out_of_step = True
        if not self.is_now(name):
            self.say(reply + self.early)
            self.early = b""
            return reply[:1] in b"23"
        return self.misbehave(name, reply)

    def misbehave(self, name, reply):
        action = self.case.action
        self.case.happened = True
        self.out_of_step = self.out_of_step or action in OUT_OF_STEP
        return getattr(self, "do_" + action.replace("-", "_").lower())(name, reply)

    def say(self, octets):
        self.connection.sendall(octets + b"\r\n")

    # Misbehaves at a step. True: the dialogue goes on as if the server were friendly.

    def do_2xx(self, name, reply):
        if name != "handshake":
            self.say(reply)
        return True

    def do_4xx(self, name, _):
        self.say(b"451 4.3.0 not now")
        return False

    def do_5xx(self, name, _):
        self.say(b"550 5.7.1 never")
        return False

    def do_421_close(self, *_):
        self.say(b"421 4.3.2 going down")
        raise Gone

    def do_reset(self, *_):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def do_half_close(self, *_):
        self.connection.shutdown(socket.SHUT_WR)
        self.wait_for_the_end()

    def do_silence(self, *_):
        self.wait_for_the_end()

    def wait_for_the_end(self):
        end = time.monotonic() + LONGEST
        while time.monotonic() < end and self.connection.recv(65536):
            pass
        raise Gone

    def do_drip(self, *_):
        for _ in range(LONGEST * 5):
            self.connection.sendall(b"2")
            time.sleep(0.2)
        raise Gone

    def do_junk(self, name, _):
        self.say(random.Random(self.case.number).randbytes(200).replace(b"\n", b"!"))
        return True

    def do_nul(self, name, reply):
        self.say(reply[:5] + b"\0" + reply[5:])
        return True

    def do_endless_line(self, *_):
        self.flood(b"250 " + b"x" * 60_000)

    def do_endless_multiline(self, *_):
        self.flood(b"250-still talking\r\n" * 4000)

    def flood(self, octets):
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            self.connection.sendall(octets)
            octets = octets[4:] if octets[4:5] == b"x" else octets
        raise Gone

    def do_wrong_code(self, name, _):
        self.say(b"250 2.0.0 not what you asked" if name in ("banner", "DATA") else b"354 go on")
        return True

    def do_early_reply(self, name, reply):
        """The early one went out with the reply before; now comes the one that counts."""
        if name == "banner":
            self.say(reply + b"\r\n250 2.0.0 early")
        elif name == "handshake":
            self.say(b"250 2.0.0 said in the clear")
        elif name == "dot":
            self.say(b"451 4.3.0 I have lost my place")
        else:
            self.say(reply)
        return True

    def do_double_reply(self, name, reply):
        if name == "handshake":
            self.say(b"220 2.0.0 go on, go on")
        self.say(reply + b"\r\n250 2.0.0 once more")
        return True


class EvilHosts:
    dialogue = Dialogue

    def __init__(self, cases, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate[1], certificate[0])
        self.selector = selectors.DefaultSelector()
        self.cases = cases
        self.stopped = False
        for case in cases:
            self.selector.register(case.listening, selectors.EVENT_READ, case)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopped:
            for key, _ in self.selector.select(0.2):
                connection, _ = key.fileobj.accept()
                connection.settimeout(LONGEST)
                threading.Thread(target=self.serve, args=(key.data, connection, key.data.begin()),
                                 daemon=True).start()

    def serve(self, case, connection, evil):
        dialogue = self.dialogue(case, connection, evil, self.context)
        try:
            dialogue.run()
        except (Gone, OSError, ValueError):
            pass
        finally:
            dialogue.connection.close()

    def stop(self):
        self.stopped = True
        self.thread.join()
        for case in self.cases:
            case.listening.close()
        self.selector.close()
