// SPDX-License-Identifier: ISC
// Sends COUNT pings at once over a raw WebSocket, each with BYTES of padding:
// flood.js GATEWAY TOKEN COUNT [BYTES]. Prints {"pongs":n} for each answer, {"close":code}.
'use strict';
const { WebSocket } = require('ws');

const [url, token, count, bytes] = process.argv.slice(2);
const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
let pongs = 0;

socket.on('message', (data) => {
  const text = data.toString();
  if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`);
  if (text.startsWith('42["connected"'))
    for (let i = 0; i < Number(count); i++) socket.send(`42${JSON.stringify(['ping', 'x'.repeat(Number(bytes || 0))])}`);
  if (text.startsWith('42["pong"')) console.log(JSON.stringify({ pongs: ++pongs }));
});
socket.on('close', (code) => console.log(JSON.stringify({ close: code })));
