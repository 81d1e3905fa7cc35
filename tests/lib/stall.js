// SPDX-License-Identifier: ISC
// Connects over a WebSocket and then reads nothing any more: stall.js GATEWAY TOKEN.
'use strict';
const { WebSocket } = require('ws');

const [url, token] = process.argv.slice(2);
const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);

socket.on('message', (data) => {
  const text = data.toString();
  if (text.startsWith('0')) socket.send(`40${JSON.stringify({ token })}`);
  if (text.startsWith('42["connected"')) {
    socket.pause();
    console.log(JSON.stringify({ stalled: true }));
  }
});
setInterval(() => {}, 1000);
