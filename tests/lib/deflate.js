// SPDX-License-Identifier: ISC
// Compression as seen below socket.io-client:
//   deflate.js URL offer HEADER                 prints the answer's Sec-WebSocket-Extensions, or "none"
//   deflate.js URL frames HEADER BASE64...      sends frames, prints the code of the close frame
//   deflate.js URL receive TOKEN COUNT [false]  a client of the package ws, without compression if
//       "false": prints what was agreed on, then COUNT packets, then the bytes read and what they
//       stand for, as JSON lines
'use strict';
const http = require('http');
const { WebSocket } = require('ws');

const [url, command, ...rest] = process.argv.slice(2);
const target = `${url}/socket.io/?EIO=4&transport=websocket`;
const print = (value) => process.stdout.write(JSON.stringify(value) + '\n');

function upgrade(offer, then) {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  if (offer) headers['Sec-WebSocket-Extensions'] = offer;
  const request = http.get(target, { headers });
  request.on('upgrade', (response, socket, head) => then(response, socket, head));
  request.on('response', (response) => {
    print({ status: response.statusCode });
    process.exit(1);
  });
}

// The code of the close frame behind whatever else has come; the frames are short.
function closeCode(bytes) {
  for (let at = 0; at + 2 <= bytes.length; at += 2 + bytes[at + 1])
    if (bytes[at] === 0x88) return bytes[at + 1] < 2 ? 'none' : bytes.readUInt16BE(at + 2);
  return 'no close frame';
}

if (command === 'offer') {
  upgrade(rest[0], (response) => {
    console.log(response.headers['sec-websocket-extensions'] || 'none');
    process.exit(0);
  });
} else if (command === 'frames') {
  upgrade(rest[0], (response, socket, head) => {
    let got = head;
    socket.on('data', (bytes) => (got = Buffer.concat([got, bytes])));
    socket.on('end', () => {
      // The open packet is longer than 125 bytes only if it has grown a lot.
      console.log(closeCode(got));
      process.exit(0);
    });
    for (const frame of rest.slice(1)) socket.write(Buffer.from(frame, 'base64'));
  });
} else if (command === 'receive') {
  const [token, count, compression] = rest;
  const perMessageDeflate = compression !== 'false' && { threshold: 0 };
  const ws = new WebSocket(target, { perMessageDeflate });
  let left = Number(count);
  let size = 0;
  ws.on('open', () => {
    print({ extensions: ws.extensions });
    ws.send(`40${JSON.stringify({ token, padding: 'ä'.repeat(3000) })}`);
  });
  ws.on('message', (data) => {
    const text = data.toString();
    size += data.length;
    if (text === '2') ws.send('3');
    if (!text.startsWith('42')) return;
    print(JSON.parse(text.slice(2)));
    if (--left > 0) return;
    print({ read: ws._socket.bytesRead, size });
    process.exit(0);
  });
  ws.on('close', (code) => {
    print({ close: code });
    process.exit(1);
  });
}
