// SPDX-License-Identifier: ISC
// What a notification service would be in Node.js: ioredis and the catalog's section 8, the same rows
// and events as arda-notifyd makes, one pipeline for each event, users and preferences kept in
// memory. `make bench` measures arda-notifyd beside it. Prints "ready" when it is.
'use strict';
const { randomUUID } = require('crypto');
const Redis = require('ioredis');

const subscriber = new Redis(process.env.REDIS_URL);
const redis = new Redis(process.env.REDIS_URL);
const tenants = new Map();
const STAGES = ['triggered', 'received', 'restocked'];
const ORDERS = { purchase_order: 'purchase order', work_order: 'work order', transfer_order: 'transfer order' };
const STATUS = {
  sent: ['po_sent', 'Purchase order sent'],
  received: ['po_received', 'Purchase order received'],
  partially_received: ['po_received', 'Purchase order partially received'],
};

function notificationOf(event) {
  switch (event.type) {
    case 'card.transition':
      return STAGES.includes(event.toStage) && {
        type: 'card_triggered',
        title: `Kanban card moved to ${event.toStage}`,
        body: `The card moved from ${event.fromStage} to ${event.toStage}.`,
        actionUrl: `/loops/${event.loopId}/cards/${event.cardId}`,
        metadata: { cardId: event.cardId, loopId: event.loopId, fromStage: event.fromStage, toStage: event.toStage, method: event.method },
      };
    case 'order.created':
      return ORDERS[event.orderType] && {
        type: 'po_created',
        title: `New ${ORDERS[event.orderType]} created`,
        body: `${event.orderNumber} was created.`,
        actionUrl: `/orders/${event.orderId}`,
        metadata: { orderType: event.orderType, orderId: event.orderId, orderNumber: event.orderNumber },
      };
    case 'order.status_changed': {
      const [type, title] =
        event.orderType === 'work_order' ? ['wo_status_change', 'Work order status updated']
        : event.orderType === 'transfer_order' ? ['transfer_status_change', 'Transfer order status updated']
        : STATUS[event.toStatus] || ['system_alert', 'Purchase order status updated'];
      return { type, title, body: `${event.orderNumber} is now ${event.toStatus}.`, actionUrl: `/orders/${event.orderId}`,
        metadata: { orderType: event.orderType, orderId: event.orderId, toStatus: event.toStatus } };
    }
    case 'relowisa.recommendation':
      return { type: 'relowisa_recommendation', title: 'New ReLoWiSa recommendation', body: 'The engine recommends new parameters for a loop.',
        actionUrl: `/loops/${event.loopId}`, metadata: { loopId: event.loopId, recommendationId: event.recommendationId } };
    default:
      return undefined;
  }
}

async function load(tenant) {
  const [users, preferences] = await Promise.all([redis.hgetall(`arda:users:${tenant}`), redis.hgetall(`arda:preferences:${tenant}`)]);
  return { active: Object.keys(users).filter((id) => JSON.parse(users[id]).active), preferences };
}

function wants(preferences, user, type, channel, otherwise) {
  const own = preferences[`${user}:${type}:${channel}`] ?? preferences[`*:${type}:${channel}`];
  return own === undefined ? otherwise : own === '1';
}

async function notify(event, cause) {
  const notification = notificationOf(event);
  if (!notification) return;
  const tenant = event.tenantId;
  if (!tenants.has(tenant)) tenants.set(tenant, load(tenant));
  const { active, preferences } = await tenants.get(tenant);
  const pipeline = redis.pipeline();
  for (const user of active) {
    if (!wants(preferences, user, notification.type, 'in_app', true)) continue;
    const id = randomUUID();
    const now = new Date();
    const row = { id, tenantId: tenant, userId: user, ...notification, createdAt: now.toISOString(), eventId: cause };
    pipeline.zadd(`arda:inbox:${tenant}:${user}`, now.getTime(), id);
    pipeline.zadd(`arda:unread:${tenant}:${user}`, now.getTime(), id);
    pipeline.hset(`arda:rows:${tenant}:${user}`, id, JSON.stringify(row));
    const created = JSON.stringify({ type: 'notification.created', tenantId: tenant, userId: user, notificationId: id,
      notificationType: notification.type, title: notification.title, timestamp: now.toISOString(),
      schemaVersion: 1, eventId: randomUUID(), correlationId: cause });
    pipeline.publish('arda:events:global', created);
    pipeline.publish(`arda:events:${tenant}`, created);
  }
  await pipeline.exec();
}

subscriber.on('message', (channel, text) => {
  const message = JSON.parse(text);
  const event = message.type ? message : message.event;
  if (event && event.type !== 'notification.created') notify(event, message.id || event.eventId);
});
subscriber.subscribe('arda:events:global').then(() => console.log('ready'));
process.on('SIGTERM', () => process.exit(0));
