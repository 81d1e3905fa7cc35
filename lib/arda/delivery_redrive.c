/* SPDX-License-Identifier: ISC */
#include "arda/delivery_redrive.h"

#include "arda/reply.h"
#include "arda/script.h"
#include "arda/tenant.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ARGV: prefix, tenant, id, now, the same for a person. `heldUntil` tells whoever claims it that it
 * has been held, so it is set even if it never was. The answer is a word. */
static struct arda_script redrive_script = ARDA_SCRIPT_TEXT(
    "local prefix, tenant, id, now_s, iso = unpack(ARGV)\n"
    "local call, now = redis.call, tonumber(now_s)\n"
    "local function key(family) return prefix .. ':' .. family .. ':' .. tenant end\n"
    "local records = key('delivery') .. ':'\n"
    "local record = records .. id\n"
    "local had = call('HMGET', record, 'channel', 'status', 'lease', 'digestId', 'items',\n"
    "  'heldUntil')\n"
    "local channel, status, lease, digest, items, held = unpack(had, 1, 6)\n"
    "if not channel or not status then return 'unknown' end\n"
    "local lane = tenant .. ':' .. channel\n"
    "local lane_key = prefix .. ':due:' .. lane\n"
    "\n"
    "local function under_way(one, its_status, its_lease)\n"
    "  if its_status ~= 'pending' or not its_lease then return false end\n"
    "  return tonumber(call('ZSCORE', lane_key, one) or 0) > now\n"
    "end\n"
    "local function leave_digest()\n"
    "  local members = key('digest-items') .. ':' .. digest\n"
    "  local its = call('HMGET', records .. digest, 'status', 'lease', 'userId', 'schedule')\n"
    "  if under_way(digest, its[1], its[2]) then return false end\n"
    "  if call('ZREM', members, id) == 1 and its[1] then\n"
    "    call('HINCRBY', records .. digest, 'items', -1)\n"
    "  end\n"
    "  call('HDEL', record, 'digestId')\n"
    "  if its[1] == 'pending' and call('EXISTS', members) == 0 then\n"
    "    local open = key('digesting') .. ':' .. (its[3] or '') .. ':' .. (its[4] or '')\n"
    "    if call('GET', open) == digest then call('DEL', open) end\n"
    "    call('DEL', records .. digest)\n"
    "    call('ZREM', key('deliveries'), digest)\n"
    "    call('ZREM', lane_key, digest)\n"
    "  end\n"
    "  return true\n"
    "end\n"
    "local function revive(name)\n"
    "  call('HSET', name, 'status', 'pending', 'attemptCount', 0, 'updatedAt', iso)\n"
    "  call('HDEL', name, 'lease', 'deliveredAt', 'nextAttemptAt')\n"
    "end\n"
    "local function revive_items()\n"
    "  local count = 0\n"
    "  for _, member in ipairs(call('ZRANGE', key('digest-items') .. ':' .. id, 0, -1)) do\n"
    "    if call('HGET', records .. member, 'digestId') == id then\n"
    "      revive(records .. member)\n"
    "      count = count + 1\n"
    "    end\n"
    "  end\n"
    "  return count\n"
    "end\n"
    "\n"
    "if under_way(id, status, lease) then return 'under way' end\n"
    "if digest and not leave_digest() then return 'under way' end\n"
    "if items and revive_items() == 0 then return 'empty' end\n"
    "revive(record)\n"
    "call('HSET', record, 'nextAttemptAt', iso)\n"
    "if channel == 'email' and not held then call('HSET', record, 'heldUntil', iso) end\n"
    "call('ZADD', lane_key, now_s, id)\n"
    "local first = call('ZRANGE', lane_key, 0, 0, 'WITHSCORES')\n"
    "call('ZADD', prefix .. ':due', first[2], lane)\n"
    "return 'redriven'\n");

struct redriving {
    struct arda_bus *bus;
    arda_delivery_redrive_fn done;
    void *data;
};

static void on_redriven(void *data, int result, const struct redisReply *reply)
{
    struct redriving *redriving = data;
    enum arda_delivery_redriven redriven = ARDA_DELIVERY_REDRIVEN;
    struct base_why why = {0};
    result = arda_script_error(redriving->bus, result, reply, &why);
    const char *word = !result && reply_is_text(reply) ? reply->str : "";
    if (strcmp(word, "unknown") == 0)
        result = base_why_set(&why, BASE_ERR_NOTFOUND, "there is no such delivery");
    else if (strcmp(word, "under way") == 0)
        redriven = ARDA_DELIVERY_UNDER_WAY;
    else if (strcmp(word, "empty") == 0)
        redriven = ARDA_DELIVERY_EMPTY;
    else if (!result && strcmp(word, "redriven") != 0)
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    redriving->done(redriving->data, result, redriven, &why);
    base_free(redriving);
}

int arda_delivery_redrive(struct arda_bus *bus, const char *tenant, const char *id, int64_t now_ms,
                          arda_delivery_redrive_fn done, void *data)
{
    char now[24], iso[BASE_RFC3339_LEN + 1];
    if (!arda_tenant_valid(tenant, strlen(tenant)) || !arda_id_valid(id, strlen(id)))
        return BASE_ERR_INVALID;
    struct redriving *redriving = base_malloc(sizeof *redriving);
    if (!redriving)
        return BASE_ERR_NOMEM;
    *redriving = (struct redriving){bus, done, data};
    snprintf(now, sizeof now, "%" PRId64, now_ms);
    base_rfc3339_format(now_ms, iso);
    const char *const argv[] = {arda_bus_prefix(bus), tenant, id, now, iso};
    int failed = arda_script_call(bus, &redrive_script, 5, argv, NULL, on_redriven, redriving);
    if (failed)
        base_free(redriving);
    return failed;
}
