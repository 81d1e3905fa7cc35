/* SPDX-License-Identifier: ISC
 *
 * Happy path: the chunks one after the other, each sent when the one before it is done. Somebody
 * else was here: go on behind the user that Redis names. Handled, or another directory: the step
 * ends with that. Redis away, or an error of it: the step ends, and another call goes on.
 */
#include "arda/notify_step.h"

#include "arda/bus/reply.h"
#include "arda/notify/inbox_row.h"
#include "arda/notify/internal.h"
#include "base/mem.h"

#include <string.h>

static void free_run(struct notify_run *run)
{
    base_buf_fini(&run->words);
    base_buf_fini(&run->users);
    base_buf_fini(&run->row);
    base_free(run);
}

static void end_run(struct notify_run *run, int result, enum arda_notify_outcome outcome,
                    const struct base_why *why)
{
    run->result.outcome = outcome;
    run->done(run->data, result, &run->result, why);
    free_run(run);
}

static void fail_run(struct notify_run *run, int result, const char *text)
{
    struct base_why why;
    base_why_set(&why, result, "%s", text);
    end_run(run, result, ARDA_NOTIFY_DONE, &why);
}

/* ---- answers ---- */

static bool says(const redisReply *reply, const char *word)
{
    return arda_reply_is_text(reply->element[0]) && strcmp(reply->element[0]->str, word) == 0;
}

/* The first user behind this one, who may have gone meanwhile. */
static size_t behind(const struct arda_notify_step *step, const char *user)
{
    size_t low = 0, high = step->user_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(step->users[middle].id, user) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The answers to a chunk that was done: counts, and the rows. */
static int take_counts(struct notify_run *run, const redisReply *reply)
{
    const redisReply *rows = reply->element[4];
    for (int i = 1; i < 4; i++)
        if (!arda_reply_is_number(reply->element[i]))
            return BASE_ERR_INTERNAL;
    if (!arda_reply_are_texts(rows, 1))
        return BASE_ERR_INTERNAL;
    run->result.rows += (uint64_t)reply->element[1]->integer;
    run->result.deliveries += (uint64_t)reply->element[2]->integer;
    run->result.trimmed += (uint64_t)reply->element[3]->integer;
    for (size_t i = 0; run->step.on_row && i < rows->elements; i++) {
        struct base_slice stored = {rows->element[i]->str, rows->element[i]->len};
        run->row.len = 0;
        int failed = arda_inbox_row_write(&run->row, stored, (struct base_slice){NULL, 0});
        if (failed)
            return failed;
        run->step.on_row(run->data, (struct base_slice){run->row.data, run->row.len});
    }
    return BASE_OK;
}

static void on_answer(void *data, int result, const struct redisReply *reply);

static void go_on(struct notify_run *run)
{
    int failed = arda_notify_send(run, on_answer);
    if (failed)
        fail_run(run, failed, base_err_text(failed));
}

static void take_done(struct notify_run *run, const redisReply *reply)
{
    bool last = run->sent == run->step.user_count - run->next;
    int failed = says(reply, last ? "done" : "next") ? take_counts(run, reply) : BASE_ERR_INTERNAL;
    if (failed) {
        fail_run(run, failed, base_err_text(failed));
    } else if (last) {
        end_run(run, BASE_OK, ARDA_NOTIFY_DONE, NULL);
    } else {
        run->next += run->sent;
        strcpy(run->from, run->step.users[run->next - 1].id); /* an id fits */
        go_on(run);
    }
}

static void take_position(struct notify_run *run, const redisReply *reply)
{
    const redisReply *user = reply->element[1];
    /* The script says so only if it is another one than ours. */
    if (!says(reply, "at") || !arda_reply_is_text(user) || user->len > ARDA_ID_MAX ||
        strcmp(user->str, run->from) == 0) {
        fail_run(run, BASE_ERR_INTERNAL, "the progress of an event makes no sense");
        return;
    }
    memcpy(run->from, user->str, user->len + 1);
    run->next = behind(&run->step, run->from);
    go_on(run);
}

static void on_answer(void *data, int result, const struct redisReply *reply)
{
    struct notify_run *run = data;
    struct base_why why;
    result = arda_script_error(run->bus, result, reply, &why);
    size_t elements = !result && arda_reply_is_array(reply) ? (size_t)reply->elements : 0;
    if (result)
        end_run(run, result, ARDA_NOTIFY_DONE, &why);
    else if (elements == 5)
        take_done(run, reply);
    else if (elements == 2)
        take_position(run, reply);
    else if (elements == 1 && says(reply, "before"))
        end_run(run, BASE_OK, ARDA_NOTIFY_BEFORE, NULL);
    else if (elements == 1 && says(reply, "stale"))
        end_run(run, BASE_OK, ARDA_NOTIFY_STALE, NULL);
    else
        fail_run(run, BASE_ERR_INTERNAL, "a script gave no answer");
}

/* ---- beginning ---- */

static bool are_users(const struct arda_notify_user *users, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!arda_id_valid(users[i].id, strlen(users[i].id)) ||
            users[i].channels >> ARDA_NOTIFY_CHANNELS != 0)
            return false;
        if (i > 0 && strcmp(users[i - 1].id, users[i].id) >= 0)
            return false;
    }
    return true;
}

int arda_notify_step(struct arda_bus *bus, const struct arda_notify_step *step,
                     arda_notify_step_fn done, void *data)
{
    if (!arda_tenant_valid(step->tenant, strlen(step->tenant)) || !step->cause.key[0] ||
        !are_users(step->users, step->user_count))
        return BASE_ERR_INVALID;
    struct notify_run *run = base_calloc(1, sizeof *run);
    if (!run)
        return BASE_ERR_NOMEM;
    run->bus = bus;
    run->step = *step;
    run->done = done;
    run->data = data;
    if (run->step.chunk == 0 || run->step.chunk > ARDA_NOTIFY_CHUNK)
        run->step.chunk = ARDA_NOTIFY_CHUNK;
    int failed = arda_notify_words(run);
    if (!failed)
        failed = arda_notify_send(run, on_answer);
    if (failed)
        free_run(run);
    return failed;
}
