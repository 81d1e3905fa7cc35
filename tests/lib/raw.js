// SPDX-License-Identifier: ISC
// A TCP connection on which a script writes what it likes, and reads answers of HTTP and frames of
// WebSocket as they come:
//   const raw = await Raw.open(port);
//   raw.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
//   const { status, headers, body } = await raw.answer();
'use strict';
const net = require('net');

const LF = Buffer.from('\r\n\r\n');

class Raw {
  static open(port, options = {}) {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', ...options });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new Raw(socket));
      });
    });
  }

  constructor(socket) {
    this.socket = socket.setNoDelay(true);
    this.bytes = Buffer.alloc(0);
    this.end = null; // 'end' or the code of an error
    this.waiting = [];
    const wake = () => this.waiting.splice(0).forEach((resolve) => resolve());
    socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      wake();
    });
    socket.on('end', () => {
      this.end = this.end || 'end';
      wake();
    });
    socket.on('error', (error) => {
      this.end = error.code;
      wake();
    });
    socket.on('close', () => {
      this.end = this.end || 'close';
      wake();
    });
  }

  more() {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  // `found` yields what is looked for, or undefined as long as there is too little for it.
  async until(what, found) {
    for (;;) {
      const value = found();
      if (value !== undefined) return value;
      if (this.end) throw new Error(`${this.end} instead of ${what}, behind ${JSON.stringify(this.bytes.toString('latin1').slice(0, 300))}`);
      await this.more();
    }
  }

  take(len) {
    const piece = this.bytes.subarray(0, len);
    this.bytes = this.bytes.subarray(len);
    return piece;
  }

  write(data) {
    return new Promise((resolve) => this.socket.write(data, resolve));
  }

  // One byte, or `size`, at a time, each given to the kernel alone.
  async dribble(data, size = 1) {
    const bytes = Buffer.from(data);
    for (let at = 0; at < bytes.length && !this.end; at += size) {
      await this.write(bytes.subarray(at, at + size));
      await new Promise(setImmediate);
    }
  }

  // The next answer; `head` for one without a body, as to HEAD.
  async answer(head = false) {
    const end = await this.until('an answer', () => {
      const at = this.bytes.indexOf(LF);
      return at < 0 ? undefined : at;
    });
    const [first, ...lines] = this.take(end + 4).toString('latin1').trimEnd().split('\r\n');
    const match = /^HTTP\/1\.1 (\d{3}) \S/.exec(first);
    if (!match) throw new Error(`no status line: ${first}`);
    const status = Number(match[1]);
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const none = head || status < 200 || status === 204;
    if (!none && !/^\d+$/.test(headers['content-length'])) throw new Error(`no Content-Length: ${lines}`);
    const len = none ? 0 : Number(headers['content-length']);
    await this.until('a body', () => (this.bytes.length >= len ? true : undefined));
    return { status, headers, body: this.take(len).toString('utf8') };
  }

  // The next frame. A server's is never masked, and its length is the shortest form.
  async frame() {
    const frame = await this.until('a frame', () => parseFrame(this.bytes));
    this.take(frame.size);
    return frame;
  }

  // The connection has ended in an orderly way and nothing more has come.
  async ended() {
    await this.until('the end', () => (this.end || this.bytes.length ? true : undefined));
    if (this.bytes.length) throw new Error(`unexpected: ${JSON.stringify(this.bytes.toString('latin1').slice(0, 300))}`);
    if (this.end !== 'end') throw new Error(`${this.end} instead of an orderly end`);
    this.socket.destroy();
  }

  // It has ended, in whatever way.
  async gone() {
    while (!this.end) await this.more();
    this.socket.destroy();
  }

  // Ended by us: without a word of farewell, or with a reset.
  close() {
    this.socket.destroy();
  }

  reset() {
    this.socket.resetAndDestroy();
  }
}

function parseFrame(bytes) {
  if (bytes.length < 2) return undefined;
  if (bytes[1] & 0x80) throw new Error('a masked frame of the server');
  let size = 2;
  let len = bytes[1] & 0x7f;
  if (len >= 126) {
    size = len === 126 ? 4 : 10;
    if (bytes.length < size) return undefined;
    const shortest = len === 126 ? 126 : 65536;
    len = len === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (len < shortest) throw new Error(`a length of ${len} in too long a form`);
  }
  if (bytes.length < size + len) return undefined;
  const payload = Buffer.from(bytes.subarray(size, size + len));
  const opcode = bytes[0] & 0x0f;
  const frame = { fin: bytes[0] >> 7 === 1, rsv: (bytes[0] >> 4) & 7, opcode, payload, size: size + len };
  if (opcode === 8 && len >= 2) frame.code = payload.readUInt16BE(0);
  return frame;
}

// A frame as a client writes it. `announce` is a length other than the payload's, `wide` the number
// of bytes to say it in (0, 2, 8), `mask` null for none.
function frame(opcode, payload = '', { fin = true, rsv = 0, mask = [0x37, 0xfa, 0x21, 0x3d], announce, wide } = {}) {
  const data = Buffer.from(payload);
  const len = announce === undefined ? data.length : announce;
  const bits = wide === undefined ? (len < 126 ? 0 : len < 65536 ? 2 : 8) : wide;
  const head = Buffer.alloc(2 + bits);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (mask ? 0x80 : 0) | (bits === 0 ? Number(len) : bits === 2 ? 126 : 127);
  if (bits === 2) head.writeUInt16BE(Number(len), 2);
  if (bits === 8) head.writeBigUInt64BE(BigInt(len), 2);
  if (!mask) return Buffer.concat([head, data]);
  for (let i = 0; i < data.length; i++) data[i] ^= mask[i % 4];
  return Buffer.concat([head, Buffer.from(mask), data]);
}

// A request with Host; `headers` an object, `body` with its Content-Length.
function request(method, target, headers = {}, body) {
  const all = { Host: 'arda.example', ...headers };
  if (body !== undefined) all['Content-Length'] = Buffer.byteLength(body);
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`), Buffer.from(body || '')]);
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='; // with its answer from RFC 6455, section 1.3
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

function handshake(target, headers = {}) {
  return request('GET', target, { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13', ...headers });
}

module.exports = { Raw, frame, request, handshake, KEY, ACCEPT };
