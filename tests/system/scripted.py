"""An SMTP server that says at each stage what the test wants, over plain sockets or TLS."""

import os
import socket
import ssl
import subprocess
import threading

from .harness import free_port


def make_certificate(folder, name, authority=None):
    """A key and a certificate for `name`, as file names: self-signed, or by `authority`."""
    key, cert = os.path.join(folder, name + ".key"), os.path.join(folder, name + ".crt")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
               "/CN=" + name, "-addext", "subjectAltName=DNS:" + name, "-keyout", key, "-out", cert]
    if authority:
        command += ["-CA", authority[1], "-CAkey", authority[0]]
    subprocess.run(command, check=True, capture_output=True)
    return key, cert


class ScriptedServer:
    """`replies` maps a stage (banner, EHLO, HELO, STARTTLS, MAIL, RCPT, DATA, dot, QUIT) to replies
    used up one by one; afterwards, and for stages not in it, the server is friendly. A reply None
    closes the connection instead."""

    FRIENDLY = {"banner": "220 scripted.test ESMTP", "EHLO": "250 scripted.test",
                "HELO": "250 scripted.test", "STARTTLS": "220 2.0.0 go on", "MAIL": "250 2.1.0 ok",
                "RCPT": "250 2.1.5 ok", "DATA": "354 go on", "dot": "250 2.0.0 taken",
                "QUIT": "221 2.0.0 bye", "RSET": "250 2.0.0 ok"}

    def __init__(self, replies=None, certificate=None, break_handshake=0, host="127.0.0.1",
                 stateless=False):
        self.replies = {stage: list(some) for stage, some in (replies or {}).items()}
        self.certificate = certificate
        self.break_handshake = break_handshake  # how many handshakes end in rubbish
        self.stateless = stateless  # takes RCPT and DATA even if commands before were refused
        self.port = free_port()
        self.messages = []  # (content, TLS version or None)
        self.commands = []
        self.listening = socket.create_server((host, self.port))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def stop(self):
        self.listening.close()

    def next_reply(self, stage):
        planned = self.replies.get(stage)
        return planned.pop(0) if planned else self.FRIENDLY.get(stage, "502 5.5.1 what?")

    def serve(self, connection):
        connection.settimeout(30)
        try:
            self.converse(connection)
        except (OSError, ValueError, EOFError):
            pass
        finally:
            connection.close()

    def say(self, connection, text):
        if text is None:
            raise EOFError
        connection.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")

    def converse(self, connection):
        tls = None
        self.say(connection, self.next_reply("banner"))
        stream = connection.makefile("rb")
        sender, recipients = False, 0
        while True:
            line = stream.readline(2048)
            if not line:
                return
            verb = line.split()[0].decode().upper() if line.split() else ""
            self.commands.append(line.decode("utf-8", "replace").strip())
            if verb == "RCPT" and not sender and not self.stateless:
                reply = "503 5.5.1 no sender"
            elif verb == "DATA" and not recipients and "DATA" not in self.replies:
                reply = "554 5.5.1 no valid recipients"
            else:
                reply = self.next_reply(verb)
            if verb in ("MAIL", "RSET", "EHLO", "HELO"):
                recipients = 0
                sender = verb == "MAIL" and bool(reply) and reply.startswith("2")
            if verb == "RCPT" and reply and reply.startswith("2"):
                recipients += 1
            if verb == "EHLO" and reply == self.FRIENDLY["EHLO"]:
                offers = ["PIPELINING", "8BITMIME"]
                if self.certificate and not tls:
                    offers.append("STARTTLS")
                reply = "\n".join(["250-scripted.test"] + ["250-" + o for o in offers[:-1]]
                                  + ["250 " + offers[-1]])
            self.say(connection, reply)
            if verb == "STARTTLS" and reply.startswith("220"):
                if self.break_handshake > 0:
                    self.break_handshake -= 1
                    connection.recv(4096)  # the ClientHello
                    connection.sendall(b"rubbish instead of a handshake\r\n")
                    return
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate[1], self.certificate[0])
                connection = context.wrap_socket(connection, server_side=True)
                stream = connection.makefile("rb")
                tls = connection.version()
            elif verb == "DATA" and reply.startswith("354"):
                content = b""
                while content != b".\r\n" and not content.endswith(b"\r\n.\r\n"):
                    more = stream.readline(100_000)
                    if not more:
                        return
                    content += more
                reply = self.next_reply("dot") if recipients else "554 5.5.1 no valid recipients"
                if reply and reply.startswith("2"):
                    self.messages.append((content[:-3], tls))
                self.say(connection, reply)
            elif verb == "QUIT":
                return
