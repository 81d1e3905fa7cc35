// SPDX-License-Identifier: ISC
// Time in sessions: pings, pongs that come or do not, and the time to join a namespace. The server
// pings after 300 ms and waits 200 ms; a namespace is to be joined within 1 s. Things must not happen
// earlier; that they happen at all is waited for.
'use strict';
const assert = require('assert');
const tap = require('../lib/tap.js');
const echo = require('../lib/echo.js');
const { Polling, WebSocket } = require('../lib/session.js');

const INTERVAL = 300;
const TIMEOUT = 200;
const CONNECT = 1000;
const SLACK = 5; // of the clocks: the server's deadlines are cut to milliseconds
let port;

const TRANSPORTS = { polling: Polling, websocket: WebSocket };

// How long `promise` took, from `since`.
async function took(since, promise) {
  await promise;
  return performance.now() - since;
}
const atLeast = (ms, wanted) => assert.ok(ms >= wanted - SLACK, `after ${ms} ms, not ${wanted}`);

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  tap.test(`${name}: each ping comes an interval after the pong before it`, async () => {
    let since = performance.now();
    const session = await transport.open(port, '/engine.io');
    for (let i = 0; i < 3; i++) {
      atLeast(await took(since, session.expect('2')), INTERVAL);
      since = performance.now();
      await session.send('3');
    }
    session.close();
  });
  tap.test(`${name}: without a pong the session is closed, in spite of messages`, async () => {
    const since = performance.now();
    const session = await transport.open(port, '/engine.io');
    await session.expect('2');
    await session.send('4message');
    await session.expect('4message');
    atLeast(await took(since, session.closed()), INTERVAL + TIMEOUT);
  });
  tap.test(`${name}: a pong that nobody asked for changes nothing`, async () => {
    const since = performance.now();
    const session = await transport.open(port, '/engine.io');
    await session.send('3');
    atLeast(await took(since, session.expect('2')), INTERVAL);
    atLeast(await took(since, session.closed()), INTERVAL + TIMEOUT);
  });
  tap.test(`${name}: without a namespace a connection of Socket.IO is closed`, async () => {
    const since = performance.now();
    const session = await transport.open(port, '/socket.io');
    await session.send('40/random,');
    await session.expect('44/random,{"message":"Invalid namespace"}');
    const beat = async () => {
      for (;;) {
        await session.expect('2');
        await session.send('3');
      }
    };
    await assert.rejects(beat());
    atLeast(performance.now() - since, CONNECT);
  });
  tap.test(`${name}: behind a DISCONNECT the connection lives on, and its heartbeat`, async () => {
    const since = performance.now();
    const session = await transport.open(port, '/socket.io');
    await session.send('40');
    assert.match(await session.packet(), /^40\{"sid":"[\w-]+"\}$/);
    await session.expect('42["auth",{}]');
    await session.send('41');
    while (performance.now() - since < CONNECT + INTERVAL) {
      await session.expect('2');
      await session.send('3');
    }
    await session.send('40{"again":1}');
    assert.match(await session.packet(), /^40/);
    await session.expect('42["auth",{"again":1}]');
    session.close();
  });
}
tap.test('polling: the ping waits for a client that does not poll, and its time runs', async () => {
  const since = performance.now();
  const session = await Polling.open(port, '/engine.io');
  while ((await session.post('6')).status === 200);
  atLeast(performance.now() - since, INTERVAL + TIMEOUT);
  await session.unknown();
  session.close();
});
tap.test('polling: a ping is answered although it was fetched with other packets', async () => {
  const session = await Polling.open(port, '/engine.io');
  const get = await session.pending();
  assert.strictEqual((await get.answer()).body, '2');
  await session.send('4x', '3', '4y');
  assert.strictEqual((await session.get()).body, '4x\x1e4y');
  await session.expect('2');
  session.close();
  get.close();
});
tap.test('polling: a waiting GET learns of the end', async () => {
  const session = await Polling.open(port, '/engine.io');
  await session.expect('2');
  const get = await session.pending();
  const { status, body } = await get.answer();
  assert.deepStrictEqual([status, body], [200, '1']);
  await session.unknown();
  session.close();
  get.close();
});
tap.test('polling: a request in the very moment of the end finds no session', async () => {
  const sessions = await Promise.all(Array.from({ length: 20 }, () => Polling.open(port, '/engine.io')));
  const opened = performance.now();
  while (performance.now() - opened < INTERVAL + TIMEOUT) await new Promise(setImmediate);
  await Promise.all(sessions.map((session) => session.unknown()));
  sessions.forEach((session) => session.close());
});
tap.test('upgrade: the heartbeat goes on over the websocket', async () => {
  const session = await Polling.open(port, '/engine.io');
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  await ws.send('5');
  for (let i = 0; i < 3; i++) {
    await ws.expect('2');
    await ws.send('3');
  }
  await ws.expect('2');
  await ws.closed();
  session.close();
});
tap.test('upgrade: a probe that stays does not keep the session alive', async () => {
  const session = await Polling.open(port, '/engine.io');
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  await ws.raw.gone();
  await session.unknown();
  session.close();
});

echo.main(tap, (bound) => (port = bound));
