# SPDX-License-Identifier: ISC
"""Reads the lines of smtp-sink.py and writes each e-mail as a JSON line: its envelope, and what
Python's e-mail package finds in it, with all that is wrong with it under "faults"."""
import base64
import json
import re
import sys
from email import policy
from email.parser import BytesParser


def faults(raw, mail):
    if b"\n" in raw.replace(b"\r\n", b"") or b"\r" in raw.replace(b"\r\n", b""):
        yield "a line end that is not CR LF"
    if not raw.isascii() or b"\0" in raw:
        yield "bytes that are no ASCII"
    for line in raw.split(b"\r\n"):
        if len(line) > 78 and not line.startswith((b" <http", b"Content-Type: multipart")):
            yield f"a long line: {line[:100]!r}"
    for part in mail.walk():
        for defect in part.defects:
            yield str(defect)
        for name in part.keys():
            for defect in part[name].defects:
                yield f"{name}: {defect}"
        if len(part.keys()) != len({name.lower() for name in part.keys()}):
            yield f"a header twice: {part.keys()}"


for text in sys.stdin:
    line = json.loads(text)
    if "mail" not in line and "refused" not in line:
        continue
    raw = base64.b64decode(line.pop("raw"))
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    parts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
    line["headers"] = {name: re.sub(r"\s*\r?\n\s*", " ", str(mail[name])).strip()
                       for name in sorted(mail.keys())}
    line["type"] = mail.get_content_type()
    line["to_addresses"] = [one.addr_spec for one in mail["To"].addresses]
    line["kinds"] = [part.get_content_type() for part in mail.iter_parts()]
    line["plain"] = parts.get("text/plain", "").replace("\r\n", "\n")
    line["html"] = parts.get("text/html", "").replace("\r\n", "\n")
    line["faults"] = list(faults(raw, mail))
    print(json.dumps(line))
