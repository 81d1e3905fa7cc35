// SPDX-License-Identifier: ISC
// A client that polls, or forgets to; over as many connections as it likes, to whichever gateway.
'use strict';
const { frame, request } = require('../lib/raw.js');
const { Client, Over, pause } = require('./client.js');
const { join, some } = require('./packets.js');
const { WebSocketClient } = require('./websocket.js');

const BASE = '/socket.io/?EIO=4&transport=polling';

class PollingClient extends Client {
  async begin() {
    const headers = this.me.authorization ? { Authorization: this.me.authorization } : {};
    const { status, body } = await this.ask('GET', undefined, BASE, headers);
    if (status !== 200) throw new Over();
    this.sid = JSON.parse(body.slice(1)).sid;
    this.url = `${BASE}&sid=${this.sid}`;
  }

  // A connection that waits for nothing, or a new one.
  async connection() {
    const idle = [...this.raws].filter((raw) => raw.busy === false && !raw.end);
    const raw = idle.length > 0 && this.dice.chance(0.8) ? this.dice.pick(idle) : undefined;
    if (raw) raw.busy = true; // before anybody else looks
    return raw || this.open();
  }

  async ask(method, body, url = this.url, headers = {}) {
    const raw = await this.connection();
    if (this.dice.chance(0.2)) headers = { ...headers, 'Accept-Encoding': 'gzip' };
    const bytes = request(method, url, headers, body);
    const slow = this.dice.chance(0.04) ? Math.min(400, bytes.length) : 0;
    await raw.dribble(bytes.subarray(0, slow), this.dice.between(1, 50));
    await raw.write(bytes.subarray(slow));
    const answer = await this.within(raw.answer(method === 'HEAD'));
    raw.busy = false;
    if (answer.headers.connection === 'close') {
      raw.close();
      this.raws.delete(raw);
    }
    return answer;
  }

  async get() {
    const { status, headers, body } = await this.ask('GET');
    if (status !== 200) throw new Over();
    if (!headers['content-encoding']) body.split('\x1e').forEach((packet) => this.check(packet));
    return body;
  }

  // One GET after the other.
  async read() {
    while (!this.over) {
      const body = await this.get();
      if (body.split('\x1e').includes('2')) this.beside(this.ask('POST', '3'));
    }
  }

  post(packets) {
    return this.ask('POST', packets.join('\x1e'));
  }

  async chunked(packets) {
    const raw = await this.open();
    const body = packets.join('\x1e');
    const cut = this.dice.below(body.length + 1);
    await raw.write(`POST ${this.url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const part of [body.slice(0, cut), body.slice(cut)])
      if (part) await raw.write(`${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`);
    if (this.dice.chance(0.8)) await raw.write('0\r\n\r\n');
    await this.within(raw.answer());
  }

  // Part of a request, and the connection is gone.
  async breakOff() {
    const raw = await this.open();
    const bytes = this.dice.pick([request('POST', this.url, {}, '42["ping"]'), request('GET', this.url)]);
    await raw.write(bytes.subarray(0, this.dice.between(1, bytes.length)));
    await pause(this.dice.below(20));
    if (this.dice.chance(0.5)) raw.reset();
    else raw.close();
    this.raws.delete(raw);
  }

  // True when the session goes on on the WebSocket.
  async upgrade() {
    const { dice } = this;
    const next = (this.next = new WebSocketClient(dice, this.world, this.me));
    const send = (text) => next.within(next.raw.write(frame(1, text)));
    await next.connect(this.sid);
    return dice.weighed([
      [10, async () => {
        await send('2probe');
        if ((await next.within(next.raw.frame())).payload.toString() !== '3probe') throw new Over();
        if (dice.chance(0.3)) await this.post(some(dice, this.me));
        if (dice.chance(0.1)) this.beside(this.get());
        await send('5');
        return true;
      }],
      [2, async () => send('5').then(() => false)],
      [2, async () => pause(dice.below(300)).then(() => false)],
      [2, async () => send(dice.bytes(20).toString('latin1')).then(() => false)],
      [2, async () => {
        for (let i = dice.between(1, 20); i > 0; i--) await next.within(next.raw.write(frame(9, dice.bytes(50))));
        return false;
      }],
      [2, async () => send('2probe').then(() => next.raw.reset()).then(() => false)],
      [1, async () => send('2probe').then(() => this.post(['1'])).then(() => false)],
    ])();
  }

  async act() {
    const { dice, me } = this;
    return dice.weighed([
      [60, () => this.post(some(dice, me))],
      [0.7, () => this.beside(this.get())],
      [0.5, () => Promise.all([this.post(some(dice, me)), this.post(some(dice, me))])],
      [8, () => this.upgrade()],
      [3, () => this.chunked(some(dice, me))],
      [4, () => this.breakOff()],
      [2, () => this.ask(dice.pick(['PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']))],
      [1, () => this.ask('POST', dice.bytes(dice.below(300)))],
      [1, () => this.ask('POST', 'x'.repeat(70000))],
      [1, () => this.post(['1'])],
      [10, () => pause(dice.below(80))],
    ])();
  }

  async live() {
    const { dice } = this;
    await this.begin();
    const reads = dice.chance(0.5);
    if (reads) this.beside(this.read());
    await this.post(dice.chance(0.9) ? [join(this.me), ...(dice.chance(0.2) ? some(dice, this.me) : [])] : some(dice, this.me));
    if (!reads && dice.chance(0.5)) this.beside(this.get());
    await this.mayWait();
    for (let step = dice.between(2, 30); step > 0; step--) {
      if ((await this.act()) !== true) continue;
      this.beside(this.next.read());
      return this.next.go();
    }
  }

  end() {
    if (this.next) this.next.end();
    super.end();
  }
}

module.exports = { PollingClient };
