/* SPDX-License-Identifier: ISC
 *
 * One script takes from several streams at once: it gives a sign of life, makes groups that are
 * missing, sees what was trimmed, takes over what is pending for dead daemons, and reads on. All of
 * that has to fit together, which it does because nobody else can do anything in between.
 */
#include "arda/notify_intake.h"

#include "arda/bus_internal.h"
#include "arda/notify_step.h"
#include "arda/reply.h"
#include "arda/script.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ARGV: prefix, consumer, entries of each stream, how long after its last sign of life a daemon is
 * dead, start; then of each stream the tenant, and 1 if what is pending for us is an orphan.
 *
 * A lost group begins an hour before where it was: what was pending in it is thereby read again,
 * and what has been handled is known for a day.
 *
 * The hash of positions has for each tenant the last entry that was given to anybody, and how many
 * there had ever been by then, which tells what was trimmed in between. Redis 7 counts that too, in
 * `entries-read` of a group, but passes over a gap without counting it, and after it has read its
 * file anew the figure is too low; where it is wrong, it is put right. */
static struct arda_script take = ARDA_SCRIPT_TEXT(
    "local prefix, me, limit, start = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[5]\n"
    "local group, hour = 'notifyd', 3600000\n"
    "local daemons, places = prefix .. ':notifyd:daemons', prefix .. ':notifyd:positions'\n"
    "local time = redis.call('TIME')\n"
    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
    "local function text(number) return string.format('%.0f', number) end\n"
    "local function ms_of(id) return tonumber(string.match(id, '^%d+')) end\n"
    "local function named(list)\n"
    "  local of = {}\n"
    "  for i = 1, #list, 2 do of[list[i]] = list[i + 1] end\n"
    "  return of\n"
    "end\n"
    "redis.call('SET', prefix .. ':notifyd:start', start, 'NX')\n"
    "redis.call('ZADD', daemons, now, me)\n"
    "local alive, living = {}, 0\n"
    "local last_sign = now - ARGV[4]\n"
    "for _, name in ipairs(redis.call('ZRANGEBYSCORE', daemons, text(last_sign), '+inf')) do\n"
    "  alive[name], living = true, living + 1\n"
    "end\n"
    "local dead = redis.call('ZCOUNT', daemons, '-inf', '(' .. text(last_sign)) > 0\n"
    "local function place_of(tenant)\n"
    "  local place = redis.call('HGET', places, tenant) or ''\n"
    "  return string.match(place, '^%d+%-%d+'), tonumber(string.match(place, ' (%d+)$'))\n"
    "end\n"
    "local function set_place(tenant, id, count)\n"
    "  redis.call('HSET', places, tenant, count and id .. ' ' .. text(count) or id)\n"
    "end\n"
    /* How many entries there had been before its first one, if that is known. */
    "local function make_group(key, tenant)\n"
    "  local from, was, count = start, place_of(tenant)\n"
    "  if was and ms_of(was) - hour > ms_of(start) then from = text(ms_of(was) - hour) .. '-0' "
    "end\n"
    "  redis.call('XGROUP', 'CREATE', key, group, from)\n"
    "  if was then return count end\n"
    "  return #redis.call('XRANGE', key, '-', from, 'COUNT', 1) == 0 and 0 or nil\n"
    "end\n"
    /* After reading: what was missed, with `count` entries before. */
    "local function find_gap(key, tenant, got, count)\n"
    "  local stream = named(redis.call('XINFO', 'STREAM', key))\n"
    "  local added, first, last = stream['entries-added'], stream['first-entry'], got[#got][1]\n"
    "  if not added then return set_place(tenant, last) end\n"
    "  local trimmed, missed = added - stream.length, nil\n"
    "  if first and first[1] == got[1][1] then\n"
    "    if count and trimmed > count then missed = trimmed - count end\n"
    "    count = trimmed\n"
    "  end\n"
    "  if last == stream['last-generated-id'] then\n"
    "    count = added\n"
    "  elseif count then\n"
    "    count = count + #got\n"
    "  end\n"
    "  set_place(tenant, last, count)\n"
    "  return missed\n"
    "end\n"
    /* There was nothing to read, but Redis says the group is behind: everything was trimmed, or it
     * is mistaken. */
    "local function catch_up(key, tenant, mine, count)\n"
    "  local stream = named(redis.call('XINFO', 'STREAM', key))\n"
    "  local added, last, missed = stream['entries-added'], stream['last-generated-id'], nil\n"
    "  if not added then return nil end\n"
    "  if mine['last-delivered-id'] ~= last then\n"
    "    missed = count and added > count and added - count or nil\n"
    "    set_place(tenant, last, added)\n"
    "  end\n"
    "  redis.call('XGROUP', 'SETID', key, group, last, 'ENTRIESREAD', added)\n"
    "  return missed\n"
    "end\n"
    /* What is pending for the dead. */
    "local function take_over(key, orphans, entries)\n"
    "  local gone, more = 0, 0\n"
    "  for _, owner in ipairs(redis.call('XPENDING', key, group)[4] or {}) do\n"
    "    local name, room = owner[1], limit - #entries\n"
    "    if (name == me and orphans) or (name ~= me and not alive[name]) then\n"
    "      local ids = {}\n"
    "      if room > 0 then\n"
    "        for _, one in ipairs(redis.call('XPENDING', key, group, '-', '+', room, name)) do\n"
    "          ids[#ids + 1] = one[1]\n"
    "        end\n"
    "      end\n"
    "      if #ids < tonumber(owner[2]) then more = 1 end\n"
    "      if #ids > 0 then\n"
    "        local found = {}\n"
    "        for _, entry in ipairs(redis.call('XCLAIM', key, group, me, 0, unpack(ids))) do\n"
    "          if entry then\n"
    "            found[entry[1]] = true\n"
    "            entries[#entries + 1] = entry\n"
    "          end\n"
    "        end\n"
    "        for _, id in ipairs(ids) do\n"
    "          if not found[id] then\n"
    "            redis.call('XACK', key, group, id)\n"
    "            gone = gone + 1\n"
    "          end\n"
    "        end\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  return gone, more\n"
    "end\n"
    "local function dismiss(key)\n"
    "  for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do\n"
    "    one = named(one)\n"
    "    if one.pending == 0 and one.name ~= me and not alive[one.name] then\n"
    "      redis.call('XGROUP', 'DELCONSUMER', key, group, one.name)\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function visit(tenant, orphans)\n"
    "  local key = prefix .. ':stream:' .. tenant\n"
    "  local groups = redis.pcall('XINFO', 'GROUPS', key)\n"
    "  if groups.err then\n"
    "    if string.find(groups.err, 'no such key', 1, true) then return {'none'} end\n"
    "    return {groups.err}\n"
    "  end\n"
    "  local mine, entries, missed, gone, more, count = nil, {}, nil, 0, 0, nil\n"
    "  for _, one in ipairs(groups) do\n"
    "    one = named(one)\n"
    "    if one.name == group then mine = one end\n"
    "  end\n"
    "  if mine then\n"
    "    if mine.pending > 0 then gone, more = take_over(key, orphans, entries) end\n"
    "    if mine.consumers > living then dismiss(key) end\n"
    "    count = select(2, place_of(tenant))\n"
    "  else\n"
    "    count = make_group(key, tenant)\n"
    "  end\n"
    "  local taken_over, room = #entries, limit - #entries\n"
    "  if room == 0 then more = 1 end\n"
    "  if more == 0 then\n"
    "    local got = redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', room,\n"
    "      'STREAMS', key, '>')\n"
    "    got = got and got[1][2] or {}\n"
    "    for _, entry in ipairs(got) do entries[#entries + 1] = entry end\n"
    "    if #got > 0 then\n"
    "      missed = find_gap(key, tenant, got, count)\n"
    "      if #got == room then more = 1 end\n"
    "    elseif mine and mine.lag ~= 0 then\n"
    "      missed = catch_up(key, tenant, mine, count)\n"
    "    end\n"
    "  end\n"
    "  return {'ok', more, missed or 0, gone, taken_over, entries}\n"
    "end\n"
    "local answers = {}\n"
    "for at = 6, #ARGV, 2 do\n"
    "  local done, answer = pcall(visit, ARGV[at], ARGV[at + 1] == '1')\n"
    "  if not done then answer = {type(answer) == 'table' and answer.err or tostring(answer)} end\n"
    "  answers[#answers + 1] = answer\n"
    "end\n"
    "return {living - 1, dead and text(last_sign) or '0', answers}\n");

/* The parts of one stream's answer behind "ok". */
enum part { STATE, MORE, MISSED, GONE, TAKEN_OVER, ENTRIES, PARTS };

struct taking {
    struct arda_bus *bus;
    struct arda_intake_handlers handlers;
    void *data;
    size_t streams;       /* asked for */
    uint32_t entry_limit; /* of each */
    /* Of the batch that is being handed out. */
    struct arda_intake_entry *entries;
    struct arda_intake_field *fields;
};

/* ---- the answer ---- */

static uint64_t number_of(const redisReply *reply)
{
    if (reply_is_number(reply))
        return reply->integer > 0 ? (uint64_t)reply->integer : 0;
    return strtoull(reply_text(reply).data, NULL, 10);
}

static struct base_slice slice_of(const redisReply *reply)
{
    return (struct base_slice){reply->str, reply->len};
}

/* [id, [name, value, …]] */
static bool entry_is_sound(const redisReply *entry)
{
    return reply_is_array_of(entry, 2) && reply_is_text(entry->element[0]) &&
           reply_are_texts(entry->element[1], 2);
}

static size_t count_fields(const redisReply *entries)
{
    size_t count = 0;
    for (size_t i = 0; i < entries->elements; i++)
        if (entry_is_sound(entries->element[i]))
            count += entries->element[i]->element[1]->elements / 2;
    return count;
}

static void take_fields(const redisReply *list, struct arda_intake_entry *entry,
                        struct arda_intake_field *fields)
{
    entry->fields = fields;
    entry->field_count = list->elements / 2;
    for (size_t i = 0; i < entry->field_count; i++) {
        fields[i] = (struct arda_intake_field){slice_of(list->element[2 * i]),
                                               slice_of(list->element[2 * i + 1])};
        if (fields[i].name.len == 8 && memcmp(fields[i].name.data, "envelope", 8) == 0)
            entry->envelope = fields[i].value;
    }
}

static int take_entries(struct taking *taking, const redisReply *list,
                        struct arda_intake_batch *batch)
{
    taking->entries = base_calloc(list->elements + 1, sizeof *taking->entries);
    taking->fields = base_calloc(count_fields(list) + 1, sizeof *taking->fields);
    if (!taking->entries || !taking->fields)
        return BASE_ERR_NOMEM;
    struct arda_intake_field *fields = taking->fields;
    for (size_t i = 0; i < list->elements; i++) {
        const redisReply *from = list->element[i];
        if (!entry_is_sound(from))
            continue;
        struct arda_intake_entry *entry = &taking->entries[batch->entry_count++];
        entry->id = from->element[0]->str;
        take_fields(from->element[1], entry, fields);
        fields += entry->field_count;
    }
    batch->entries = taking->entries;
    return BASE_OK;
}

static int give_batch(struct taking *taking, size_t stream, const redisReply *answer)
{
    struct arda_intake_batch batch = {.stream = stream};
    int failed = BASE_OK;
    bool sound =
        reply_is_array(answer) && answer->elements >= 1 && reply_is_text(answer->element[STATE]);
    const char *state = sound ? answer->element[STATE]->str : "an answer that makes no sense";
    batch.exists = strcmp(state, "none") != 0;
    if (batch.exists && strcmp(state, "ok") != 0) {
        batch.error = state;
    } else if (batch.exists &&
               (answer->elements != PARTS || !reply_is_array(answer->element[ENTRIES]) ||
                answer->element[ENTRIES]->elements > taking->entry_limit)) {
        batch.error = "an answer that makes no sense";
    } else if (batch.exists) {
        batch.more = number_of(answer->element[MORE]) > 0;
        batch.missed = number_of(answer->element[MISSED]);
        batch.gone = number_of(answer->element[GONE]);
        batch.taken_over = number_of(answer->element[TAKEN_OVER]);
        failed = take_entries(taking, answer->element[ENTRIES], &batch);
    }
    if (!failed)
        taking->handlers.on_batch(taking->data, &batch);
    base_free(taking->entries);
    base_free(taking->fields);
    taking->entries = NULL;
    taking->fields = NULL;
    return failed;
}

static void on_taken(void *data, int result, const struct redisReply *reply)
{
    struct taking *taking = data;
    struct base_why why = {0};
    uint32_t others = 0;
    uint64_t dead_ms = 0;
    result = arda_script_error(taking->bus, result, reply, &why);
    if (!result &&
        (!reply_is_array_of(reply, 3) || !reply_is_array_of(reply->element[2], taking->streams)))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result) {
        const redisReply *answers = reply->element[2];
        others = (uint32_t)number_of(reply->element[0]);
        dead_ms = number_of(reply->element[1]);
        for (size_t i = 0; i < answers->elements && !result; i++)
            result = give_batch(taking, i, answers->element[i]);
        if (result)
            base_why_set(&why, result, "%s", base_err_text(result));
    }
    taking->handlers.done(taking->data, result, others, dead_ms, &why);
    base_free(taking);
}

/* ---- the question ---- */

#define HEAD 5 /* arguments before those of the streams */

int arda_intake_take(struct arda_bus *bus, const struct arda_intake_request *request,
                     const struct arda_intake_handlers *handlers, void *data)
{
    const char *argv[HEAD + 2 * ARDA_INTAKE_MAX_STREAMS];
    char entries[16], dead[16];
    int argc = HEAD;
    if (request->stream_count > ARDA_INTAKE_MAX_STREAMS || request->entries < 1 ||
        request->entries > ARDA_INTAKE_MAX_ENTRIES)
        return BASE_ERR_LIMIT;
    struct taking *taking = base_calloc(1, sizeof *taking);
    if (!taking)
        return BASE_ERR_NOMEM;
    taking->bus = bus;
    taking->handlers = *handlers;
    taking->data = data;
    taking->streams = request->stream_count;
    taking->entry_limit = request->entries;
    snprintf(entries, sizeof entries, "%u", (unsigned)request->entries);
    snprintf(dead, sizeof dead, "%d", ARDA_INTAKE_DEAD_MS);
    argv[0] = arda_bus_prefix(bus);
    argv[1] = request->consumer;
    argv[2] = entries;
    argv[3] = dead;
    argv[4] = request->start;
    for (size_t i = 0; i < request->stream_count; i++) {
        argv[argc++] = request->streams[i].tenant;
        argv[argc++] = request->streams[i].orphans ? "1" : "0";
    }
    int failed = arda_script_call(bus, &take, argc, argv, NULL, on_taken, taking);
    if (failed)
        base_free(taking);
    return failed;
}
