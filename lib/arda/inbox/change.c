/* SPDX-License-Identifier: ISC
 *
 * Rows that are named are changed in one step. All rows are marked in steps of a thousand, from the
 * oldest to what was the newest one at the beginning, since a script holds up everybody; what comes
 * meanwhile is left alone. All rows are removed in one step, which takes Redis no time: it frees
 * their memory in the background.
 */
#include "arda/inbox.h"

#include "arda/bus/reply.h"
#include "arda/bus/script.h"
#include "arda/name/keys.h"
#include "arda/tenant.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <stdio.h>
#include <string.h>

#define WORDS 5 /* before the ids */

ARDA_SCRIPT(inbox_change);
ARDA_SCRIPT(inbox_change_all);

static const char *const words[] = {
    [ARDA_INBOX_READ] = "read",
    [ARDA_INBOX_UNREAD] = "unread",
    [ARDA_INBOX_REMOVE] = "rm",
};

struct changing {
    struct arda_bus *bus;
    struct arda_inbox_changer changer;

    /* Of all rows: what the next step is asked. */
    enum arda_inbox_change change;
    char tenant[ARDA_ID_MAX + 1], user[ARDA_ID_MAX + 1];
    char now[BASE_RFC3339_LEN + 1];
    char till[32], at_score[32], at[256]; /* an id may be of others, and longer than ours */
    uint64_t changed;
};

static void end(struct changing *changing, int result, const struct base_why *why)
{
    changing->changer.done(changing->changer.data, result, changing->changed, why);
    base_free(changing);
}

/* ---- rows that are named ---- */

static void on_changed(void *data, int result, const struct redisReply *reply)
{
    struct changing *changing = data;
    const struct arda_inbox_changer *changer = &changing->changer;
    struct base_why why = {0};
    result = arda_script_error(changing->bus, result, reply, &why);
    if (!result && (!arda_reply_is_array_of(reply, 2) || !arda_reply_is_number(reply->element[0]) ||
                    !arda_reply_are_texts(reply->element[1], 1)))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result) {
        const redisReply *unknown = reply->element[1];
        changing->changed = (uint64_t)reply->element[0]->integer;
        for (size_t i = 0; changer->on_unknown && i < unknown->elements; i++)
            changer->on_unknown(changer->data, unknown->element[i]->str);
    }
    end(changing, result, &why);
}

static int change_ids(struct changing *changing, const char *const *ids, size_t count)
{
    const char *argv[WORDS + ARDA_INBOX_IDS_MAX] = {arda_bus_prefix(changing->bus),
                                                    changing->tenant, changing->user,
                                                    words[changing->change], changing->now};
    memcpy(argv + WORDS, ids, count * sizeof *ids);
    return arda_script_call(changing->bus, &arda_inbox_change_script, (int)(WORDS + count), argv,
                            NULL, on_changed, changing);
}

/* ---- all rows ---- */

static int change_all(struct changing *changing);

/* Takes where the step has ended. False: it makes no sense, or would not end. */
static bool take_position(struct changing *changing, redisReply *const *at)
{
    if (at[2]->len >= sizeof changing->till || at[3]->len >= sizeof changing->at_score ||
        at[4]->len >= sizeof changing->at)
        return false;
    bool stuck = at[4]->len > 0 && strcmp(at[4]->str, changing->at) == 0;
    strcpy(changing->till, at[2]->str);
    strcpy(changing->at_score, at[3]->str);
    strcpy(changing->at, at[4]->str);
    return !stuck;
}

static int take_step(struct changing *changing, const redisReply *reply, struct base_why *why)
{
    bool right = arda_reply_is_array_of(reply, 5);
    for (size_t i = 0; right && i < 5; i++)
        right =
            i < 2 ? arda_reply_is_number(reply->element[i]) : arda_reply_is_text(reply->element[i]);
    if (!right || !take_position(changing, reply->element))
        return base_why_set(why, BASE_ERR_INTERNAL, "a script gave no answer");
    changing->changed += (uint64_t)reply->element[1]->integer;
    if (reply->element[0]->integer == 0 && changing->changed == 0)
        return base_why_set(why, BASE_ERR_NOTFOUND, "user %s has no notifications", changing->user);
    return BASE_OK;
}

static void on_step(void *data, int result, const struct redisReply *reply)
{
    struct changing *changing = data;
    struct base_why why = {0};
    result = arda_script_error(changing->bus, result, reply, &why);
    if (!result)
        result = take_step(changing, reply, &why);
    if (!result && changing->at[0]) {
        result = change_all(changing);
        if (!result)
            return;
        base_why_set(&why, result, "%s", base_err_text(result));
    }
    end(changing, result, &why);
}

static int change_all(struct changing *changing)
{
    const char *const argv[] = {arda_bus_prefix(changing->bus),
                                changing->tenant,
                                changing->user,
                                words[changing->change],
                                changing->now,
                                changing->till,
                                changing->at_score,
                                changing->at};
    return arda_script_call(changing->bus, &arda_inbox_change_all_script,
                            sizeof argv / sizeof argv[0], argv, NULL, on_step, changing);
}

/* ---- both ---- */

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
    if (ids && (count < 1 || count > ARDA_INBOX_IDS_MAX))
        return BASE_ERR_LIMIT;
    if (!arda_tenant_valid(inbox->tenant, strlen(inbox->tenant)) ||
        !arda_id_valid(inbox->user, strlen(inbox->user)) || (ids && !are_ids(ids, count)))
        return BASE_ERR_INVALID;
    struct changing *changing = base_calloc(1, sizeof *changing);
    if (!changing)
        return BASE_ERR_NOMEM;
    changing->bus = bus;
    changing->changer = *changer;
    changing->change = change;
    strcpy(changing->tenant, inbox->tenant); /* ids fit */
    strcpy(changing->user, inbox->user);
    base_rfc3339_format(now_ms, changing->now);
    int failed = ids ? change_ids(changing, ids, count) : change_all(changing);
    if (failed)
        base_free(changing);
    return failed;
}
