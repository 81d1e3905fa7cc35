# SPDX-License-Identifier: ISC
# mail-headers.py PROGRAM: gives tests/mail-headers values that are hard to write into a header, has
# its output parsed by Python's e-mail package, and says what came out otherwise than it went in.
import random
import re
import subprocess
import sys
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime

HEADERS = ["Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted", "List-Unsubscribe",
           "List-Unsubscribe-Post"]

NASTY = [
    "",
    " ",
    "Order PO-7 was received",
    "Bestellung für Jörg: Größe übermäßig",
    "\U0001f6a8 Stockout \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "\U0001f6a8" * 100,
    "x" * 1000,
    "word " * 200 + "end",
    "ü" * 1000,
    "日本語の件名" * 40,
    'He said "no", \\ and left; <x@y.example>, (comment)',
    '"' * 60,
    "\\",
    "a@b.example, c@d.example; e",
    "two  blanks   in a row",
    "  blanks around  ",
    "line\r\nBcc: eve@evil.example",
    "line\nBcc: eve@evil.example\n\nbody",
    "line\r\n\r\n<script>",
    "tab\tand \x01\x7f controls \x1b[31m",
    "\u0085next\u2028line\u2029",
    "=?utf-8?q?x?=",
    "=?utf-8?q?x?= =?utf-8?b?eA==?=",
    "=?",
    "?=",
    "a=?b",
    "=?utf-8?q?=0d=0aBcc=3a?= x",
    "x" * 60 + " " + "y" * 61,
    "x" * 59 + "ü",
    "".join("x" * n + "ä" for n in range(40)),
    "a:b, c: d;",
    "\u202eright to left",
    "\ufeffmark",
]


def expected(text):
    """What mail_text.h says of a header's value, and without blanks at its ends."""
    text = text.replace("\r\n", "\n")
    return re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).strip(" ")


def mailbox(raw, header):
    """Name and address. The newer policy says who is addressed; its parser leaves the blanks between
    encoded words in a name, against RFC 2047 section 6.2, so the older one reads the name."""
    name, address = parseaddr(BytesParser(policy=policy.compat32).parsebytes(raw)[header])
    newer = BytesParser(policy=policy.default).parsebytes(raw)[header].addresses
    return (str(make_header(decode_header(name))), [address] + [one.addr_spec for one in newer])


def faults(program, subject, from_name, to_name):
    raw = subprocess.run([program, subject.encode(), from_name.encode(), to_name.encode()],
                         stdout=subprocess.PIPE, check=True).stdout
    if not raw.isascii() or b"\n" in raw.replace(b"\r\n", b"") or b"\r" in raw.replace(b"\r\n", b""):
        yield "bytes that cannot stand in a header"
    for line in raw.decode("ascii", "replace").split("\r\n"):
        words = re.findall(r"=\?UTF-8\?B\?[^?]*\?=", line)
        if len(line) > 78 or (words and len(line) > 76) or any(len(word) > 75 for word in words):
            if not line.startswith(" <https:"):
                yield f"a long line: {line}"
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    got = {
        "headers": mail.keys(),
        "body": mail.get_payload(),
        "defects": [str(one) for one in mail.defects] +
                   [str(one) for name in mail.keys() for one in mail[name].defects],
        "subject": mail["Subject"],
        "from": mailbox(raw, "From"),
        "to": mailbox(raw, "To"),
        "date": parsedate_to_datetime(mail["Date"]).isoformat(),
        "id": mail["Message-ID"],
        "list": mail["List-Unsubscribe"],
        "post": mail["List-Unsubscribe-Post"],
        "auto": mail["Auto-Submitted"],
    }
    want = {
        "headers": HEADERS,
        "body": "",
        "defects": [],
        "subject": expected(subject),
        "from": (expected(from_name), ["arda@acme.example"] * 2),
        "to": (expected(to_name), ["ann@works.example"] * 2),
        "date": "2026-02-08T12:14:56+00:00",
        "id": "<0d8a4a3e-5b1c-4f0e-9a53-0a5c8a2b7d11@acme.example>",
        "list": "<https://arda.example/notifications/unsubscribe?token=a.b.c>",
        "post": "List-Unsubscribe=One-Click",
        "auto": "auto-generated",
    }
    for key, value in want.items():
        if got[key] != value:
            yield f"{key}: expected {value!r}, got {got[key]!r}"


def main():
    found = 0
    seed = random.randrange(1 << 32)
    source = random.Random(seed)
    rows = [(text, NASTY[-1 - i], NASTY[i - 7]) for i, text in enumerate(NASTY)]
    rows += [(text, text, text) for text in NASTY]
    alphabet = 'ab  "\\<>@,=?_ü\U0001f6a8\n\r\t'
    rows += [tuple("".join(source.choice(alphabet) for _ in range(source.randrange(150)))
                   for _ in range(3)) for _ in range(40)]
    for row in rows:
        for fault in faults(sys.argv[1], *row):
            found += 1
            print(f"{row!r}: {fault}")
    print(f"{len(rows)} e-mails, {found} faults, seed {seed}")
    return 1 if found else 0


sys.exit(main())
