# SPDX-License-Identifier: ISC
# client.js with Debian's python3-socketio: client.py URL TOKEN TRANSPORTS [JSON]... prints the same
# lines of {"connect":…}, {"transport":…}, {"event":…,"args":[…]}, {"error":…} and {"disconnect":…},
# and emits each JSON array behind a connect. TRANSPORTS as in --transports; both is an upgrade.
import asyncio
import json
import signal
import sys

import socketio

url, token, transports = sys.argv[1:4]
emits = [json.loads(text) for text in sys.argv[4:]]
client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.2, randomization_factor=0)


def report(**values):
    print(json.dumps(values), flush=True)


@client.event
async def connect():
    report(transport=client.transport())
    report(connect=client.get_sid())
    for emit in emits:
        await client.emit(emit[0], tuple(emit[1:]))


@client.event
async def connect_error(error):
    report(error=error["message"] if isinstance(error, dict) else str(error))


@client.event
async def disconnect():
    report(disconnect=True)


@client.on("*")
async def anything(event, *args):
    report(event=event, args=args)


# Not client.wait(), which ends with a reconnection that takes less than a second.
async def main():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await client.connect(url, auth={"token": token}, transports=transports.split(","))
    await ended.wait()
    await client.disconnect()


asyncio.run(main())
