# SPDX-License-Identifier: ISC
"""When the messages of a channel arrive, against the schedule that each of them tells:

    arrivals.py REDIS-PORT CHANNEL COUNT

A message has a member `dueUs`, microseconds after the beginning. The one that is least late tells
when the schedule has begun. Prints `ready` when subscribed, and at the end a line of JSON with the
lateness in milliseconds.
"""
import json
import socket
import sys
import time


def replies(stream):
    """The third elements of the messages that Redis pushes, with their times."""
    while True:
        header = stream.readline()
        now = time.monotonic_ns()
        if not header:
            return
        elements = []
        for _ in range(int(header[1:])):
            line = stream.readline()
            if line[:1] == b"$":
                elements.append(stream.read(int(line[1:]) + 2)[:-2])
            else:
                elements.append(line)
        yield now, elements[0], elements[2]


def share(values, part):
    return values[min(len(values) - 1, int(len(values) * part))]


def main():
    port, channel, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"SUBSCRIBE %s\r\n" % channel.encode())
    offsets = []
    for now, kind, body in replies(connection.makefile("rb")):
        if kind == b"subscribe":
            print("ready", flush=True)
            continue
        offsets.append(now / 1000 - json.loads(body)["dueUs"])
        if len(offsets) == count:
            break
    begin = min(offsets)
    late = sorted((offset - begin) / 1000 for offset in offsets)
    print(json.dumps({"messages": len(late), "p50Ms": round(share(late, 0.5), 3),
                      "p99Ms": round(share(late, 0.99), 3), "maxMs": round(late[-1], 3)}))


main()
