// SPDX-License-Identifier: ISC
// A client on a WebSocket, from the handshake on or after an upgrade.
'use strict';
const zlib = require('zlib');
const { frame, handshake } = require('../lib/raw.js');
const { Client, Over, pause } = require('./client.js');
const { join, some } = require('./packets.js');

const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const COMPRESSED = 4;
const DEFLATE = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover';

const deflated = (payload) => zlib.deflateRawSync(payload, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
const inflated = (payload) => zlib.inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 255, 255])]), { finishFlush: zlib.constants.Z_SYNC_FLUSH });

const GARBAGE = [
  (dice) => dice.bytes(dice.between(1, 200)),
  () => frame(TEXT, '42["ping"]', { mask: null }),
  () => frame(3, 'reserved'),
  () => frame(11, 'reserved'),
  () => frame(TEXT, 'x', { rsv: 2 }),
  (dice) => frame(TEXT, dice.bytes(30), { rsv: COMPRESSED }),
  () => frame(TEXT, deflated('4' + 'x'.repeat(3000000)), { rsv: COMPRESSED }),
  () => frame(TEXT, 'x', { announce: 1 << 30 }),
  () => frame(TEXT, '', { announce: 1n << 62n, wide: 8 }),
  () => frame(PING, 'x'.repeat(126)),
  () => frame(PING, 'x', { fin: false }),
  () => frame(CONTINUATION, 'of nothing'),
  () => Buffer.concat([frame(TEXT, '42', { fin: false }), frame(TEXT, '["ping"]')]),
  () => frame(TEXT, Buffer.from([0x34, 0x32, 0xff, 0xfe])),
  () => frame(CLOSE, 'x'),
  () => frame(CLOSE, Buffer.from([0, 5])),
];

class WebSocketClient extends Client {
  // As a client of the session with that id, or of a new one.
  async connect(sid) {
    const { dice } = this;
    const raw = (this.raw = await this.open());
    const headers = dice.chance(0.5) ? { 'Sec-WebSocket-Extensions': DEFLATE } : {};
    if (this.me.authorization) headers.Authorization = this.me.authorization;
    const target = `/socket.io/?EIO=4&transport=websocket${sid ? `&sid=${sid}` : ''}`;
    await raw.write(handshake(target, headers));
    const answer = await this.within(raw.answer());
    if (answer.status !== 101) throw new Over();
    this.deflates = 'sec-websocket-extensions' in answer.headers;
  }

  // Frames of messages: whole or in pieces, plain or compressed.
  frames(packets) {
    return Buffer.concat(packets.map((packet) => {
      const { dice } = this;
      const compress = this.deflates && dice.chance(0.4);
      const payload = compress ? deflated(Buffer.from(packet)) : Buffer.from(packet);
      const rsv = compress ? COMPRESSED : 0;
      if (!dice.chance(0.1)) return frame(TEXT, payload, { rsv });
      const cut = dice.below(payload.length + 1);
      const between = dice.chance(0.3) ? frame(PING, 'between') : Buffer.alloc(0);
      return Buffer.concat([frame(TEXT, payload.subarray(0, cut), { fin: false, rsv }), between, frame(CONTINUATION, payload.subarray(cut))]);
    }));
  }

  async read() {
    for (;;) {
      const got = await this.raw.frame();
      if (got.opcode === CLOSE) return;
      if (got.opcode !== TEXT) continue;
      const text = (got.rsv === COMPRESSED ? inflated(got.payload) : got.payload).toString();
      if (text === '2') {
        if (this.dice.chance(0.9)) this.beside(this.raw.write(frame(TEXT, '3')));
      } else {
        this.check(text);
      }
    }
  }

  async stall() {
    this.raw.socket.pause();
    await pause(this.dice.between(20, 400));
    this.raw.socket.resume();
  }

  attachments() {
    const { dice } = this;
    const count = dice.between(1, 3);
    const parts = [frame(TEXT, `45${count}-["ping",${Array.from({ length: count }, (_, num) => `{"_placeholder":true,"num":${num}}`)}]`)];
    const sent = dice.chance(0.9) ? count : dice.below(5);
    for (let i = 0; i < sent; i++) parts.push(frame(BINARY, dice.bytes(dice.below(500))));
    return Buffer.concat(parts);
  }

  async act() {
    const { dice, raw } = this;
    const send = (bytes) => (dice.chance(0.05) ? raw.dribble(bytes.subarray(0, 300), dice.between(1, 40)) : this.within(raw.write(bytes)));
    await dice.weighed([
      [50, () => send(this.frames(some(dice, this.me)))],
      [6, () => send(Buffer.concat(Array.from({ length: dice.between(1, 30) }, () => frame(dice.pick([PING, PONG]), dice.bytes(dice.below(126))))))],
      [5, () => send(this.attachments())],
      [10, () => this.stall()],
      [1, () => send(dice.pick(GARBAGE)(dice))],
      [2, () => send(frame(CLOSE, dice.pick([Buffer.alloc(0), Buffer.from([3, 232]), Buffer.from([0x0b, 0xb8, 0x21])])))],
      [1, () => this.raw.socket.end()],
      [20, () => pause(dice.below(60))],
    ])();
  }

  async go() {
    for (let step = this.dice.between(2, 40); step > 0 && !this.raw.end; step--) await this.act();
  }

  async live() {
    await this.connect();
    const { dice } = this;
    // What comes with the first packets is in one read with them.
    const first = dice.chance(0.9) ? [join(this.me), ...(dice.chance(0.2) ? some(dice, this.me) : [])] : some(dice, this.me);
    await this.within(this.raw.write(this.frames(first)));
    this.beside(this.read());
    await this.mayWait();
    await this.go();
  }
}

module.exports = { WebSocketClient };
