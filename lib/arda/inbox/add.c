/* SPDX-License-Identifier: ISC
 *
 * What is added goes through the notification step, as if it were an event of its own. Its key has
 * a colon, which no identifier has, so that it is never taken for an event of the same id.
 */
#include "arda/inbox.h"

#include "arda/tenant.h"
#include "base/id.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct adding {
    char id[ARDA_ID_MAX + 3]; /* in quotes */
    void (*on_row)(void *data, struct base_slice row);
    arda_notify_step_fn done;
    void *data;
};

static void on_row(void *data, struct base_slice row)
{
    struct adding *adding = data;
    adding->on_row(adding->data, row);
}

static void on_done(void *data, int result, const struct arda_notify_result *outcome,
                    const struct base_why *why)
{
    struct adding *adding = data;
    adding->done(adding->data, result, outcome, why);
    base_free(adding);
}

int arda_inbox_add(struct arda_bus *bus, const struct arda_inbox_addition *addition,
                   arda_notify_step_fn done, void *data)
{
    uint64_t ms;
    if (!arda_id_valid(addition->id, strlen(addition->id)))
        return BASE_ERR_INVALID;
    struct adding *adding = base_malloc(sizeof *adding);
    if (!adding)
        return BASE_ERR_NOMEM;
    *adding = (struct adding){.on_row = addition->on_row, .done = done, .data = data};
    int len = snprintf(adding->id, sizeof adding->id, "\"%s\"", addition->id);
    struct arda_notify_step step = {
        .tenant = addition->tenant,
        .cause = {.id = {adding->id, (size_t)len}},
        .notification = addition->notification,
        .users = addition->users,
        .user_count = addition->user_count,
        .version = addition->version,
        .now_ms = addition->now_ms,
        .retention = addition->retention,
        .on_row = addition->on_row ? on_row : NULL,
    };
    snprintf(step.cause.key, sizeof step.cause.key, "add:%s", addition->id);
    step.cause.time_ms = base_id_uuid7_ms(addition->id, &ms) ? (int64_t)ms : -1;
    int failed = arda_notify_step(bus, &step, on_done, adding);
    if (failed)
        base_free(adding);
    return failed;
}
