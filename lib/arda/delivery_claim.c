/* SPDX-License-Identifier: ISC
 *
 * What is claimed stays in its lane with the end of its lease for a moment, so that a lease that
 * ends needs nobody to notice: the delivery is simply due again.
 *
 * How an endpoint does is looked at here and nowhere else, so its lane may be due at any time: a
 * claim that comes too early puts the lane off. An endpoint that is to be tried with one delivery
 * at a time notes until when that one has it.
 *
 * A key of another type than ours, of one tenant, must not hold up the others: what cannot be read
 * is put off for a lease, and reported. What only this user of Redis may not read is not put off,
 * for others may. Hence a delivery is read before it is leased.
 */
#include "arda/delivery_internal.h"
#include "arda/reply.h"

#include "base/mem.h"
#include "base/number.h"

#include <stdio.h>
#include <string.h>

#define HEAD    10       /* words before the shares */
#define PAGE    "2000"   /* lanes that are visited, and that are looked at in one go */
#define SCANNED "100000" /* lanes that are looked at to find them */

/* ARGV: prefix, now, end of the lease, lease, most, most of a lane, "1" for each of email and
 * webhook, now for a person, since when due what nobody attends to is given up, or ""; then lanes,
 * each with what of it is in flight. The answer: when the next is due, or "-1"; what went wrong, or
 * ""; then what was claimed, as delivery_parse.c reads it. */
static struct arda_script claim_script = ARDA_SCRIPT_TEXT(
    DELIVERY_LUA DELIVERY_ATTENDED_LUA
    "local prefix, now_s, lease_end, lease = unpack(ARGV, 1, 4)\n"
    "local now, left, share = tonumber(now_s), tonumber(ARGV[5]), tonumber(ARGV[6])\n"
    "local wanted = {email = ARGV[7] == '1', webhook = ARGV[8] == '1'}\n"
    "local due, in_flight, answer, more = prefix .. ':due', {}, {'-1', ''}, false\n"
    "local overdue = ARGV[10]\n"
    "for i = 11, #ARGV, 2 do in_flight[ARGV[i]] = tonumber(ARGV[i + 1]) end\n"
    /* True: it is for want of a permission, as versions of Redis put it. Others may read it. */
    "local function tell(about, err)\n"
    "  local text = type(err) == 'table' and err.err or tostring(err)\n"
    "  answer[2] = about .. ': ' .. text\n"
    "  for _, words in ipairs({'NOPERM', 'executing the script can', 'no permission'}) do\n"
    "    if string.find(text, words, 1, true) then return true end\n"
    "  end\n"
    "end\n"
    "\n"
    /* Until when the endpoint is to be left alone, or how many it may have. */
    "local function ask_endpoint(tenant)\n"
    "  local endpoint = endpoint_of(tenant)\n"
    "  local state = call('HMGET', endpoint, 'openUntil', 'spareUntil', 'pause',\n"
    "    'failures', 'singleUntil')\n"
    "  for i = 1, 5 do state[i] = tonumber(state[i] or 0) or 0 end\n"
    "  local open, spare, pause, failures, single = unpack(state)\n"
    "  local alone = open > 0 or pause > 0\n"
    "  local wait = math.max(open, spare, alone and single or 0)\n"
    "  if wait > now then return wait end\n"
    "  if alone then return nil, 1, true, open > 0 end\n"
    "  return nil, math.max(1, math.floor(share / 2 ^ failures))\n"
    "end\n"
    "\n"
    /* A preference that says so now, whatever it said when the delivery was recorded. */
    "local function is_off(tenant, user, kind, channel)\n"
    "  local about = ':' .. kind .. ':' .. channel\n"
    "  local said = call('HMGET', key('preferences', tenant), user .. about, '*' .. about)\n"
    "  return (said[1] or said[2]) == '0'\n"
    "end\n"
    "local function leave_digest(tenant, id, member)\n"
    "  local record = key('delivery', tenant) .. ':' .. member\n"
    "  call('ZREM', key('digest-items', tenant) .. ':' .. id, member)\n"
    "  call('HINCRBY', key('delivery', tenant) .. ':' .. id, 'items', -1)\n"
    "  call('HDEL', record, 'digestId', 'nextAttemptAt')\n"
    "  call('HSET', record, 'status', 'failed', 'lastError', '" ARDA_DELIVERY_OFF "',\n"
    "    'updatedAt', ARGV[9])\n"
    "end\n"
    "local function items_of(tenant, id, user)\n"
    "  local rows = {}\n"
    "  for _, member in ipairs(call('ZRANGE', key('digest-items', tenant) .. ':' .. id, 0, -1)) "
    "do\n"
    "    local item = call('HMGET', key('delivery', tenant) .. ':' .. member, 'notification',\n"
    "      'digestId', 'type')\n"
    "    if item[2] == id and item[3] and is_off(tenant, user, item[3], 'email') then\n"
    "      leave_digest(tenant, id, member)\n"
    "    elseif item[1] and item[2] == id then\n"
    "      rows[#rows + 1] = item[1]\n"
    "    end\n"
    "  end\n"
    "  return rows\n"
    "end\n"
    "local function first_of(family, tenant, names)\n"
    "  for _, entry in ipairs(call('HMGET', key(family, tenant), unpack(names))) do\n"
    "    if entry then return entry end\n"
    "  end\n"
    "  return ''\n"
    "end\n"
    "\n"
    "local function take(tenant, channel, lane_key, id, webhook, probe, given_up)\n"
    "  local record = key('delivery', tenant) .. ':' .. id\n"
    "  local had = call('HMGET', record, 'status', 'userId', 'type', 'attemptCount', 'heldUntil',\n"
    "    'notification', 'cause', 'items', 'schedule', 'lease')\n"
    "  if had[1] ~= 'pending' then\n"
    "    call('ZREM', lane_key, id)\n"
    "    return false\n"
    "  end\n"
    "  local user, kind = had[2] or '', had[3] or ''\n"
    "  local person = call('HGET', key('users', tenant), user) or ''\n"
    "  local rows, digest, quiet, off = {}, '', ''\n"
    "  if had[8] then\n"
    "    rows = items_of(tenant, id, user)\n"
    "    off = #rows == 0\n"
    "    local pointer = key('digesting', tenant) .. ':' .. user .. ':' .. (had[9] or '')\n"
    "    if call('GET', pointer) == id then call('DEL', pointer) end\n"
    "  else\n"
    "    off = is_off(tenant, user, kind, channel)\n"
    "  end\n"
    "  if channel == 'email' then\n"
    "    digest = first_of('digest', tenant,\n"
    "      {user .. ':' .. kind, user .. ':*', '*:' .. kind, '*:*'})\n"
    "    quiet = first_of('quiet', tenant, {user, '*'})\n"
    "  end\n"
    "  local cause = had[7] and call('GET', key('cause', tenant) .. ':' .. had[7])\n"
    "  local created = call('ZSCORE', key('deliveries', tenant), id) or '0'\n"
    "  call('ZADD', lane_key, lease_end, id)\n"
    "  call('HSET', record, 'lease', lease)\n"
    "  answer[#answer + 1] = {tenant, channel, id, user, kind, had[4] or '0', created,\n"
    "    had[5] and '1' or '0', probe and '1' or '0', had[10] and '1' or '0',\n"
    "    off and '1' or '0', given_up and '1' or '0', had[8] and '' or had[6] or '',\n"
    "    cause or '', person, webhook[1] or '', webhook[2] or '', webhook[3] or '',\n"
    "    webhook[4] or '', digest, quiet, rows}\n"
    "  return true\n"
    "end\n"
    "\n"
    "local function visit(lane, tenant, channel, given_up)\n"
    "  local lane_key, room, due_at = key('due', lane), share, given_up and overdue or now_s\n"
    "  local webhook, wait, single, probe = {}, nil, false, false\n"
    "  if channel == 'webhook' and not given_up then\n"
    "    webhook = call('HMGET', key('webhook', tenant), 'enabled', 'url', 'secret',\n"
    "      'previousSecret')\n"
    "    if webhook[1] == '1' then wait, room, single, probe = ask_endpoint(tenant) end\n"
    "    if wait then\n"
    "      call('ZADD', due, wait, lane)\n"
    "      return\n"
    "    end\n"
    "  end\n"
    "  room = math.min(room - (in_flight[lane] or 0), left)\n"
    "  if room <= 0 then return end\n"
    "  for _, id in ipairs(call('ZRANGEBYSCORE', lane_key, '-inf', due_at, 'LIMIT', 0, room)) do\n"
    "    local ok, taken = pcall(take, tenant, channel, lane_key, id, webhook, probe, given_up)\n"
    "    if not ok then\n"
    "      if not tell('delivery ' .. id .. ' of ' .. tenant, taken) then\n"
    "        call('ZADD', lane_key, lease_end, id)\n"
    "      end\n"
    "    elseif taken then\n"
    "      left = left - 1\n"
    "      if single then\n"
    "        call('HSET', key('endpoint', tenant), 'single', id, 'singleUntil', lease_end)\n"
    "      end\n"
    "    else\n"
    "      more = true\n"
    "    end\n"
    "  end\n"
    "  rescore(lane)\n"
    "end\n"
    "\n"
    "local function parts_of(lane)\n"
    "  local tenant, channel = string.match(lane, '^(.*):([^:]*)$')\n"
    "  if wanted[channel] and (in_flight[lane] or 0) < share then return tenant, channel end\n"
    "end\n"
    "local function try(lane, tenant, channel, given_up)\n"
    "  local ok, err = pcall(visit, lane, tenant, channel, given_up)\n"
    "  if not ok and not tell('deliveries of ' .. tenant, err) then\n"
    "    call('ZADD', due, lease_end, lane)\n"
    "  end\n"
    "end\n"
    /* However many lanes of other channels are due before: these may be many, and be so for long.
     * All are found before the first is visited, which changes the order. */
    "local function find_lanes()\n"
    "  local found, at, page = {}, 0\n"
    "  repeat\n"
    "    page = call('ZRANGEBYSCORE', due, '-inf', now_s, 'LIMIT', at, " PAGE ")\n"
    "    for _, lane in ipairs(page) do\n"
    "      if parts_of(lane) then found[#found + 1] = lane end\n"
    "    end\n"
    "    at = at + #page\n"
    "  until #page < " PAGE " or #found >= " PAGE " or at >= " SCANNED "\n"
    "  return found\n"
    "end\n"
    "for _, lane in ipairs(find_lanes()) do\n"
    "  if left == 0 then break end\n"
    "  try(lane, parts_of(lane))\n"
    "end\n"
    "local unattended = {email = overdue ~= '' and not wanted.email and is_unattended('email'),\n"
    "  webhook = overdue ~= '' and not wanted.webhook and is_unattended('webhook')}\n"
    "if unattended.email or unattended.webhook then\n"
    "  for _, lane in ipairs(call('ZRANGEBYSCORE', due, '-inf', overdue, 'LIMIT', 0, " PAGE
    ")) do\n"
    "    local tenant, channel = string.match(lane, '^(.*):([^:]*)$')\n"
    "    if left > 0 and unattended[channel] then try(lane, tenant, channel, true) end\n"
    "  end\n"
    "end\n"
    "if left == 0 or more then\n"
    "  answer[1] = now_s\n"
    "  return answer\n"
    "end\n"
    "local coming = call('ZRANGEBYSCORE', due, '(' .. now_s, '+inf', 'WITHSCORES', 'LIMIT', 0, "
    "500)\n"
    "for i = 1, #coming, 2 do\n"
    "  if parts_of(coming[i]) then\n"
    "    answer[1] = coming[i + 1]\n"
    "    break\n"
    "  end\n"
    "end\n"
    "return answer\n");

struct claiming {
    struct arda_bus *bus;
    struct arda_delivery_claimer claimer;
    char lease[ARDA_NOTIFY_ID_LEN + 1];
};

/* What cannot be given is due again when its lease ends. */
static int give(const struct claiming *claiming, const redisReply *reply, struct base_why *why)
{
    int result = BASE_OK;
    if (reply->element[1]->len > 0)
        result = base_why_set(why, BASE_ERR_INTERNAL, "%s", reply->element[1]->str);
    for (size_t i = 2; i < reply->elements; i++) {
        struct arda_delivery *delivery = NULL;
        int failed = delivery_parse(reply->element[i], claiming->lease, &delivery);
        if (failed)
            result = base_why_set(why, failed == BASE_ERR_NOMEM ? failed : BASE_ERR_INTERNAL,
                                  failed == BASE_ERR_NOMEM ? "out of memory"
                                                           : "a delivery makes no sense");
        else
            claiming->claimer.on_delivery(claiming->claimer.data, delivery);
    }
    return result;
}

static bool take_number(const redisReply *reply, int64_t *out)
{
    const char *text = reply_is_text(reply) ? reply->str : "";
    return base_number_take_i64(&text, out);
}

static void on_claimed(void *data, int result, const struct redisReply *reply)
{
    struct claiming *claiming = data;
    struct base_why why = {0};
    int64_t next_ms = -1;
    result = arda_script_error(claiming->bus, result, reply, &why);
    if (!result && (!reply_is_array(reply) || reply->elements < 2 ||
                    !reply_is_text(reply->element[1]) || !take_number(reply->element[0], &next_ms)))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result)
        result = give(claiming, reply, &why);
    claiming->claimer.done(claiming->claimer.data, result, next_ms, &why);
    base_free(claiming);
}

int arda_delivery_claim(struct arda_bus *bus, const struct arda_delivery_claim *claim,
                        const struct arda_delivery_claimer *claimer)
{
    char iso[BASE_RFC3339_LEN + 1];
    char now[DELIVERY_MS_LEN], end[DELIVERY_MS_LEN], max[DELIVERY_MS_LEN], share[DELIVERY_MS_LEN];
    char overdue[DELIVERY_MS_LEN] = "";
    size_t count = claim->share_count;
    if (count > ARDA_DELIVERY_SHARES_MAX)
        return BASE_ERR_LIMIT;
    if (strlen(claim->lease) != ARDA_NOTIFY_ID_LEN || claim->lease_ms <= 0 || claim->max == 0 ||
        claim->per_lane == 0)
        return BASE_ERR_INVALID;
    struct claiming *claiming = base_malloc(sizeof *claiming);
    const char **argv = base_calloc(HEAD + 2 * count, sizeof *argv);
    char(*numbers)[DELIVERY_MS_LEN] = base_calloc(count + 1, sizeof *numbers);
    int failed = claiming && argv && numbers ? BASE_OK : BASE_ERR_NOMEM;
    if (!failed) {
        *claiming = (struct claiming){.bus = bus, .claimer = *claimer};
        strcpy(claiming->lease, claim->lease);
        base_rfc3339_format(claim->now_ms, iso);
        delivery_ms(claim->now_ms, now);
        delivery_ms(claim->now_ms + claim->lease_ms, end);
        delivery_ms(claim->max, max);
        delivery_ms(claim->per_lane, share);
        bool email = claim->channels & ARDA_NOTIFY_BIT(ARDA_NOTIFY_EMAIL);
        bool webhook = claim->channels & ARDA_NOTIFY_BIT(ARDA_NOTIFY_WEBHOOK);
        if (claim->patience_ms > 0)
            delivery_ms(claim->now_ms - claim->patience_ms, overdue);
        const char *const head[HEAD] = {
            arda_bus_prefix(bus), now, end,    claim->lease, max, share, email ? "1" : "0",
            webhook ? "1" : "0",  iso, overdue};
        memcpy(argv, head, sizeof head);
        for (size_t i = 0; i < count; i++) {
            delivery_ms(claim->shares[i].in_flight, numbers[i]);
            argv[HEAD + 2 * i] = claim->shares[i].lane;
            argv[HEAD + 2 * i + 1] = numbers[i];
        }
        failed = arda_script_call(bus, &claim_script, (int)(HEAD + 2 * count), argv, NULL,
                                  on_claimed, claiming);
    }
    if (failed)
        base_free(claiming);
    base_free(argv);
    base_free(numbers);
    return failed;
}
