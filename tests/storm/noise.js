// SPDX-License-Identifier: ISC
// Those who come to no session: what is no HTTP, or bad HTTP, and strangers at the relay's port.
'use strict';
const { Raw, request, handshake } = require('../lib/raw.js');
const { Client, pause } = require('./client.js');

const BASE = '/socket.io/?EIO=4&transport=polling';
const SID = 'AAAAAAAAAAAAAAAAAAAA';

const WORDS = [
  (dice) => dice.bytes(dice.between(1, 400)),
  () => Buffer.from('160301020001000001fc0303', 'hex'),
  () => 'GET / HTTP/1.1\r\n\r\n',
  () => 'GET /socket.io/ HTTP/0.9\r\n\r\n',
  () => request('GET', `/${'x'.repeat(20000)}`),
  () => request('GET', BASE, { 'X-Long': 'x'.repeat(20000) }),
  () => request('POST', `${BASE}&sid=${SID}`, {}, 'x'.repeat(3000)),
  () => request('POST', `${BASE}&sid=${SID}`, { 'Content-Length': '5, 6' }),
  () => request('GET', `${BASE}&sid=%00`),
  () => request('BREW', BASE),
  () => request('GET', '/socket.io/?EIO=3&transport=polling'),
  () => request('GET', '/socket.io/?EIO=4&transport=websocket'),
  () => handshake('/socket.io/?EIO=4&transport=websocket', { 'Sec-WebSocket-Version': '8' }),
  () => handshake('/socket.io/?EIO=4&transport=websocket', { 'Sec-WebSocket-Key': 'x' }),
  () => handshake(`/socket.io/?EIO=4&transport=websocket&sid=${SID}`),
  () => Buffer.concat(Array.from({ length: 20 }, () => request('GET', BASE))),
  () => 'POST /socket.io/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
];

class Noise extends Client {
  async live() {
    const { dice } = this;
    const { relay } = this.world.gateway(dice);
    if (relay && dice.chance(0.3)) return this.stranger(relay);
    const raw = await this.open();
    for (let i = dice.between(1, 3); i > 0 && !raw.end; i--) {
      const bytes = Buffer.from(dice.pick(WORDS)(dice));
      await this.within(raw.write(dice.chance(0.2) ? bytes.subarray(0, dice.below(bytes.length)) : bytes));
      await pause(dice.below(40));
    }
    if (dice.chance(0.3)) await this.within(raw.gone());
  }

  async stranger(port) {
    const { dice } = this;
    const raw = await Raw.open(port);
    this.raws.add(raw);
    await pause(dice.below(50));
    const magic = Buffer.from('ALK1');
    const bytes = dice.pick([dice.bytes(dice.between(1, 200)), Buffer.concat([magic, dice.bytes(68)]), Buffer.concat([magic, dice.bytes(10)])]);
    if (dice.chance(0.8)) await this.within(raw.write(bytes));
    await pause(dice.below(100));
  }
}

module.exports = { Noise };
