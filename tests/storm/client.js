// SPDX-License-Identifier: ISC
// What every client of the storm has: who it is, its connections, and the end of its patience. What
// the server sends is looked at: nothing of another tenant or user, and nothing at all for a token
// that is not good.
'use strict';
const tls = require('tls');
const { Raw } = require('../lib/raw.js');

const PATIENCE_MS = 1500;

// What a peer may do to us that we do the same to: it is no fault of the server.
class Over extends Error {}

const isOver = (error) => error instanceof Over || / instead of /.test(error.message) || /^(E[A-Z]+|ERR_[A-Z0-9_]+)$/.test(error.code || '');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function secure(port) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }).once('error', reject);
    socket.once('secureConnect', () => {
      const raw = new Raw(socket);
      raw.reset = raw.close; // Node.js cannot reset it
      resolve(raw);
    });
  });
}

class Client {
  constructor(dice, world, me = world.identity(dice)) {
    Object.assign(this, { dice, world, me, raws: new Set(), over: false });
    this.answered = new Promise((done) => (this.onAnswer = done));
  }

  // Over TLS where the gateway has it; a few do not know that.
  async open() {
    if (this.over) throw new Over();
    const gateway = this.world.gateway(this.dice);
    const raw = gateway.tls && this.dice.chance(0.95) ? await this.within(secure(gateway.port)) : await Raw.open(gateway.port);
    this.raws.add(raw);
    if (this.over) this.end();
    return raw;
  }

  // Waits for a promise, but not for ever.
  async within(promise, ms = PATIENCE_MS) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Over()), ms);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  // Most wait for the answer to their CONNECT before they say more.
  async mayWait() {
    if (this.dice.chance(0.7)) await Promise.race([this.answered, pause(500)]);
  }

  // Something that goes on beside; what goes wrong with it ends nothing but itself.
  beside(promise) {
    promise.catch((error) => {
      if (!isOver(error)) this.world.fault(error);
    });
  }

  check(text) {
    const { me, world } = this;
    world.counts.received++;
    if (/^(42\["connected"|44)/.test(text)) this.onAnswer();
    if (text.startsWith('42["connected"')) {
      world.counts.connected++;
      if (!me.good) world.fault(new Error(`let in with ${me.kind}: ${text.slice(0, 200)}`));
    }
    for (const [, tenant] of text.matchAll(/"tenantId":"([^"]*)"/g))
      if (tenant !== me.tenant) world.fault(new Error(`${me.tenant} received ${text.slice(0, 200)}`));
    const [, user] = /"notification\.created","tenantId":"[^"]*","userId":"([^"]*)"/.exec(text) || [];
    if (user && user !== me.user) world.fault(new Error(`${me.user} received ${text.slice(0, 200)}`));
  }

  // Each connection ends in a way of its own.
  end() {
    this.over = true;
    for (const raw of this.raws) {
      if (this.dice.chance(0.3)) raw.reset();
      else raw.close();
    }
    this.raws.clear();
  }
}

module.exports = { Client, Over, isOver, pause };
