// SPDX-License-Identifier: ISC
// The reference server of Socket.IO, which says what its input tells it to:
//   reference.js [--token T] [--cert FILE --key FILE] [--ping-interval MS] [--ping-timeout MS] [--port N]
//     [--transports a,b] [--hold yes]
// It prints JSON lines: {"port":N}, {"connected":auth,"transport":name}, {"upgraded":name},
// {"left":reason}, {"acked":…}. Lines of standard input: ["emit", name, args…] to all clients,
// ["text", text] of a packet as it stands, ["bytes"] with an attachment, ["ask"] with an
// acknowledgement that is wanted, ["kick"], ["cut"], ["flood", count]. With --hold a client is let in,
// after {"asked":true}, by ["let"].
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const readline = require('readline');
const { Server } = require('socket.io');

const argv = process.argv.slice(2);
const options = { cors: { origin: '*' } };
let token;
let tls;
let port = 0;
let hold = false;
let release;
while (argv.length > 0) {
  const name = argv.shift();
  const value = argv.shift();
  if (name === '--token') token = value;
  else if (name === '--cert') tls = { ...tls, cert: fs.readFileSync(value) };
  else if (name === '--key') tls = { ...tls, key: fs.readFileSync(value) };
  else if (name === '--ping-interval') options.pingInterval = Number(value);
  else if (name === '--ping-timeout') options.pingTimeout = Number(value);
  else if (name === '--transports') options.transports = value.split(',');
  else if (name === '--hold') hold = true;
  else if (name === '--port') port = Number(value);
  else throw new Error(`unknown option ${name}`);
}

const print = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const server = tls ? https.createServer(tls) : http.createServer();
const io = new Server(server, options);

io.use((socket, next) => {
  if (token === undefined || socket.handshake.auth.token === token) return next();
  const error = new Error('Invalid token');
  error.data = { code: 7 };
  next(error);
});

io.use((socket, next) => {
  if (!hold) return next();
  release = next;
  print({ asked: true });
});

io.on('connection', (socket) => {
  print({ connected: socket.handshake.auth, transport: socket.conn.transport.name });
  socket.conn.on('upgrade', (transport) => print({ upgraded: transport.name }));
  socket.conn.on('packet', (packet) => packet.type === 'pong' && print({ pong: true }));
  socket.on('disconnect', (reason) => print({ left: reason }));
});

const orders = {
  emit: (name, ...args) => io.emit(name, ...args),
  text: (text) => io.sockets.sockets.forEach((socket) => socket.conn.write(text)),
  bytes: () => io.emit('bytes', Buffer.from([0, 1, 2]), { more: Buffer.from('x') }),
  ask: () => io.sockets.sockets.forEach((socket) => socket.emit('ask', 1, (answer) => print({ acked: answer }))),
  let: () => release(),
  kick: () => io.disconnectSockets(),
  cut: () => io.disconnectSockets(true),
  flood: (count) => {
    for (let n = 0; n < count; n++) io.emit('n', { n });
  },
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [order, ...args] = JSON.parse(line);
  orders[order](...args);
});
server.listen(port, '127.0.0.1', () => print({ port: server.address().port }));
