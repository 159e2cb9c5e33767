"""Moods of destinations. At every step a mood gives no reply of its own, or one, or leaves (Gone), or
takes its time (Pause). All randomness comes from the seed."""

import asyncio
import time

TOO_MANY_RECIPIENTS = b"452 4.5.3 Too many recipients\r\n"
TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections\r\n"
GOING = b"421 4.3.2 Going down\r\n"


class Gone(Exception):
    """The connection ends, after these words."""

    def __init__(self, words=b""):
        super().__init__()
        self.words = words


class Pause(Exception):
    """Nothing is said for so long, and then what `then` returns or raises."""

    def __init__(self, seconds, then):
        super().__init__()
        self.seconds, self.then = seconds, then


def leave(words=b""):
    raise Gone(words)


class Door:
    """A listening socket that can be closed for a while; connections that are there go on."""

    def __init__(self, make_session, port):
        self.make_session, self.port = make_session, port
        self.server = None

    async def open(self):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self.make_session, "127.0.0.1", self.port, backlog=512)

    def close(self):
        self.server.close()


class Healthy:
    def __init__(self, rng):
        self.rng = rng
        self.open = 0  # connections

    def at(self, session, step):
        """At banner, EHLO, MAIL, RCPT, DATA, and `taken`, when a message is and its 250 is not said yet."""

    def rcpt(self, session, decide):
        return decide()

    def dot(self, session, taken):
        return taken()

    async def mind(self, door):
        """Its actions besides its sessions."""


class Slow(Healthy):
    """Takes a third of a second for each message."""

    def dot(self, session, taken):
        raise Pause(0.3, taken)


class Hesitant(Healthy):
    """Thinks for a third of a second about each recipient."""

    def rcpt(self, session, decide):
        raise Pause(0.3, decide)


class Limiting(Healthy):
    """Two recipients at a time."""

    def at(self, session, step):
        return TOO_MANY_RECIPIENTS if step == "RCPT" and len(session.recipients) >= 2 else None


class Closing(Healthy):
    """Three messages a connection; then it closes without a word, at once or when the next one begins."""

    def at(self, session, step):
        if step == "MAIL" and session.taken >= 3:
            leave()
        if step == "taken" and session.taken >= 3 and self.rng.random() < 0.5:
            session.leaving = True


class Breaking(Healthy):
    """Breaks off anywhere; at the end of data with the message or without it."""

    share, words = 0.05, b""

    def at(self, session, step):
        if step != "taken" and self.rng.random() < self.share:
            leave(self.words)

    def dot(self, session, taken):
        if self.rng.random() < self.share:
            if self.rng.random() < 0.5:
                taken()
            leave()
        return taken()


class Goodbye(Breaking):
    """Says 421 anywhere before the end of data."""

    words = GOING

    def dot(self, session, taken):
        return taken()


class Silent(Healthy):
    """Says nothing for some seconds, anywhere before the end of data, and then breaks off."""

    def at(self, session, step):
        if step != "taken" and self.rng.random() < 0.04:
            raise Pause(self.rng.uniform(2, 6), leave)


class Refusing(Healthy):
    """Two connections at once, and now and then none: it does not even listen."""

    def at(self, session, step):
        if step == "banner" and self.open > 2:
            leave(TOO_MANY_CONNECTIONS)

    async def mind(self, door):
        while True:
            await asyncio.sleep(self.rng.uniform(1, 3))
            door.close()
            await asyncio.sleep(self.rng.uniform(0.2, 0.8))
            await door.open()


class Trap(Healthy):
    """Takes the first recipient, limits the others, closes behind the message, and has no time for a new
    connection for a moment: copies that wait behind must not get the outcome of the copy that was taken."""

    def __init__(self, rng):
        super().__init__(rng)
        self.closed_until = 0.0

    def at(self, session, step):
        if step == "banner" and time.monotonic() < self.closed_until:
            leave(TOO_MANY_CONNECTIONS)
        if step == "RCPT" and session.recipients:
            return TOO_MANY_RECIPIENTS
        if step == "taken":
            session.leaving = True
            self.closed_until = time.monotonic() + 0.4
        return None


class Tarpit(Healthy):
    """Silent at MAIL for longer than anybody should wait; relents after a while, so that a run ends."""

    patience, relents_after = 12.0, 14.0

    def __init__(self, rng):
        super().__init__(rng)
        self.since = None

    def at(self, session, step):
        self.since = self.since or time.monotonic()
        if step == "MAIL" and time.monotonic() < self.since + self.relents_after:
            raise Pause(self.patience, leave)


class Puddle(Tarpit):
    """A tarpit for those who have little time."""

    patience, relents_after = 7.0, 8.0


MOODS = {kind.__name__.lower(): kind
         for kind in (Healthy, Slow, Hesitant, Limiting, Closing, Breaking, Goodbye, Silent, Refusing, Trap,
                      Tarpit, Puddle)}
