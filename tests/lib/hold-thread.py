# SPDX-License-Identifier: ISC
# hold-thread.py PID NAME: stops the thread of that name, and no other, until standard input ends.
# Prints "held". Exits with 77 when the system does not allow it.
import ctypes
import os
import sys

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, tid):
    if libc.ptrace(request, tid, None, None) < 0:
        print(os.strerror(ctypes.get_errno()), file=sys.stderr)
        sys.exit(77)


pid, name = sys.argv[1:]
tasks = f"/proc/{pid}/task"
named = [int(t) for t in os.listdir(tasks) if open(f"{tasks}/{t}/comm").read().strip() == name]
tid = named[0]
ptrace(SEIZE, tid)
ptrace(INTERRUPT, tid)
os.waitpid(tid, WALL)
print("held", flush=True)
sys.stdin.read()
ptrace(DETACH, tid)
