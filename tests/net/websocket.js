// SPDX-License-Identifier: ISC
// RFC 6455 over real connections: what is sent is spelled frame by frame, what comes back is
// compared frame by frame, to the close code and the end of TCP. Sections as in the common list of
// cases: 1 framing, 2 pings, 3 reserved bits, 4 opcodes, 5 fragmentation, 6 UTF-8, 7 closing,
// 9 limits, 10 the rest. The server echoes each text that begins with 4 and each binary message.
'use strict';
const assert = require('assert');
const tap = require('../lib/tap.js');
const echo = require('../lib/echo.js');
const { Raw, frame, handshake, ACCEPT } = require('../lib/raw.js');

const MAX = 1000000;
const [CONT, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
let port;

async function open() {
  const raw = await Raw.open(port);
  await raw.write(handshake('/engine.io/?EIO=4&transport=websocket'));
  const answer = await raw.answer();
  assert.strictEqual(answer.status, 101);
  assert.strictEqual(answer.headers['sec-websocket-accept'], ACCEPT);
  assert.strictEqual((await raw.frame()).payload.toString()[0], '0');
  return raw;
}

// ---- what is expected ----

const text = (payload) => ({ opcode: TEXT, payload: Buffer.from(payload) });
const binary = (payload) => ({ opcode: BINARY, payload: Buffer.from(payload) });
const pong = (payload = '') => ({ opcode: PONG, payload: Buffer.from(payload) });
const closed = (code, reason = '') => ({ opcode: CLOSE, payload: closePayload(code, reason) });
const CLOSED_1002 = closed(1002);
const CLOSED_1007 = closed(1007);
const CLOSED_1009 = closed(1009);
const CLOSED_1000 = closed(1000);

function closePayload(code, reason = '') {
  if (code === undefined) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}

const goodbye = (code, reason) => frame(CLOSE, closePayload(code, reason));

async function expect(raw, frames) {
  for (const wanted of frames) {
    const got = await raw.frame();
    assert.deepStrictEqual([got.opcode, got.fin, got.rsv], [wanted.opcode, true, 0], `${got.payload.toString('hex').slice(0, 80)}`);
    assert.ok(got.payload.equals(wanted.payload), `got ${got.payload.toString('hex').slice(0, 80)} of ${got.payload.length} bytes`);
  }
}

// How bytes get to the server: as one write, or in pieces of that many bytes.
const whole = (raw, bytes) => raw.write(bytes);
const pieces = (size) => (raw, bytes) => raw.dribble(bytes, size);

// The case NAME: FRAMES are sent at once, then by `send` otherwise; WANTED comes back. Where it does
// not end in a close frame, the case closes with 1000 itself. Then TCP ends.
function check(name, frames, wanted, send = whole) {
  tap.test(name, async () => {
    const raw = await open();
    const sent = send(raw, Buffer.concat(frames));
    await expect(raw, wanted);
    if (wanted.length === 0 || wanted[wanted.length - 1].opcode !== CLOSE) {
      await sent;
      await raw.write(goodbye(1000));
      await expect(raw, [CLOSED_1000]);
    }
    await raw.ended();
  });
}

// The same in one piece, and byte by byte.
function checkBoth(name, frames, wanted) {
  check(name, frames, wanted);
  check(`${name}, byte by byte`, frames, wanted, pieces(1));
}

const filled = (len) => Buffer.concat([Buffer.from('4'), Buffer.alloc(len - 1, 'abcdefgh')]);
const bytesOf = (len) => Buffer.from(Array.from({ length: len }, (_, i) => (i * 7 + 254) & 255));

// ---- 1 framing ----

for (const len of [1, 2, 125, 126, 127, 128, 65535, 65536]) {
  check(`1.1 text of ${len} bytes`, [frame(TEXT, filled(len))], [text(filled(len))]);
  check(`1.2 binary of ${len} bytes`, [frame(BINARY, bytesOf(len))], [binary(bytesOf(len))]);
}
check('1.1 text in pieces of 997 bytes', [frame(TEXT, filled(65536))], [text(filled(65536))], pieces(997));
check('1.2 binary in pieces of 997 bytes', [frame(BINARY, bytesOf(65536))], [binary(bytesOf(65536))], pieces(997));
check('1.2 an empty binary message', [frame(BINARY)], [binary('')]);
check('1.1 an empty text is no packet', [frame(TEXT)], [closed()]);
check('1.3 a mask of zeros', [frame(TEXT, '4zero', { mask: [0, 0, 0, 0] })], [text('4zero')]);
check('1.3 a mask of ones', [frame(TEXT, '4ones', { mask: [255, 255, 255, 255] })], [text('4ones')]);
checkBoth('1.4 a frame without a mask', [frame(TEXT, '4bare', { mask: null })], [CLOSED_1002]);
check('1.4 a ping without a mask', [frame(PING, '', { mask: null })], [CLOSED_1002]);
check('1.4 a close without a mask', [frame(CLOSE, closePayload(1000), { mask: null })], [CLOSED_1002]);
for (const len of [0, 1, 125]) check(`1.5 a length of ${len} in 16 bits`, [frame(BINARY, bytesOf(len), { wide: 2 })], [CLOSED_1002]);
for (const len of [0, 125, 126, 65535]) check(`1.5 a length of ${len} in 64 bits`, [frame(BINARY, bytesOf(len), { wide: 8 })], [CLOSED_1002]);
checkBoth('1.6 several messages in one segment', [frame(TEXT, '4one'), frame(BINARY, 'two'), frame(TEXT, '4three')], [text('4one'), binary('two'), text('4three')]);

// ---- 2 pings and pongs ----

checkBoth('2.1 a ping without payload', [frame(PING)], [pong()]);
check('2.2 a ping with text', [frame(PING, 'hello')], [pong('hello')]);
check('2.3 a ping with bytes that are no text', [frame(PING, Buffer.from([0, 255, 254, 253, 10]))], [pong(Buffer.from([0, 255, 254, 253, 10]))]);
checkBoth('2.4 a ping of 125 bytes', [frame(PING, bytesOf(125))], [pong(bytesOf(125))]);
for (const wide of [2, 8]) check(`2.5 a ping of 126 bytes, length in ${wide}`, [frame(PING, bytesOf(126), { wide })], [CLOSED_1002]);
check('2.7 a pong that nobody asked for', [frame(PONG)], []);
check('2.8 such a pong with payload', [frame(PONG, 'unasked')], []);
check('2.9 such a pong, then a ping', [frame(PONG, 'unasked'), frame(PING, 'asked')], [pong('asked')]);
const ten = Array.from({ length: 10 }, (_, i) => `number ${i}`);
checkBoth('2.10 ten pings', ten.map((payload) => frame(PING, payload)), ten.map((payload) => pong(payload)));
check('2.12 pings between messages keep their order', [frame(TEXT, '4a'), frame(PING, '1'), frame(TEXT, '4b'), frame(PING, '2')],
  [text('4a'), pong('1'), text('4b'), pong('2')]);

// ---- 3 reserved bits ----

for (let rsv = 1; rsv < 8; rsv++) {
  check(`3.${rsv} RSV ${rsv} on text`, [frame(TEXT, '4x', { rsv })], [CLOSED_1002]);
  check(`3.${rsv} RSV ${rsv} on a ping, behind a message`, [frame(TEXT, '4x'), frame(PING, '', { rsv }), frame(PING)], [text('4x'), CLOSED_1002]);
  check(`3.${rsv} RSV ${rsv} on a continuation`, [frame(TEXT, '4x', { fin: false }), frame(CONT, 'y', { rsv })], [CLOSED_1002]);
}
check('3.8 RSV 4 on a close, byte by byte', [frame(CLOSE, closePayload(1000), { rsv: 4 })], [CLOSED_1002], pieces(1));

// ---- 4 opcodes ----

for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
  check(`4.1 opcode ${opcode}`, [frame(opcode)], [CLOSED_1002]);
  check(`4.2 opcode ${opcode} with payload, behind a message`, [frame(TEXT, '4x'), frame(opcode, 'reserved'), frame(PING)], [text('4x'), CLOSED_1002]);
}

// ---- 5 fragmentation ----

const part = (payload, opcode = CONT) => frame(opcode, payload, { fin: false });
const last = (payload) => frame(CONT, payload);
check('5.1 a ping in two fragments', [part('frag', PING), last('ment')], [CLOSED_1002]);
check('5.2 a pong in two fragments', [part('frag', PONG), last('ment')], [CLOSED_1002]);
check('5.2 a close in two fragments', [part(closePayload(1000), CLOSE), last('')], [CLOSED_1002]);
checkBoth('5.3 text in two fragments', [part('4frag', TEXT), last('ment')], [text('4fragment')]);
checkBoth('5.4 binary in two fragments', [part('frag', BINARY), last('ment')], [binary('fragment')]);
checkBoth('5.6 a ping between two fragments', [part('4frag', TEXT), frame(PING, 'in'), last('ment')], [pong('in'), text('4fragment')]);
check('5.7 a pong between two fragments', [part('4frag', TEXT), frame(PONG, 'in'), last('ment')], [text('4fragment')]);
check('5.8 a close between two fragments', [part('4frag', TEXT), goodbye(1000), last('ment')], [CLOSED_1000]);
check('5.9 a last fragment without a first', [last('stray'), frame(TEXT, '4x')], [CLOSED_1002]);
check('5.10 a fragment without a first', [part('stray'), frame(TEXT, '4x')], [CLOSED_1002]);
check('5.11 a stray fragment behind a message', [part('4a', TEXT), last('b'), last('stray')], [text('4ab'), CLOSED_1002]);
checkBoth('5.12 text inside of a fragmented message', [part('4frag', TEXT), frame(TEXT, '4x')], [CLOSED_1002]);
check('5.13 a fragment of text inside of a fragmented message', [part('4frag', TEXT), part('4x', TEXT)], [CLOSED_1002]);
check('5.14 binary inside of a fragmented text', [part('4frag', TEXT), frame(BINARY, 'x'), last('ment')], [CLOSED_1002]);
checkBoth('5.15 fragments without payload', [part('', TEXT), part(''), part('4x'), part(''), last('')], [text('4x')]);
check('5.15 a binary message of empty fragments', [part('', BINARY), part(''), last('')], [binary('')]);
check('5.15 an empty text in fragments is no packet', [part('', TEXT), last('')], [closed()]);
checkBoth('5.19 five fragments with a ping behind each',
  [part('41', TEXT), frame(PING, 'a'), part('2'), frame(PING, 'b'), part('3'), frame(PING, 'c'), part('4'), frame(PING, 'd'), last('5')],
  [pong('a'), pong('b'), pong('c'), pong('d'), text('412345')]);
check('5.20 two fragmented messages, one behind the other', [part('4a', TEXT), last('b'), part('c', BINARY), last('d')], [text('4ab'), binary('cd')]);

// ---- 6 UTF-8 ----

const hex = (digits) => Buffer.from(digits.replace(/ /g, ''), 'hex');
const VALID = {
  'one byte, first and last': '00 7f', 'two bytes, first and last': 'c280 dfbf', 'three bytes, first and last': 'e0a080 efbfbf',
  'four bytes, first and last': 'f0908080 f48fbfbf', 'around the surrogates': 'ed9fbf ee8080', 'the byte order mark': 'efbbbf',
  'noncharacters': 'efbfbe efb790 f09fbfbe f09fbfbf', 'the replacement character': 'efbfbd', 'Greek': 'cebac3b3cf83cebcceb5', 'emoji': 'f09f9880',
};
const INVALID = {
  'a continuation byte': '80', 'the last continuation byte': 'bf', 'several continuation bytes': '8080bfbf', 'c0 80, overlong': 'c080', 'c1 bf, overlong': 'c1bf',
  'e0 80 80, overlong': 'e08080', 'e0 9f bf, overlong': 'e09fbf', 'f0 80 80 80, overlong': 'f0808080', 'f0 8f bf bf, overlong': 'f08fbfbf',
  'the first high surrogate': 'eda080', 'the last high surrogate': 'edafbf', 'the first low surrogate': 'edb080', 'the last low surrogate': 'edbfbf',
  'a pair of surrogates': 'eda081edb080', 'above U+10FFFF': 'f4908080', 'f5': 'f5808080', 'five bytes': 'f888808080', 'six bytes': 'fc8480808080',
  'fe': 'fe', 'ff': 'ff', 'two bytes, then ASCII': 'c341', 'three bytes cut by ASCII': 'e0a041', 'four bytes cut by ASCII': 'f0908041', 'a lead behind a lead': 'c3c3a9',
};
const CUT = { 'two bytes': 'c3', 'three bytes after one': 'e0', 'three bytes after two': 'e0a0', 'four bytes after one': 'f0', 'four after two': 'f090', 'four after three': 'f09080' };

// The bytes of a message as fragments of one byte.
const atoms = (bytes) => Array.from(bytes, (byte, i) => frame(i ? CONT : TEXT, [byte], { fin: i === bytes.length - 1 }));
const inText = (bytes, behind = '!') => Buffer.concat([Buffer.from('4κ'), bytes, Buffer.from(behind)]);

for (const [name, digits] of Object.entries(VALID)) {
  const message = inText(hex(digits));
  check(`6.1 ${name}`, [frame(TEXT, message)], [text(message)]);
  check(`6.2 ${name}, in fragments of a byte`, atoms(message), [text(message)]);
  check(`6.2 ${name}, byte by byte`, [frame(TEXT, message)], [text(message)], pieces(1));
}
for (const [name, digits] of Object.entries(INVALID)) {
  const message = inText(hex(digits));
  check(`6.3 ${name}`, [frame(TEXT, message), frame(TEXT, '4behind')], [CLOSED_1007]);
  check(`6.3 ${name}, in fragments of a byte`, atoms(message), [CLOSED_1007]);
  check(`6.4 ${name}, told before the message ends`, [part(message, TEXT)], [CLOSED_1007]);
  check(`6.4 ${name}, told before the frame ends`, [frame(TEXT, message).subarray(0, -1)], [CLOSED_1007]);
}
for (const [name, digits] of Object.entries(CUT)) {
  const message = inText(hex(digits), '');
  check(`6.5 the message ends within ${name}`, [frame(TEXT, message)], [CLOSED_1007]);
  check(`6.5 the last of several fragments ends within ${name}`, [part(message.subarray(0, 2), TEXT), last(message.subarray(2))], [CLOSED_1007]);
}
check('6.6 a character over the border of two fragments', [part(hex('34c3'), TEXT), last(hex('a9'))], [text('4é')]);
check('6.6 with a ping in between', [part(hex('34f09f'), TEXT), frame(PING, hex('ff')), last(hex('9880'))], [pong(hex('ff')), text('4😀')]);
check('6.7 binary may be anything', [frame(BINARY, hex('eda080ff'))], [binary(hex('eda080ff'))]);

// ---- 7 closing ----

check('7.1 a message, then a close', [frame(TEXT, '4x'), goodbye(1000)], [text('4x'), CLOSED_1000]);
check('7.1 two closes', [goodbye(1000), goodbye(1001)], [CLOSED_1000]);
check('7.1 a ping behind the close', [goodbye(1000), frame(PING)], [CLOSED_1000]);
check('7.1 a message behind the close', [goodbye(1000), frame(TEXT, '4late')], [CLOSED_1000]);
check('7.1 a violation behind the close', [goodbye(1000), frame(3)], [CLOSED_1000]);
check('7.3 a close without payload', [frame(CLOSE)], [closed()]);
check('7.3 a payload of one byte', [frame(CLOSE, 'x')], [CLOSED_1002]);
checkBoth('7.3 a code alone', [goodbye(1000)], [CLOSED_1000]);
check('7.3 a code with a reason', [goodbye(1000, 'gute Nacht, ψ')], [closed(1000, 'gute Nacht, ψ')]);
checkBoth('7.3 a reason of 123 bytes', [goodbye(1000, 'x'.repeat(123))], [closed(1000, 'x'.repeat(123))]);
check('7.3 a reason of 124 bytes', [goodbye(1000, 'x'.repeat(124))], [CLOSED_1002]);
check('7.5 a reason that is no UTF-8', [goodbye(1000, hex('ceba eda080'))], [CLOSED_1007]);
check('7.5 a reason that ends within a character', [goodbye(1000, hex('ceba c3'))], [CLOSED_1007]);
for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
  check(`7.7 code ${code}`, [goodbye(code)], [closed(code)]);
for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
  check(`7.9 code ${code} must not be sent`, [goodbye(code)], [CLOSED_1002]);
check('7.9 such a code with a reason', [goodbye(1005, 'reason')], [CLOSED_1002]);
check('7.10 a close amidst of a fragmented message, byte by byte', [part('4frag', TEXT), goodbye(4001, 'bye')], [closed(4001, 'bye')], pieces(1));

// ---- 9 limits ----

for (const len of [65537, 262144, MAX - 1, MAX]) {
  check(`9.1 text of ${len} bytes`, [frame(TEXT, filled(len))], [text(filled(len))]);
  check(`9.2 binary of ${len} bytes`, [frame(BINARY, bytesOf(len))], [binary(bytesOf(len))]);
}
const cutUp = (opcode, bytes, size) => {
  const frames = [];
  for (let at = 0; at < bytes.length; at += size)
    frames.push(frame(at ? CONT : opcode, bytes.subarray(at, at + size), { fin: at + size >= bytes.length }));
  return frames;
};
for (const size of [64, 256, 1024, 4096, 16384, 65536]) {
  check(`9.3 text of 262144 bytes in fragments of ${size}`, cutUp(TEXT, filled(262144), size), [text(filled(262144))]);
  check(`9.4 binary of the largest size in fragments of ${size}`, cutUp(BINARY, bytesOf(MAX), size), [binary(bytesOf(MAX))]);
}
for (const size of [1500, 65536])
  check(`9.5 text of the largest size in pieces of ${size}`, [frame(TEXT, filled(MAX))], [text(filled(MAX))], pieces(size));
const announced = (opcode, announce, more) => frame(opcode, '', { announce, ...more });
check('9.6 one byte too large, told from the head', [announced(TEXT, MAX + 1)], [CLOSED_1009]);
check('9.6 binary one byte too large', [announced(BINARY, MAX + 1)], [CLOSED_1009]);
for (const [name, announce] of Object.entries({ '2^31': 2n ** 31n, '2^32': 2n ** 32n, '2^32 + 1': 2n ** 32n + 1n, '2^40': 2n ** 40n, '2^63 - 1': 2n ** 63n - 1n }))
  checkBoth(`9.6 a length of ${name}`, [announced(BINARY, announce)], [CLOSED_1009]);
for (const [name, announce] of Object.entries({ '2^63': 2n ** 63n, '2^64 - 1': 2n ** 64n - 1n }))
  check(`9.6 a length of ${name}`, [announced(BINARY, announce)], [CLOSED_1002]);
check('9.7 fragments whose sum is the largest size', [part(bytesOf(MAX - 5), BINARY), last('12345')], [binary(Buffer.concat([bytesOf(MAX - 5), Buffer.from('12345')]))]);
check('9.7 fragments whose sum is a byte too large', [part(bytesOf(MAX - 5), BINARY), announced(CONT, 6)], [CLOSED_1009]);
check('9.7 many fragments whose sum is too large', [...cutUp(TEXT, filled(MAX), 16384).slice(0, -1), announced(CONT, 16385)], [CLOSED_1009]);
check('9.8 100000 fragments without payload', [part('', BINARY), ...Array(100000).fill(part('')), last('x')], [binary('x')]);
check('9.8 20000 fragments of a byte', atoms(filled(20000)), [text(filled(20000))]);
check('9.9 1000 messages in one go', Array.from({ length: 1000 }, (_, i) => frame(TEXT, `4${i}`)), Array.from({ length: 1000 }, (_, i) => text(`4${i}`)));

// ---- 10 the rest ----

check('10.1 65536 bytes in fragments of 1300', cutUp(TEXT, filled(65536), 1300), [text(filled(65536))]);
check('10.2 nothing behind a violation is handled', [frame(TEXT, '4before'), frame(3), frame(TEXT, '4behind'), frame(PING), goodbye(1000)],
  [text('4before'), CLOSED_1002]);
tap.test('10.3 frames in the segment of the handshake are read', async () => {
  const raw = await Raw.open(port);
  await raw.write(Buffer.concat([handshake('/engine.io/?EIO=4&transport=websocket'), frame(TEXT, '4early'), frame(PING, 'p')]));
  assert.strictEqual((await raw.answer()).status, 101);
  assert.strictEqual((await raw.frame()).payload.toString()[0], '0');
  await expect(raw, [text('4early'), pong('p')]);
  await raw.write(goodbye(1000));
  await expect(raw, [CLOSED_1000]);
  await raw.ended();
});
tap.test('10.4 handshake and frame, byte by byte', async () => {
  const raw = await Raw.open(port);
  await raw.dribble(Buffer.concat([handshake('/engine.io/?EIO=4&transport=websocket'), frame(TEXT, '4early'), goodbye(1000)]));
  assert.strictEqual((await raw.answer()).status, 101);
  await raw.frame();
  await expect(raw, [text('4early'), CLOSED_1000]);
  await raw.ended();
});
tap.test('10.5 a client that ends amidst of a frame harms nobody', async () => {
  for (const cut of [1, 2, 4, 6, 9]) {
    const raw = await open();
    await raw.write(frame(TEXT, '4unfinished').subarray(0, cut));
    raw.close();
    const other = await open();
    await other.write(part('4unfinished', TEXT));
    other.reset();
  }
  const raw = await open();
  await raw.write(frame(TEXT, '4well'));
  await expect(raw, [text('4well')]);
  raw.close();
});

echo.main(tap, (bound) => (port = bound), { PING_INTERVAL: '600000', PING_TIMEOUT: '600000' });
