// SPDX-License-Identifier: ISC
// Random numbers that a seed repeats. Whoever acts has dice of its own, so that what it does depends
// on the seed and not on who was faster.
'use strict';

class Dice {
  constructor(...seeds) {
    this.state = seeds.reduce((state, seed) => Math.imul(state ^ seed, 0x9e3779b1) + 0x7f4a7c15, 1) >>> 0;
  }

  // mulberry32
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  between(low, high) {
    return low + this.below(high - low + 1);
  }

  chance(p) {
    return this.next() < p;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  // Of [[weight, value], …].
  weighed(table) {
    let at = this.next() * table.reduce((sum, [weight]) => sum + weight, 0);
    return (table.find(([weight]) => (at -= weight) < 0) || table[table.length - 1])[1];
  }

  bytes(n) {
    return Buffer.from(Array.from({ length: n }, () => this.below(256)));
  }
}

module.exports = { Dice };
