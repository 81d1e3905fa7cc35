// SPDX-License-Identifier: ISC
// Clients that try to make a gateway hold much: bounds.js CASE, with GATEWAY_URL, GATEWAY_PID, and TOKEN
// where the case joins. Ends with 0 when the gateway has kept its bounds.
'use strict';
const assert = require('assert');
const fs = require('fs');
const zlib = require('zlib');
const { Raw, frame, request, handshake } = require('./raw.js');
const { Polling, WebSocket } = require('./session.js');

const PATH = '/socket.io';
const UNKNOWN = 'sid=AAAAAAAAAAAAAAAAAAAA';
const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];
const MB = 1000000;
const port = Number(new URL(process.env.GATEWAY_URL).port);
const connect = `40${JSON.stringify({ token: process.env.TOKEN })}`;

// The most memory that the gateway has occupied so far.
function peak() {
  const status = fs.readFileSync(`/proc/${process.env.GATEWAY_PID}/status`, 'latin1');
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)[1]) * 1024;
}

// What the other side takes of `piece`, written again and again until the connection is gone.
async function pour(raw, piece, most) {
  let taken = 0;
  while (!raw.end && taken < most) {
    const done = raw.write(piece).then(() => true);
    if (!(await Promise.race([done, raw.gone()]))) break;
    taken += piece.length;
  }
  return taken;
}

const repeated = (bytes, size) => Buffer.concat(Array(Math.ceil(size / bytes.length)).fill(bytes));

// A connection that is to upgrade a session, and reads nothing from now on.
async function probe() {
  const session = await Polling.open(port, PATH);
  const { raw } = await session.upgrade();
  raw.socket.pause();
  return raw;
}

// ---- more than one path to the wire ----

const cases = {
  // All that is taken is what the kernel's buffers hold, in both directions.
  async 'pings of a probe that reads nothing'() {
    const raw = await probe();
    const taken = await pour(raw, repeated(frame(PING, 'x'.repeat(125)), MB), 500 * MB);
    assert.ok(taken < 50 * MB, `${taken} bytes were taken`);
  },
  // What a client may send a second holds for them, too: the session ends.
  async 'pings of a probe that reads'() {
    for (const opcode of [PING, PONG]) {
      const session = await Polling.open(port, PATH);
      const { raw } = await session.upgrade();
      await raw.write(repeated(frame(opcode), 6 * 100));
      await raw.gone();
      await session.unknown();
      session.close();
    }
  },
  async 'unasked pongs count'() {
    const ws = await WebSocket.open(port, PATH);
    await ws.raw.write(repeated(frame(PONG), 6 * 100));
    assert.strictEqual((await ws.raw.frame()).code, 1008);
  },
};

(async () => {
  try {
    await cases[process.argv[2]]();
    process.exit(0);
  } catch (error) {
    console.log(error.stack);
    process.exit(1);
  }
})();
