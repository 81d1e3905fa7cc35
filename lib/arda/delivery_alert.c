/* SPDX-License-Identifier: ISC
 *
 * The settlement that disables an endpoint notes its tenant, so that whichever daemon is alive
 * tells the tenant, and a note goes when that is done.
 */
#include "arda/delivery_internal.h"
#include "arda/reply.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- endpoints that were disabled ---- */

struct asking {
    struct arda_bus *bus;
    struct arda_delivery_alerts alerts;
};

/* "MS WHY" */
static void give_note(const struct asking *asking, const redisReply *tenant, const redisReply *note)
{
    char *why = NULL;
    if (!arda_tenant_valid(tenant->str, tenant->len))
        return;
    long long since_ms = strtoll(note->str, &why, 10);
    if (since_ms > 0)
        asking->alerts.on_alert(asking->alerts.data, tenant->str, since_ms,
                                *why == ' ' ? why + 1 : why);
}

static void on_notes(void *data, int result, const struct redisReply *reply)
{
    struct asking *asking = data;
    struct base_why why = {0};
    result = arda_script_error(asking->bus, result, reply, &why);
    if (!result && !reply_are_texts(reply, 2))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "an answer of Redis makes no sense");
    for (size_t i = 0; !result && i < reply->elements; i += 2)
        give_note(asking, reply->element[i], reply->element[i + 1]);
    asking->alerts.done(asking->alerts.data, result, &why);
    base_free(asking);
}

int arda_delivery_alerts(struct arda_bus *bus, const struct arda_delivery_alerts *alerts)
{
    char key[ARDA_KEY_MAX];
    const char *argv[] = {"HGETALL", key};
    struct asking *asking = base_malloc(sizeof *asking);
    if (!asking)
        return BASE_ERR_NOMEM;
    *asking = (struct asking){bus, *alerts};
    arda_key(key, arda_bus_prefix(bus), "disabled", NULL, 0);
    int failed = arda_bus_command(bus, 2, argv, NULL, on_notes, asking);
    if (failed)
        base_free(asking);
    return failed;
}

/* ARGV: prefix, tenant, since when. Another note may have come meanwhile. */
static struct arda_script alerted_script =
    ARDA_SCRIPT_TEXT("local notes = ARGV[1] .. ':disabled'\n"
                     "local note = redis.call('HGET', notes, ARGV[2])\n"
                     "if note and string.match(note, '^%d+') == ARGV[3] then\n"
                     "  redis.call('HDEL', notes, ARGV[2])\n"
                     "end\n"
                     "return {0, 0}\n");

int arda_delivery_alerted(struct arda_bus *bus, const char *tenant, int64_t since_ms)
{
    char since[DELIVERY_MS_LEN];
    const char *argv[] = {arda_bus_prefix(bus), tenant, since};
    delivery_ms(since_ms, since);
    return delivery_change(bus, &alerted_script, 3, argv, NULL, NULL);
}

/* ---- how it stands ---- */

/* ARGV: prefix, now. A lane of an open circuit has nothing that may go out. What is of another type
 * counts as nothing. The last two of the answer are, for each channel, what is due without anybody
 * to attend to it, and since when the oldest is. */
static struct arda_script count_script = ARDA_SCRIPT_TEXT(
    DELIVERY_LUA DELIVERY_ATTENDED_LUA
    "local now, pending, circuits, oldest = tonumber(ARGV[2]), 0, 0, -1\n"
    "local left = {email = {0, -1}, webhook = {0, -1}}\n"
    "for channel, counts in pairs(left) do counts.on = is_unattended(channel) end\n"
    "local function earlier(since, than) return than < 0 or since < than end\n"
    "for _, lane in ipairs(call('ZRANGE', ARGV[1] .. ':due', 0, 9999)) do\n"
    "  pending = pending + (tonumber(redis.pcall('ZCARD', key('due', lane))) or 0)\n"
    "  local tenant, channel = string.match(lane, '^(.*):([^:]*)$')\n"
    "  local open, counts = 0, left[channel]\n"
    "  if channel == 'webhook' then\n"
    "    open = tonumber(redis.pcall('HGET', key('endpoint', tenant), 'openUntil') or 0) or 0\n"
    "  end\n"
    "  if open > now then circuits = circuits + 1 end\n"
    "  local first = redis.pcall('ZRANGE', key('due', lane), 0, 0, 'WITHSCORES')\n"
    "  local since = tonumber(first[2])\n"
    "  if open <= now and since and since <= now then\n"
    "    if earlier(since, oldest) then oldest = since end\n"
    "    if counts and counts.on then\n"
    "      counts[1] = counts[1] + call('ZCOUNT', key('due', lane), '-inf', now)\n"
    "      if earlier(since, counts[2]) then counts[2] = since end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "return {pending, circuits, oldest, left.email[1], left.email[2], left.webhook[1],\n"
    "  left.webhook[2]}\n");

#define COUNTS 7

struct counting {
    struct arda_bus *bus;
    void (*done)(void *data, int result, const struct arda_delivery_counts *counts);
    void *data;
};

static void on_counted(void *data, int result, const struct redisReply *reply)
{
    struct counting *counting = data;
    struct arda_delivery_counts counts = {.oldest_ms = -1};
    int64_t numbers[COUNTS] = {0};
    result = arda_script_error(counting->bus, result, reply, NULL);
    if (!result && !reply_are_numbers(reply, COUNTS))
        result = BASE_ERR_INTERNAL;
    for (int i = 0; !result && i < COUNTS; i++)
        numbers[i] = reply->element[i]->integer;
    if (!result)
        counts = (struct arda_delivery_counts){
            .pending = (uint64_t)numbers[0],
            .circuits = (uint64_t)numbers[1],
            .oldest_ms = numbers[2],
            .unattended = {[ARDA_NOTIFY_EMAIL] = {(uint64_t)numbers[3], numbers[4]},
                           [ARDA_NOTIFY_WEBHOOK] = {(uint64_t)numbers[5], numbers[6]}},
        };
    counting->done(counting->data, result, &counts);
    base_free(counting);
}

int arda_delivery_count(struct arda_bus *bus, int64_t now_ms,
                        void (*done)(void *data, int result,
                                     const struct arda_delivery_counts *counts),
                        void *data)
{
    char now[DELIVERY_MS_LEN];
    const char *argv[] = {arda_bus_prefix(bus), now};
    struct counting *counting = base_malloc(sizeof *counting);
    if (!counting)
        return BASE_ERR_NOMEM;
    *counting = (struct counting){bus, done, data};
    delivery_ms(now_ms, now);
    int failed = arda_script_call(bus, &count_script, 2, argv, NULL, on_counted, counting);
    if (failed)
        base_free(counting);
    return failed;
}
