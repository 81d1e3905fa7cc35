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

// A WebSocket that has joined the namespace.
async function joined() {
  const ws = await WebSocket.open(port, PATH);
  await ws.send(connect);
  for (let packet = ''; !packet.startsWith('42["connected"'); ) packet = await ws.packet();
  return ws;
}

// An event with that many attachments still to come.
const announce = (count) => `45${count}-["x"${',{"_placeholder":true,"num":0}'.repeat(count)}]`;

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

  // ---- packets that come in parts ----

  async 'attachments before joining'() {
    const ws = await WebSocket.open(port, PATH);
    await ws.send(announce(1));
    assert.deepStrictEqual(await ws.raw.frame().then(({ opcode, code }) => [opcode, code]), [CLOSE, undefined]);
    const session = await Polling.open(port, PATH);
    await session.post(announce(1));
    await session.unknown();
    session.close();
  },
  async 'attachments in sum'() {
    const ws = await joined();
    await ws.send(announce(2), Buffer.alloc(0.6 * MB));
    await ws.send(Buffer.alloc(0.3 * MB), '42["ping"]');
    assert.match(await ws.packet(), /^42\["pong"/);
    await ws.send(announce(2), Buffer.alloc(0.6 * MB), Buffer.alloc(0.6 * MB));
    assert.strictEqual((await ws.raw.frame()).code, 1009);
  },
  // 170 kB that say 173 MB.
  async 'attachments that are compressed'() {
    const raw = await Raw.open(port);
    await raw.write(handshake(`${PATH}/?EIO=4&transport=websocket`, { 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
    assert.match((await raw.answer()).headers['sec-websocket-extensions'], /deflate/);
    await raw.write(frame(TEXT, connect));
    while (!(await raw.frame()).payload.toString().startsWith('42["connected"'));
    const zeros = zlib.deflateRawSync(Buffer.alloc(0.9 * MB), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
    await raw.write(frame(TEXT, announce(10)));
    for (let i = 0; i < 9; i++) await raw.write(frame(BINARY, zeros, { rsv: 4 }));
    let got = {};
    while (got.opcode !== CLOSE) got = await raw.frame();
    assert.strictEqual(got.code, 1009);
  },
  async 'attachments that do not come'() {
    const ws = await joined();
    await ws.send(announce(2), Buffer.alloc(10));
    assert.deepStrictEqual(await ws.raw.frame().then(({ opcode, code }) => [opcode, code]), [CLOSE, undefined]);
    const session = await Polling.open(port, PATH);
    await session.post(connect);
    while (!(await session.get()).body.includes('"connected"'));
    await session.post(announce(1));
    assert.deepStrictEqual(await session.get().then(({ status, body }) => [status, body]), [200, '1']);
    await session.unknown();
    session.close();
  },
  // Pings between its fragments do not give it more time.
  async 'a message that does not end'() {
    const ws = await joined();
    await ws.raw.write(frame(TEXT, '42["x","', { fin: false }));
    let got = {};
    while (got.opcode !== CLOSE) {
      await ws.raw.write(frame(PING));
      got = await ws.raw.frame();
    }
    assert.strictEqual(got.code, undefined);
  },
  // Each of the writes ends within a message, for much longer than one may take.
  async 'messages without a pause'() {
    const ws = await joined();
    const [message, cut] = [frame(TEXT, '42["ping"]'), 7];
    const end = Date.now() + 2000;
    await ws.raw.write(message.subarray(0, cut));
    while (Date.now() < end) {
      await ws.raw.write(Buffer.concat([message.subarray(cut), message.subarray(0, cut)]));
      assert.match(await ws.packet(), /^42\["pong"/);
    }
    await ws.raw.write(message.subarray(cut));
    assert.match(await ws.packet(), /^42\["pong"/);
    await ws.bye();
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
