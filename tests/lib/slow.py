# SPDX-License-Identifier: ISC
# Readers that stall among many that do not: slow.py GATEWAY-PID GATEWAY-LOG MAX-QUEUE, with GATEWAY_URL,
# REDIS_PORT and GATEWAY_SECRET. In each tenant some clients read and some stop behind `connected`, with
# small receive buffers. 4 MB are published per tenant, no further ahead of the reading ones than a
# window, so that who waits for a stalled one waits for ever. Prints what became of them as JSON.
import base64
import hashlib
import hmac
import json
import os
import selectors
import socket
import sys
import time
from urllib.parse import urlsplit

TENANTS, CLIENTS, STALLED = 10, 50, 2
EVENT_BYTES, TENANT_BYTES, WINDOW = 4096, 4 << 20, 128 << 10
DEADLINE = time.monotonic() + 90

pid, log, max_queue = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
gateway = urlsplit(os.environ["GATEWAY_URL"])
poller = selectors.DefaultSelector()


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(tenant, user):
    text = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(json.dumps({"sub": user, "tenantId": tenant}).encode())
    secret = os.environ["GATEWAY_SECRET"].encode()
    return (text + b"." + encode(hmac.new(secret, text, hashlib.sha256).digest())).decode()


def connect(tenant, user):
    return b"40" + json.dumps({"token": token(tenant, user)}).encode()


def client_frame(text):
    head = bytes([0x81, 0x80 | len(text)]) if len(text) < 126 else bytes([0x81, 0xFE]) + len(text).to_bytes(2, "big")
    return head + bytes(4) + text


def server_frame(text):
    return bytes([0x81, 126]) + len(text).to_bytes(2, "big") + text


def open_socket(receive_buffer):
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.settimeout(60)
    raw.connect((gateway.hostname, gateway.port))
    return raw


def check(condition, text):
    if not condition:
        sys.exit("slow.py: " + text)


class Tenant:
    def __init__(self, number):
        self.name = "tenant-%d" % number
        pad = "x" * EVENT_BYTES
        self.events = []
        for i in range(TENANT_BYTES // EVENT_BYTES):
            event = '{"type":"big","tenantId":"%s","n":%d,"pad":"%s"}' % (self.name, i, pad)
            self.events.append(event.encode())
        # All that a WebSocket gets.
        self.view = memoryview(b"".join(server_frame(b'42["big",' + event + b"]") for event in self.events))
        self.published = self.published_bytes = 0


class Reader:
    """A WebSocket; `at` is its place in the tenant's stream."""

    def __init__(self, tenant, user, receive_buffer=0):
        self.tenant, self.user, self.at, self.rest = tenant, user, 0, b""
        self.raw = open_socket(receive_buffer)
        self.raw.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + client_frame(connect(tenant.name, user)))

    # Up to the end of the frame of `connected`, byte by byte at the end, since events may follow.
    def wait_connected(self):
        seen = b""
        while not (b'42["connected"' in seen and seen.endswith(b"}]")):
            piece = self.raw.recv(1)
            check(piece, "closed before it was connected: %r" % seen)
            seen += piece

    # What is not the stream goes on as `rest`.
    def take(self, piece):
        wanted = self.tenant.view[self.at:self.at + len(piece)]
        if wanted == piece:
            self.at += len(piece)
            return
        same = next(i for i in range(len(piece)) if i >= len(wanted) or wanted[i] != piece[i])
        self.at += same
        self.rest += piece[same:]

    def drain(self):
        self.raw.settimeout(60)
        try:
            while self.at < self.tenant.view.nbytes:
                piece = self.raw.recv(1 << 16)
                if not piece:
                    return
                if self.rest:
                    self.rest += piece
                else:
                    self.take(piece)
        except ConnectionResetError:
            self.rest += b"reset"


class Polling:
    """Opens a session, and then polls no more, or does not read the answer."""

    def __init__(self, tenant, user, asks):
        self.raw = open_socket(4096)
        self.path = b"/socket.io/?EIO=4&transport=polling"
        self.path += b"&sid=" + json.loads(self.exchange(b"GET")[1:])["sid"].encode()
        check(self.exchange(b"POST", connect(tenant.name, user)) == b"ok", "a POST is not answered with ok")
        check(b'"connected"' in self.exchange(b"GET"), "a client that polls is not connected")
        if asks:
            self.send(b"GET")

    def send(self, method, body=b""):
        self.raw.sendall(b"%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (method, self.path, len(body), body))

    def exchange(self, method, body=b""):
        self.send(method, body)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.raw.recv(1)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer = b""
        while len(answer) < length:
            answer += self.raw.recv(length - len(answer))
        return answer

    # The number of events that one more request brings, or what it says instead.
    def ask(self):
        self.raw.close()
        self.raw = open_socket(0)
        answer = self.exchange(b"GET").decode()
        return answer.count('"type":"big"') if answer.startswith("42") else answer


def memory(key):
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))


def publish(redis, tenants):
    command = b""
    for tenant in tenants:
        # The slowest of those that read sets the pace.
        slowest = min(reader.at for reader in tenant.readers)
        while tenant.published < len(tenant.events) and tenant.published_bytes - slowest < WINDOW:
            event = tenant.events[tenant.published]
            channel = b"arda:events:" + tenant.name.encode()
            command += b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(channel), channel, len(event), event)
            tenant.published_bytes = tenant.view.nbytes * (tenant.published + 1) // len(tenant.events)
            tenant.published += 1
    if command:
        redis.setblocking(True)
        redis.sendall(command)


def on_readable(reader):
    try:
        piece = reader.raw.recv(1 << 17)
    except BlockingIOError:
        return
    check(piece, "%s %s was closed" % (reader.tenant.name, reader.user))
    reader.take(piece)
    check(not reader.rest, "%s %s got at %d: %r" % (reader.tenant.name, reader.user, reader.at, reader.rest[:60]))


def dropped():
    with open(log) as file:
        return [line for line in file if "slow reader disconnected" in line]


def outcome(reader):
    reader.drain()
    if reader.rest == b"" and reader.at == reader.tenant.view.nbytes:
        return "caught up"
    return {b"\x88\x02\x03\xf5": "1013", b"reset": "reset"}.get(reader.rest, repr(reader.rest[:40]))


def main():
    tenants = [Tenant(i) for i in range(TENANTS)]
    stalled = []
    for tenant in tenants:
        tenant.readers = [Reader(tenant, "reader-%d" % i) for i in range(CLIENTS - STALLED)]
        stalled += [Reader(tenant, "stalled-%d" % i, 4096) for i in range(STALLED)]
    readers = [reader for tenant in tenants for reader in tenant.readers]
    for reader in readers + stalled:
        reader.wait_connected()
    polling = [Polling(tenants[0], "silent", False), Polling(tenants[1], "deaf", True)]
    for reader in readers:
        reader.raw.setblocking(False)
        poller.register(reader.raw, selectors.EVENT_READ, lambda reader=reader: on_readable(reader))
    redis = socket.create_connection(("127.0.0.1", int(os.environ["REDIS_PORT"])))
    poller.register(redis, selectors.EVENT_READ, lambda: redis.recv(1 << 16))
    before, outcomes, lines = memory("VmRSS"), {}, []
    while any(reader.at < reader.tenant.view.nbytes for reader in readers):
        check(time.monotonic() < DEADLINE, "those that read did not get everything")
        publish(redis, tenants)
        for key, _ in poller.select(1):
            key.data()
        if not outcomes and len(dropped()) == len(stalled) + len(polling):
            outcomes = {reader.tenant.name + " " + reader.user: outcome(reader) for reader in stalled}
    after = memory("VmHWM")
    for reader in stalled:
        name = reader.tenant.name + " " + reader.user
        if name not in outcomes:
            outcomes[name] = outcome(reader)
    counts = {}
    for text in outcomes.values():
        counts[text] = counts.get(text, 0) + 1
    print(json.dumps({"readers": len(readers), "stalled": counts, "polling": [client.ask() for client in polling],
                      "dropped": len(dropped()), "grown": after - before, "bound": TENANTS * max_queue}))


main()
