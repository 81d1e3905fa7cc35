/* SPDX-License-Identifier: ISC
 *
 * One script takes from several streams at once: it gives a sign of life, makes groups that are
 * missing, sees what was trimmed, takes over what is pending for dead daemons, and reads on. All of
 * that has to fit together, which it does because nobody else can do anything in between.
 */
#include "arda/notify/intake.h"

#include "arda/bus/command.h"
#include "arda/bus/reply.h"
#include "arda/bus/script.h"
#include "arda/name/keys.h"
#include "arda/notify_step.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ARDA_SCRIPT(notify_intake);

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
    if (arda_reply_is_number(reply))
        return reply->integer > 0 ? (uint64_t)reply->integer : 0;
    return strtoull(arda_reply_text(reply).data, NULL, 10);
}

static struct base_slice slice_of(const redisReply *reply)
{
    return (struct base_slice){reply->str, reply->len};
}

/* [id, [name, value, …]] */
static bool entry_is_sound(const redisReply *entry)
{
    return arda_reply_is_array_of(entry, 2) && arda_reply_is_text(entry->element[0]) &&
           arda_reply_are_texts(entry->element[1], 2);
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
    bool sound = arda_reply_is_array(answer) && answer->elements >= 1 &&
                 arda_reply_is_text(answer->element[STATE]);
    const char *state = sound ? answer->element[STATE]->str : "an answer that makes no sense";
    batch.exists = strcmp(state, "none") != 0;
    if (batch.exists && strcmp(state, "ok") != 0) {
        batch.error = state;
    } else if (batch.exists &&
               (answer->elements != PARTS || !arda_reply_is_array(answer->element[ENTRIES]) ||
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
    if (!result && (!arda_reply_is_array_of(reply, 3) ||
                    !arda_reply_is_array_of(reply->element[2], taking->streams)))
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
    int failed =
        arda_script_call(bus, &arda_notify_intake_script, argc, argv, NULL, on_taken, taking);
    if (failed)
        base_free(taking);
    return failed;
}
