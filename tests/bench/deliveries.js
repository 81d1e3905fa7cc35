// SPDX-License-Identifier: ISC
// Publishes events, receives the webhooks that become of them, and prints as a JSON object how long each
// took from publication to arrival:
//   deliveries.js PID RATE EACH WELL [FAILING]
// PID sends the webhooks; RATE events a second are spread over 50 tenants, EACH of a tenant. The first
// WELL tenants have endpoints that work; behind them come FAILING ones, which do not answer, answer 500,
// reset, refuse the connection, and answer after ten seconds. Tenants that are neither have no events,
// and their turn passes, so the others have theirs at the same moments. With LOAD set it writes the
// directory's lines instead and ends when standard input does.
'use strict';
const http = require('http');
const fs = require('fs');
const { randomUUID } = require('crypto');
const Redis = require('ioredis');

const TENANTS = 50;
const SLOW_MS = 10000;
const [pid, rate, each, well, failing] = process.argv.slice(2).map(Number);
const port = Number(process.env.RECEIVER_PORT);
const KINDS = ['hang', '500', 'reset', 'refuse', 'slow'];
const kindOf = (tenant) => (tenant < well ? 'ok' : KINDS[(tenant - well) % KINDS.length]);
const name = (tenant) => `tenant-${tenant}`;

function directory() {
  for (let i = 0; i < well + failing; i++) {
    const tenantId = name(i);
    // An address of its own for each, and a port where nobody listens.
    const url = `http://127.0.0.${i + 1}:${kindOf(i) === 'refuse' ? 1 : port}/${kindOf(i)}`;
    for (const line of [
      { kind: 'user', tenantId, userId: 'ann', email: 'a@arda.example', active: true, name: 'Ann' },
      { kind: 'preference', tenantId, userId: 'ann', notificationType: 'card_triggered', channel: 'webhook', enabled: true },
      { kind: 'webhook', tenantId, url, secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3', enabled: true }])
      console.log(JSON.stringify(line));
  }
}

const sent = []; // when each event was published, by its number
const took = []; // milliseconds; of the endpoints that work
const seen = new Set();
let requests = 0; // of all endpoints
let connections = 0;

function answer(how, request, response) {
  switch (how) {
    case '/ok': response.writeHead(204).end(); break;
    case '/500': response.writeHead(500).end(); break;
    case '/reset': request.socket.resetAndDestroy(); break;
    case '/slow': setTimeout(() => response.writeHead(204).end(), SLOW_MS).unref(); break;
    default: break; // nothing comes
  }
}

const server = http.createServer((request, response) => {
  const at = performance.now();
  let body = '';
  requests++;
  request.on('error', () => {});
  response.on('error', () => {});
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    const number = Number(/"cardId":"card-(\d+)"/.exec(body)[1]);
    answer(request.url, request, response);
    if (request.url !== '/ok' || seen.has(number)) return;
    seen.add(number);
    took.push(at - sent[number]);
  });
});

server.on('connection', () => connections++);

const redis = new Redis(process.env.REDIS_URL, { enableAutoPipelining: true });

function publish(tenant) {
  const number = sent.push(performance.now()) - 1;
  const timestamp = new Date().toISOString();
  const event = { type: 'card.transition', tenantId: name(tenant), cardId: `card-${number}`, loopId: 'loop-1',
    fromStage: 'created', toStage: 'triggered', method: 'scan', timestamp };
  const envelope = JSON.stringify({ id: randomUUID(), schemaVersion: 1, source: 'bench', timestamp, event });
  return redis.multi().publish('arda:events:global', envelope).publish(`arda:events:${name(tenant)}`, envelope)
    .xadd(`arda:stream:${name(tenant)}`, '*', 'envelope', envelope, 'type', event.type, 'source', 'bench',
      'timestamp', timestamp).exec();
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(condition) {
  const end = Date.now() + 120000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${took.length} of ${sent.length} webhooks have arrived`);
    await pause(10);
  }
}

// Microseconds that all threads of the process have run.
function cpu() {
  let ns = 0;
  for (const thread of fs.readdirSync(`/proc/${pid}/task`))
    ns += Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return ns / 1000;
}

const quantile = (sorted, share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 100) / 100;

async function main() {
  server.keepAliveTimeout = 60000;
  await new Promise((done) => server.listen(port, '0.0.0.0', done));
  // Once for all that is made at the first event.
  for (let tenant = 0; tenant < well; tenant++) await publish(tenant);
  await until(() => took.length === well);
  took.length = 0;
  requests = connections = 0;
  const before = cpu();
  const began = performance.now();
  for (let turn = 0; turn < each * TENANTS;) {
    for (const now = performance.now(); turn < each * TENANTS && began + turn / rate * 1000 <= now; turn++)
      if (turn % TENANTS < well + failing) publish(turn % TENANTS);
    await pause(1);
  }
  await until(() => took.length === each * well);
  const ms = performance.now() - began;
  took.sort((a, b) => a - b);
  console.log(JSON.stringify({ failing, deliveries: each * (well + failing), arrived: took.length, requests, connections,
    per_s: Math.round(took.length / ms * 1000), p50_ms: quantile(took, 0.5), p90_ms: quantile(took, 0.9),
    p99_ms: quantile(took, 0.99), max_ms: quantile(took, 1), cpu_us: Math.round((cpu() - before) / requests * 10) / 10 }));
  process.exit(0);
}

if (process.env.LOAD) {
  redis.disconnect();
  directory();
} else
  main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
