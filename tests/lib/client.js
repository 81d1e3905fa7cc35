// SPDX-License-Identifier: ISC
// A socket.io-client that prints what happens to it as JSON lines:
//   client.js URL [--token T] [--header] [--transports a,b] [--upgrade] [--ca FILE]
//     [--module NAME] [--fetch] [--no-compression] [--no-reconnect] [--emit JSON]...
// {"connect":true}, {"transport":name}, {"raw":text of the packet's payload}, {"event":name,
// "args":[…]}, {"error":message}, {"disconnect":reason}. Lines of standard input are emitted as
// they are JSON arrays.
'use strict';
const readline = require('readline');

const argv = process.argv.slice(2);
const url = argv.shift();
const options = { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, randomizationFactor: 0 };
const emits = [];
let version = 'socket.io-client'; // or another version of it
while (argv.length > 0) {
  const name = argv.shift();
  if (name === '--token') options.auth = { token: argv.shift() };
  else if (name === '--header') {
    options.extraHeaders = { authorization: `Bearer ${options.auth.token}` };
    delete options.auth;
  } else if (name === '--auth') options.auth = JSON.parse(argv.shift());
  else if (name === '--authorization') options.extraHeaders = { authorization: argv.shift() };
  else if (name === '--transports') options.transports = argv.shift().split(',');
  else if (name === '--upgrade') options.transports = ['polling', 'websocket'];
  else if (name === '--ca') options.ca = require('fs').readFileSync(argv.shift());
  else if (name === '--fetch') options.transports = [require('engine.io-client').Fetch];
  else if (name === '--no-compression') options.perMessageDeflate = false;
  else if (name === '--path') options.path = argv.shift();
  else if (name === '--no-trailing-slash') options.addTrailingSlash = false;
  else if (name === '--no-reconnect') options.reconnection = false;
  else if (name === '--module') version = argv.shift();
  else if (name === '--emit') emits.push(JSON.parse(argv.shift()));
  else throw new Error(`unknown option ${name}`);
}

const print = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const { io } = require(version);
const socket = io(url, options);

socket.io.on('open', () => {
  const engine = socket.io.engine;
  print({ transport: engine.transport.name });
  engine.on('upgrade', (transport) => print({ transport: transport.name }));
  engine.on('packet', (packet) => {
    if (packet.type === 'message' && typeof packet.data === 'string' && packet.data.startsWith('2'))
      print({ raw: packet.data.slice(1) });
  });
});
socket.on('connect', () => {
  print({ connect: socket.id });
  for (const emit of emits) socket.emit(...emit);
});
socket.onAny((event, ...args) => print({ event, args }));
socket.on('connect_error', (error) => {
  print({ error: error.message, data: error.data });
  if (options.reconnection === false || error.data === undefined && socket.active === false) process.exit(1);
});
socket.on('disconnect', (reason) => {
  print({ disconnect: reason });
  if (options.reconnection === false) process.exit(0);
});
process.on('SIGTERM', () => {
  socket.disconnect();
  process.exit(0);
});
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  if (command === 'close') {
    socket.disconnect();
    process.exit(0);
  }
  socket.emit(...command);
});
