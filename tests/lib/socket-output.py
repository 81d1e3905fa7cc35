# SPDX-License-Identifier: ISC
"""Runs a command whose standard output is a socket: what is read late is whole, and while nobody
reads SIGTERM ends it promptly. usage: socket-output.py COMMAND..."""

import select
import signal
import socket
import subprocess
import sys
import time


def launch():
    """The command, once it waits for us: its small buffer is full, and it sleeps."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=theirs)
    deadline = time.monotonic() + 30
    while select.select([], [theirs], [], 0)[1] or not sleeps(process.pid):
        assert process.poll() is None and time.monotonic() < deadline, "it does not fill the socket"
        time.sleep(0.02)
    theirs.close()
    return process, ours


def sleeps(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


process, ours = launch()
whole = b"".join(iter(lambda: ours.recv(65536), b""))
assert process.wait(30) == 0, process.returncode
expected = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
assert len(whole) == len(expected.stdout) and whole.endswith(b"\n"), (len(whole), len(expected.stdout))

process, ours = launch()
process.send_signal(signal.SIGTERM)
try:
    assert process.wait(5) == -signal.SIGTERM, process.returncode
finally:
    process.kill()
