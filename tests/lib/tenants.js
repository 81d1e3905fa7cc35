// SPDX-License-Identifier: ISC
// Many tenants at once: tenants.js GATEWAY TENANTS CLIENTS EVENTS [GATEWAYS]. Each tenant's clients,
// on random transports, must receive its events, and none of another, in the order of their
// publication.
'use strict';
const crypto = require('crypto');
const Redis = require('ioredis');
const { io } = require('socket.io-client');
const jwt = require('jsonwebtoken');

const [url, tenantCount, perTenant, eventCount, gateways = 1] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const redis = new Redis(process.env.REDIS_URL);
const seed = Number(process.env.TEST_SEED) || crypto.randomInt(2 ** 31);
let state = seed;
const random = (n) => (state = (state * 1103515245 + 12345) % 2 ** 31) % n;

function fail(text) {
  console.log(`${text} (TEST_SEED=${seed})`);
  process.exit(1);
}

const tenants = Array.from({ length: tenantCount }, () => ({ id: crypto.randomUUID(), sent: 0, clients: [] }));
let delivered = 0;

function connect(tenant) {
  const token = jwt.sign({ sub: crypto.randomUUID(), tenantId: tenant.id }, process.env.GATEWAY_SECRET);
  const transports = [['websocket'], ['polling'], ['polling', 'websocket']][random(3)];
  const socket = io(url, { auth: { token }, transports, forceNew: true });
  const client = { socket, received: 0 };
  tenant.clients.push(client);
  socket.on('disconnect', (reason) => fail(`disconnected: ${reason}`));
  socket.on('connect_error', (error) => fail(`connect_error: ${error.message}`));
  socket.onAny((name, event) => {
    if (name === 'connected') return;
    if (event.tenantId !== tenant.id) fail(`an event of ${event.tenantId} came to ${tenant.id}`);
    if (event.n !== client.received++) fail(`event ${event.n} came as number ${client.received - 1}`);
    if (++delivered === perTenant * eventCount) finish();
  });
  return new Promise((resolve) => socket.once('connected', resolve));
}

function finish() {
  console.log(`${tenantCount} tenants, ${tenantCount * perTenant} clients, ${eventCount} events, ${delivered} deliveries`);
  process.exit(0);
}

async function subscribed() {
  const channels = tenants.map((tenant) => `arda:events:${tenant.id}`);
  const counts = await redis.pubsub('NUMSUB', ...channels);
  return counts.filter((_, i) => i % 2 === 1).every((count) => count >= 1 && count <= gateways);
}

async function main() {
  await Promise.all(tenants.flatMap((tenant) => Array.from({ length: perTenant }, () => connect(tenant))));
  while (!(await subscribed()));
  for (let i = 0; i < eventCount; i++) {
    const tenant = tenants[random(tenantCount)];
    const event = JSON.stringify({ type: `t.${random(9)}`, tenantId: tenant.id, n: tenant.sent++, pad: 'x'.repeat(random(500)) });
    redis.publish(`arda:events:${tenant.id}`, event);
    redis.publish('arda:events:global', event);
  }
}
main();
setTimeout(() => fail(`only ${delivered} deliveries`), 60000);
