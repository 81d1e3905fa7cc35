// SPDX-License-Identifier: ISC
// Engine.IO sessions: packets over both transports, requests that collide, upgrades. The server sends
// every message back. Handshakes and errors of requests are http.js, heartbeats heartbeat.js.
'use strict';
const assert = require('assert');
const tap = require('../lib/tap.js');
const echo = require('../lib/echo.js');
const { Raw, frame, request } = require('../lib/raw.js');
const { Polling, WebSocket } = require('../lib/session.js');

const PATH = '/engine.io';
let port;

const polling = (name, body) => tap.test(`polling: ${name}`, async () => {
  const session = await Polling.open(port, PATH);
  await body(session);
  session.close();
});
const websocket = (name, body) => tap.test(`websocket: ${name}`, async () => body(await WebSocket.open(port, PATH)));

// ---- polling ----

polling('text comes back', async (session) => {
  const { status, headers, body } = await session.post('4hello');
  assert.deepStrictEqual([status, headers['content-type'], headers['content-length'], body], [200, 'text/html', '2', 'ok']);
  const answer = await session.get();
  assert.deepStrictEqual([answer.status, answer.headers['content-type'], answer.headers['cache-control'], answer.body],
    [200, 'text/plain; charset=UTF-8', 'no-store', '4hello']);
});
polling('several packets of a POST come in one answer, in order', async (session) => {
  await session.post('4one\x1e4two\x1ebAQIDBA==\x1e4\x1e4three');
  assert.strictEqual((await session.get()).body, '4one\x1e4two\x1ebAQIDBA==\x1e4\x1e4three');
});
polling('packets of several POSTs come in one answer, in order', async (session) => {
  for (const packet of ['4one', 'bAA==', '4two']) await session.post(packet);
  assert.strictEqual((await session.get()).body, '4one\x1ebAA==\x1e4two');
});
polling('a GET that waits is answered as soon as there is something', async (session) => {
  const get = await session.pending();
  await session.post('4one\x1e4two');
  assert.strictEqual((await get.answer()).body, '4one\x1e4two');
  get.close();
});
polling('bytes, also none and all there are', async (session) => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  for (const bytes of [Buffer.alloc(0), Buffer.from([255]), all]) {
    await session.send(bytes);
    await session.expect(bytes);
  }
});
polling('text with every kind of character', async (session) => {
  const text = '4\0\n\r\x7f"é€😀\u2028';
  await session.post(text);
  assert.strictEqual((await session.get()).body, text);
});
polling('packets out of turn are ignored', async (session) => {
  for (const packet of ['0', '0{"sid":"x"}', '3', '3probe', '5', '6']) assert.strictEqual((await session.post(packet)).body, 'ok');
  await session.post('4still');
  assert.strictEqual((await session.get()).body, '4still');
});
for (const [name, body] of [['abc', 'abc'], ['nothing', ''], ['7', '7'], ['a ping', '2'], ['a bare separator', '\x1e'], ['a separator at the end', '4x\x1e'], ['two separators', '4x\x1e\x1e4y'],
  ['base64 that is none', 'b@@@@'], ['base64 of one character', 'bA'], ['a message, then abc', '4x\x1eabc\x1e4y']]) {
  polling(`POST of ${name} ends the session`, async (session) => {
    assert.ok([200, 400].includes((await session.post(body)).status));
    const { status, body: rest } = await session.get();
    assert.ok(status === 400 || ['1', '4x\x1e1'].includes(rest), rest);
    await session.unknown();
  });
}
tap.test('polling: bytes that are no UTF-8 end the session', async () => {
  for (const bytes of [[0x34, 0xff], [0x34, 0xc3], [0x34, 0xed, 0xa0, 0x80], [0x34, 0xc0, 0x80]]) {
    const session = await Polling.open(port, PATH);
    assert.strictEqual((await session.post(Buffer.from(bytes))).status, 400);
    await session.unknown();
    session.close();
  }
});
polling('two GETs at once: the first gets 1, the second 400, the session is gone', async (session) => {
  const first = await session.pending();
  const second = await session.get();
  assert.deepStrictEqual([second.status, second.body], [400, '']);
  const { status, body } = await first.answer();
  assert.deepStrictEqual([status, body], [200, '1']);
  await session.unknown();
  first.close();
});
polling('two POSTs at once: the first is cut, the second gets 400, the session is gone', async (session) => {
  const first = await Raw.open(port);
  await first.write(Buffer.concat([request('OPTIONS', session.url), request('POST', session.url, {}, '4unfinished').subarray(0, -3)]));
  assert.strictEqual((await first.answer()).status, 204);
  const { status, body } = await session.post('4second');
  assert.deepStrictEqual([status, body], [400, '']);
  await first.gone();
  assert.strictEqual(first.bytes.length, 0);
  await session.unknown();
});
for (const how of ['close', 'reset']) {
  polling(`a waiting GET whose connection ends (${how}) ends the session`, async (session) => {
    const get = await session.pending();
    get[how]();
    assert.strictEqual((await session.get()).status, 400);
    await session.unknown();
  });
}
polling('1 by POST: a waiting GET gets 6, the session is gone', async (session) => {
  const get = await session.pending();
  assert.strictEqual((await session.post('1')).body, 'ok');
  const { status, body } = await get.answer();
  assert.deepStrictEqual([status, body], [200, '6']);
  await session.unknown();
  get.close();
});
polling('1 without a GET, and nothing behind it is handled', async (session) => {
  await session.post('1\x1e4late');
  await session.unknown();
});
polling('sessions do not see each other', async (session) => {
  const other = await Polling.open(port, PATH);
  await session.post('4mine');
  await other.post('4yours');
  assert.strictEqual((await other.get()).body, '4yours');
  assert.strictEqual((await session.get()).body, '4mine');
  other.close();
});
polling('1000 packets in one POST', async (session) => {
  const packets = Array.from({ length: 1000 }, (_, i) => `4${i}`);
  await session.send(...packets);
  await session.expect(...packets);
});

// ---- websocket ----

websocket('open packet', async (ws) => {
  assert.deepStrictEqual(Object.keys(ws.handshake), ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload']);
  assert.match(ws.sid, /^[A-Za-z0-9_-]{20}$/);
  assert.deepStrictEqual([ws.handshake.upgrades, ws.handshake.maxPayload], [[], 1000000]);
  await ws.bye();
});
websocket('text and bytes come back, in order', async (ws) => {
  await ws.send('4hello', Buffer.from([1, 2, 3, 4]), '4', Buffer.alloc(0), '4\x1e4');
  await ws.expect('4hello', Buffer.from([1, 2, 3, 4]), '4', Buffer.alloc(0), '4\x1e4');
  await ws.bye();
});
websocket('packets out of turn are ignored', async (ws) => {
  await ws.send('0', '3', '5', '6', '3probe', '4still');
  await ws.expect('4still');
  await ws.bye();
});
for (const packet of ['abc', '7', '', 'bAQIDBA==', '2', '2probe']) {
  websocket(`"${packet}" closes, and nothing behind it is handled`, async (ws) => {
    await ws.send('4before', packet, '4behind');
    await ws.expect('4before');
    await ws.closed();
  });
}
websocket('1 closes', async (ws) => {
  await ws.send('4before', '1', '4behind');
  await ws.expect('4before');
  await ws.closed();
});
websocket('its id is of no use to polling, nor to another websocket', async (ws) => {
  const raw = await Raw.open(port);
  await raw.write(request('GET', `${PATH}/?EIO=4&transport=polling&sid=${ws.sid}`));
  assert.strictEqual((await raw.answer()).body, '{"code":3,"message":"Bad request"}');
  const other = await WebSocket.connect(port, `${PATH}/?EIO=4&transport=websocket&sid=${ws.sid}`);
  await other.closed();
  await ws.send('4still');
  await ws.expect('4still');
  await ws.bye();
  raw.close();
});
for (const how of ['close', 'reset']) {
  websocket(`a connection that ends (${how}) ends the session`, async (ws) => {
    ws.raw[how]();
    const url = `${PATH}/?EIO=4&transport=polling&sid=${ws.sid}`;
    const raw = await Raw.open(port);
    let body;
    do {
      await raw.write(request('GET', url));
      ({ body } = await raw.answer());
    } while (body === '{"code":3,"message":"Bad request"}');
    assert.strictEqual(body, '{"code":1,"message":"Session ID unknown"}');
    raw.close();
  });
}

// ---- upgrade ----

const upgrade = (name, body) => tap.test(`upgrade: ${name}`, async () => {
  const session = await Polling.open(port, PATH);
  await body(session);
  session.close();
});

// The session polls as before, and may still be upgraded.
async function untouched(session) {
  await session.send('4polls');
  await session.expect('4polls');
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  await ws.send('5', '4moved');
  await ws.expect('4moved');
  await ws.bye();
}

upgrade('from the probe to the first message', async (session) => {
  const get = await session.pending();
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  assert.strictEqual((await get.answer()).body, '6');
  await ws.send('5', '4moved');
  await ws.expect('4moved');
  await ws.bye();
  get.close();
});
upgrade('a GET that comes after the probe is answered with 6', async (session) => {
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  assert.strictEqual((await session.get()).body, '6');
  assert.strictEqual((await session.get()).body, '6');
  await ws.send('5', '4moved');
  await ws.expect('4moved');
  await ws.bye();
});
upgrade('a GET that still waits at its end is answered', async (session) => {
  const ws = await session.upgrade();
  const get = await session.pending();
  await ws.send('2probe', '5', '4moved');
  await ws.expect('3probe', '4moved');
  assert.strictEqual((await get.answer()).body, '6');
  await ws.bye();
  get.close();
});
upgrade('what comes meanwhile goes to a GET', async (session) => {
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  await session.send('4meanwhile');
  assert.strictEqual((await session.get()).body, '4meanwhile');
  await ws.send('5', '4behind');
  await ws.expect('4behind');
  await ws.bye();
});
upgrade('what no GET has fetched comes over the websocket, first and in order', async (session) => {
  await session.send('4one');
  const ws = await session.upgrade();
  await session.send('4two');
  await ws.send('2probe');
  await ws.expect('3probe');
  await session.send('4three', Buffer.from('four'));
  await ws.send('5', '4five');
  await ws.expect('4one', '4two', '4three', Buffer.from('four'), '4five');
  await ws.bye();
});
upgrade('afterwards polling is refused, another websocket closed, the first unharmed', async (session) => {
  const ws = await session.upgrade();
  await ws.send('2probe', '5');
  await ws.expect('3probe');
  await ws.send('4moved');
  await ws.expect('4moved');
  for (const answer of [await session.get(), await session.post('4x')]) assert.deepStrictEqual([answer.status, answer.body], [400, '{"code":3,"message":"Bad request"}']);
  const other = await session.upgrade();
  await other.closed();
  await ws.send('4still');
  await ws.expect('4still');
  await ws.bye();
});
upgrade('a second websocket during a probe is closed, the first goes on', async (session) => {
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  const other = await session.upgrade();
  await other.closed();
  await ws.send('5', '4moved');
  await ws.expect('4moved');
  await ws.bye();
});
for (const packet of ['4hello', '5', '2', '2prob', '2probe2', '3probe', '1', '', 'abc', Buffer.from('2probe')]) {
  upgrade(`${JSON.stringify(packet)} instead of the probe closes that websocket alone`, async (session) => {
    const ws = await session.upgrade();
    await ws.send(packet);
    await ws.closed();
    await untouched(session);
  });
}
for (const packet of ['4early', '2probe', '3', '1'])
  upgrade(`"${packet}" behind the probe closes that websocket alone`, async (session) => {
    const ws = await session.upgrade();
    await ws.send('2probe', packet);
    await ws.expect('3probe');
    await ws.closed();
    await untouched(session);
  });
for (const how of ['close', 'reset']) {
  upgrade(`a probe that ends (${how}) leaves the session polling`, async (session) => {
    const ws = await session.upgrade();
    await ws.send('2probe');
    await ws.expect('3probe');
    ws.raw[how]();
    await session.send('4polls');
    await session.expect('4polls');
    const get = await session.pending();
    let next;
    do next = await session.upgrade();
    while (await next.send('2probe').then(() => next.packet()).catch(() => null) !== '3probe');
    assert.strictEqual((await get.answer()).body, '6');
    await next.send('5', '4moved');
    await next.expect('4moved');
    await next.bye();
  });
}
upgrade('a violation during the probe is told, and the session goes on', async (session) => {
  const ws = await session.upgrade();
  await ws.raw.write(frame(3));
  await ws.closed(1002);
  await untouched(session);
});
upgrade('pings and pongs of RFC 6455 during the probe', async (session) => {
  const ws = await session.upgrade();
  await ws.raw.write(Buffer.concat([frame(9, 'ping'), frame(10, 'pong'), frame(1, '2probe')]));
  const { opcode, payload } = await ws.raw.frame();
  assert.deepStrictEqual([opcode, payload.toString()], [10, 'ping']);
  await ws.expect('3probe');
  await ws.send('5', '4moved');
  await ws.expect('4moved');
  await ws.bye();
});
upgrade('a session that ends takes its probe with it', async (session) => {
  const ws = await session.upgrade();
  await ws.send('2probe');
  await ws.expect('3probe');
  await session.post('1');
  await ws.raw.gone();
  await session.unknown();
});
upgrade('everything at once, in the segment of the handshake', async (session) => {
  const { handshake } = require('../lib/raw.js');
  const raw = await Raw.open(port);
  await raw.write(Buffer.concat([handshake(session.url.replace('polling', 'websocket')), frame(1, '2probe'), frame(1, '5'), frame(1, '4moved')]));
  assert.strictEqual((await raw.answer()).status, 101);
  for (const packet of ['3probe', '4moved']) assert.strictEqual((await raw.frame()).payload.toString(), packet);
  raw.close();
});

echo.main(tap, (bound) => (port = bound), { PING_INTERVAL: '600000', PING_TIMEOUT: '600000' });
