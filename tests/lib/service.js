// SPDX-License-Identifier: ISC
// A service as they are written in TypeScript: service.js publish EVENT | subscribe TENANT COUNT |
// read TENANT. One MULTI puts the envelope on both channels and into the stream.
'use strict';
const crypto = require('crypto');
const Redis = require('ioredis');

const redis = new Redis(process.env.REDIS_URL);

// The event of a message in either form.
function unwrap(text) {
  const value = JSON.parse(text);
  const envelope = typeof value.id === 'string' && typeof value.schemaVersion === 'number' && typeof value.source === 'string' &&
    typeof value.timestamp === 'string' && value.event !== null && typeof value.event === 'object';
  return envelope ? value.event : value;
}

async function publish(event) {
  const timestamp = new Date().toISOString();
  const { type, tenantId } = JSON.parse(event);
  const head = JSON.stringify({ id: crypto.randomUUID(), schemaVersion: 1, source: 'service', timestamp });
  const envelope = `${head.slice(0, -1)},"event":${event}}`;
  const replies = await redis.multi()
    .publish('arda:events:global', envelope)
    .publish(`arda:events:${tenantId}`, envelope)
    .xadd(`arda:stream:${tenantId}`, 'MAXLEN', '~', 10000, '*', 'envelope', envelope, 'type', type, 'source', 'service', 'timestamp', timestamp)
    .exec();
  if (replies.some(([error]) => error)) throw new Error(String(replies));
}

function subscribe(tenant, count) {
  return new Promise((resolve) => {
    redis.on('message', (channel, text) => {
      console.log(JSON.stringify({ channel, event: unwrap(text) }));
      if (--count === 0) resolve();
    });
    redis.subscribe('arda:events:global', `arda:events:${tenant}`);
  });
}

async function read(tenant) {
  for (const [, fields] of await redis.xrange(`arda:stream:${tenant}`, '-', '+')) {
    if (fields.filter((_, i) => i % 2 === 0).join() !== 'envelope,type,source,timestamp') throw new Error(String(fields));
    const envelope = JSON.parse(fields[1]);
    if (unwrap(fields[1]) === envelope) throw new Error('not taken for an envelope');
    console.log(JSON.stringify(envelope));
  }
}

const [command, argument, count] = process.argv.slice(2);
({ publish, subscribe, read })[command](argument, Number(count)).then(() => process.exit(0));
