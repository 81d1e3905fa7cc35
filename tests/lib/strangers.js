// SPDX-License-Identifier: ISC
// Servers that are not what a client of Socket.IO hopes for; strangers.js KIND prints {"port":N}:
//   silent    takes connections and never answers
//   page      answers every request with a page
//   busy      answers every request with 503
//   ssh       says what is no HTTP
//   empty     answers every request with 200 and nothing
//   frames    a WebSocket whose frames are wrong
//   accept    a WebSocket handshake with a wrong Sec-WebSocket-Accept
//   proxy     an HTTP proxy; prints {"proxied":what} for each request
'use strict';
const crypto = require('crypto');
const http = require('http');
const net = require('net');

const print = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const answering = (status, body) => http.createServer((request, response) => {
  response.writeHead(status, { 'Content-Type': 'text/html' });
  response.end(body);
});

function upgrading(key, bytes) {
  const server = answering(200, 'not here');
  server.on('upgrade', (request, socket) => {
    const accept = key || crypto.createHash('sha1')
      .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.on('error', () => {});
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n` +
      `sec-websocket-accept: ${accept}\r\n\r\n`);
    socket.write(bytes);
  });
  return server;
}

function proxy() {
  const server = http.createServer((request, response) => {
    print({ proxied: request.method });
    const target = new URL(request.url);
    const onward = http.request(target, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request, socket) => {
    print({ proxied: 'CONNECT' });
    const [host, port] = request.url.split(':');
    const onward = net.connect(port, host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket);
      socket.pipe(onward);
    });
    for (const end of [socket, onward]) end.on('error', () => { socket.destroy(); onward.destroy(); });
  });
  return server;
}

const kinds = {
  silent: () => net.createServer(() => {}),
  page: () => answering(200, '<html>Welcome</html>'),
  busy: () => answering(503, 'come back later'),
  ssh: () => net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end('SSH-2.0-stranger\r\n');
  }),
  empty: () => answering(200, ''),
  frames: () => upgrading(null, Buffer.from([0x83, 0x00])),
  accept: () => upgrading('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=', ''),
  proxy,
};
const server = kinds[process.argv[2]]();
server.listen(0, '127.0.0.1', () => print({ port: server.address().port }));
