/* SPDX-License-Identifier: ISC
 *
 * The end of an attempt is one step with what it says of the endpoint, so that all daemons see the
 * same endpoint, and so that an answer that got lost and is given again does not count twice: the
 * lease has gone with the first time.
 */
#include "arda/delivery_internal.h"
#include "arda/directory_script.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

#include <string.h>

#define CIRCUIT_FAILURES "10"        /* in a row, and it opens */
#define CIRCUIT_MIN_MS   "60000"     /* for so long, */
#define CIRCUIT_MAX_MS   "1800000"   /* doubling up to this */
#define PAUSE_MIN_MS     "1000"      /* of an endpoint that asks for fewer, */
#define PAUSE_MAX_MS     "60000"     /* doubling up to this */
#define PATIENCE_MS      "432000000" /* five days of failure, and it is disabled */
#define TRIMMED          "20"        /* records that a settlement looks at to remove them */

/* ARGV: prefix, tenant, channel, id, lease, now, now for a person, status, when it is due again or
 * "", the same for a person, the attempt as JSON or "", when it was for a person, text, what it
 * says of the endpoint, for how long that is to be spared, before when final records go or "", the
 * endpoint's URL. */
static struct arda_script settle_script = ARDA_SCRIPT_TEXT(
    DELIVERY_LUA DIRECTORY_RAISE_LUA
    "local tenant, channel, id, lease, now_s, iso, status, due, due_iso = unpack(ARGV, 2, 10)\n"
    "local attempt, at, text, verdict, spare_s, cutoff, url = unpack(ARGV, 11, 17)\n"
    "local now, lane = tonumber(now_s), tenant .. ':' .. channel\n"
    "local records, lane_key = key('delivery', tenant) .. ':', key('due', lane)\n"
    "local record, endpoint, mark, current = records .. id\n"
    "local good = status == 'sent' or status == 'delivered'\n"
    "local disabled = 0\n"
    "\n"
    /* The separator cannot be within a text, where the quotes would be escaped. */
    "local function add_attempt(list)\n"
    "  local between = '},{\"at\":'\n"
    "  if not list or list == '[]' or list == '' then return '[' .. attempt .. ']' end\n"
    "  local count, from = 1, 1\n"
    "  while true do\n"
    "    local found = string.find(list, between, from, true)\n"
    "    if not found then break end\n"
    "    count, from = count + 1, found + 1\n"
    "  end\n"
    "  if count >= 20 then\n"
    "    list = '[' .. string.sub(list, string.find(list, between, 1, true) + 2)\n"
    "  end\n"
    "  return string.sub(list, 1, -2) .. ',' .. attempt .. ']'\n"
    "end\n"
    "local function tell_text(name)\n"
    "  if good then call('HDEL', name, 'lastError')\n"
    "  elseif text ~= '' then call('HSET', name, 'lastError', text) end\n"
    "end\n"
    "local function finish(name)\n"
    "  call('HSET', name, 'status', status, 'updatedAt', iso)\n"
    "  call('HDEL', name, 'lease', 'nextAttemptAt')\n"
    "  if good then call('HSET', name, 'deliveredAt', iso) end\n"
    "  tell_text(name)\n"
    "end\n"
    "local function finish_items()\n"
    "  local count = call('HGET', record, 'attemptCount')\n"
    "  for _, member in ipairs(call('ZRANGE', key('digest-items', tenant) .. ':' .. id, 0, -1)) "
    "do\n"
    "    local name = records .. member\n"
    "    if call('HGET', name, 'digestId') == id then\n"
    "      finish(name)\n"
    "      call('HSET', name, 'attemptCount', count)\n"
    "      if attempt ~= '' then call('HSET', name, 'lastAttemptAt', at) end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function note(had)\n"
    "  if attempt ~= '' then\n"
    "    call('HINCRBY', record, 'attemptCount', 1)\n"
    "    call('HSET', record, 'lastAttemptAt', at, 'attempts', add_attempt(had[3]))\n"
    "  end\n"
    "  if status == 'pending' then\n"
    "    call('HSET', record, 'updatedAt', iso, 'nextAttemptAt', due_iso)\n"
    "    call('HDEL', record, 'lease')\n"
    "    tell_text(record)\n"
    "    call('ZADD', lane_key, due, id)\n"
    "  else\n"
    "    finish(record)\n"
    "    call('ZREM', lane_key, id)\n"
    "    if had[4] then finish_items() end\n"
    "  end\n"
    "end\n"
    "\n"
    "local function disable(why)\n"
    "  local webhook = key('webhook', tenant)\n"
    "  if call('HGET', webhook, 'enabled') ~= '1' then return end\n"
    "  call('HSET', webhook, 'enabled', '0')\n"
    "  raise(key('version', tenant))\n"
    "  call('DEL', endpoint)\n"
    "  call('HSET', endpoint, 'disabledAt', iso, 'disabledWhy', why, 'mark', mark)\n"
    "  call('HSET', ARGV[1] .. ':disabled', tenant, now_s .. ' ' .. why)\n"
    "  disabled = 1\n"
    "end\n"
    "local function endure(state)\n"
    "  if not state[1] then call('HSET', endpoint, 'failingSince', now_s)\n"
    "  elseif now - tonumber(state[1]) >= " PATIENCE_MS " then\n"
    "    disable('it has been failing for five days')\n"
    "  end\n"
    "end\n"
    "local function is_well(state)\n"
    "  local pause = math.floor((tonumber(state[4] or 0) or 0) / 2)\n"
    "  call('HDEL', endpoint, 'failures', 'failingSince', 'openUntil', 'openFor', 'spareUntil')\n"
    "  if pause >= " PAUSE_MIN_MS " then call('HSET', endpoint, 'pause', pause)\n"
    "  else call('HDEL', endpoint, 'pause', 'mark') end\n"
    "end\n"
    "local function is_failing(state)\n"
    "  local failures = call('HINCRBY', endpoint, 'failures', 1)\n"
    "  local open, open_for = tonumber(state[2] or 0), tonumber(state[3] or 0)\n"
    "  if failures >= " CIRCUIT_FAILURES " and open <= now then\n"
    "    open_for = math.min(math.max(open_for * 2, " CIRCUIT_MIN_MS "), " CIRCUIT_MAX_MS ")\n"
    "    call('HSET', endpoint, 'openUntil', now + open_for, 'openFor', open_for)\n"
    "  end\n"
    "  endure(state)\n"
    "end\n"
    /* Attempts that were under way already say nothing new. */
    "local function is_busy(state)\n"
    "  local pause, spared = tonumber(state[4] or 0), tonumber(state[5] or 0)\n"
    "  if spared <= now then\n"
    "    pause = math.min(math.max(pause * 2, " PAUSE_MIN_MS "), " PAUSE_MAX_MS ")\n"
    "  end\n"
    "  local wait = spared <= now and now + pause or spared\n"
    "  wait = math.max(wait, now + tonumber(spare_s))\n"
    "  call('HSET', endpoint, 'pause', pause, 'spareUntil', wait)\n"
    "  endure(state)\n"
    "end\n"
    "local function judge()\n"
    "  if verdict == '' or current ~= url then return end\n"
    "  local state = call('HMGET', endpoint, 'failingSince', 'openUntil', 'openFor', 'pause',\n"
    "    'spareUntil')\n"
    "  if verdict == 'well' then return is_well(state) end\n"
    "  call('HSET', endpoint, 'mark', mark)\n"
    "  if verdict == 'failing' then is_failing(state)\n"
    "  elseif verdict == 'busy' then is_busy(state)\n"
    "  elseif verdict == 'gone' then disable('it has answered 410 Gone') end\n"
    "end\n"
    "\n"
    "local function trim()\n"
    "  local all = key('deliveries', tenant)\n"
    "  for _, old in ipairs(call('ZRANGEBYSCORE', all, '-inf', '(' .. cutoff, 'LIMIT', 0, " TRIMMED
    ")) do\n"
    "    local of = call('HGET', records .. old, 'status')\n"
    "    if of ~= 'pending' then\n"
    "      call('DEL', records .. old, key('digest-items', tenant) .. ':' .. old)\n"
    "      call('ZREM', all, old)\n"
    "    end\n"
    "  end\n"
    "end\n"
    "\n"
    "local had = call('HMGET', record, 'status', 'lease', 'attempts', 'items')\n"
    "local ours = had[2] == lease\n"
    "if channel == 'webhook' then\n"
    "  endpoint, mark, current = endpoint_of(tenant)\n"
    "  if call('HGET', endpoint, 'single') == id then\n"
    "    call('HDEL', endpoint, 'single', 'singleUntil')\n"
    "  end\n"
    "end\n"
    "if had[1] == 'pending' and (ours or good) then\n"
    "  note(had)\n"
    "  judge()\n"
    "end\n"
    "rescore(lane)\n"
    "if cutoff ~= '' then trim() end\n"
    "return {ours and 0 or 1, disabled}\n");

static const char *const verdicts[] = {
    [ARDA_ENDPOINT_UNTOUCHED] = "",      [ARDA_ENDPOINT_WELL] = "well",
    [ARDA_ENDPOINT_FAILING] = "failing", [ARDA_ENDPOINT_BUSY] = "busy",
    [ARDA_ENDPOINT_GONE] = "gone",
};

/* At most so much of the text as a record keeps. */
static void cut_text(const char *text, char out[static ARDA_DELIVERY_ERROR_MAX + 1])
{
    size_t len = text ? strlen(text) : 0;
    if (len > ARDA_DELIVERY_ERROR_MAX)
        len = base_utf8_cut(text, ARDA_DELIVERY_ERROR_MAX);
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
}

/* `at` comes first: the script looks for it to find where an attempt begins. */
static int write_attempt(struct base_buf *out, const struct arda_delivery_settlement *settlement,
                         const char *at, const char *text)
{
    int failed = base_buf_printf(out, "{\"at\":\"%s\",\"status\":", at);
    failed |= settlement->answer ? base_buf_printf(out, "%d", settlement->answer)
                                 : base_buf_add_text(out, "null");
    failed |= base_buf_add_text(out, ",\"text\":");
    failed |= base_json_quote(out, text, strlen(text));
    failed |= base_buf_printf(out, ",\"durationMs\":%lld}", (long long)settlement->duration_ms);
    return failed || !base_buf_cstr(out) ? BASE_ERR_NOMEM : BASE_OK;
}

int arda_delivery_settle(struct arda_bus *bus, const struct arda_delivery_settlement *settlement,
                         arda_delivery_settle_fn done, void *data)
{
    const struct arda_delivery *delivery = settlement->delivery;
    char now[DELIVERY_MS_LEN], due[DELIVERY_MS_LEN] = "", spare[DELIVERY_MS_LEN];
    char cutoff[DELIVERY_MS_LEN] = "", text[ARDA_DELIVERY_ERROR_MAX + 1];
    char iso[BASE_RFC3339_LEN + 1], due_iso[BASE_RFC3339_LEN + 1], at[BASE_RFC3339_LEN + 1];
    struct base_buf attempt = BASE_BUF_INIT;
    if (settlement->text && !base_utf8_valid(settlement->text, strlen(settlement->text)))
        return BASE_ERR_INVALID;
    cut_text(settlement->text, text);
    delivery_ms(settlement->now_ms, now);
    delivery_ms(settlement->spare_ms, spare);
    if (settlement->status == ARDA_DELIVERY_PENDING)
        delivery_ms(settlement->due_ms, due);
    if (settlement->retain_ms > 0)
        delivery_ms(settlement->now_ms - settlement->retain_ms, cutoff);
    base_rfc3339_format(settlement->now_ms, iso);
    base_rfc3339_format(settlement->due_ms, due_iso);
    base_rfc3339_format(settlement->now_ms - settlement->duration_ms, at);
    int failed = settlement->attempted ? write_attempt(&attempt, settlement, at, text) : BASE_OK;
    if (!failed) {
        const char *argv[] = {
            arda_bus_prefix(bus),
            delivery->tenant,
            arda_notify_channel_name(delivery->channel),
            delivery->id,
            delivery->lease,
            now,
            iso,
            arda_delivery_status_name(settlement->status),
            due,
            due_iso,
            settlement->attempted ? attempt.data : "",
            at,
            text,
            verdicts[settlement->endpoint],
            spare,
            cutoff,
            delivery->url.len > 0 ? delivery->url.data : "",
        };
        failed = delivery_change(bus, &settle_script, (int)(sizeof argv / sizeof argv[0]), argv,
                                 done, data);
    }
    base_buf_fini(&attempt);
    return failed;
}
