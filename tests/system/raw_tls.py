"""TLS with all that Python's own module keeps from its user: messages after the handshake, as many as one wants."""

import ctypes
import ctypes.util
import socket

TLS_CLIENT, TLS_SERVER = "TLS_client_method", "TLS_server_method"
FILETYPE_PEM = 1
UPDATE_REQUESTED = 1  # the other side has to answer with a KeyUpdate of its own

ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
for name in (TLS_CLIENT, TLS_SERVER, "SSL_CTX_new", "SSL_new"):
    getattr(ssl, name).restype = ctypes.c_void_p


def context(method, files=None):
    """`files`: certificate and key in one PEM file, for a server."""
    made = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(getattr(ssl, method)())))
    if files and (ssl.SSL_CTX_use_certificate_file(made, files.encode(), FILETYPE_PEM) != 1
                  or ssl.SSL_CTX_use_PrivateKey_file(made, files.encode(), FILETYPE_PEM) != 1):
        raise ValueError(f"no certificate and key in {files}")
    return made


class Raw:
    """One side of a connection whose handshake is done. Raises ConnectionError when there is none."""

    def __init__(self, made, peer: socket.socket, is_server):
        peer.settimeout(None)  # OpenSSL uses the descriptor: reads and writes of it wait
        self.peer = peer
        self.connection = ctypes.c_void_p(ssl.SSL_new(made))
        ssl.SSL_set_fd(self.connection, peer.fileno())
        if (ssl.SSL_accept if is_server else ssl.SSL_connect)(self.connection) != 1:
            self.close()
            raise ConnectionError("no handshake")

    def write(self, octets):
        return ssl.SSL_write(self.connection, octets, len(octets)) == len(octets)

    def read(self, size=4096):
        into = ctypes.create_string_buffer(size)
        got = ssl.SSL_read(self.connection, into, size)
        return into.raw[:max(0, got)]

    def update_key(self):
        """Sends one KeyUpdate (RFC 8446 section 4.6.3). False when nobody takes it any more."""
        return (ssl.SSL_key_update(self.connection, UPDATE_REQUESTED) == 1
                and ssl.SSL_do_handshake(self.connection) == 1)

    def throw_away(self):
        """What has arrived and was not read. Nothing can be read after that."""
        try:
            while self.peer.recv(1 << 20, socket.MSG_DONTWAIT):
                pass
        except OSError:
            pass  # no more is there; or the connection has gone, which the next write notices

    def close(self):
        if self.connection:
            ssl.SSL_free(self.connection)
            self.connection = None
        self.peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
