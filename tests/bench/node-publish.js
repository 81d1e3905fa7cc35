// SPDX-License-Identifier: ISC
// What a publisher would be in Node.js: JSON lines in, an id and a time filled in, two PUBLISH each,
// in pipelines of ioredis; no check, no stream. `make bench-tools` measures arda-publish beside it.
'use strict';
const { randomUUID } = require('crypto');
const readline = require('readline');
const Redis = require('ioredis');

const BATCH = 1000;
const redis = new Redis(process.env.REDIS_URL);

async function main() {
  let pipeline = redis.pipeline();
  let count = 0;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const event = JSON.parse(line);
    event.eventId ??= randomUUID();
    event.timestamp ??= new Date().toISOString();
    const text = JSON.stringify(event);
    pipeline.publish('arda:events:global', text).publish(`arda:events:${event.tenantId}`, text);
    if (++count % BATCH === 0) {
      await pipeline.exec();
      pipeline = redis.pipeline();
    }
  }
  await pipeline.exec();
  redis.disconnect();
}

main();
