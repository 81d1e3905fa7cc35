// SPDX-License-Identifier: ISC
// A proxy that knows CONNECT alone: proxy.js [USER:PASSWORD] prints {"port":N}, and then each
// request as a line of JSON, {"connect":"HOST:PORT","auth":…,"headers":[…]}. With USER:PASSWORD it
// asks for them.
'use strict';
const http = require('http');
const net = require('net');

const wanted = process.argv[2] && 'Basic ' + Buffer.from(process.argv[2]).toString('base64');

const server = http.createServer((request, response) => {
  console.log(JSON.stringify({ plain: request.url }));
  response.writeHead(405).end();
});
server.on('connect', (request, socket, head) => {
  const auth = request.headers['proxy-authorization'] || null;
  console.log(JSON.stringify({ connect: request.url, auth, headers: Object.keys(request.headers) }));
  socket.on('error', () => {});
  if (wanted && auth !== wanted) {
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n');
    return;
  }
  const at = request.url.lastIndexOf(':');
  const peer = net.connect(Number(request.url.slice(at + 1)), request.url.slice(0, at).replace(/[[\]]/g, ''));
  peer.on('connect', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    peer.write(head);
    socket.pipe(peer).pipe(socket);
  });
  peer.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
