// SPDX-License-Identifier: ISC
// What is published meanwhile: events small and large, notifications for users, revocations, what is
// no event; now and then Redis throws its subscribers out.
'use strict';

const TICK_MS = 10;

const channel = (tenant) => `arda:events:${tenant}`;
const pad = (dice, most) => (dice.chance(0.5) ? 'y'.repeat(dice.below(most)) : dice.bytes(dice.below(most / 2)).toString('hex'));
const event = (type, tenantId, more = {}) => JSON.stringify({ type, tenantId, ...more });

const KINDS = [
  [60, (dice, tenant) => [channel(tenant), event('storm.small', tenant, { n: dice.below(1000) })]],
  [10, (dice, tenant) => [channel(tenant), event('storm.large', tenant, { pad: pad(dice, 12000) })]],
  [1, (dice, tenant) => [channel(tenant), event('storm.huge', tenant, { pad: pad(dice, 200000) })]],
  [25, (dice, tenant, user) => [channel(tenant), event('notification.created', tenant, { userId: user, pad: pad(dice, dice.pick([10, 3000, 20000])) })]],
  [2, (dice, tenant, user) => [channel(tenant), event(dice.pick(['security.token.revoked', 'security.auth.logout']), tenant, { userId: user })]],
  [0.3, (dice, tenant, user) => ['arda:events:global', JSON.stringify({ type: 'security.token.revoked', userId: user })]],
  [2, (dice, tenant) => [channel(tenant), dice.pick(['', '{', '[]', 'x', '{"type":7}', event('connected', tenant), event('disconnect', tenant), event('notification.created', tenant)])]],
];

class Events {
  constructor(dice, world, redis) {
    Object.assign(this, { dice, world, redis });
  }

  start() {
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  tick() {
    const { dice, world, redis } = this;
    for (let count = dice.below(8); count > 0; count--) {
      const [where, what] = dice.weighed(KINDS)(dice, world.anyTenant(dice), world.anyUser(dice));
      redis.publish(where, what).catch((error) => world.fault(error));
      world.counts.published++;
    }
    if (dice.chance(0.003)) redis.client('KILL', 'TYPE', 'pubsub').catch((error) => world.fault(error));
    if (dice.chance(0.01)) world.hangUp(dice);
  }
}

module.exports = { Events };
