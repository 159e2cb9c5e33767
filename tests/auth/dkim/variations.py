"""Signed messages in many variations: changed after they were signed, and signed oddly."""

import base64
import hashlib
import pathlib
import re
import time

import dkim
import dkim.crypto

RSA_PEM = (pathlib.Path(__file__).resolve().parent / "data" / "rsa.pem").read_bytes()


# Changes: each takes a signed message, and gives another or None when it has nothing to change.

def split(message):
    at = message.index(b"\r\n\r\n") + 2
    return message[:at], message[at + 2:]


def in_header(pattern, by):
    def change(message):
        header, body = split(message)
        field, rest = own_field(header)
        changed = re.sub(pattern, by, rest, count=1)
        return None if changed == rest else field + changed + b"\r\n" + body
    return change


def own_field(header):
    """The signature on top, and what is below it."""
    end = re.search(rb"\r\n(?![ \t])", header).end()
    return header[:end], header[end:]


def in_body(pattern, by):
    def change(message):
        header, body = split(message)
        changed = re.sub(pattern, by, body, count=1)
        return None if changed == body else header + b"\r\n" + changed
    return change


CHANGES = {
    "nothing": lambda message: message,
    "name in upper case": in_header(rb"(?im)^subject:", b"SUBJECT:"),
    "space before the colon": in_header(rb"(?im)^subject:", b"Subject :"),
    "another space in a field": in_header(rb"(?im)^(subject: *\S+) ", rb"\1  "),
    "a field folded": in_header(rb"(?im)^(subject: *\S+) ", b"\\1\r\n "),
    "a space at the end of a field": in_header(rb"(?im)^(subject:[^\r]*)\r\n", b"\\1 \r\n"),
    "another subject": in_header(rb"(?im)^(subject: *)", rb"\1x"),
    "a field on top": lambda message: b"Subject: x\r\n" + message,
    "an unsigned field on top": lambda message: b"X-Other: x\r\n" + message,
    "an author on top": lambda message: b"From: x@x.example\r\n" + message,
    "a field below": lambda message: split(message)[0] + b"Subject: x\r\n\r\n" + split(message)[1],
    "the signature folded otherwise": lambda message: message.replace(b"; d=", b";\r\n\t d=", 1),
    "an octet of the body": in_body(rb"[a-z]", b"#"),
    "a line behind the body": lambda message: message + b"x\r\n",
    "empty lines behind the body": lambda message: message + b"\r\n\r\n",
    "a space behind the body": lambda message: message + b" \r\n",
    "an empty line before the body": in_body(rb"\A", b"\r\n"),
    "a space at the end of a line": in_body(rb"([a-z])\r\n", b"\\1 \r\n"),
    "another space in a line": in_body(rb"([a-z]) ([a-z])", rb"\1  \2"),
    "a tab for a space": in_body(rb"([a-z]) ([a-z])", b"\\1\t\\2"),
    "a space at the beginning of a line": in_body(rb"\r\n([a-z])", b"\r\n \\1"),
    "no line end at the end": in_body(rb"(\r\n)+\Z", b""),
    "no body": lambda message: split(message)[0] + b"\r\n",
}


# Signers.

def by_dkimpy(canon, length=False):
    def sign(message):
        header = message[:message.index(b"\r\n\r\n")].lower()
        names = [name for name in (b"from", b"to", b"subject", b"date", b"message-id")
                 if name == b"from" or re.search(rb"(?m)^" + name + rb"[ \t]*:", header)]
        signer = dkim.DKIM(message, linesep=b"\r\n")
        return signer.sign(b"rsa", b"fwd.example", RSA_PEM, canonicalize=canon,
                           include_headers=names, length=length) + message
    return sign


DKIMPY = {
    "dkimpy simple/simple": by_dkimpy((b"simple", b"simple")),
    "dkimpy relaxed/simple": by_dkimpy((b"relaxed", b"simple")),
    "dkimpy simple/relaxed": by_dkimpy((b"simple", b"relaxed")),
    "dkimpy relaxed/relaxed with l=": by_dkimpy((b"relaxed", b"relaxed"), True),
}


def by_anything(message, tags):
    """Signs relaxed/simple whatever the tags say; "{l}" is the length of the body."""
    header, body = split(message)
    body = re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"
    tags = tags.replace("{l}", str(len(body))).encode()
    if b"bh=" not in tags:
        tags += b"; bh=" + base64.b64encode(hashlib.sha256(body).digest())
    text = b""
    for name in (b"from", b"subject"):
        value = re.findall(rb"(?im)^" + name + rb":([^\r]*)\r\n", header)[-1]
        text += name + b":" + re.sub(rb"\s+", b" ", value).strip() + b"\r\n"
    text += b"dkim-signature:" + re.sub(rb"\s+", b" ", tags).strip() + b"; b="
    key = dkim.crypto.parse_pem_private_key(RSA_PEM)
    signature = base64.b64encode(
        dkim.crypto.RSASSA_PKCS1_v1_5_sign(hashlib.sha256(text), key))
    return b"DKIM-Signature: " + tags + b"; b=" + signature + b"\r\n" + message


PLAIN = (b"From: ann@x.example\r\nTo: bob@y.example\r\nSubject: Is dinner ready?\r\n\r\n"
         b"Hi.\r\n\r\nWe lost the game.\r\n")
GOOD_TAGS = "v=1; a=rsa-sha256; c=relaxed/simple; d=fwd.example; s=rsa; h=From:Subject"
NOW = int(time.time())
DAY = 86_400
ODD_TAGS = {
    "as it should be": {},
    "no version": {"v": None},
    "version 2": {"v": "2"},
    "version 01": {"v": "01"},
    "no canonicalization": {"c": None},
    "canonicalization of the header alone": {"c": "relaxed"},
    "unknown canonicalization": {"c": "relaxed/nofws"},
    "unknown algorithm": {"a": "rsa-sha512"},
    "algorithm in upper case": {"a": "RSA-SHA256"},
    "sha1": {"a": "rsa-sha1"},
    "no domain": {"d": None},
    "empty domain": {"d": ""},
    "domain in upper case": {"d": "FWD.Example"},
    "no selector": {"s": None},
    "empty selector": {"s": ""},
    "no names": {"h": None},
    "no author signed": {"h": "Subject"},
    "names with spaces": {"h": " From :\r\n Subject "},
    "names in lower case": {"h": "from:subject"},
    "colon behind the names": {"h": "From:Subject:"},
    "absent names": {"h": "From:Subject:Subject:Cc:X"},
    "identity": {"i": "ann@fwd.example"},
    "identity without local part": {"i": "@fwd.example"},
    "identity below": {"i": "ann@sub.fwd.example"},
    "identity in upper case": {"i": "Ann@FWD.EXAMPLE"},
    "identity elsewhere": {"i": "ann@x.example"},
    "identity of a similar name": {"i": "ann@badfwd.example"},
    "identity without at": {"i": "fwd.example"},
    "query": {"q": "dns/txt"},
    "unknown query": {"q": "http"},
    "known query among others": {"q": "http:dns/txt"},
    "length of the body": {"l": "{l}"},
    "length in hexadecimal": {"l": "0x10"},
    "length below zero": {"l": "-1"},
    "length beyond the body": {"l": "99999"},
    "time": {"t": str(NOW - 60)},
    "time in words": {"t": "now"},
    "time some hours ahead": {"t": str(NOW + DAY // 3)},
    "time in the future": {"t": str(NOW + 2 * DAY)},
    "expiry": {"t": str(NOW - 60), "x": str(NOW + DAY)},
    "expired": {"t": str(NOW - 3 * DAY), "x": str(NOW - 2 * DAY)},
    "expires before it was made": {"t": str(NOW - 60), "x": str(NOW - 120)},
    "expiry in words": {"x": "later"},
    "unknown tag": {"xyz": "something = else"},
    "copied fields": {"z": "From:ann@x.example|Subject:x"},
    "tag twice": {"d": "fwd.example; d=fwd.example"},
    "empty tag": {"s": "rsa; "},
    "tag without value": {"s": "rsa; r"},
    "tag name of digits": {"s": "rsa; 1=2"},
    "tag name in upper case": {"D": "x.example"},
    "tabs and folding": {"s": "\r\n\trsa \t\r\n "},
    "body hash of another body": {"bh": base64.b64encode(hashlib.sha256(b"x").digest()).decode()},
    "body hash that is no base64": {"bh": "!!!!"},
    "empty body hash": {"bh": ""},
}


def odd(tags):
    changed = dict(part.split("=", 1) for part in GOOD_TAGS.split("; "))
    for name, value in tags.items():
        if value is None:
            del changed[name]
        else:
            changed[name] = value
    return "; ".join(f"{name}={value}" for name, value in changed.items())
