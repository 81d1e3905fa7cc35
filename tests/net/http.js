// SPDX-License-Identifier: ISC
// HTTP as clients, proxies and attackers speak it, up to the door of a session: answers and their
// headers, errors and the order in which they are looked for, framing of requests and bodies.
'use strict';
const assert = require('assert');
const tap = require('../lib/tap.js');
const echo = require('../lib/echo.js');
const { Raw, request, handshake, frame } = require('../lib/raw.js');
const { Polling } = require('../lib/session.js');

const OPEN = '/engine.io/?EIO=4&transport=polling';
const MAX = 1000000;
const JSON_BODIES = [
  '{"code":0,"message":"Transport unknown"}', '{"code":1,"message":"Session ID unknown"}', '{"code":2,"message":"Bad handshake method"}',
  '{"code":3,"message":"Bad request"}', '{"code":4,"message":"Forbidden"}', '{"code":5,"message":"Unsupported protocol version"}',
];
let port;

async function exchange(bytes, head = false) {
  const raw = await Raw.open(port);
  await raw.write(bytes);
  const answer = await raw.answer(head);
  raw.close();
  return answer;
}

const isOpen = ({ status, body }) => {
  assert.deepStrictEqual([status, body[0]], [200, '0']);
};

// ---- opening a session ----

tap.test('handshake: status, headers and body', async () => {
  const { status, headers, body } = await exchange(request('GET', OPEN));
  assert.strictEqual(status, 200);
  assert.strictEqual(headers['content-type'], 'text/plain; charset=UTF-8');
  assert.strictEqual(headers['cache-control'], 'no-store');
  assert.strictEqual(headers['access-control-allow-origin'], '*');
  assert.strictEqual(headers['access-control-allow-credentials'], undefined);
  assert.ok(!Number.isNaN(Date.parse(headers.date)), headers.date);
  assert.match(body, /^0\{"sid":"[A-Za-z0-9_-]{20}","upgrades":\["websocket"\],"pingInterval":600000,"pingTimeout":600000,"maxPayload":1000000\}$/);
});
tap.test('handshake: no two sessions share an id', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(request('GET', OPEN))));
  assert.strictEqual(new Set(answers.map(({ body }) => JSON.parse(body.slice(1)).sid)).size, 50);
});
for (const target of ['/engine.io?EIO=4&transport=polling', '/engine.io/?transport=polling&EIO=4&t=Oxyz&x', '/engine.io/?%45IO=%34&%74ransport=poll%69ng',
  '/engine.io/?EIO=4&EIO=4&transport=polling&transport=polling', '/engine.io/?&&EIO=4&&transport=polling&', '/engine.io/?EIO=4&transport=polling&sid=',
  'http://arda.example/engine.io/?EIO=4&transport=polling'])
  tap.test(`handshake: ${target}`, async () => isOpen(await exchange(request('GET', target))));
for (const target of ['/', '/engine.iox/?EIO=4&transport=polling', '/ENGINE.IO/?EIO=4&transport=polling', '/engine%2eio/../engine.i/?EIO=4&transport=polling', '*'])
  tap.test(`not found: ${target}`, async () => assert.strictEqual((await exchange(request('GET', target))).status, 404));

// ---- errors, and which comes first ----

const UNKNOWN = 'sid=AAAAAAAAAAAAAAAAAAAA';
for (const [method, query, code] of [
  ['GET', '', 0], ['GET', 'EIO=4', 0], ['GET', 'EIO=4&transport=', 0], ['GET', 'EIO=4&transport=abc', 0], ['GET', 'EIO=4&transport=Polling', 0],
  ['GET', 'EIO=4&transport=polling%00', 0], ['GET', 'EIO=4&transport=%zz', 0], ['GET', `EIO=4&transport=${'x'.repeat(5000)}`, 0], ['GET', 'EIO=4&transport=webtransport', 0],
  ['POST', 'EIO=3', 0], ['PUT', `EIO=3&transport=abc&${UNKNOWN}`, 0],
  ['GET', `EIO=4&transport=polling&${UNKNOWN}`, 1], ['POST', `EIO=4&transport=polling&${UNKNOWN}`, 1], ['DELETE', `EIO=3&transport=websocket&${UNKNOWN}`, 1],
  ['GET', 'EIO=4&transport=polling&sid=x', 1], ['GET', `EIO=4&transport=polling&sid=${'A'.repeat(5000)}`, 1], ['GET', 'EIO=4&transport=polling&sid=%00', 1],
  ['GET', 'EIO=4&transport=polling&sid=%zz', 1], ['GET', 'EIO=4&transport=polling&sid=%', 1], ['POST', 'EIO=4&transport=polling&sid=%4', 1], ['GET', 'EIO=4&transport=websocket&s%69d=a%zz', 1],
  ['POST', 'EIO=4&transport=polling', 2], ['PUT', 'EIO=4&transport=polling', 2], ['DELETE', 'EIO=4&transport=polling', 2], ['PATCH', 'EIO=3&transport=polling', 2],
  ['POST', 'EIO=4&transport=websocket', 2], ['POST', 'EIO=4&transport=polling&sid=', 2],
  ['GET', 'EIO=4&transport=websocket', 3], ['GET', 'EIO=3&transport=websocket', 3],
  ['GET', 'transport=polling', 5], ['GET', 'EIO=&transport=polling', 5], ['GET', 'EIO=3&transport=polling', 5], ['GET', 'EIO=5&transport=polling', 5],
  ['GET', 'EIO=40&transport=polling', 5], ['GET', 'EIO=04&transport=polling', 5], ['GET', 'EIO=4%20&transport=polling', 5], ['GET', 'EIO=abc&transport=polling', 5],
]) {
  tap.test(`error ${code}: ${method} ${query.length > 80 ? `${query.slice(0, 80)}...` : query}`, async () => {
    const body = method === 'GET' ? undefined : '';
    const answer = await exchange(request(method, `/engine.io/?${query}`, {}, body));
    assert.deepStrictEqual([answer.status, answer.headers['content-type'], answer.body], [400, 'application/json', JSON_BODIES[code]]);
    assert.strictEqual(answer.headers['access-control-allow-origin'], '*');
  });
}
tap.test('error 2: HEAD has no body', async () => {
  const raw = await Raw.open(port);
  await raw.write(Buffer.concat([request('HEAD', OPEN), request('GET', OPEN)]));
  assert.strictEqual((await raw.answer(true)).status, 400);
  isOpen(await raw.answer());
  raw.close();
});
tap.test('error 3: another transport than the session has', async () => {
  const session = await Polling.open(port, '/engine.io');
  const { body } = await exchange(request('GET', session.url.replace('polling', 'websocket')));
  assert.strictEqual(body, JSON_BODIES[3]);
  assert.strictEqual((await session.post('4still')).status, 200);
  assert.strictEqual((await session.get()).body, '4still');
  session.close();
});
tap.test('a session is known under its own path only', async () => {
  const session = await Polling.open(port, '/engine.io');
  const { body } = await exchange(request('GET', session.url.replace('engine', 'socket')));
  assert.strictEqual(body, JSON_BODIES[1]);
  session.close();
});
tap.test('PUT and DELETE are not for sessions', async () => {
  const session = await Polling.open(port, '/engine.io');
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const { status } = await exchange(request(method, session.url, {}, '4x'));
    assert.strictEqual(status, 405);
  }
  await session.post('4after');
  assert.strictEqual((await session.get()).body, '4after');
  session.close();
});

// ---- refused upgrades ----

const UPGRADE = '/engine.io/?EIO=4&transport=websocket';
async function refusedUpgrade(bytes, text, more = {}) {
  const raw = await Raw.open(port);
  await raw.write(bytes);
  const { status, headers, body } = await raw.answer();
  assert.deepStrictEqual([status, headers.connection, headers['content-type'], body], [400, 'close', 'text/html', text]);
  for (const [name, value] of Object.entries(more)) assert.strictEqual(headers[name], value);
  await raw.ended();
}
for (const [query, text] of [
  ['EIO=4', 'Transport unknown'], ['EIO=4&transport=abc', 'Transport unknown'], [`EIO=4&transport=websocket&${UNKNOWN}`, 'Session ID unknown'],
  ['EIO=4&transport=websocket&sid=%zz', 'Session ID unknown'],
  ['EIO=4&transport=polling', 'Bad request'], ['EIO=3&transport=websocket', 'Unsupported protocol version'], ['transport=websocket', 'Unsupported protocol version'],
])
  tap.test(`upgrade refused: ${query}`, () => refusedUpgrade(handshake(`/engine.io/?${query}`), text));
for (const version of ['7', '12', '14', '', '13, 8'])
  tap.test(`upgrade refused: version "${version}"`, () => refusedUpgrade(handshake(UPGRADE, { 'Sec-WebSocket-Version': version }), 'Bad request', { 'sec-websocket-version': '13, 8' }));
for (const key of ['', 'short', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25jZQ=!', 'dGhlIHNhbXBsZSBub25jZSBpcyB0b28gbG9uZw=='])
  tap.test(`upgrade refused: key "${key}"`, () => refusedUpgrade(handshake(UPGRADE, { 'Sec-WebSocket-Key': key }), 'Bad request'));
for (const headers of [
  { Connection: 'keep-alive, Upgrade' }, { Connection: 'upgrade', Upgrade: 'WebSocket' }, { Upgrade: 'h2c, websocket' }, { Connection: 'UPGRADE,keep-alive' },
  { 'Sec-WebSocket-Protocol': 'chat', 'Sec-WebSocket-Extensions': 'permessage-unknown; x=1' },
]) {
  tap.test(`upgrade: ${JSON.stringify(headers)}`, async () => {
    const answer = await exchange(handshake(UPGRADE, headers));
    assert.strictEqual(answer.status, 101);
    assert.deepStrictEqual([answer.headers.upgrade, answer.headers.connection], ['websocket', 'Upgrade']);
    assert.deepStrictEqual([answer.headers['sec-websocket-protocol'], answer.headers['sec-websocket-extensions']], [undefined, undefined]);
    assert.strictEqual(answer.headers['access-control-allow-origin'], '*');
  });
}
tap.test('upgrade: no blank behind the colon, blanks behind the value', async () => {
  const text = handshake(UPGRADE).toString().replace(/: /g, ':').replace(/\r\n(?=.)/g, ' \t\r\n').replace('HTTP/1.1 \t', 'HTTP/1.1');
  assert.strictEqual((await exchange(text)).status, 101);
});
tap.test('upgrade: not in HTTP/1.0', async () => {
  const { status, body } = await exchange(handshake(UPGRADE).toString().replace('HTTP/1.1', 'HTTP/1.0'));
  assert.deepStrictEqual([status, body], [400, JSON_BODIES[3]]);
});
for (const protocol of ['h2c', 'TLS/1.0', 'foo, h2c']) {
  tap.test(`upgrade to ${protocol} is ignored, and what follows is read`, async () => {
    const raw = await Raw.open(port);
    const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: protocol, 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' };
    await raw.write(Buffer.concat([request('GET', OPEN, headers), request('GET', OPEN)]));
    isOpen(await raw.answer());
    isOpen(await raw.answer());
    raw.close();
  });
}

// ---- CORS ----

tap.test('preflight, before anything else is looked at', async () => {
  for (const target of ['/engine.io/', '/engine.io/?EIO=3&transport=abc', `${OPEN}&${UNKNOWN}`]) {
    const headers = { Origin: 'http://a.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,x-one' };
    const answer = await exchange(request('OPTIONS', target, headers));
    assert.strictEqual(answer.status, 204);
    assert.deepStrictEqual(['allow-origin', 'allow-methods', 'allow-headers'].map((name) => answer.headers[`access-control-${name}`]),
      ['*', 'GET,HEAD,PUT,PATCH,POST,DELETE', 'authorization,x-one']);
    assert.match(answer.headers.vary, /Access-Control-Request-Headers/);
    assert.strictEqual(answer.headers['content-length'], '0');
  }
});
tap.test('a header that is asked for cannot break the answer', async () => {
  const long = 'x'.repeat(8000);
  const { status, headers } = await exchange(request('OPTIONS', '/engine.io/', { 'Access-Control-Request-Headers': long }));
  assert.deepStrictEqual([status, headers['access-control-allow-headers']], [204, undefined]);
});

// ---- connections ----

tap.test('a connection serves many requests', async () => {
  const raw = await Raw.open(port);
  for (let i = 0; i < 20; i++) {
    await raw.write(request('GET', i % 2 ? OPEN : '/engine.io/?EIO=3&transport=polling'));
    assert.strictEqual((await raw.answer()).status, i % 2 ? 200 : 400);
  }
  raw.close();
});
tap.test('pipelined requests are answered in order', async () => {
  const session = await Polling.open(port, '/engine.io');
  const raw = await Raw.open(port);
  const requests = [];
  for (let i = 0; i < 20; i++) requests.push(request('POST', session.url, {}, `4number ${i}`), request('GET', session.url));
  await raw.write(Buffer.concat(requests));
  for (let i = 0; i < 20; i++) {
    assert.strictEqual((await raw.answer()).body, 'ok');
    assert.strictEqual((await raw.answer()).body, `4number ${i}`);
  }
  raw.close();
  session.close();
});
tap.test('what is pipelined behind a GET that waits, waits too', async () => {
  const session = await Polling.open(port, '/engine.io');
  const raw = await Raw.open(port);
  await raw.write(Buffer.concat([request('GET', session.url), request('GET', '/engine.io/?EIO=3&transport=polling')]));
  await session.post('4now');
  assert.strictEqual((await raw.answer()).body, '4now');
  assert.strictEqual((await raw.answer()).body, JSON_BODIES[5]);
  raw.close();
  session.close();
});
tap.test('Connection: close', async () => {
  const raw = await Raw.open(port);
  await raw.write(Buffer.concat([request('GET', OPEN, { Connection: 'close' }), request('GET', OPEN)]));
  const answer = await raw.answer();
  isOpen(answer);
  assert.strictEqual(answer.headers.connection, 'close');
  await raw.ended();
});
tap.test('HTTP/1.0 ends behind the answer', async () => {
  const raw = await Raw.open(port);
  await raw.write(`GET ${OPEN} HTTP/1.0\r\n\r\n`);
  isOpen(await raw.answer());
  await raw.ended();
});
tap.test('HTTP/1.0 with keep-alive', async () => {
  const raw = await Raw.open(port);
  for (let i = 0; i < 3; i++) {
    await raw.write(`GET ${OPEN} HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n`);
    const answer = await raw.answer();
    isOpen(answer);
    assert.strictEqual(answer.headers.connection, 'keep-alive');
  }
  raw.close();
});
tap.test('requests byte by byte', async () => {
  const session = await Polling.open(port, '/engine.io');
  await session.posts.dribble(request('POST', session.url, {}, '4höre zu, ψ 😀'));
  assert.strictEqual((await session.posts.answer()).body, 'ok');
  await session.gets.dribble(request('GET', session.url));
  assert.strictEqual((await session.gets.answer()).body, '4höre zu, ψ 😀');
  session.close();
});
tap.test('a character cut between two segments', async () => {
  const session = await Polling.open(port, '/engine.io');
  const bytes = request('POST', session.url, {}, '4é');
  await session.posts.dribble(bytes, bytes.length - 1);
  assert.strictEqual((await session.posts.answer()).body, 'ok');
  assert.strictEqual((await session.get()).body, '4é');
  session.close();
});
tap.test('blank lines ahead of a request', async () => isOpen(await exchange(Buffer.concat([Buffer.from('\r\n\r\n'), request('GET', OPEN)]))));
tap.test('an orderly end without a request, or amidst of one', async () => {
  for (const bytes of ['', 'GET', 'GET /engine.io/ HTTP/1.1\r\nHost: x\r\n']) {
    const raw = await Raw.open(port);
    if (bytes) await raw.write(bytes);
    raw.socket.end();
    await raw.gone();
    assert.strictEqual(raw.bytes.length, 0);
  }
});

// ---- bodies ----

async function echoed(head, body, packet, send = (raw, bytes) => raw.write(bytes)) {
  const session = await Polling.open(port, '/engine.io');
  const lines = `POST ${session.url} HTTP/1.1\r\nHost: arda.example\r\n${head}\r\n`;
  await send(session.posts, Buffer.concat([Buffer.from(lines), Buffer.from(body)]));
  const { status, headers, body: ok } = await session.posts.answer();
  assert.deepStrictEqual([status, headers['content-type'], ok], [200, 'text/html', 'ok']);
  assert.strictEqual((await session.get()).body, packet);
  session.close();
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const CHUNKS = '2\r\n4h\r\n03;a=b;c="d\\"e"\r\nell\r\n1;x\r\no\r\n0\r\nTrailer-One: 1\r\nTrailer-Two: 2\r\n\r\n';
tap.test('a chunked body with extensions and trailers', () => echoed(CHUNKED, CHUNKS, '4hello'));
tap.test('a chunked body, byte by byte', () => echoed(CHUNKED, CHUNKS, '4hello', (raw, bytes) => raw.dribble(bytes)));
tap.test('chunk sizes in either case, with leading zeros', () => echoed('transfer-encoding: Chunked\r\n', `00a\r\n4${'a'.repeat(9)}\r\nB\r\n${'b'.repeat(11)}\r\n000\r\n\r\n`, `4${'a'.repeat(9)}${'b'.repeat(11)}`));
tap.test('any Content-Type', () => echoed('Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n', '4a+', '4a+'));
tap.test('Content-Length with leading zeros', () => echoed('Content-Length: 0003\r\n', '4ab', '4ab'));
for (const [name, head, body] of [['with a length', 'Content-Length: 6\r\n', '4hello'], ['chunked', CHUNKED, CHUNKS]]) {
  tap.test(`Expect: 100-continue, ${name}`, async () => {
    const session = await Polling.open(port, '/engine.io');
    await session.posts.write(`POST ${session.url} HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n${head}\r\n`);
    assert.strictEqual((await session.posts.answer()).status, 100);
    await session.posts.write(body);
    assert.strictEqual((await session.posts.answer()).body, 'ok');
    assert.strictEqual((await session.get()).body, '4hello');
    session.close();
  });
}
tap.test('Expect: 100-continue for a body that is too large is answered at once', async () => {
  const session = await Polling.open(port, '/engine.io');
  await session.posts.write(`POST ${session.url} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ${MAX + 1}\r\n\r\n`);
  assert.strictEqual((await session.posts.answer()).status, 413);
  session.close();
});
tap.test('a body is not taken for a request', async () => {
  const raw = await Raw.open(port);
  const inner = request('GET', OPEN).toString();
  await raw.write(Buffer.concat([request('POST', `${OPEN}&${UNKNOWN}`, {}, inner), request('GET', OPEN, {}, inner), request('DELETE', OPEN, {}, inner), request('GET', '/engine.io/')]));
  assert.strictEqual((await raw.answer()).body, JSON_BODIES[1]);
  isOpen(await raw.answer());
  assert.strictEqual((await raw.answer()).body, JSON_BODIES[2]);
  assert.strictEqual((await raw.answer()).body, JSON_BODIES[0]);
  raw.close();
});
// Only the head is sent, but for the last ones, whose body has no use and would be long.
for (const [method, target, head, status, text] of [
  ['POST', `${OPEN}&${UNKNOWN}`, `Content-Length: ${MAX}`, 400, JSON_BODIES[1]], ['POST', `${OPEN}&${UNKNOWN}`, 'Content-Length: 10', 400, JSON_BODIES[1]],
  ['POST', `${OPEN}&${UNKNOWN}`, 'Transfer-Encoding: chunked', 400, JSON_BODIES[1]], ['POST', `${OPEN}&${UNKNOWN}`, `Content-Length: ${MAX}\r\nExpect: 100-continue`, 400, JSON_BODIES[1]],
  ['POST', OPEN, `Content-Length: ${MAX}`, 400, JSON_BODIES[2]], ['POST', '/engine.io/', `Content-Length: ${MAX}`, 400, JSON_BODIES[0]],
  ['DELETE', OPEN, 'Content-Length: 1', 400, JSON_BODIES[2]], ['PUT', 'SESSION', 'Content-Length: 1', 405, ''],
  ['GET', OPEN, `Content-Length: ${MAX}`, 413, ''], ['GET', 'SESSION', `Content-Length: ${MAX}`, 413, ''], ['OPTIONS', OPEN, `Content-Length: ${MAX}`, 413, ''],
  ['GET', OPEN, 'Transfer-Encoding: chunked\r\n\r\n1001', 413, ''],
]) {
  tap.test(`a body is not waited for: ${method} ${target} ${head.replace(/\r\n/g, ' ')}`, async () => {
    const session = await Polling.open(port, '/engine.io');
    const raw = await Raw.open(port);
    await raw.write(`${method} ${target.replace('SESSION', session.url)} HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n`);
    const { headers, ...answer } = await raw.answer();
    assert.deepStrictEqual([answer.status, answer.body, headers.connection], [status, text, 'close']);
    await raw.ended();
    await session.post('4still');
    assert.strictEqual((await session.get()).body, '4still');
    session.close();
  });
}
tap.test('nor behind an answer that ends the connection', async () => {
  const raw = await Raw.open(port);
  await raw.write(request('POST', '/elsewhere', {}, request('GET', OPEN).toString()));
  assert.strictEqual((await raw.answer()).status, 404);
  await raw.ended();
});

// ---- limits ----

const largest = Buffer.concat([Buffer.from('4é'), Buffer.alloc(MAX - 3, 'x')]);
const chunked = (body) => Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
tap.test('a body of the largest size', () => echoed(`Content-Length: ${MAX}\r\n`, largest, largest.toString()));
tap.test('the same in one chunk', () => echoed(CHUNKED, chunked(largest), largest.toString()));

// The answer is seen by a client that goes on writing far beyond it, and the end is orderly.
for (const [name, head, encode] of [
  ['one byte too large', `Content-Length: ${MAX + 1}\r\n`, () => Buffer.concat([largest, Buffer.from('x')])],
  ['8 MB with a length', 'Content-Length: 8000000\r\n', () => Buffer.alloc(8000000, '4')],
  ['8 MB in a chunk', CHUNKED, () => chunked(Buffer.alloc(8000000, '4'))],
  ['8 MB in chunks of 1000 bytes', CHUNKED, () => Buffer.from(`3e8\r\n${'x'.repeat(1000)}\r\n`.repeat(8000))],
]) {
  tap.test(`413: ${name}`, async () => {
    const session = await Polling.open(port, '/engine.io');
    const raw = session.posts;
    raw.write(Buffer.concat([Buffer.from(`POST ${session.url} HTTP/1.1\r\nHost: h\r\n${head}\r\n`), encode()]));
    const { status, headers, body } = await raw.answer();
    assert.deepStrictEqual([status, headers.connection, headers['access-control-allow-origin'], body], [413, 'close', '*', '']);
    await raw.ended();
    session.close();
  });
}
tap.test('413: said before the body comes, if its length is told', async () => {
  const session = await Polling.open(port, '/engine.io');
  await session.posts.write(`POST ${session.url} HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999\r\n\r\n`);
  assert.strictEqual((await session.posts.answer()).status, 413);
  session.close();
});
const HEAD = 'GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n';
for (const [name, head] of [
  ['a long header', `${HEAD}X-Long: ${'x'.repeat(17000)}\r\n\r\n`], ['a header without an end', `${HEAD}X-Long: ${'x'.repeat(17000)}`],
  ['many headers', `${HEAD}${'X-Many: 0123456789\r\n'.repeat(1000)}\r\n`], ['very many short headers', `${HEAD}${'a:\r\n'.repeat(300)}\r\n`],
  ['a long target', `GET /engine.io/?${'x'.repeat(17000)} HTTP/1.1\r\nHost: h\r\n\r\n`], ['a long header name', `${HEAD}${'x'.repeat(17000)}: 1\r\n\r\n`],
]) {
  tap.test(`431: ${name}`, async () => {
    const raw = await Raw.open(port);
    raw.write(head);
    const { status, headers } = await raw.answer();
    assert.deepStrictEqual([status, headers.connection], [431, 'close']);
    await raw.ended();
  });
}
tap.test('a head just below the bound', async () => isOpen(await exchange(`${HEAD}X-Long: ${'x'.repeat(16384 - HEAD.length - 12)}\r\n\r\n`)));

// ---- what is not HTTP ----

// One answer, of `status`; the connection ends, and the request behind it is not answered.
function refused(name, head, status = 400, body = '') {
  tap.test(`refused: ${name}`, async () => {
    const session = await Polling.open(port, '/engine.io');
    const raw = await Raw.open(port);
    raw.write(Buffer.concat([Buffer.from(head.replace(/POST \S*/, `POST ${session.url}`), 'latin1'), Buffer.from(body), request('GET', OPEN)]));
    const answer = await raw.answer();
    assert.deepStrictEqual([answer.status, answer.headers.connection], [status, 'close']);
    await raw.ended();
    session.close();
  });
}
const post = (lines) => `POST / HTTP/1.1\r\nHost: h\r\n${lines}\r\n`;
refused('Content-Length and Transfer-Encoding', post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'), 400, '0\r\n\r\n');
refused('Transfer-Encoding and Content-Length', post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n'), 400, '0\r\n\r\n');
refused('two different lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n'), 400, '4abc');
refused('two equal lengths', post('Content-Length: 3\r\nContent-Length: 3\r\n'), 400, '4ab');
for (const length of ['+3', '-3', '0x3', '3, 3', '3 3', '', '3.0', '99999999999999999999', '18446744073709551619', '3;'])
  refused(`Content-Length: ${length}`, post(`Content-Length: ${length}\r\n`), 400, '4ab');
for (const [coding, status] of [['xchunked', 501], ['gzip, chunked', 501], ['identity', 501], ['chunked, gzip', 400], ['chunked, chunked', 400], ['chunked, identity', 400], ['', 400], ['chunked;q=1', 501], ['"chunked"', 501], ['\x0bchunked', 400]])
  tap.test(`refused: Transfer-Encoding: ${JSON.stringify(coding)}`, async () => {
    const raw = await Raw.open(port);
    raw.write(Buffer.concat([Buffer.from(post(`Transfer-Encoding: ${coding}\r\n`), 'latin1'), Buffer.from('3\r\n4ab\r\n0\r\n\r\n'), request('GET', OPEN)]));
    const answer = await raw.answer();
    assert.ok([400, 501].includes(answer.status) && answer.headers.connection === 'close', String(answer.status) + status);
    await raw.ended();
  });
refused('two Transfer-Encodings', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 400, '0\r\n\r\n');
refused('a blank ahead of the colon', post('Content-Length : 3\r\n'), 400, '4ab');
refused('a blank ahead of the colon of Transfer-Encoding', post('Transfer-Encoding : chunked\r\n'), 400, '0\r\n\r\n');
refused('a folded header', post('X-Folded: a\r\n b\r\nContent-Length: 3\r\n'), 400, '4ab');
refused('a folded Transfer-Encoding', post('Transfer-Encoding:\r\n chunked\r\n'), 400, '0\r\n\r\n');
refused('lines that end in LF alone', `GET ${OPEN} HTTP/1.1\nHost: h\n\n`);
refused('a line that ends in LF alone', `${HEAD}X-One: 1\nX-Two: 2\r\n\r\n`);
refused('CR alone', `${HEAD}X-One: 1\rX-Two: 2\r\n\r\n`);
refused('a header without a colon', `${HEAD}nonsense\r\n\r\n`);
refused('a header without a name', `${HEAD}: value\r\n\r\n`);
refused('NUL in a value', `${HEAD}X-Nul: a\x00b\r\n\r\n`);
refused('NUL in a name', `${HEAD}X-\x00Nul: a\r\n\r\n`);
refused('a control character in a value', `${HEAD}X-Bell: a\x07b\r\n\r\n`);
refused('no Host', `GET ${OPEN} HTTP/1.1\r\n\r\n`);
refused('two Hosts', `GET ${OPEN} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`);
refused('a blank in the target', 'GET /engine.io/ ?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n');
refused('a byte over 0x7f in the target', 'GET /engine.io/?EIO=4&transport=polling&x=\xe9 HTTP/1.1\r\nHost: h\r\n\r\n');
refused('a fragment in the target', `GET ${OPEN}#x HTTP/1.1\r\nHost: h\r\n\r\n`);
refused('no target', 'GET HTTP/1.1\r\nHost: h\r\n\r\n');
refused('a method that is none', `FETCH ${OPEN} HTTP/1.1\r\nHost: h\r\n\r\n`);
refused('a method in lower case', `get ${OPEN} HTTP/1.1\r\nHost: h\r\n\r\n`);
refused('no version', `GET ${OPEN}\r\nHost: h\r\n\r\n`);
refused('HTTP/2.0', `GET ${OPEN} HTTP/2.0\r\nHost: h\r\n\r\n`, 505);
refused('HTTP/1.2', `GET ${OPEN} HTTP/1.2\r\nHost: h\r\n\r\n`, 505);
refused('another protocol', `GET ${OPEN} RTSP/1.1\r\nHost: h\r\n\r\n`);
refused('CONNECT', 'CONNECT arda.example:443 HTTP/1.1\r\nHost: h\r\n\r\n', 501);
refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
refused('a greeting of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
refused('chunked in HTTP/1.0', `POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n`, 400, '3\r\n4ab\r\n0\r\n\r\n');
for (const [name, chunks] of [
  ['a size that is none', 'x\r\n4ab\r\n'], ['a negative size', '-3\r\n4ab\r\n'], ['a size with 0x', '0x3\r\n4ab\r\n'], ['an empty size', '\r\n4ab\r\n'], ['a size that ends in LF alone', '3\n4ab\r\n'],
  ['too few bytes', '4\r\n4ab\r\n0\r\n\r\n'], ['too many bytes', '2\r\n4ab\r\n0\r\n\r\n'], ['a blank ahead of the size', ' 3\r\n4ab\r\n'],
])
  refused(`chunks: ${name}`, post(CHUNKED), 400, chunks);
for (const size of ['7fffffff', 'ffffffff', '100000003', '7fffffffffffffff', 'ffffffffffffffff', '10000000000000003'])
  refused(`chunks: a size of ${size}`, post(CHUNKED), 413, `${size}\r\n4ab\r\n`);
tap.test('a POST that is cut or malformed leaves the session alone', async () => {
  const session = await Polling.open(port, '/engine.io');
  const cut = await Raw.open(port);
  await cut.write(`POST ${session.url} HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n4abc`);
  cut.close();
  const bad = await Raw.open(port);
  await bad.write(`POST ${session.url} HTTP/1.1\r\nHost: h\r\n${CHUNKED}\r\nnonsense\r\n`);
  await bad.gone();
  const seen = await session.pending();
  await session.post('4after');
  assert.strictEqual((await seen.answer()).body, '4after');
  seen.close();
  session.close();
});
tap.test('frames without a handshake are not HTTP', async () => {
  const raw = await Raw.open(port);
  raw.write(Buffer.concat([frame(1, '4x'), Buffer.from('\r\n\r\n')]));
  assert.strictEqual((await raw.answer()).status, 400);
  await raw.ended();
});

echo.main(tap, (bound) => (port = bound), { PING_INTERVAL: '600000', PING_TIMEOUT: '600000' });
