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

// Opens COUNT sessions over one connection, with these headers; their ids.
async function openMany(count, headers = {}) {
  const raw = await Raw.open(port);
  const open = request('GET', `${PATH}/?EIO=4&transport=polling`, headers);
  const sids = [];
  while (sids.length < count) {
    const some = Math.min(100, count - sids.length);
    await raw.write(repeated(open, open.length * some));
    for (let i = 0; i < some; i++) sids.push(JSON.parse((await raw.answer()).body.slice(1)).sid);
  }
  raw.close();
  return sids;
}

// Whether each of the sessions is known, by a POST of a pong that nobody asked for.
async function areKnown(sids) {
  const known = [];
  const raw = await Raw.open(port);
  for (const sid of sids) {
    await raw.write(request('POST', `${PATH}/?EIO=4&transport=polling&sid=${sid}`, {}, '3'));
    known.push((await raw.answer()).status === 200);
  }
  raw.close();
  return known;
}

// ---- a gateway that runs out of descriptors ----

const adminPort = Number(new URL(process.env.ADMIN_URL || 'http://none:0').port);
const crowd = (to, count) => Promise.all(Array.from({ length: count }, () => Raw.open(to)));

async function eventually(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function refusals(admin) {
  await admin.write(request('GET', '/metrics', { Host: 'localhost' }));
  const { body } = await admin.answer();
  return Number(/arda_gateway_refusals_total\{cause="descriptors"\} (\d+)/.exec(body)[1]);
}

async function isServed(raw) {
  raw.write(request('GET', `${PATH}/?EIO=4&transport=polling`));
  const status = await raw.answer().then((answer) => answer.status, () => 0);
  raw.close();
  return status === 200;
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
  // It takes something now and then, and would be at it for long.
  async 'an answer that is taken slowly'() {
    const session = await Polling.open(port, PATH);
    await session.post(connect);
    while (!(await session.get()).body.includes('"connected"'));
    const packets = Array(60).fill(`40/${'n'.repeat(16000)},`).join('\x1e');
    for (let i = 0; i < 3; i++) assert.strictEqual((await session.post(packets)).body, 'ok');
    const raw = await Raw.open(port);
    await raw.write(request('GET', session.url));
    await raw.until('a first byte', () => (raw.bytes.length ? true : undefined));
    while (!raw.end && raw.bytes.length < 2.8 * MB) {
      raw.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 100));
      raw.socket.resume();
      await raw.more();
    }
    assert.ok(raw.end, 'all of it has come');
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

  // ---- before joining ----

  // With room for three: the oldest goes, whatever its transport; who has joined does not count.
  async 'the oldest makes room'() {
    const member = await joined();
    const ws = await WebSocket.open(port, PATH);
    const sids = await openMany(2);
    assert.deepStrictEqual(await areKnown(sids), [true, true]);
    const last = await joined();
    sids.push(...(await openMany(1)));
    await ws.closed(1013);
    assert.deepStrictEqual(await areKnown(sids), [true, true, true]);
    sids.push(...(await openMany(2)));
    assert.deepStrictEqual(await areKnown(sids), [false, false, true, true, true]);
    for (const one of [member, last]) {
      await one.send('42["ping"]');
      assert.match(await one.packet(), /^42\["pong"/);
    }
  },
  // A refusal, or leaving before the answer, puts a session back among those that have not joined.
  async 'the refused count again'() {
    const refused = await WebSocket.open(port, PATH);
    await refused.send('40{"token":"x"}');
    await refused.expect('44{"message":"Invalid token"}');
    const others = await openMany(3);
    await refused.closed(1013);
    assert.deepStrictEqual(await areKnown(others), [true, true, true]);
    const left = await joined();
    await left.send('41', '3');
    await openMany(5);
    await left.send('40{"token":"x"}');
    await left.expect('44{"message":"Invalid token"}');
    await left.bye();
  },
  // Whoever tries again and again with a token that is not good does not become a newcomer by it.
  async 'the refused keep their place'() {
    const refused = await WebSocket.open(port, PATH);
    const others = await openMany(2);
    await refused.send('40{"token":"x"}');
    await refused.expect('44{"message":"Invalid token"}');
    others.push(...(await openMany(1)));
    await refused.closed(1013);
    assert.deepStrictEqual(await areKnown(others), [true, true, true]);
  },
  // From connections that land on all workers, in whatever shares: as many as may be, all at once.
  async 'all come back'() {
    const opened = await Promise.all(Array.from({ length: 100 }, () => openMany(1)));
    assert.deepStrictEqual((await areKnown(opened.flat())).filter((known) => !known), []);
  },
  // From many connections, which land on all workers.
  async 'a crowd'() {
    const opened = await Promise.all(Array.from({ length: 60 }, () => openMany(20)));
    const known = await areKnown(opened.flat());
    assert.strictEqual(known.filter(Boolean).length, 100);
    await joined().then((ws) => ws.bye());
  },
  async 'headers that are too long are not kept'() {
    const before = peak();
    await openMany(4000, { Authorization: `Bearer ${'x'.repeat(15000)}` });
    assert.ok(peak() - before < 30 * MB, `${peak() - before} bytes more`);
  },
  async 'headers of thousands'() {
    const before = peak();
    await openMany(10000, { Authorization: `Bearer ${'x'.repeat(8000)}` });
    assert.ok(peak() - before < 40 * MB, `${peak() - before} bytes more`);
  },
  async 'a header is forgotten after joining'() {
    const open = async (header) => {
      const ws = new WebSocket();
      ws.raw = await Raw.open(port);
      await ws.raw.write(handshake(`${PATH}/?EIO=4&transport=websocket`, { Authorization: header }));
      assert.strictEqual((await ws.raw.answer()).status, 101);
      await ws.packet();
      await ws.send('40');
      return ws;
    };
    const ws = await open(`Bearer ${process.env.TOKEN}`);
    assert.match(await ws.packet(), /^40\{"sid"/);
    assert.match(await ws.packet(), /^42\["connected"/);
    await ws.send('41', '40');
    await ws.expect('44{"message":"Authentication required"}');
    await ws.send(connect);
    assert.match(await ws.packet(), /^40\{"sid"/);
    for (const length of [8192, 8193, 15000]) {
      const long = await open(`Bearer ${'x'.repeat(length)}`);
      await long.expect('44{"message":"Invalid token"}');
      await long.send(connect);
      assert.match(await long.packet(), /^40\{"sid"/);
    }
  },
  async 'messages before joining are short'() {
    const [short, long] = [16384, 16385].map((length) => `40${' '.repeat(length - connect.length)}${connect.slice(2)}`);
    const ws = await WebSocket.open(port, PATH);
    await ws.send(long);
    await ws.closed(1009);
    const session = await Polling.open(port, PATH);
    assert.strictEqual((await session.post(long)).status, 413);
    session.close();
    const other = await WebSocket.open(port, PATH);
    await other.send(short);
    assert.match(await other.packet(), /^40\{"sid"/);
    assert.match(await other.packet(), /^42\["connected"/);
    await other.send(`42["ping","${'x'.repeat(0.9 * MB)}"]`);
    assert.match(await other.packet(), /^42\["pong"/);
    await other.bye();
  },

  // ---- descriptors ----

  // Clients get none of the last ones: they are told at once, the others find some.
  async 'clients leave some descriptors'() {
    const clients = await crowd(port, 200);
    await eventually(() => clients.filter((raw) => raw.end).length > 50);
    const admin = await Raw.open(adminPort);
    assert.ok((await refusals(admin)) > 50);
    clients.filter((raw) => !raw.end).slice(0, 10).forEach((raw) => raw.close());
    await eventually(async () => isServed(await Raw.open(port)));
  },
  // Somebody else has taken the last one. Clients wait then, and are served when there are some.
  async 'no descriptor is left'() {
    const admin = await Raw.open(adminPort);
    const before = await refusals(admin);
    const others = await crowd(adminPort, 200);
    const clients = await crowd(port, 50);
    clients.forEach((raw) => raw.write(request('GET', `${PATH}/?EIO=4&transport=polling`)));
    await eventually(async () => (await refusals(admin)) >= before + 3);
    const count = (await refusals(admin)) - before;
    assert.ok(count < 1000, `tried ${count} times`);
    others.forEach((raw) => raw.close());
    for (const raw of clients) assert.strictEqual((await raw.answer()).status, 200);
  },
  // Another gateway waits, too, and then is greeted with a nonce.
  async 'no descriptor is left for a link'() {
    const admin = await Raw.open(adminPort);
    const before = await refusals(admin);
    const others = await crowd(adminPort, 200);
    await eventually(async () => (await refusals(admin)) > before);
    const link = await Raw.open(Number(process.env.RELAY_PORT));
    await refusals(admin);
    others.forEach((raw) => raw.close());
    await link.until('a nonce', () => (link.bytes.length === 32 ? true : undefined));
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
