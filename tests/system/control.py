"""The relay's control socket, asked directly: a process for each question would be most of the load."""

import json
import socket


def ask(relay, verb, **fields):
    """What it says, one object a line: (exit code, objects)."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(300)
        s.connect(relay.path("control.sock"))
        s.sendall(json.dumps({"v": 1, "verb": verb, **fields}).encode() + b"\n")
        text = b""
        while more := s.recv(1 << 16):
            text += more
    *objects, end = [json.loads(line) for line in text.splitlines()]
    return end["exit"], objects


def status(relay):
    _, (found, *_) = ask(relay, "status")
    return found


def waiting(relay):
    """Messages in the queue, DSNs among them."""
    return status(relay)["queue"]["messages"]


def progress(relay):
    """Something that changes with every copy that ends."""
    found = status(relay)
    return found["queue"]["messages"], found["queue"]["waiting"], tuple(found["ended"].values())
