// SPDX-License-Identifier: ISC
// What a gateway's relay meets beside gateways:
//   relay.js link HOST:PORT FROM TO SECRET REQUEST   connects to a gateway as another one and passes
//     a request on; prints {"up":…} and {"answer":text} of what came back until the stream's end
//   relay.js impostor           listens, knows no secret; prints {"port":…}, {"received":bytes}
//   relay.js silent HOST:PORT N LOCAL...   N connections from each of these addresses that send nothing;
//     prints {"silent":how many} when all have been greeted, {"closed":how many} for each that ends
//   relay.js stall URL SID      upgrades a session to a WebSocket and then reads nothing
'use strict';
const crypto = require('crypto');
const net = require('net');

const [mode, ...args] = process.argv.slice(2);
const print = (value) => process.stdout.write(JSON.stringify(value) + '\n');

function frame(type, stream, data = '') {
  const head = Buffer.alloc(9);
  head.writeUInt32BE(Buffer.byteLength(data), 0);
  head.writeUInt32BE(stream, 4);
  head.writeUInt8(type, 8);
  return Buffer.concat([head, Buffer.from(data)]);
}

function link(address, from, to, secret, request) {
  const [host, port] = address.split(':');
  const socket = net.connect(Number(port), host);
  const nonce = crypto.randomBytes(32);
  const head = Buffer.from('ALK1\0\0\0\0');
  let theirs, received = Buffer.alloc(0), up = false, answer = '';
  head.writeUInt16BE(Number(from), 4);
  head.writeUInt16BE(Number(to), 6);
  const prove = (role) =>
    crypto.createHmac('sha256', secret).update(Buffer.concat([Buffer.from(role), head, theirs, nonce])).digest();
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    if (!theirs && received.length >= 32) {
      theirs = received.subarray(0, 32);
      received = received.subarray(32);
      socket.write(Buffer.concat([head, nonce, prove('c')]));
      /* Not waiting for the other's proof, as an attacker would not. */
      socket.write(Buffer.concat([frame(0, 1), frame(1, 1, request)]));
    }
    if (theirs && !up && received.length >= 32) {
      up = received.subarray(0, 32).equals(prove('a'));
      received = received.subarray(32);
    }
    while (up && received.length >= 9 && received.length >= 9 + received.readUInt32BE(0)) {
      const length = received.readUInt32BE(0);
      if (received[8] === 1) answer += received.subarray(9, 9 + length);
      if (received[8] === 2 || received[8] === 3) socket.end();
      received = received.subarray(9 + length);
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    print({ up });
    print({ answer });
  });
}

function impostor() {
  const server = net.createServer((socket) => {
    let received = 0;
    socket.write(crypto.randomBytes(32));
    socket.on('data', (bytes) => {
      if (received < 72 && received + bytes.length >= 72) socket.write(Buffer.alloc(32));
      received += bytes.length;
    });
    socket.on('error', () => {});
    socket.on('close', () => print({ received }));
  });
  server.listen(0, '127.0.0.1', () => print({ port: server.address().port }));
}

function stall(url, sid) {
  const { WebSocket } = require('ws');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid=${sid}`);
  socket.on('open', () => socket.send('2probe'));
  socket.on('message', (data) => {
    if (data.toString() !== '3probe') return;
    socket.pause();
    socket.send('5', () => print({ stalled: true }));
  });
  setInterval(() => {}, 1000);
}

function silent(address, count, ...locals) {
  const [host, port] = address.split(':');
  const all = locals.flatMap((local) => Array(Number(count)).fill(local));
  let next = 0, made = 0, closed = 0;
  const open = () => {
    if (next === all.length) return;
    const socket = net.connect({ port: Number(port), host, localAddress: all[next++] });
    socket.once('data', () => {
      if (++made === all.length) print({ silent: made });
      open();
    });
    socket.on('error', () => {});
    socket.on('close', () => print({ closed: ++closed }));
  };
  /* Each next one when one is greeted: a listener whose queue is full drops connections unseen. */
  for (let i = 0; i < 32; i++) open();
}

({ link, impostor, silent, stall })[mode](...args);
