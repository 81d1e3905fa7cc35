// SPDX-License-Identifier: ISC
// What a service of webhooks would be in Node.js: a job for each user who wants one in one queue in
// Redis, and a pool of workers that take the next job, sign it and send it with fetch; what fails comes
// back after five seconds. tests/bench/deliveries.sh measures arda-notifyd beside it. Prints "ready" when
// it is.
'use strict';
const { createHmac, randomUUID } = require('crypto');
const Redis = require('ioredis');

const WORKERS = 256;
const TIMEOUT_MS = 15000;
const PAUSE_MS = 5000;
const subscriber = new Redis(process.env.REDIS_URL);
const redis = new Redis(process.env.REDIS_URL, { enableAutoPipelining: true });
const tenants = new Map(); // their users, preferences and webhooks

async function load(tenant) {
  const [users, preferences, webhook] = await Promise.all([redis.hgetall(`arda:users:${tenant}`),
    redis.hgetall(`arda:preferences:${tenant}`), redis.hgetall(`arda:webhook:${tenant}`)]);
  const active = Object.keys(users).filter((id) => JSON.parse(users[id]).active);
  return { active, preferences, webhook, key: Buffer.from(webhook.secret.slice(6), 'base64') };
}

function of(tenant) {
  if (!tenants.has(tenant)) tenants.set(tenant, load(tenant));
  return tenants.get(tenant);
}

async function notify(message) {
  const { event } = message;
  const { active, preferences } = await of(event.tenantId);
  for (const user of active) {
    const row = { id: randomUUID(), tenantId: event.tenantId, userId: user, type: 'card_triggered',
      title: `Kanban card moved to ${event.toStage}`, body: `The card moved from ${event.fromStage} to ${event.toStage}.`,
      actionUrl: `/loops/${event.loopId}/cards/${event.cardId}`, createdAt: new Date().toISOString(), eventId: message.id };
    const text = JSON.stringify(row);
    const pipeline = redis.pipeline();
    pipeline.zadd(`arda:inbox:${event.tenantId}:${user}`, Date.now(), row.id);
    pipeline.zadd(`arda:unread:${event.tenantId}:${user}`, Date.now(), row.id);
    pipeline.hset(`arda:rows:${event.tenantId}:${user}`, row.id, text);
    const created = JSON.stringify({ type: 'notification.created', tenantId: event.tenantId, userId: user, notificationId: row.id });
    pipeline.publish('arda:events:global', created);
    pipeline.publish(`arda:events:${event.tenantId}`, created);
    if (preferences[`${user}:card_triggered:webhook`] === '1') {
      const id = randomUUID();
      pipeline.hset(`jobs:${id}`, { id, tenantId: event.tenantId, notification: text, cause: JSON.stringify(event), status: 'pending', attempts: 0 });
      pipeline.lpush('queue', id);
    }
    await pipeline.exec();
  }
}

async function send(job) {
  const { webhook, key } = await of(job.tenantId);
  const body = `{"type":"notification.created","notification":${job.notification},"event":${job.cause}}`;
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', key).update(`${job.id}.${at}.${body}`).digest('base64');
  const response = await fetch(webhook.url, { method: 'POST', redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS), body,
    headers: { 'content-type': 'application/json', 'webhook-id': job.id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` } });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

async function work() {
  // A connection of its own, since it waits there.
  const waiting = new Redis(process.env.REDIS_URL);
  for (;;) {
    const id = await waiting.blmove('queue', 'taken', 'RIGHT', 'LEFT', 0);
    const job = await redis.hgetall(`jobs:${id}`);
    const began = Date.now();
    let error = '';
    await send(job).catch((failure) => { error = failure.message; });
    const pipeline = redis.pipeline();
    pipeline.hset(`jobs:${id}`, { status: error ? 'pending' : 'delivered', lastError: error, lastAttemptAt: began, durationMs: Date.now() - began });
    pipeline.hincrby(`jobs:${id}`, 'attempts', 1);
    pipeline.lrem('taken', 1, id);
    if (error) pipeline.zadd('later', Date.now() + PAUSE_MS, id);
    await pipeline.exec();
  }
}

setInterval(async () => {
  for (const id of await redis.zrangebyscore('later', 0, Date.now(), 'LIMIT', 0, 1000))
    if (await redis.zrem('later', id)) await redis.lpush('queue', id);
}, 1000);
subscriber.on('message', (channel, text) => {
  const message = JSON.parse(text);
  if (message.event) notify(message);
});
for (let i = 0; i < WORKERS; i++) work();
subscriber.subscribe('arda:events:global').then(() => console.log('ready'));
process.on('SIGTERM', () => process.exit(0));
