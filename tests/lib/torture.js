// SPDX-License-Identifier: ISC
// What the tests share that kill daemons at random instants: numbers that TEST_SEED repeats, waiting, a
// Redis that is shut down and started again, and the killing itself.
'use strict';
const { spawn, spawnSync } = require('child_process');
const path = require('path');
const fs = require('fs');
const Redis = require('ioredis');

const seed = Number(process.env.TEST_SEED || Date.now()) % 2147483647 || 1;
let state = seed;
const random = (below) => ((state = (state * 48271) % 2147483647) / 2147483647) * below;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(what, condition) {
  const end = Date.now() + 600000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await pause(20);
  }
}

// A server that keeps an append-only file. The test itself uses a Unix socket, which opens before the
// port that the daemons use.
class Server {
  constructor(folder) {
    // None that the kernel gives to connections: one could sit on it while Redis is away.
    this.port = 12000 + Math.floor(Math.random() * 20000);
    this.url = `redis://127.0.0.1:${this.port}`;
    this.folder = folder;
    this.socket = path.join(folder, 'redis.socket');
  }

  connect() {
    const client = new Redis({ path: this.socket, retryStrategy: () => 20, maxRetriesPerRequest: null });
    this.clients.push(client);
    return client;
  }

  // Then `client` is there, and others may connect before open().
  async start() {
    this.process = spawn('redis-server', ['--port', '0', '--unixsocket', this.socket, '--save', '',
      '--dir', this.folder, '--appendonly', 'yes', '--loglevel', 'warning', '--bind', '127.0.0.1'],
    { stdio: 'ignore' });
    await until('the socket of Redis', () => fs.existsSync(this.socket));
    this.clients = [];
    this.client = this.connect();
  }

  async open() {
    await until('Redis to have loaded', async () => (await this.client.ping().catch(() => '')) === 'PONG');
    await this.client.config('SET', 'port', this.port);
  }

  async stop() {
    const gone = new Promise((done) => this.process.once('exit', done));
    for (const client of this.clients) client.disconnect();
    spawnSync('redis-cli', ['-s', this.socket, 'shutdown']);
    await gone;
    fs.rmSync(this.socket, { force: true });
  }

  kill() {
    for (const client of this.clients || []) client.disconnect();
    if (this.process) this.process.kill('SIGKILL');
  }
}

// Daemons that are started and killed until there were `wanted` kills. `start` gives a child process;
// `stop` and `startAgain` shut Redis down in the middle and start it again, twice; while `held` is set
// there is to be nothing published.
class Killing {
  constructor({ start, stop, startAgain, wanted, count }) {
    Object.assign(this, { start, stop, startAgain, wanted, count });
    this.kills = 0;
    this.restarts = 0;
    this.held = false;
    this.on = true;
    this.children = [];
  }

  async killOn(slot) {
    while (this.on) {
      const child = this.start();
      this.children[slot] = child;
      const gone = new Promise((done) => child.once('exit', done));
      await pause(random(random(2) < 1 ? 120 : 600)); // while it starts, or at work
      if (!this.on) return;
      child.kill('SIGKILL');
      await gone;
      this.kills++;
      while (this.held && this.on) await pause(5); // there is nothing to be in the middle of
    }
  }

  async restart() {
    this.held = true;
    await this.stop();
    await pause(random(300));
    await this.startAgain();
    this.held = false;
    this.restarts++;
  }

  // At its end as many daemons as `count` are alive.
  async run() {
    const slots = Array.from({ length: this.count }, (_, slot) => this.killOn(slot));
    for (const share of [1 / 3, 2 / 3]) {
      await until('kills', () => this.kills >= this.wanted * share);
      await this.restart();
    }
    await until('kills', () => this.kills >= this.wanted);
    this.on = false;
    await Promise.all(slots);
  }

  end() {
    for (const child of this.children) child.kill('SIGTERM');
  }
}

module.exports = { seed, random, pause, until, Server, Killing };
