"""Many clients at once, from many addresses of 127.0.0.0/8: each is a socket and nothing else."""

import resource
import socket
import ssl
import threading
import time


def raise_descriptor_limit(wanted):
    """Returns what we get of it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    given = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (given, hard))
    return given


def source_of(number):
    """A client address; 20 in each /24."""
    return f"127.{1 + number // 4000}.{number // 20 % 200}.{1 + number % 20}"


class Crowd:
    def __init__(self, port, size, tls=False):
        self.port, self.tls = port, tls
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.sockets = []
        self.refused = 0  # heard 421, or nothing
        for number in range(size):
            self.join(number)
        self.dripping = None

    def join(self, number):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=20,
                                     source_address=(source_of(number), 0))
        banner = s.recv(512)
        if not banner.startswith(b"220"):
            self.refused += 1
            s.close()
            return
        if self.tls:
            s.sendall(b"EHLO crowd.test\r\n")
            s.recv(2048)
            s.sendall(b"STARTTLS\r\n")
            s.recv(512)
            s = self.context.wrap_socket(s)
            s.sendall(b"EHLO crowd.test\r\n")
            s.recv(2048)
        self.sockets.append(s)

    def drip(self, pause=1.0):
        """One octet from each, again and again, until leave() is called."""
        self.stopped = False

        def run():
            while not self.stopped:
                for s in list(self.sockets):
                    try:
                        s.send(b"x", socket.MSG_DONTWAIT)
                    except OSError:
                        pass
                time.sleep(pause)
        self.dripping = threading.Thread(target=run, daemon=True)
        self.dripping.start()

    def still_there(self):
        """How many the server has not closed."""
        there = 0
        for s in self.sockets:
            s.setblocking(False)
            try:
                there += bool(s.recv(512)) and bool(s.recv(512))  # a 421, then the end
            except BlockingIOError:
                there += 1
            except OSError:
                pass
        return there

    def leave(self):
        if self.dripping:
            self.stopped = True
            self.dripping.join()
        for s in self.sockets:
            s.close()
        self.sockets = []
