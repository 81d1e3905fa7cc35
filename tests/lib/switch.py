#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An address that leads to one server and later to another: switch.py PORT [OTHER_PORT...]

Prints the port it listens on, and then for each connection the port it has been led to. After SIGUSR2 new connections go to the next of the servers; those
that are open stay where they are.
"""
import asyncio
import signal
import sys

targets = [int(port) for port in sys.argv[1:]]


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def serve(reader, writer):
    print(targets[0], flush=True)
    try:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", targets[0])
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))


async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR2, lambda: targets.pop(0))
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
