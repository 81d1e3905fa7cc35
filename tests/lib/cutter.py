#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The way to Redis, where answers get lost: cutter.py REDIS_PORT MODE [COUNT [SEED]]

Everything that a client sends reaches Redis. Its answers do not all reach the client:

  some   COUNT times a connection is cut behind some of the answers to publications
  all    no answer to a publication arrives, and the connection is cut, each time

Prints the port it listens on. A connection is cut once Redis has answered what had been sent on it.
"""
import asyncio
import random
import sys

redis_port, mode = int(sys.argv[1]), sys.argv[2]
cuts_left = int(sys.argv[3]) if len(sys.argv) > 3 else 0
chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)


class Connection:
    def __init__(self, reader, writer):
        self.client_reader, self.client_writer = reader, writer
        self.publishes = False
        self.budget = None

    def may_pass(self, size):
        """How many bytes of an answer go on; the rest is lost."""
        global cuts_left
        if not self.publishes:
            return size
        if mode == "all":
            return 0
        if self.budget is None and cuts_left > 0:
            self.budget = chance.randrange(1, 30000)
        if self.budget is None or size <= self.budget:
            self.budget = None if self.budget is None else self.budget - size
            return size
        cuts_left -= 1
        return self.budget

    async def to_redis(self):
        while data := await self.client_reader.read(65536):
            self.publishes = self.publishes or b"EXEC" in data or b"EVALSHA" in data
            self.redis_writer.write(data)
            await self.redis_writer.drain()

    async def to_client(self):
        while data := await self.redis_reader.read(65536):
            passing = self.may_pass(len(data))
            self.client_writer.write(data[:passing])
            await self.client_writer.drain()
            if passing < len(data):
                return

    async def run(self):
        self.redis_reader, self.redis_writer = await asyncio.open_connection("127.0.0.1", redis_port)
        up = asyncio.create_task(self.to_redis())
        down = asyncio.create_task(self.to_client())
        await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
        self.client_writer.close()
        self.redis_writer.write_eof()
        if down.done():
            while await self.redis_reader.read(65536):
                pass
        for task in (up, down):
            task.cancel()
        self.redis_writer.close()


async def serve(reader, writer):
    try:
        await Connection(reader, writer).run()
    except (ConnectionError, OSError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
