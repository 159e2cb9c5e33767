"""The folder of conformance vectors: $VECTORS, or shared/vectors beside the project. Any folder of the same
form will do, with other cases and with parts missing; tests/vectors.hpp is the same for C++."""

import json
import os
import pathlib
import unittest

NAMED = os.environ.get("VECTORS")
OWN = pathlib.Path(__file__).resolve().parents[2] / "shared" / "vectors"
FOLDER = pathlib.Path(NAMED or OWN)
OTHER = not (FOLDER.exists() and OWN.exists() and FOLDER.samefile(OWN))  # nothing is known of what is in it


def need(part):
    """Skips the test for want of a part. In CI a folder must be there, and the project's own is whole."""
    if (FOLDER / part).exists():
        return
    if os.environ.get("CI") == "true" and not (NAMED and FOLDER.is_dir()):
        raise AssertionError(f"no vectors at {FOLDER / part}")
    raise unittest.SkipTest(f"no vectors at {FOLDER / part}")


def cases(part):
    """Those of `part`/cases.json: the case, and the octets of its message. One whose message is missing is
    passed over."""
    for case in json.loads((FOLDER / part / "cases.json").read_text("utf-8"))["cases"]:
        message = FOLDER / part / case["file"]
        if message.exists():
            yield case, message.read_bytes()
        else:
            print(f"skipped: no message {message}")
