// SPDX-License-Identifier: ISC
// Sessions of Engine.IO over raw connections, packet by packet:
//   const polling = await Polling.open(port, '/engine.io');   polling.get(), polling.post(body)
//   const ws = await WebSocket.open(port, '/engine.io');      ws.send(text), ws.packet()
// Nothing is answered by itself, no heartbeat either.
'use strict';
const assert = require('assert');
const { Raw, frame, request, handshake } = require('./raw.js');

const [TEXT, BINARY, CLOSE] = [1, 2, 8];

class Polling {
  static async open(port, path) {
    const session = new Polling();
    session.port = port;
    session.path = path;
    session.gets = await Raw.open(port);
    session.posts = await Raw.open(port);
    await session.gets.write(request('GET', `${path}/?EIO=4&transport=polling`));
    const { status, body } = await session.gets.answer();
    assert.strictEqual(status, 200);
    session.handshake = JSON.parse(body.slice(1));
    session.sid = session.handshake.sid;
    session.url = `${path}/?EIO=4&transport=polling&sid=${session.sid}`;
    session.received = [];
    return session;
  }

  async get() {
    await this.gets.write(request('GET', this.url));
    return this.gets.answer();
  }

  async post(body) {
    await this.posts.write(request('POST', this.url, {}, body));
    return this.posts.answer();
  }

  // The same calls as on a WebSocket: packets are strings or Buffers.
  async send(...messages) {
    const { status } = await this.post(messages.map((message) => (typeof message === 'string' ? message : `b${message.toString('base64')}`)).join('\x1e'));
    assert.ok(status === 200 || status === 400);
  }

  async packet() {
    while (this.received.length === 0) {
      const { status, body } = await this.get();
      assert.strictEqual(status, 200, body);
      this.received.push(...body.split('\x1e'));
    }
    const packet = this.received.shift();
    return packet[0] === 'b' ? Buffer.from(packet.slice(1), 'base64') : packet;
  }

  async expect(...packets) {
    for (const packet of packets) assert.deepStrictEqual(await this.packet(), packet);
  }

  // The server has closed the session: at most one GET more says so before it is unknown.
  async closed() {
    assert.deepStrictEqual(this.received, []);
    const { status, body } = await this.get();
    if (status !== 400) assert.deepStrictEqual([status, body], [200, '1']);
    await this.unknown();
    this.close();
  }

  // A GET that the server has seen, and will answer later: `answer` is the promise. What comes ahead
  // of it on the same connection has been answered, so it was read.
  async pending() {
    const raw = await Raw.open(this.port);
    await raw.write(Buffer.concat([request('OPTIONS', this.url), request('GET', this.url)]));
    assert.strictEqual((await raw.answer()).status, 204);
    return raw;
  }

  // The session is unknown to a request.
  async unknown() {
    const raw = await Raw.open(this.port);
    await raw.write(request('GET', this.url));
    const { status, body } = await raw.answer();
    assert.deepStrictEqual([status, body], [400, '{"code":1,"message":"Session ID unknown"}']);
    raw.close();
  }

  upgrade() {
    return WebSocket.connect(this.port, `${this.path}/?EIO=4&transport=websocket&sid=${this.sid}`);
  }

  // Gone without a word; of a session that polls the server learns nothing then.
  close() {
    this.gets.close();
    this.posts.close();
  }
}

class WebSocket {
  static async connect(port, target) {
    const ws = new WebSocket();
    ws.raw = await Raw.open(port);
    await ws.raw.write(handshake(target));
    const { status } = await ws.raw.answer();
    assert.strictEqual(status, 101);
    return ws;
  }

  static async open(port, path) {
    const ws = await WebSocket.connect(port, `${path}/?EIO=4&transport=websocket`);
    const packet = await ws.packet();
    assert.strictEqual(packet[0], '0');
    ws.handshake = JSON.parse(packet.slice(1));
    ws.sid = ws.handshake.sid;
    return ws;
  }

  send(...messages) {
    return this.raw.write(Buffer.concat(messages.map((message) => frame(typeof message === 'string' ? TEXT : BINARY, message))));
  }

  // The next packet: a string or a Buffer.
  async packet() {
    const { opcode, payload } = await this.raw.frame();
    if (opcode === CLOSE) throw new Error(`closed (${payload.toString('hex')}) instead of a packet`);
    return opcode === TEXT ? payload.toString() : payload;
  }

  async expect(...packets) {
    for (const packet of packets) assert.deepStrictEqual(await this.packet(), packet);
  }

  // The server closes with that code (none: an empty payload), and ends TCP.
  async closed(code) {
    const got = await this.raw.frame();
    assert.deepStrictEqual([got.opcode, got.code, got.payload.length], [CLOSE, code, code === undefined ? 0 : 2], String(got.payload));
    await this.raw.ended();
  }

  // Ended by us, with the closing handshake of RFC 6455.
  async bye() {
    await this.raw.write(frame(CLOSE, Buffer.from([3, 232])));
    await this.closed(1000);
  }

  // ... and without a word.
  close() {
    this.raw.close();
  }
}

module.exports = { Polling, WebSocket };
