// SPDX-License-Identifier: ISC
// What a gateway would be in Node.js: socket.io and ioredis, the catalog's sections 2 and 3 and no
// more. `make bench` measures arda-gateway beside it. Prints "listening on PORT".
'use strict';
const http = require('http');
const Redis = require('ioredis');
const jwt = require('jsonwebtoken');
const { Server } = require('socket.io');

const redis = new Redis(process.env.REDIS_URL);
const server = http.createServer();
const io = new Server(server, { pingInterval: 600000, pingTimeout: 10000 });
const members = new Map();

redis.on('message', (channel, text) => {
  const event = JSON.parse(text);
  io.to(`tenant:${channel.slice('arda:events:'.length)}`).emit(event.type, event);
});

io.use((socket, next) => {
  try {
    socket.data.claims = jwt.verify(socket.handshake.auth.token, process.env.JWT_SECRET, { algorithms: ['HS256'] });
    next();
  } catch {
    next(new Error('Invalid token'));
  }
});

io.on('connection', async (socket) => {
  const { sub, tenantId } = socket.data.claims;
  socket.join(`tenant:${tenantId}`);
  members.set(tenantId, (members.get(tenantId) || 0) + 1);
  if (members.get(tenantId) === 1) await redis.subscribe(`arda:events:${tenantId}`);
  socket.emit('connected', { tenantId, userId: sub, timestamp: new Date().toISOString() });
  socket.on('disconnect', () => {
    members.set(tenantId, members.get(tenantId) - 1);
    if (members.get(tenantId) === 0) redis.unsubscribe(`arda:events:${tenantId}`);
  });
});

server.listen(0, '127.0.0.1', () => console.error(`listening on 127.0.0.1:${server.address().port}`));
