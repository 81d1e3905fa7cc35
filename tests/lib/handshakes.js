// SPDX-License-Identifier: ISC
// Opens connections that never become TLS, and says as JSON what became of each: {"name":…,"ms":
// time until it was closed,"heard":bytes that came}. handshakes.js HOST PORT
'use strict';
const net = require('net');
const tls = require('tls');
const { Duplex } = require('stream');

const [host, port] = process.argv.slice(2);

// The first flight of a client, as bytes.
function clientHello() {
  return new Promise((resolve) => {
    const wire = new Duplex({ read() {}, write(bytes) { resolve(bytes); } });
    tls.connect({ socket: wire }).on('error', () => {});
  });
}

function open(name, bytes) {
  return new Promise((resolve) => {
    const begun = Date.now();
    let heard = 0;
    const socket = net.connect({ host, port, allowHalfOpen: false }, () => socket.write(bytes));
    socket.on('data', (data) => { heard += data.length; });
    socket.on('error', () => {});
    socket.on('close', () => {
      console.log(JSON.stringify({ name, ms: Date.now() - begun, heard }));
      resolve();
    });
  });
}

clientHello().then((hello) => Promise.all([
  open('silent', ''),
  open('half', hello.subarray(0, hello.length / 2)),
  open('unfinished', hello),
  open('twice', Buffer.concat([hello, hello])),
  open('garbage', Buffer.from('\x16\x03\x01\xff\xff' + 'garbage'.repeat(10000), 'latin1')),
  open('zeros', Buffer.alloc(100000)),
]));
