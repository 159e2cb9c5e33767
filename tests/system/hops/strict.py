"""aiosmtpd as the next hop: refuses every command out of order, and writes down that it had to.

It lives in a thread of the harness and writes what it took to the ledger itself."""

import asyncio
import logging
import re
import ssl
import threading

from aiosmtpd.smtp import SMTP

from ..ledger.sink import Sink, describe
from . import hop

TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections from you\r\n"
PROTOCOL_ERROR = re.compile(r"50[0-5] ")


class Session(SMTP):
    """One connection; what it answers is decided by the hop, which is its handler."""

    line_length_limit = 1 << 20
    counted = False
    excused = False  # something was refused in this transaction, so commands pipelined behind it may be out of order

    def __init__(self, owner, **options):
        self.owner = owner
        self.taken = 0
        super().__init__(owner, **options)

    def connection_made(self, transport):
        if not self.counted:  # the second call is that of TLS
            limit = self.owner.terms.connections
            if limit and self.owner.open >= limit:
                transport.write(TOO_MANY_CONNECTIONS)
                transport.close()
                return
            self.counted = True
            self.owner.open += 1
        super().connection_made(transport)

    def connection_lost(self, error):
        if self.counted:
            self.counted = False
            self.owner.open -= 1
            super().connection_lost(error)

    async def push(self, status):
        text = status.decode("utf-8", "replace") if isinstance(status, bytes) else status
        if PROTOCOL_ERROR.match(text) and not (self.excused and "need" in text):
            self.owner.protocol_errors.append(text)
        await super().push(status)

    def data_received(self, data):
        if self.counted:
            super().data_received(data)

    def eof_received(self):
        return super().eof_received() if self.counted else False


class StrictHop(hop.Hop):
    name = "aiosmtpd"

    def __init__(self, folder, sink_path, terms, doorman, certificate):
        self.adopt(terms, doorman, certificate)
        self.ledger = Sink(sink_path)
        self.open = 0
        self.protocol_errors = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.ready = threading.Event()

    def complaints(self):
        return list(self.protocol_errors)

    def context(self):
        if self.terms.tls == hop.NONE:
            return None
        key, certificate = self.certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if self.terms.tls in (hop.CERTIFICATE, hop.CERTIFICATE_REQUIRED):
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificate)
        return context

    def start(self):
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # handshakes that fail are what we are here for
        self.thread.start()
        if not self.ready.wait(20):
            raise RuntimeError("aiosmtpd did not start")
        return self

    def run(self):
        options = {"hostname": "mx.hop.test", "enable_SMTPUTF8": True, "decode_data": False, "loop": self.loop,
                   "data_size_limit": 100 << 20, "tls_context": self.context(),
                   "require_starttls": self.terms.tls in (hop.REQUIRED, hop.CERTIFICATE_REQUIRED)}
        serving = self.loop.create_server(lambda: Session(self, **options), "127.0.0.1", self.port, backlog=128)
        self.server = self.loop.run_until_complete(serving)
        self.loop.set_exception_handler(lambda loop, context: None)  # a client that leaves within TLS
        self.ready.set()
        self.loop.run_forever()

    def pids(self):
        return []

    def stop(self):
        async def close():
            self.server.close()
            for task in asyncio.all_tasks(self.loop):
                if task is not asyncio.current_task():
                    task.cancel()
        asyncio.run_coroutine_threadsafe(close(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)

    # The handler's part.

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_MAIL(self, server, session, envelope, address, options):
        said = self.doorman.at_stage("mail")
        if said is None and self.terms.messages and server.taken >= self.terms.messages:
            await server.push("421 4.7.0 Too many messages on this connection")
            server.transport.close()
            raise asyncio.CancelledError
        server.excused = bool(said)
        if said:
            return said
        envelope.mail_from = "" if address == "<>" else address
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        full = self.terms.recipients and len(envelope.rcpt_tos) >= self.terms.recipients
        said = (TOO_MANY_RECIPIENTS if full else self.doorman.at_rcpt(envelope.mail_from, address)
                or self.doorman.at_stage("rcpt"))
        if said:
            server.excused = True
            return said
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if self.terms.delay:
            await asyncio.sleep(self.terms.delay)
        said = self.doorman.at_stage("dot")
        if said:
            return said
        server.taken += 1
        self.ledger.write(describe(envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 taken"
