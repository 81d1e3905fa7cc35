// SPDX-License-Identifier: ISC
// Socket.IO packets over both transports: joining and leaving namespaces, events, acknowledgements,
// attachments, and what a client must not send. The server has the namespaces / and /custom, says
// `auth` with what a CONNECT brought, and in / answers `message` and `message-with-ack`.
'use strict';
const assert = require('assert');
const tap = require('../lib/tap.js');
const echo = require('../lib/echo.js');
const { Polling, WebSocket } = require('../lib/session.js');

const TRANSPORTS = { polling: Polling, websocket: WebSocket };
let port;

// CASE on each transport: `body` gets a connection that has joined nothing.
function test(name, body) {
  for (const [transport, kind] of Object.entries(TRANSPORTS)) {
    tap.test(`${transport}: ${name}`, async () => {
      const link = await kind.open(port, '/socket.io');
      await body(link);
      link.close();
    });
  }
}

// Sends a CONNECT and reads its answer and `auth`; the socket's id.
async function join(link, connect, nsp, auth = {}) {
  const prefix = nsp === '/' ? '' : `${nsp},`;
  await link.send(connect);
  const answer = await link.packet();
  assert.ok(answer.startsWith(`40${prefix}{`), answer);
  const value = JSON.parse(answer.slice(2 + prefix.length));
  assert.deepStrictEqual(Object.keys(value), ['sid']);
  assert.match(value.sid, /^[\w-]{20}$/);
  assert.notStrictEqual(value.sid, link.sid);
  await link.expect(`42${prefix}["auth",${JSON.stringify(auth)}]`);
  return value.sid;
}

const joined = (name, body) => test(name, async (link) => {
  await join(link, '40', '/');
  await body(link);
});

// The connection works: an event is answered.
async function works(link) {
  await link.send('42["message","works"]');
  await link.expect('42["message-back","works"]');
}

// ---- namespaces ----

for (const [connect, nsp, auth] of [
  ['40', '/'], ['40{}', '/'], ['40{"token":"123"}', '/', { token: '123' }], ['40/,', '/'], ['40/,{"a":[1,"ü"]}', '/', { a: [1, 'ü'] }],
  ['40/custom,', '/custom'], ['40/custom', '/custom'], ['40/custom,{"token":"abc"}', '/custom', { token: 'abc' }],
])
  test(`CONNECT ${connect}`, (link) => join(link, connect, nsp, auth));
for (const [nsp, answer] of [['/random', '/random'], ['/random?token=1', '/random?token=1'], ['/CUSTOM', '/CUSTOM'], ['/custom/', '/custom/'], ['/cust', '/cust'], ['/customs', '/customs']]) {
  test(`CONNECT ${nsp} is refused, and the connection stays`, async (link) => {
    await link.send(`40${nsp},{"token":"x"}`);
    await link.expect(`44${answer},{"message":"Invalid namespace"}`);
    await join(link, '40', '/');
    await works(link);
  });
}
test('both namespaces on one connection, with ids of their own', async (link) => {
  const ids = [await join(link, '40', '/'), await join(link, '40/custom,', '/custom')];
  assert.notStrictEqual(ids[0], ids[1]);
  await works(link);
});
test('DISCONNECT leaves one namespace alone', async (link) => {
  await join(link, '40', '/');
  await join(link, '40/custom', '/custom');
  await link.send('41/custom,', '42["message","still"]');
  await link.expect('42["message-back","still"]');
  await join(link, '40/custom,{"again":true}', '/custom', { again: true });
});
test('DISCONNECT and CONNECT: the id is another', async (link) => {
  const first = await join(link, '40', '/');
  await link.send('41');
  assert.notStrictEqual(await join(link, '40', '/'), first);
  await works(link);
});

// ---- events ----

for (const [event, answer] of [
  ['42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'],
  ['42["message"]', '42["message-back"]'],
  ['42["message",null,-0.10e+2,12345678901234567890123,"\\u001e\\ud800"]', '42["message-back",null,-0.10e+2,12345678901234567890123,"\\u001e\\ud800"]'],
  ['42/,["message","slash"]', '42["message-back","slash"]'],
  ['42["mess\\u0061ge","escaped name"]', '42["message-back","escaped name"]'],
  ['42["message","ü€😀"]', '42["message-back","ü€😀"]'],
  ['42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'],
  ['420["message-with-ack"]', '430[]'],
  ['42999999999999999999["message","the largest id, and passed over"]', '42["message-back","the largest id, and passed over"]'],
  ['429007199254740991["message-with-ack",[]]', '439007199254740991[[]]'],
  ['42["message-with-ack","no id"]', null],
]) {
  joined(`event ${event}`, async (link) => {
    await link.send(event);
    if (answer) await link.expect(answer);
    await works(link);
  });
}
joined('events of a namespace go to that alone', async (link) => {
  await join(link, '40/custom', '/custom');
  await link.send('42/custom,["message","x"]', '42["message","y"]');
  await link.expect('42["message-back","y"]');
});
for (const event of ['42["unknown",1]', '42[1,"a number for a name"]', '42["message\\u0000"]', '42["Message"]', '4312["x"]']) {
  joined(`${event} is passed over`, async (link) => {
    await link.send(event);
    await works(link);
  });
}

// ---- attachments ----

const ONE = Buffer.from([1, 2, 3]);
const TWO = Buffer.from([4, 5, 6]);
const PLACES = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
joined('an event with attachments', async (link) => {
  await link.send(`452-["message",${PLACES}]`, ONE, TWO);
  await link.expect(`452-["message-back",${PLACES}]`, ONE, TWO);
});
joined('an acknowledgement with attachments', async (link) => {
  await link.send(`452-789["message-with-ack",${PLACES}]`, ONE, TWO);
  await link.expect(`462-789[${PLACES}]`, ONE, TWO);
});
joined('attachments that come one by one, and an empty one', async (link) => {
  for (const packet of [`452-["message",${PLACES}]`, ONE, Buffer.alloc(0)]) await link.send(packet);
  await link.expect(`452-["message-back",${PLACES}]`, ONE, Buffer.alloc(0));
});
joined('ten attachments, several events', async (link) => {
  const many = Array.from({ length: 10 }, (_, i) => Buffer.from([i]));
  const head = (name) => `4510-["${name}",${many.map((_, num) => JSON.stringify({ _placeholder: true, num })).join()}]`;
  await link.send(head('message'), ...many, '42["message","between"]', head('message'), ...many);
  await link.expect(head('message-back'), ...many, '42["message-back","between"]', head('message-back'), ...many);
});
joined('a pong between an event and its attachments', async (link) => {
  await link.send(`451-["message",{"_placeholder":true,"num":0}]`, '3', ONE);
  await link.expect('451-["message-back",{"_placeholder":true,"num":0}]', ONE);
});

// ---- what closes a connection ----

// Nothing of it, nor of what stands behind it, is handled.
const closes = (packets, connect = ['40']) => test(`${packets.map((packet) => (Buffer.isBuffer(packet) ? 'bytes' : packet)).join(' ')} closes${connect.length ? '' : ', nothing joined'}`, async (link) => {
  if (connect.length) await join(link, '40', '/');
  await link.send(...packets, '42["message","behind"]');
  await link.closed();
});
for (const packet of ['4abc', '4', '47', '49["message"]', '42["message","early"]', '421["message-with-ack"]', '41', '43', '431["x"]', '44{"message":"x"}', '451-["message",{"_placeholder":true,"num":0}]',
  '40[]', '40"x"', '40{"a":1', '40null', '40{} x', '40{"a":\n1}x'])
  closes([packet], []);
closes([ONE], []);
for (const packet of ['4abc', '4', '42{}', '42"message"', '42null', '42[]', '42[null]', '42[{}]', '42[["message"]]', '42[true]', '42["message"', '42["message"] x', '42["message"]["message"]', '42abc["message"]',
  '42-1["message"]', '42["message",NaN]', '42["message",01]', '42["message","\u0001"]', '42/custom,["message"]', '42/random,["message"]', '43{}', '43["x"]', '431', '44', '44{"message":"x"}', '40', '40{}',
  '41{}', '41/custom', '45["message"]', '45-["message"]', '4511-["message"]', '45999999999999-["message"]', '45x-["message"]', '46["x"]', '48'])
  closes([packet]);
for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener', 'dis\\u0063onnect']) closes([`42["${name}",1]`]);
closes([ONE]);
closes(['452-["message"]', ONE, '42["message"]']);
closes(['451-["message"]', '451-["message"]']);
closes(['41', '42["message","left"]']);
closes(['41', '41']);
test('JSON nested too deeply closes', async (link) => {
  await join(link, '40', '/');
  await link.send(`42["message",${'['.repeat(100000)}${']'.repeat(100000)}]`);
  await link.closed();
});
joined('nesting that is only unusual', async (link) => {
  const nested = `${'['.repeat(500)}${']'.repeat(500)}`;
  await link.send(`42["message",${nested}]`);
  await link.expect(`42["message-back",${nested}]`);
});
joined('what was answered before the violation arrives', async (link) => {
  await link.send('42["message","before"]');
  await link.expect('42["message-back","before"]');
  await link.send('42{}');
  await link.closed();
});
test('a namespace whose name is long is refused like another', async (link) => {
  for (const name of [`/${'n'.repeat(3000)}`, `/${'ü'.repeat(8000)}`]) {
    await link.send(`40${name},`);
    await link.expect(`44${name},{"message":"Invalid namespace"}`);
  }
  await join(link, '40', '/');
  await works(link);
});
joined('a namespace whose name is too long closes', async (link) => {
  await link.send(`40/${'n'.repeat(16384)},`);
  await link.closed();
});

echo.main(tap, (bound) => (port = bound), { PING_INTERVAL: '600000', PING_TIMEOUT: '600000' });
