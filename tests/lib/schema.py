#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""schema.py COMMAND...: holds --schema against what the program itself accepts.

Of each type a right event is changed in many ways; the program, with --dry-run, and an independent
validator of JSON Schema have to agree on each of them.
"""
import copy
import json
import subprocess
import sys

import jsonschema

command = sys.argv[1:]
loose = "--loose-ids" in command
ID = "0a1b2c3d-0000-4000-8000-00000000000A"

values = [
    None, True, 0, 1, -1, 100, 100.5, 1e9, 999999999, 1000000000, "", "x", "a b", "global", [], [ID],
    [ID, "x y"], [None], {}, ID, ID[:-1], ID + "0", ID.replace("-", "_"), "x" * 64, "x" * 65, "é",
    "2026-02-08T12:00:00Z", "2026-02-08T12:00:00.123456+01:00", "2026-02-08t12:00:00z",
    "2026-02-08 12:00:00-23:59", "2026-02-08T12:00:00", "2026-02-08", "2026-13-08T12:00:00Z",
    "2026-04-31T12:00:00Z", "2026-02-30T12:00:00Z", "2024-02-29T12:00:00Z", "2026-02-08T24:00:00Z",
    "2016-12-31T23:59:60Z", "2026-02-08T12:00:00+24:00", "2026-02-08T12:00:00.Z", "manual", "scan",
    "triggered", "purchase_order", "card_triggered", "reorder_point", "tirggered", "\ud800",
]


def lines(*arguments, stdin=""):
    done = subprocess.run([*command, *arguments], input=stdin, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def accepted(events):
    """Which of them the program would publish, by a number that each carries."""
    text = "".join(json.dumps({**event, "n": n}) + "\n" for n, event in enumerate(events))
    return {json.loads(line)["n"] for line in lines("--dry-run", stdin=text)}


def right_event(schema):
    event = {}
    for name, rule in schema["properties"].items():
        for value in [rule.get("const"), *rule.get("enum", []), ID, "2026-02-08T12:00:00Z", 1, [ID]]:
            if value is not None and jsonschema.Draft202012Validator(rule).is_valid(value):
                event[name] = value
                break
    return event


def variants(event):
    yield event
    yield {**event, "more": {"of": ["this"]}}
    for name in event:
        if name == "type":
            continue
        without = copy.copy(event)
        del without[name]
        yield without
        for value in values:
            yield {**event, name: value}


def check(name):
    schema = json.loads("\n".join(lines("--schema", name)))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    # What is missing of these is filled in.
    filled_in = {"timestamp": "2026-02-08T12:00:00Z"}
    events = list(variants(right_event(schema)))
    published = accepted(events)
    # Whose event it is may be nobody's in the schema of no type; the empty tenant is none.
    wrong = [
        event
        for n, event in enumerate(events)
        if (n in published) != validator.is_valid({**filled_in, **event})
    ]
    for event in wrong:
        print(f"{name}: the two disagree on {json.dumps(event)}", file=sys.stderr)
    right = len(published)
    if not 10 < right < len(events) - 100:
        print(f"{name}: {right} of {len(events)} are accepted, which tests little", file=sys.stderr)
        return 1
    return len(wrong)


names = [line.split()[0] for line in lines("--help", "types")]
sys.exit(any([check(name) for name in names]) or len(names) != 6)
