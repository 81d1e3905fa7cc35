// SPDX-License-Identifier: ISC
// usage: kills.js FOLDER KILLS
// Two notification daemons, killed at random instants while events flow, and Redis shut down and
// started again in the middle, twice. Then counts what every active user got of every event, in the
// inbox and on the channel, and prints that as a JSON object; status 1 if anything is not there
// exactly once. The listener and the publisher use a Unix socket that opens before the port the
// daemons use, so nothing is published that nobody hears.
'use strict';
const { spawn, spawnSync } = require('child_process');
const { randomUUID } = require('crypto');
const path = require('path');
const fs = require('fs');
const { seed, random, pause, until, Server, Killing } = require('./torture.js');

const [folder, killsText] = process.argv.slice(2);
const KILLS = Number(killsText);
const USERS = [1203, 7, 25]; // of each tenant: the first takes several chunks
const PAUSE_MS = 30; // between two bursts of events

const redis = new Server(folder);
const log = fs.openSync(path.join(folder, 'notifyd.err'), 'a');

// ---- Redis ----

let listener;
const heard = new Map(); // "user event" -> number of notification.created
let heardTwice = 0; // one id on one channel
const heardIds = new Set();

function take(channel, text) {
  if (!text.includes('"notification.created"')) return;
  const event = JSON.parse(text);
  const key = `${event.tenantId} ${event.userId} ${event.correlationId}`;
  heard.set(key, (heard.get(key) || 0) + 1);
  if (heardIds.has(event.eventId)) heardTwice++;
  heardIds.add(event.eventId);
}

async function startRedis() {
  await redis.start();
  listener = redis.connect();
  listener.on('message', take);
  await listener.subscribe('arda:events:global');
  await redis.open();
}

async function stopRedis() {
  await until('the publisher to pause', () => idle);
  // What has been published is to arrive before the end.
  await redis.client.client('PAUSE', 10000, 'WRITE');
  await listener.ping();
  await redis.stop();
}

// ---- events ----

const tenants = USERS.map(() => randomUUID());
const users = new Map(tenants.map((tenant, t) => [tenant,
  Array.from({ length: USERS[t] }, () => randomUUID()).sort()]));
const lines = [];
for (const [tenant, ids] of users)
  ids.forEach((userId, i) => lines.push(JSON.stringify({ kind: 'user', tenantId: tenant, userId,
    email: `${i}@arda.example`, active: i > 0, name: `User ${i}` })));

const published = []; // {tenant, id, mails}
let publishing = true;
let idle = true;

function makeEvent(tenant, number) {
  const base = { tenantId: tenant, timestamp: new Date().toISOString() };
  if (number % 3 === 0)
    return { type: 'order.created', ...base, orderType: 'purchase_order', orderId: randomUUID(),
      orderNumber: `PO-${number}`, linkedCardIds: [] };
  return { type: 'card.transition', ...base, cardId: randomUUID(), loopId: randomUUID(),
    fromStage: 'created', toStage: number % 3 === 1 ? 'triggered' : 'received', method: 'scan' };
}

async function publish(number) {
  const tenant = tenants[number % 23 === 0 ? 0 : 1 + (number % 2)];
  const event = makeEvent(tenant, number);
  const id = randomUUID();
  const envelope = JSON.stringify({ id, schemaVersion: 1, source: 'kills', timestamp: event.timestamp, event });
  // Both forms that publishers use.
  const message = number % 2 ? envelope : JSON.stringify({ ...event, eventId: id });
  await redis.client.multi().publish('arda:events:global', message).publish(`arda:events:${tenant}`, message)
    .xadd(`arda:stream:${tenant}`, '*', 'envelope', envelope, 'type', event.type, 'source', 'kills',
      'timestamp', event.timestamp).exec();
  published.push({ tenant, id, mails: event.type === 'order.created' });
}

async function publishOn() {
  for (let number = 0; publishing; number++) {
    while (killing.held) await pause(5);
    idle = false;
    await publish(number);
    idle = true;
    if (random(8) < 1) await pause(random(2 * PAUSE_MS));
  }
}

// ---- daemons ----

const killing = new Killing({
  start: () => spawn('arda-notifyd', ['--redis', redis.url, '--no-deliver'], { stdio: ['ignore', 'ignore', log] }),
  stop: stopRedis,
  startAgain: startRedis,
  wanted: KILLS,
  count: 2,
});

// ---- counting ----

async function isDone() {
  for (const tenant of tenants) {
    const groups = await redis.client.xinfo('GROUPS', `arda:stream:${tenant}`).catch(() => []);
    for (const group of groups) {
      const of = Object.fromEntries(group.map((item, i) => [item, group[i + 1]]).filter((_, i) => i % 2 === 0));
      if (of.pending !== 0 || of.lag !== 0) return false;
    }
    if (groups.length === 0) return false;
  }
  return true;
}

async function count() {
  const result = { seed, kills: killing.kills, restarts: killing.restarts, events: published.length, rows: 0, created: 0, missing_rows: 0,
    double_rows: 0, missing_created: 0, double_created: 0, strange: 0, deliveries: 0,
    wrong_deliveries: 0, unread_wrong: 0 };
  const rows = new Map();
  for (const [tenant, ids] of users) {
    for (const [i, user] of ids.entries()) {
      const all = await redis.client.hgetall(`arda:rows:${tenant}:${user}`);
      for (const [id, text] of Object.entries(all)) {
        const row = JSON.parse(text);
        const key = `${tenant} ${user} ${row.eventId}`;
        if (row.id !== id || i === 0) result.strange++;
        rows.set(key, (rows.get(key) || 0) + 1);
        result.rows++;
      }
      for (const kind of ['inbox', 'unread'])
        if ((await redis.client.zcard(`arda:${kind}:${tenant}:${user}`)) !== Object.keys(all).length) result.unread_wrong++;
    }
  }
  let mails = 0;
  for (const { tenant, id, mails: byMail } of published)
    for (const user of users.get(tenant).slice(1)) {
      const key = `${tenant} ${user} ${id}`;
      const there = rows.get(key) || 0;
      const created = heard.get(key) || 0;
      if (there === 0) result.missing_rows++;
      if (there > 1) result.double_rows++;
      if (created === 0) result.missing_created++;
      if (created > 1) result.double_created++;
      rows.delete(key);
      heard.delete(key);
      result.created += created;
      if (byMail) mails++;
    }
  result.strange += rows.size + heard.size;
  let due = 0;
  for (const tenant of tenants) {
    result.deliveries += await redis.client.zcard(`arda:deliveries:${tenant}`);
    due += await redis.client.zcard(`arda:due:${tenant}:email`);
  }
  result.wrong_deliveries = Math.abs(result.deliveries - mails) + Math.abs(due - mails);
  result.heard_twice = heardTwice;
  return result;
}

async function main() {
  await startRedis();
  // The start is recorded by a daemon that lives until it has done so.
  const loaded = spawnSync('arda-directory', ['load', '-q', '--redis', redis.url], { input: lines.join('\n') });
  if (loaded.status !== 0) throw new Error(`arda-directory: ${loaded.stderr}`);
  const first = killing.start();
  await until('the start', () => redis.client.exists('arda:notifyd:start'));
  first.kill('SIGKILL');
  const publisher = publishOn();
  await killing.run();
  publishing = false;
  await publisher;
  const began = Date.now();
  await until('everything to be handled', isDone);
  await listener.ping();
  const result = await count();
  result.settled_ms = Date.now() - began;
  killing.end();
  redis.kill();
  console.log(JSON.stringify(result));
  const bad = ['missing_rows', 'double_rows', 'missing_created', 'double_created', 'strange',
    'wrong_deliveries', 'unread_wrong', 'heard_twice'].some((name) => result[name] !== 0);
  process.exit(bad || result.events === 0 ? 1 : 0);
}

if (process.env.VERBOSE)
  setInterval(() => console.error({ kills: killing.kills, restarts: killing.restarts, events: published.length, idle }), 2000).unref();
main().catch((error) => {
  console.error(error.stack);
  redis.kill();
  process.exit(1);
});
