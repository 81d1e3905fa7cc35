/* SPDX-License-Identifier: ISC */
#include "arda/inbox.h"

#include "arda/bus/reply.h"
#include "arda/bus/script.h"
#include "arda/name/keys.h"
#include "arda/notify/inbox_row.h"
#include "arda/tenant.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

ARDA_SCRIPT(inbox_list);
ARDA_SCRIPT(inbox_count);

static bool is_inbox(const struct arda_inbox *inbox)
{
    return arda_tenant_valid(inbox->tenant, strlen(inbox->tenant)) &&
           arda_id_valid(inbox->user, strlen(inbox->user));
}

/* ---- rows ---- */

struct reading {
    struct arda_bus *bus;
    struct arda_inbox_reader reader;
    struct base_buf row;
    char id[ARDA_ID_MAX + 1]; /* of one row */
};

static struct reading *new_reading(struct arda_bus *bus, const struct arda_inbox_reader *reader)
{
    struct reading *reading = base_calloc(1, sizeof *reading);
    if (!reading)
        return NULL;
    reading->bus = bus;
    reading->reader = *reader;
    return reading;
}

static void free_reading(struct reading *reading)
{
    base_buf_fini(&reading->row);
    base_free(reading);
}

static void end_reading(struct reading *reading, int result, bool more, const struct base_why *why)
{
    reading->reader.done(reading->reader.data, result, more, why);
    free_reading(reading);
}

/* A row, and when it was read. BASE_ERR_SYNTAX: there is none; BASE_ERR_NOMEM. */
static int give_row(struct reading *reading, const redisReply *stored, const redisReply *read_at)
{
    struct base_slice text = {stored->str, stored->len}, when = {NULL, 0};
    if (stored->type != REDIS_REPLY_STRING)
        return BASE_ERR_SYNTAX;
    if (read_at->type == REDIS_REPLY_STRING)
        when = (struct base_slice){read_at->str, read_at->len};
    reading->row.len = 0;
    int failed = arda_inbox_row_write(&reading->row, text, when);
    if (!failed)
        reading->reader.on_row(reading->reader.data,
                               (struct base_slice){reading->row.data, reading->row.len},
                               when.len > 0);
    return failed;
}

static int give_rows(struct reading *reading, const redisReply *values, const redisReply *ids)
{
    for (size_t i = 0; i < ids->elements; i++) {
        int failed = give_row(reading, values->element[2 * i], values->element[2 * i + 1]);
        if (failed == BASE_ERR_NOMEM)
            return failed;
        if (failed)
            reading->reader.on_bad(reading->reader.data, ids->element[i]->str);
    }
    return BASE_OK;
}

static bool is_list(const redisReply *reply)
{
    return arda_reply_is_array_of(reply, 3) && arda_reply_is_number(reply->element[0]) &&
           arda_reply_is_array(reply->element[1]) && arda_reply_are_texts(reply->element[2], 1) &&
           reply->element[1]->elements == 2 * reply->element[2]->elements;
}

static void on_list(void *data, int result, const struct redisReply *reply)
{
    struct reading *reading = data;
    struct base_why why = {0};
    bool more = false;
    result = arda_script_error(reading->bus, result, reply, &why);
    if (!result && reply->type == REDIS_REPLY_STRING) {
        result = base_why_set(&why, BASE_ERR_NOTFOUND, "there is no such row to begin after");
    } else if (!result && !is_list(reply)) {
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    } else if (!result) {
        more = reply->element[0]->integer == 1;
        result = give_rows(reading, reply->element[1], reply->element[2]);
        if (result)
            base_why_set(&why, result, "%s", base_err_text(result));
    }
    end_reading(reading, result, more, &why);
}

int arda_inbox_list(struct arda_bus *bus, const struct arda_inbox *inbox,
                    const struct arda_inbox_query *query, const struct arda_inbox_reader *reader)
{
    char limit[16];
    const char *before = query->before ? query->before : "";
    if (!is_inbox(inbox) || (*before && !arda_id_valid(before, strlen(before))))
        return BASE_ERR_INVALID;
    if (query->limit < 1 || query->limit > ARDA_INBOX_LIMIT_MAX)
        return BASE_ERR_LIMIT;
    struct reading *reading = new_reading(bus, reader);
    if (!reading)
        return BASE_ERR_NOMEM;
    snprintf(limit, sizeof limit, "%u", query->limit);
    const char *const argv[] = {arda_bus_prefix(bus),     inbox->tenant, inbox->user, limit, before,
                                query->unread ? "1" : "0"};
    int failed = arda_script_call(bus, &arda_inbox_list_script, 6, argv, NULL, on_list, reading);
    if (failed)
        free_reading(reading);
    return failed;
}

static void on_one(void *data, int result, const struct redisReply *reply)
{
    struct reading *reading = data;
    struct base_why why = {0};
    result = arda_script_error(reading->bus, result, reply, &why);
    if (!result && !arda_reply_is_array_of(reply, 2))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "Redis gave no answer");
    if (!result) {
        result = give_row(reading, reply->element[0], reply->element[1]);
        if (result == BASE_ERR_SYNTAX)
            result = BASE_ERR_NOTFOUND;
        if (result)
            base_why_set(&why, result, "%s", base_err_text(result));
    }
    end_reading(reading, result, false, &why);
}

/* A plain command, so that answers come in the order of the questions. */
int arda_inbox_get(struct arda_bus *bus, const struct arda_inbox *inbox, const char *id,
                   const struct arda_inbox_reader *reader)
{
    char key[ARDA_INBOX_KEY_MAX], read[ARDA_ID_MAX + sizeof ".read"];
    if (!is_inbox(inbox) || !arda_id_valid(id, strlen(id)))
        return BASE_ERR_INVALID;
    struct reading *reading = new_reading(bus, reader);
    if (!reading)
        return BASE_ERR_NOMEM;
    size_t len =
        arda_inbox_key(key, arda_bus_prefix(bus), ARDA_KEY_ROWS, inbox->tenant, inbox->user);
    int read_len = snprintf(read, sizeof read, "%s.read", id);
    const char *const argv[] = {"HMGET", key, id, read};
    const size_t lens[] = {5, len, strlen(id), (size_t)read_len};
    int failed = arda_bus_command(bus, 4, argv, lens, on_one, reading);
    if (failed)
        free_reading(reading);
    return failed;
}

/* ---- counting ---- */

struct counting {
    struct arda_bus *bus;
    arda_inbox_count_fn done;
    void *data;
};

static void on_count(void *data, int result, const struct redisReply *reply)
{
    struct counting *counting = data;
    struct arda_inbox_counts counts = {0};
    struct base_why why = {0};
    result = arda_script_error(counting->bus, result, reply, &why);
    if (!result && !arda_reply_are_numbers(reply, 2))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result)
        counts = (struct arda_inbox_counts){(uint64_t)reply->element[0]->integer,
                                            (uint64_t)reply->element[1]->integer};
    counting->done(counting->data, result, &counts, &why);
    base_free(counting);
}

int arda_inbox_count(struct arda_bus *bus, const struct arda_inbox *inbox, arda_inbox_count_fn done,
                     void *data)
{
    if (!is_inbox(inbox))
        return BASE_ERR_INVALID;
    struct counting *counting = base_malloc(sizeof *counting);
    if (!counting)
        return BASE_ERR_NOMEM;
    *counting = (struct counting){bus, done, data};
    const char *const argv[] = {arda_bus_prefix(bus), inbox->tenant, inbox->user};
    int failed = arda_script_call(bus, &arda_inbox_count_script, 3, argv, NULL, on_count, counting);
    if (failed)
        base_free(counting);
    return failed;
}
