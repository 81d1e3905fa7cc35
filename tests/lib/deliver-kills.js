// SPDX-License-Identifier: ISC
// usage: deliver-kills.js FOLDER KILLS
// Two daemons are killed at random instants while events become webhooks and a receiver answers well,
// with 500, late, with a reset, or not at all; Redis is shut down and started again in the middle,
// twice. Then counts what was recorded and what has arrived, and prints that as a JSON object; status 1
// unless every delivery is recorded as delivered, has arrived under its one id, and nothing is under
// way. What has arrived more than once is counted, and no error.
'use strict';
const { spawn, spawnSync } = require('child_process');
const { randomUUID } = require('crypto');
const http = require('http');
const path = require('path');
const fs = require('fs');
const { Webhook } = require('standardwebhooks');
const { seed, random, pause, until, Server, Killing } = require('./torture.js');

const [folder, killsText] = process.argv.slice(2);
const TENANTS = 20;
const USERS = 3; // of each tenant: one wants no webhooks
const PAUSE_MS = 40; // between two events
const SLOW_MS = 200;
const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';
// What falls into the hands of a daemon that is killed comes back when the lease is over, which is four
// times the timeout. Fewer at a time for an endpoint than failures that open its circuit.
const OPTIONS = ['--webhook-allow', '127.0.0.1', '--webhook-timeout', '1s', '--per-endpoint', '4',
  '--retry-schedule', `0s${',100ms'.repeat(31)}`];

const redis = new Server(folder);
const log = fs.openSync(path.join(folder, 'notifyd.err'), 'a');

// ---- the receiver ----

const webhook = new Webhook(SECRET);
const arrived = new Map(); // id -> {tenant, body, times, well}
const result = { seed, unsigned: 0, changed: 0 };

function note(request, body) {
  const id = request.headers['webhook-id'];
  try {
    webhook.verify(body, request.headers);
  } catch {
    result.unsigned++;
  }
  const known = arrived.get(id) || { tenant: request.url.slice(1), body, times: 0, well: 0 };
  if (known.body !== body || known.tenant !== request.url.slice(1)) result.changed++;
  known.times++;
  arrived.set(id, known);
  return known;
}

function answer(known, request, response) {
  const dice = random(100);
  const well = () => {
    known.well++;
    response.writeHead(204).end();
  };
  if (dice < 70) well();
  else if (dice < 80) response.writeHead(500).end();
  else if (dice < 90) setTimeout(well, SLOW_MS);
  else if (dice < 99) request.socket.resetAndDestroy();
  // Else it hears nothing.
}

const receiver = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('error', () => {}); // it has been killed
  response.on('error', () => {});
  request.on('end', () => answer(note(request, Buffer.concat(parts).toString()), request, response));
});

// ---- events ----

const tenants = Array.from({ length: TENANTS }, () => ({ id: randomUUID(),
  users: Array.from({ length: USERS }, () => randomUUID()) }));
const published = []; // {tenant, id}
let publishing = true;
let idle = true;

function directory(port) {
  const lines = [];
  for (const { id: tenantId, users } of tenants) {
    lines.push({ kind: 'webhook', tenantId, url: `http://127.0.0.1:${port}/${tenantId}`, secret: SECRET, enabled: true });
    users.forEach((userId, i) => {
      lines.push({ kind: 'user', tenantId, userId, email: `${i}@arda.example`, active: true, name: `User ${i}` });
      lines.push({ kind: 'preference', tenantId, userId, notificationType: 'card_triggered', channel: 'webhook', enabled: i > 0 });
    });
  }
  return lines.map((line) => JSON.stringify(line)).join('\n');
}

async function publish() {
  const tenant = tenants[Math.floor(random(TENANTS))];
  const id = randomUUID();
  const timestamp = new Date().toISOString();
  const event = { type: 'card.transition', tenantId: tenant.id, cardId: randomUUID(), loopId: randomUUID(),
    fromStage: 'created', toStage: 'triggered', method: 'scan', timestamp };
  const envelope = JSON.stringify({ id, schemaVersion: 1, source: 'kills', timestamp, event });
  await redis.client.multi().publish('arda:events:global', envelope).publish(`arda:events:${tenant.id}`, envelope)
    .xadd(`arda:stream:${tenant.id}`, '*', 'envelope', envelope, 'type', event.type, 'source', 'kills',
      'timestamp', timestamp).exec();
  published.push({ tenant, id });
}

async function publishOn() {
  while (publishing) {
    while (killing.held) await pause(5);
    idle = false;
    await publish();
    idle = true;
    await pause(random(PAUSE_MS));
  }
}

// ---- daemons ----

const killing = new Killing({
  start: () => spawn('arda-notifyd', ['--redis', redis.url, ...OPTIONS], { stdio: ['ignore', 'ignore', log] }),
  stop: async () => {
    await until('the publisher to pause', () => idle);
    await redis.stop();
  },
  startAgain: async () => {
    await redis.start();
    await redis.open();
  },
  wanted: Number(killsText),
  count: 2,
});

// ---- counting ----

// The deliveries of a tenant as they are recorded.
async function recorded(tenant) {
  const ids = await redis.client.zrange(`arda:deliveries:${tenant.id}`, 0, -1);
  return Promise.all(ids.map(async (id) => ({ id, ...await redis.client.hgetall(`arda:delivery:${tenant.id}:${id}`) })));
}

async function isDone() {
  for (const tenant of tenants) {
    const expected = published.filter((one) => one.tenant === tenant).length * (USERS - 1);
    const key = `arda:deliveries:${tenant.id}`;
    if ((await redis.client.zcard(key)) < expected || (await redis.client.zcard(`arda:due:${tenant.id}:webhook`)) > 0)
      return false;
  }
  return true;
}

async function count() {
  Object.assign(result, { kills: killing.kills, restarts: killing.restarts, events: published.length,
    deliveries: 0, missing: 0, not_delivered: 0, not_arrived: 0, not_answered: 0, under_way: 0, strange: 0,
    attempts: 0, arrivals: 0, again_after_well: 0 });
  const wanted = new Set(); // "user event"
  for (const { tenant, id } of published)
    for (const user of tenant.users.slice(1)) wanted.add(`${user} ${id}`);
  for (const tenant of tenants)
    for (const record of await recorded(tenant)) {
      result.deliveries++;
      result.attempts += Number(record.attemptCount);
      if (record.status !== 'delivered') result.not_delivered++;
      if (record.lease !== undefined || record.nextAttemptAt !== undefined) result.under_way++;
      const got = arrived.get(record.id);
      if (!got) result.not_arrived++;
      else if (got.well === 0) result.not_answered++;
      arrived.delete(record.id);
      if (!got) continue;
      const { notification } = JSON.parse(got.body);
      // One id for each user of each event.
      if (got.tenant !== tenant.id || notification.id !== record.notificationId
        || !wanted.delete(`${notification.userId} ${notification.eventId}`)) result.strange++;
      result.arrivals += got.times;
      if (got.well > 1) result.again_after_well++;
    }
  result.missing = wanted.size;
  result.strange += arrived.size;
  result.under_way += await redis.client.zcard('arda:due');
}

async function main() {
  receiver.keepAliveTimeout = 60000;
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  await redis.start();
  await redis.open();
  const loaded = spawnSync('arda-directory', ['load', '-q', '--redis', redis.url],
    { input: directory(receiver.address().port) });
  if (loaded.status !== 0) throw new Error(`arda-directory: ${loaded.stderr}`);
  // The start is recorded by a daemon that lives until it has done so.
  const first = killing.start();
  await until('the start', () => redis.client.exists('arda:notifyd:start'));
  first.kill('SIGKILL');
  const publisher = publishOn();
  await killing.run();
  publishing = false;
  await publisher;
  const began = Date.now();
  await until('everything to be delivered', isDone);
  result.settled_ms = Date.now() - began;
  killing.end();
  await count();
  redis.kill();
  console.log(JSON.stringify(result));
  const bad = ['unsigned', 'changed', 'missing', 'not_delivered', 'not_arrived', 'not_answered', 'under_way', 'strange']
    .some((name) => result[name] !== 0);
  process.exit(bad || result.deliveries === 0 ? 1 : 0);
}

if (process.env.VERBOSE)
  setInterval(() => console.error({ kills: killing.kills, restarts: killing.restarts, events: published.length, arrived: arrived.size }), 2000).unref();
main().catch((error) => {
  console.error(error.stack);
  redis.kill();
  process.exit(1);
});
