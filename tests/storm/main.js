// SPDX-License-Identifier: ISC
// Clients as bad as can be, at random: main.js SECONDS GATEWAY..., each PORT,PID,ADMIN-PORT,RELAY-PORT,TLS
// (RELAY-PORT 0: none; TLS 0 or 1), with REDIS_URL and GATEWAY_SECRET. TEST_SEED repeats what each client does, though not when.
// It lasts longer when something of STORM_WANTS has not happened: "disconnects.limit cuts.revoked".
// Afterwards no gateway may have died or kept anything. Prints what has happened as JSON.
'use strict';
const Redis = require('ioredis');
const jwt = require('jsonwebtoken');
const { isOver, pause } = require('./client.js');
const { Dice } = require('./dice.js');
const { Events } = require('./events.js');
const { Gateway } = require('./gateway.js');
const { Noise } = require('./noise.js');
const { PollingClient } = require('./polling.js');
const { WebSocketClient } = require('./websocket.js');

const LANES = 24;
const LIFE_MS = 3000;
const WANT_MS = 60000; // more, for what is wanted
const COUNTERS = ['disconnects', 'refusals', 'auth_failures', 'cuts', 'relay_requests'];
const SPARE_DESCRIPTORS = 8; // links of the relay, connections to Redis and of the admin's pages
const SHARED = ['storm-a', 'storm-b', 'storm-c'];
const USERS = ['ann', 'bob', 'cem', 'dee'];

const [seconds, ...texts] = process.argv.slice(2);
const seed = Number(process.env.TEST_SEED || Date.now()) % 4294967296;
const wants = (process.env.STORM_WANTS || '').split(' ').filter(Boolean);
const growth = Number(process.env.STORM_GROWTH || 32e6);
const gateways = texts.map((text) => new Gateway(text));

const sign = (claims, secret = process.env.GATEWAY_SECRET) => jwt.sign(claims, secret);
const now = () => Math.floor(Date.now() / 1000);
const auth = (token) => ({ auth: JSON.stringify({ token }) });
const TOKENS = [
  [20, (claims) => ({ kind: 'auth', good: true, ...auth(sign(claims)) })],
  [4, (claims) => ({ kind: 'header', good: true, authorization: `Bearer ${sign(claims)}` })],
  [8, (claims, dice) => ({ kind: 'brief', good: true, ...auth(sign({ ...claims, exp: now() + dice.between(1, 2) })) })],
  [1, (claims) => ({ kind: 'expired', good: false, ...auth(sign({ ...claims, exp: now() - 3600 })) })],
  [1, (claims) => ({ kind: 'forged', good: false, ...auth(sign(claims, 'another-secret-of-thirty-two-bytes')) })],
  [1, () => ({ kind: 'nonsense', good: false, ...auth('x.y.z') })],
  [1, () => ({ kind: 'none', good: false })],
];

const world = {
  counts: { lives: 0, connected: 0, received: 0, published: 0 },
  faults: [],
  alone: [], // tenants of one client

  fault(error) {
    if (this.faults.length < 10) this.faults.push(String(error.stack || error));
  },
  gateway: (dice) => dice.pick(gateways),
  anyTenant: (dice) => (world.alone.length > 0 && dice.chance(0.4) ? dice.pick(world.alone) : dice.pick(SHARED)),
  anyUser: (dice) => dice.pick(USERS),
  hangUp: (dice) => process.kill(world.gateway(dice).pid, 'SIGHUP'),
  identity(dice) {
    const own = `alone-${dice.state.toString(36)}`;
    const tenant = dice.chance(0.4) ? own : dice.pick(SHARED);
    const user = dice.pick(USERS);
    return { tenant, user, ...dice.weighed(TOKENS)({ sub: user, tenantId: tenant }, dice) };
  },
};

const LIVES = [[45, PollingClient], [40, WebSocketClient], [12, Noise]];

async function live(dice) {
  const client = new (dice.weighed(LIVES))(dice, world);
  const { tenant } = client.me;
  world.counts.lives++;
  if (!SHARED.includes(tenant)) world.alone.push(tenant);
  try {
    await client.within(client.live(), LIFE_MS);
  } catch (error) {
    if (!isOver(error)) world.fault(error);
  }
  client.end();
  world.alone = world.alone.filter((one) => one !== tenant);
}

const died = () => gateways.find((gateway) => !gateway.lives());

// Sums over the gateways of what they have counted, by counter and label (reason, cause, …).
function sums(states) {
  const found = {};
  for (const counter of COUNTERS) {
    found[counter] = {};
    for (const { metrics } of states)
      for (const [name, value] of Object.entries(metrics)) {
        const [, label] = new RegExp(`^${counter}_total\\{\\w+="(\\w+)"\\}$`).exec(name) || [];
        if (label) found[counter][label] = (found[counter][label] || 0) + value;
      }
  }
  return found;
}

async function missing() {
  const counted = sums(await Promise.all(gateways.map(async (gateway) => ({ metrics: await gateway.metrics() }))));
  return wants.filter((want) => !want.split('.').reduce((value, name) => value[name], counted));
}

async function lane(dice, goesOn) {
  for (let life = 0; goesOn() && world.faults.length === 0; life++) {
    await live(dice(life));
    if (died()) world.fault(new Error(`a gateway has died after ${Math.round(performance.now())} ms`));
  }
}

async function storm(ms, round, redis) {
  const events = new Events(new Dice(seed, round, -1), world, redis);
  let goesOn = true;
  events.start();
  const lanes = Array.from({ length: LANES }, (_, number) => lane((life) => new Dice(seed, round, number, life), () => goesOn));
  const all = Promise.all(lanes);
  await Promise.race([all, pause(ms)]);
  for (const end = Date.now() + WANT_MS; round > 0 && world.faults.length === 0; await pause(200)) {
    const still = await missing();
    if (still.length === 0) break;
    if (Date.now() > end) world.fault(new Error(`has not happened: ${still}`));
  }
  goesOn = false;
  await all;
  events.stop();
  await pause(50);
  return world.faults.length > 0 ? [] : Promise.all(gateways.map((gateway) => gateway.calm()));
}

function compare(before, after) {
  if (after.memory > before.memory + growth) world.fault(new Error(`memory grew from ${before.memory} to ${after.memory}`));
  if (after.descriptors > before.descriptors + SPARE_DESCRIPTORS)
    world.fault(new Error(`descriptors grew from ${before.descriptors} to ${after.descriptors}`));
}

async function main() {
  const redis = new Redis(process.env.REDIS_URL);
  console.error(`TEST_SEED=${seed}`);
  const ms = Number(seconds) * 1000;
  // What a first storm leaves behind is what such a process needs; the second must not add to it.
  const before = await storm(ms / 3, 0, redis);
  const after = world.faults.length > 0 ? [] : await storm((ms * 2) / 3, 1, redis);
  after.forEach((state, i) => compare(before[i], state));
  redis.disconnect();
  console.log(JSON.stringify({
    seed, ...world.counts, ...sums(after), memory: [before, after].map((states) => states.map((state) => state.memory)),
    descriptors: [before, after].map((states) => states.map((state) => state.descriptors)), faults: world.faults,
  }));
  process.exit(world.faults.length > 0 ? 1 : 0);
}

process.on('unhandledRejection', (error) => isOver(error) || world.fault(error));
main().catch((error) => {
  console.error(error.stack, world.faults.join('\n'));
  process.exit(1);
});
