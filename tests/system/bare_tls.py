"""What OpenSSL alone needs for a session that does nothing: accepts, shakes hands, answers EHLO, and keeps all of it.
What Python needs for a connection is a few hundred octets; buffers are released as the relay has it.

python3 -m tests.system.bare_tls PORT PEM"""

import ctypes
import signal
import socket
import sys

from . import raw_tls

RELEASE_BUFFERS, CTRL_MODE = 0x10, 33  # SSL_MODE_RELEASE_BUFFERS by SSL_CTX_ctrl
LONGEST = 900  # seconds that it lives, whatever happens


def serve(port, pem):
    made = raw_tls.context(raw_tls.TLS_SERVER, pem)
    raw_tls.ssl.SSL_CTX_ctrl(made, CTRL_MODE, ctypes.c_long(RELEASE_BUFFERS), None)
    kept = []
    with socket.create_server(("127.0.0.1", port), backlog=100) as listening:
        print("ready", flush=True)
        while True:
            peer = listening.accept()[0]
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each session waits 40 ms for an ACK
            peer.sendall(b"220 bare\r\n")
            peer.recv(512)
            peer.sendall(b"250-bare\r\n250 STARTTLS\r\n")
            peer.recv(512)
            peer.sendall(b"220 go\r\n")
            secured = raw_tls.Raw(made, peer, is_server=True)
            secured.read(512)
            secured.write(b"250 bare\r\n")
            kept.append(secured)


if __name__ == "__main__":
    from .crowd import raise_descriptor_limit
    raise_descriptor_limit(1 << 20)
    signal.alarm(LONGEST)
    serve(int(sys.argv[1]), sys.argv[2])
