// SPDX-License-Identifier: ISC
// A gateway as the storm sees it from outside: whether it lives, what it has, what it has counted.
'use strict';
const fs = require('fs');
const http = require('http');
const { pause } = require('./client.js');

const CALM_MS = 60000; // until everything has gone, under sanitizers and load
const EMPTY = ['connections', 'sessions', 'tenants', 'queue_bytes', 'relay_streams'];

class Gateway {
  // PORT,PID,ADMIN-PORT,RELAY-PORT,TLS
  constructor(text) {
    [this.port, this.pid, this.admin, this.relay, this.tls] = text.split(',').map(Number);
  }

  lives() {
    try {
      process.kill(this.pid, 0);
      return !/^State:\tZ/m.test(fs.readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  }

  memory() {
    return Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]) * 1024;
  }

  descriptors() {
    return fs.readdirSync(`/proc/${this.pid}/fd`).length;
  }

  // Samples of its metrics by name with labels, without the prefix.
  metrics() {
    return new Promise((resolve, reject) => {
      const url = `http://127.0.0.1:${this.admin}/metrics`;
      http.get(url, { agent: false }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('end', () => resolve(Object.fromEntries([...text.matchAll(/^arda_gateway_(\S+) (\S+)/gm)].map(([, name, value]) => [name, Number(value)]))));
      }).on('error', reject);
    });
  }

  // Until nothing is left of any client; what it occupies then.
  async calm() {
    const end = Date.now() + CALM_MS;
    for (;;) {
      const metrics = await this.metrics();
      const left = EMPTY.filter((name) => metrics[name] !== 0);
      if (left.length === 0) return { metrics, memory: this.memory(), descriptors: this.descriptors() };
      if (Date.now() > end) throw new Error(`never calm: ${left.map((name) => `${name} ${metrics[name]}`).join(', ')}`);
      await pause(100);
    }
  }
}

module.exports = { Gateway };
