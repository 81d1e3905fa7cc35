// SPDX-License-Identifier: ISC
// Tries ways from one tenant to another: isolation.js CASE, with GATEWAY_URL, REDIS_URL and
// GATEWAY_SECRET. That something does not come is seen by what comes instead of it: a mark, published
// behind it.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const Redis = require('ioredis');
const jwt = require('jsonwebtoken');
const { Raw, request } = require('./raw.js');
const { Polling, WebSocket } = require('./session.js');

const PATH = '/socket.io';
const port = Number(new URL(process.env.GATEWAY_URL).port);
const redis = new Redis(process.env.REDIS_URL);

const token = (tenantId, sub = 'ann', more = {}) => jwt.sign({ sub, tenantId, ...more }, process.env.GATEWAY_SECRET);
const connect = (value) => `40${JSON.stringify({ token: value })}`;
const channel = (tenant) => `arda:events:${tenant}`;
const event = (tenantId, more = {}) => JSON.stringify({ type: 'test.event', tenantId, ...more });
const publish = (tenant, text) => redis.publish(channel(tenant), text);
const id = () => crypto.randomUUID();

// Joins with the token of a tenant; a session that has been told `connected`.
async function join(session, tenant, user) {
  await session.send(connect(token(tenant, user)));
  assert.match(await session.packet(), /^40\{"sid":"[\w-]{20}"\}$/);
  const connected = JSON.parse((await session.packet()).slice(2));
  assert.deepStrictEqual([connected[0], connected[1].tenantId], ['connected', tenant]);
  return session;
}

const client = async (tenant, user, kind = WebSocket) => join(await kind.open(port, PATH), tenant, user);

// The next event of the tenant is this one.
async function next(session, tenant, more) {
  assert.strictEqual(await session.packet(), `42["test.event",${event(tenant, more)}]`);
}

// Nothing has come since the last event that was read.
async function nothing(session, tenant) {
  const mark = id();
  await publish(tenant, event(tenant, { mark }));
  await next(session, tenant, { mark });
}

async function get(target, headers) {
  const raw = await Raw.open(port);
  await raw.write(request('GET', target, headers));
  const answer = await raw.answer();
  raw.close();
  return answer;
}

const cases = {
  async alike() {
    const ids = ['a', 'A', 'aa', 'aA', 'ab', 'a.b', 'a-b', 'a_b', 'b', 'Global', 'GLOBAL', 'globa', 'globals', 'global.', 'a'.repeat(63), 'a'.repeat(64), '-', '.', '..', '_', '0', '00', 'tenant', 'loop', 'events'];
    const clients = await Promise.all(ids.map((tenant, i) => client(tenant, 'ann', i % 2 ? Polling : WebSocket)));
    const channels = (await redis.pubsub('CHANNELS', 'arda:events:*')).sort();
    assert.deepStrictEqual(channels, ids.map(channel).sort());
    assert.strictEqual(await redis.pubsub('NUMPAT'), 0);
    for (const tenant of ids) {
      assert.strictEqual(await publish(tenant, event(tenant)), 1);
      await redis.publish('arda:events:global', event(tenant));
    }
    for (const [i, tenant] of ids.entries()) {
      await next(clients[i], tenant);
      await nothing(clients[i], tenant);
    }
  },

  async patterns() {
    const ids = ['', '*', 'a*', '?', 'a?', '[a]', '[^b]', 'a:b', ':', 'a b', ' a', 'a ', 'a\n', 'a\r\nPUBLISH x y', 'a\0', 'a/b', '../a', '{a}', 'ä', 'а', '"', '\\', 'a'.repeat(65), 'global', 'global\0',
      null, 7, true, ['a'], { a: 1 }];
    const victim = await client('a');
    const session = await WebSocket.open(port, PATH);
    for (const tenant of ids) {
      await session.send(connect(token(tenant)));
      await session.expect('44{"message":"Invalid token"}');
    }
    for (const sub of ['', '*', 'a:b', 'a/b', 'a b', 'u'.repeat(65), null, 7]) {
      await session.send(connect(jwt.sign(JSON.stringify({ sub, tenantId: 'a' }), process.env.GATEWAY_SECRET)));
      await session.expect('44{"message":"Invalid token"}');
    }
    assert.deepStrictEqual(await redis.pubsub('CHANNELS', 'arda:events:*'), [channel('a')]);
    assert.strictEqual(await redis.pubsub('NUMPAT'), 0);
    await nothing(victim, 'a');
    await join(session, 'a');
  },

  // What is said on a tenant's channel about another tenant reaches neither.
  async events() {
    const [one, two] = [id(), id()];
    const clients = { [one]: await client(one, 'ann'), [two]: await client(two, 'ann') };
    for (const text of [
      event(two), event('*'), event(`${one} `), event(one.toUpperCase()), event('global'), event(null), event([one]), event({ one }),
      `{"type":"test.event","tenantId":"${one}","tenantId":"${two}"}`, `{"tenantId":"${two}","x":{"tenantId":"${one}"},"type":"test.event"}`,
      `{"id":"${id()}","schemaVersion":1,"source":"s","timestamp":"2026-02-08T12:00:00.000Z","event":${event(two)}}`,
    ])
      await publish(one, text);
    await nothing(clients[one], one);
    await nothing(clients[two], two);
    const note = JSON.stringify({ type: 'notification.created', tenantId: one, userId: 'ann', notificationId: 'n', notificationType: 'system_alert', title: 't', timestamp: '2026-02-08T12:00:00.000Z' });
    await publish(one, note);
    assert.strictEqual(await clients[one].packet(), `42["notification.created",${note}]`);
    await nothing(clients[two], two);
  },

  async loops() {
    const [one, two, mine, theirs] = [id(), id(), id(), id()];
    const [spy, victim] = [await client(one, 'spy'), await client(two, 'ann')];
    const { execFileSync } = require('child_process');
    const directory = (tenant, loop) => execFileSync('arda-directory', ['set', 'loop', tenant, loop], { stdio: ['ignore', 'ignore', 'inherit'] });
    directory(one, mine);
    directory(two, theirs);
    const refused = '42["error",{"message":"Loop not found or access denied"}]';
    const tries = [theirs, id(), `${two}:${theirs}`, `../${two}/${theirs}`, `tenant:${two}`, `loop:${theirs}`, '*', '?', '', mine.toUpperCase(), `${mine} `, `${mine}\0`, { loop: theirs }, [theirs], null, 7];
    for (const loop of tries) {
      await spy.send(`42${JSON.stringify(['subscribe:loop', loop])}`);
      await spy.expect(refused);
    }
    await spy.send(`42["subscribe:loop","${mine}","${theirs}"]`, `42["unsubscribe:loop","${theirs}"]`, '42["subscribe:loop"]');
    await spy.expect(refused);
    await publish(two, event(two, { loopId: theirs }));
    await next(victim, two, { loopId: theirs });
    await publish(one, event(one, { loopId: theirs }));
    await next(spy, one, { loopId: theirs });
    await nothing(spy, one);
    await nothing(victim, two);
  },

  // What clients send is no event, and no name of a room is one.
  async emits() {
    const [one, two] = [id(), id()];
    const [spy, victim] = [await client(one, 'spy'), await client(two, 'ann')];
    for (const sent of [['test.event', JSON.parse(event(two))], ['join', `tenant:${two}`], ['subscribe', channel(two)], ['subscribe:tenant', two], ['tenant', two], ['connected', { tenantId: two }], ['message', two], ['error', 'x']])
      await spy.send(`42${JSON.stringify(sent)}`);
    for (const nsp of [`/${two}`, `/tenant:${two}`, '/*', '/admin']) {
      await spy.send(`40${nsp},${JSON.stringify({ token: token(two) })}`);
      await spy.expect(`44${nsp},{"message":"Invalid namespace"}`);
    }
    await nothing(victim, two);
    await nothing(spy, one);
  },

  // One session, two tenants: in the one it joins, and never in both.
  async switching() {
    const [one, two] = [id(), id()];
    for (const kind of [WebSocket, Polling]) {
      const session = await client(one, 'ann', kind);
      await publish(one, event(one, { n: 1 }));
      await next(session, one, { n: 1 });
      await session.send('41');
      while ((await redis.pubsub('NUMSUB', channel(one)))[1] !== 0);
      await publish(one, event(one, { n: 2 }));
      await join(session, two, 'bob');
      await publish(one, event(one, { n: 3 }));
      await nothing(session, two);
      await session.send(connect(token(one)));
      await session.closed();
      while ((await redis.pubsub('NUMSUB', channel(two)))[1] !== 0);
    }
  },

  // auth.token counts; the header of the first request only without it, that of later ones never.
  async headers() {
    const [one, two] = [id(), id()];
    const bearer = (tenant) => ({ Authorization: `Bearer ${token(tenant)}` });
    const open = async (headers) => JSON.parse((await get(`${PATH}/?EIO=4&transport=polling`, headers)).body.slice(1)).sid;
    const speak = async (sid, text, headers) => {
      const target = `${PATH}/?EIO=4&transport=polling&sid=${sid}`;
      const raw = await Raw.open(port);
      await raw.write(Buffer.concat([request('POST', target, headers, text), request('GET', target, headers)]));
      assert.strictEqual((await raw.answer()).body, 'ok');
      const { body } = await raw.answer();
      raw.close();
      return body;
    };
    assert.match(await speak(await open(bearer(one)), connect(token(two)), bearer(one)), new RegExp(`^40.*"tenantId":"${two}"`));
    assert.strictEqual(await speak(await open(bearer(one)), connect('nonsense'), bearer(one)), '44{"message":"Invalid token"}');
    assert.strictEqual(await speak(await open({}), '40', bearer(one)), '44{"message":"Authentication required"}');
    const sid = await open(bearer(one));
    await speak(sid, '40', bearer(two));
    while ((await redis.pubsub('NUMSUB', channel(one)))[1] !== 1);
  },

  // The id of a session is its only secret: whoever has it has the session, as in the reference
  // server, so it must not be guessed, and nothing else may stand for it.
  async ids() {
    const [one, two] = [id(), id()];
    const [mine, theirs] = [await client(one, 'spy', Polling), await client(two, 'ann', Polling)];
    const unknown = async (sid) => {
      const { status, body } = await get(`${PATH}/?EIO=4&transport=polling&sid=${encodeURIComponent(sid)}`);
      assert.deepStrictEqual([status, body], [400, '{"code":1,"message":"Session ID unknown"}']);
    };
    for (let i = 0; i < theirs.sid.length; i++) {
      const other = theirs.sid[i] === 'A' ? 'B' : 'A';
      await unknown(theirs.sid.slice(0, i) + other + theirs.sid.slice(i + 1));
    }
    const { sid } = theirs;
    for (const wrong of [`${sid}A`, sid.slice(0, -1), `${sid}=`, `${sid}\0`, ` ${sid}`, `${sid} `, sid.toLowerCase(), sid.toUpperCase(), `${mine.sid.slice(0, 10)}${sid.slice(10)}`, `${sid},${mine.sid}`, '*', '0', 'A'.repeat(20), '-'.repeat(20), '_'.repeat(20)])
      if (wrong !== sid) await unknown(wrong);
    await theirs.send('41', connect(token(two)));
    const socketId = JSON.parse((await theirs.packet()).slice(2)).sid;
    await unknown(socketId);
    await theirs.packet();
    const ended = await client(two, 'ann', Polling);
    await ended.send('1');
    await unknown(ended.sid);
    await nothing(theirs, two);
    await nothing(mine, one);
    const used = await get(`${PATH}/?EIO=4&transport=websocket&sid=${sid}`);
    assert.strictEqual(used.body, '{"code":3,"message":"Bad request"}');
    const stolen = await Raw.open(port);
    await stolen.write(request('POST', `${PATH}/?EIO=4&transport=polling&sid=${sid}`, {}, '42["ping"]'));
    assert.strictEqual((await stolen.answer()).body, 'ok');
    assert.match(await theirs.packet(), /^42\["pong",/);
    stolen.close();
  },

  // Ids have no part that counts or stays, but for that which names the worker.
  async randomness() {
    const sids = [];
    for (let i = 0; i < 300; i++) {
      const session = await Polling.open(port, PATH);
      sids.push(Buffer.from(session.sid, 'base64url'));
      session.close();
    }
    assert.strictEqual(new Set(sids.map((sid) => sid.subarray(0, 11).toString('hex'))).size, 300);
    for (let byte = 0; byte < 15; byte++) {
      if (byte === 11) continue;
      const values = new Set(sids.map((sid) => sid[byte]));
      assert.ok(values.size > 120, `byte ${byte} has ${values.size} values in 300 ids`);
      const steps = sids.slice(1).filter((sid, i) => ((sid[byte] - sids[i][byte]) & 255) === 1).length;
      assert.ok(steps < 20, `byte ${byte} counts up ${steps} times`);
    }
  },

  // Nothing that is refused tells whether a tenant, user, loop or session exists.
  async texts() {
    const [known, unknown] = [id(), id()];
    const session = await client(known);
    const refused = async (value) => {
      const other = await WebSocket.open(port, PATH);
      await other.send(connect(value));
      const packet = await other.packet();
      other.close();
      return packet;
    };
    for (const make of [
      (tenantId) => jwt.sign({ sub: 'ann', tenantId }, 'another-secret-of-thirty-two-bytes-or-more'),
      (tenantId) => token(tenantId, 'ann', { exp: 1 }),
      (tenantId) => token(tenantId, 'ann', { nbf: 4102444800 }),
      (tenantId) => token(tenantId, '*'),
      (tenantId) => `${token(tenantId)}x`,
      (tenantId) => `${token(tenantId)}.${token(tenantId)}`,
    ])
      for (const tenant of [known, unknown]) assert.strictEqual(await refused(make(tenant)), '44{"message":"Invalid token"}');
    const secret = 'tell-nobody';
    for (const target of [`/${secret}`, `${PATH}/${secret}?EIO=4&transport=polling`, `${PATH}/?EIO=${secret}&transport=polling`, `${PATH}/?EIO=4&transport=${secret}`, `${PATH}/?EIO=4&transport=polling&sid=${secret}`]) {
      const { headers, body } = await get(target, { 'X-Secret': secret });
      assert.ok(!JSON.stringify({ headers, body }).includes(secret), target);
      assert.deepStrictEqual([headers.server, headers['x-powered-by']], [undefined, undefined]);
    }
    await nothing(session, known);
  },
};

cases[process.argv[2]]().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
