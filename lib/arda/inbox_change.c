/* SPDX-License-Identifier: ISC */
#include "arda/inbox.h"

#include "arda/script.h"
#include "arda/tenant.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <hiredis/hiredis.h>
#include <string.h>

#define WORDS 6 /* before the ids */

/* ARGV: prefix, tenant, user, what to do, the time for a person, "all" or "ids", ids. The answer:
 * how many rows have changed, and the ids of which there is no row. */
static struct arda_script change_script = ARDA_SCRIPT(
    "local prefix, tenant, user, change, now, which = unpack(ARGV, 1, 6)\n"
    "local call = redis.call\n"
    "local function key(family) return prefix .. ':' .. family .. ':' .. tenant .. ':' .. user "
    "end\n"
    "local inbox, unread, rows = key('inbox'), key('unread'), key('rows')\n"
    "local changed, unknown = 0, {}\n"
    "local function one(id)\n"
    "  local score = call('ZSCORE', inbox, id)\n"
    "  if not score then\n"
    "    unknown[#unknown + 1] = id\n"
    "  elseif change == 'rm' then\n"
    "    call('ZREM', unread, id)\n"
    "    call('HDEL', rows, id, id .. '.read')\n"
    "    changed = changed + call('ZREM', inbox, id)\n"
    "  elseif change == 'read' and call('ZREM', unread, id) == 1 then\n"
    "    call('HSET', rows, id .. '.read', now)\n"
    "    changed = changed + 1\n"
    "  elseif change == 'unread' and call('ZADD', unread, score, id) == 1 then\n"
    "    call('HDEL', rows, id .. '.read')\n"
    "    changed = changed + 1\n"
    "  end\n"
    "end\n"
    "if which == 'ids' then\n"
    "  for i = 7, #ARGV do one(ARGV[i]) end\n"
    "elseif change == 'rm' then\n"
    "  changed = call('ZCARD', inbox)\n"
    "  call('DEL', inbox, unread, rows)\n"
    "else\n"
    "  for _, id in ipairs(call('ZRANGE', change == 'read' and unread or inbox, 0, -1)) do\n"
    "    one(id)\n"
    "  end\n"
    "  unknown = {}\n"
    "end\n"
    "return {changed, unknown}\n");

struct changing {
    struct arda_bus *bus;
    struct arda_inbox_changer changer;
};

static void on_changed(void *data, int result, const struct redisReply *reply)
{
    struct changing *changing = data;
    const struct arda_inbox_changer *changer = &changing->changer;
    struct base_why why = {0};
    uint64_t changed = 0;
    result = arda_script_error(changing->bus, result, reply, &why);
    if (!result && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
                    reply->element[1]->type != REDIS_REPLY_ARRAY))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result) {
        const redisReply *unknown = reply->element[1];
        changed = (uint64_t)reply->element[0]->integer;
        for (size_t i = 0; changer->on_unknown && i < unknown->elements; i++)
            changer->on_unknown(changer->data, unknown->element[i]->str);
    }
    changer->done(changer->data, result, changed, &why);
    base_free(changing);
}

static bool are_ids(const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!arda_id_valid(ids[i], strlen(ids[i])))
            return false;
    return true;
}

int arda_inbox_change(struct arda_bus *bus, const struct arda_inbox *inbox,
                      enum arda_inbox_change change, const char *const *ids, size_t count,
                      int64_t now_ms, const struct arda_inbox_changer *changer)
{
    static const char *const words[] = {
        [ARDA_INBOX_READ] = "read",
        [ARDA_INBOX_UNREAD] = "unread",
        [ARDA_INBOX_REMOVE] = "rm",
    };
    const char *argv[WORDS + ARDA_INBOX_IDS_MAX];
    char now[BASE_RFC3339_LEN + 1];
    if (ids && (count < 1 || count > ARDA_INBOX_IDS_MAX))
        return BASE_ERR_LIMIT;
    if (!ids)
        count = 0;
    if (!arda_tenant_valid(inbox->tenant, strlen(inbox->tenant)) ||
        !arda_id_valid(inbox->user, strlen(inbox->user)) || !are_ids(ids, count))
        return BASE_ERR_INVALID;
    struct changing *changing = base_malloc(sizeof *changing);
    if (!changing)
        return BASE_ERR_NOMEM;
    *changing = (struct changing){bus, *changer};
    base_rfc3339_format(now_ms, now);
    const char *const first[WORDS] = {arda_bus_prefix(bus), inbox->tenant, inbox->user,
                                      words[change],        now,           ids ? "ids" : "all"};
    memcpy(argv, first, sizeof first);
    if (count > 0)
        memcpy(argv + WORDS, ids, count * sizeof *ids);
    int failed = arda_script_call(bus, &change_script, (int)(WORDS + count), argv, NULL, on_changed,
                                  changing);
    if (failed)
        base_free(changing);
    return failed;
}
