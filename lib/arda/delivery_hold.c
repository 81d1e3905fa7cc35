/* SPDX-License-Identifier: ISC
 *
 * A digest is a delivery like others, with a set of members in place of a notification. While it
 * is open, which is until it is claimed, a key names it to whoever has another member for it; full
 * ones are not added to.
 */
#include "arda/delivery_internal.h"

#include <string.h>

#define TEXT_(value) #value
#define TEXT(value)  TEXT_(value)

/* ARGV: prefix, tenant, channel, id, lease, when it is due, the same for a person. */
static struct arda_script release_script = ARDA_SCRIPT_TEXT(
    DELIVERY_LUA "local tenant, channel, id, lease, due, due_iso = unpack(ARGV, 2, 7)\n"
                 "local lane, endpoint = tenant .. ':' .. channel, key('endpoint', tenant)\n"
                 "local record = key('delivery', tenant) .. ':' .. id\n"
                 "if channel == 'webhook' and call('HGET', endpoint, 'single') == id then\n"
                 "  call('HDEL', endpoint, 'single', 'singleUntil')\n"
                 "end\n"
                 "if call('HGET', record, 'lease') ~= lease then return {1, 0} end\n"
                 "call('HDEL', record, 'lease')\n"
                 "call('HSET', record, 'nextAttemptAt', due_iso)\n"
                 "call('ZADD', key('due', lane), due, id)\n"
                 "rescore(lane)\n"
                 "return {0, 0}\n");

int arda_delivery_release(struct arda_bus *bus, const struct arda_delivery *delivery,
                          int64_t due_ms, arda_delivery_settle_fn done, void *data)
{
    char due[DELIVERY_MS_LEN], due_iso[BASE_RFC3339_LEN + 1];
    const char *argv[] = {arda_bus_prefix(bus),
                          delivery->tenant,
                          arda_notify_channel_name(delivery->channel),
                          delivery->id,
                          delivery->lease,
                          due,
                          due_iso};
    delivery_ms(due_ms, due);
    base_rfc3339_format(due_ms, due_iso);
    return delivery_change(bus, &release_script, (int)(sizeof argv / sizeof argv[0]), argv, done,
                           data);
}

/* ARGV: prefix, tenant, id, lease, until when, the same for a person, now, the same for a person,
 * schedule or "", id of the digest that is made if there is none. */
static struct arda_script hold_script = ARDA_SCRIPT_TEXT(
    DELIVERY_LUA
    "local tenant, id, lease, till, till_iso, now, iso, schedule, made = unpack(ARGV, 2, 10)\n"
    "local lane = tenant .. ':email'\n"
    "local lane_key, records = key('due', lane), key('delivery', tenant) .. ':'\n"
    "local record = records .. id\n"
    "local had = call('HMGET', record, 'status', 'lease', 'userId', 'type')\n"
    "if had[1] ~= 'pending' or had[2] ~= lease then return {1, 0} end\n"
    "local user, kind = had[3] or '', had[4] or ''\n"
    "\n"
    "local function open_digest()\n"
    "  local pointer = key('digesting', tenant) .. ':' .. user .. ':' .. schedule\n"
    "  local digest = call('GET', pointer)\n"
    "  if digest then\n"
    "    local open = call('HMGET', records .. digest, 'status', 'items')\n"
    "    if open[1] == 'pending' and (tonumber(open[2] or 0) or 0) < " TEXT(
        ARDA_DELIVERY_ITEMS_MAX) " then\n"
                                 "      return digest\n"
                                 "    end\n"
                                 "  end\n"
                                 "  call('HSET', records .. made, 'id', made, 'tenantId', tenant, "
                                 "'notificationId', '',\n"
                                 "    'userId', user, 'channel', 'email', 'type', kind, 'status', "
                                 "'pending', 'attemptCount', 0,\n"
                                 "    'createdAt', iso, 'updatedAt', iso, 'items', 0, 'schedule', "
                                 "schedule,\n"
                                 "    'heldUntil', till_iso, 'nextAttemptAt', till_iso)\n"
                                 "  call('ZADD', key('deliveries', tenant), now, made)\n"
                                 "  call('ZADD', lane_key, till, made)\n"
                                 "  call('SET', pointer, made)\n"
                                 "  return made\n"
                                 "end\n"
                                 "\n"
                                 "call('HDEL', record, 'lease', 'nextAttemptAt')\n"
                                 "call('HSET', record, 'heldUntil', till_iso, 'updatedAt', iso)\n"
                                 "if schedule == '' then\n"
                                 "  call('HSET', record, 'nextAttemptAt', till_iso)\n"
                                 "  call('ZADD', lane_key, till, id)\n"
                                 "else\n"
                                 "  local digest = open_digest()\n"
                                 "  local created = call('ZSCORE', key('deliveries', tenant), id) "
                                 "or now\n"
                                 "  call('ZADD', key('digest-items', tenant) .. ':' .. digest, "
                                 "created, id)\n"
                                 "  call('HINCRBY', records .. digest, 'items', 1)\n"
                                 "  call('HSET', record, 'digestId', digest)\n"
                                 "  call('ZREM', lane_key, id)\n"
                                 "end\n"
                                 "rescore(lane)\n"
                                 "return {0, 0}\n");

int arda_delivery_hold(struct arda_bus *bus, const struct arda_delivery *delivery, int64_t until_ms,
                       const char *schedule, const char *digest_id, int64_t now_ms,
                       arda_delivery_settle_fn done, void *data)
{
    char until[DELIVERY_MS_LEN], now[DELIVERY_MS_LEN];
    char until_iso[BASE_RFC3339_LEN + 1], now_iso[BASE_RFC3339_LEN + 1];
    if (delivery->channel != ARDA_NOTIFY_EMAIL ||
        (schedule && (!digest_id || strlen(digest_id) != ARDA_NOTIFY_ID_LEN)))
        return BASE_ERR_INVALID;
    delivery_ms(until_ms, until);
    delivery_ms(now_ms, now);
    base_rfc3339_format(until_ms, until_iso);
    base_rfc3339_format(now_ms, now_iso);
    const char *argv[] = {arda_bus_prefix(bus),
                          delivery->tenant,
                          delivery->id,
                          delivery->lease,
                          until,
                          until_iso,
                          now,
                          now_iso,
                          schedule ? schedule : "",
                          schedule ? digest_id : ""};
    return delivery_change(bus, &hold_script, (int)(sizeof argv / sizeof argv[0]), argv, done,
                           data);
}
