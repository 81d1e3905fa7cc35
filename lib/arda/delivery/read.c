/* SPDX-License-Identifier: ISC
 *
 * A list is read in steps of a bounded number of records, so that a long one holds up nobody else
 * in Redis. The position between two steps is the last record that was looked at; when it has been
 * removed meanwhile, its time and id still tell where it stood.
 */
#include "arda/delivery/read.h"

#include "arda/bus/reply.h"
#include "arda/delivery/internal.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNATTENDED "unattended" /* among the statuses that are counted */

/* In the order of the script's answer; SCORE is that of the lane, OBSTACLE is why what is due does
 * not go out, or nil. */
#define FIELD_MAP(X)                                                                               \
    X(ID, "id")                                                                                    \
    X(NOTIFICATION_ID, "notificationId")                                                           \
    X(USER, "userId")                                                                              \
    X(TYPE, "type")                                                                                \
    X(CHANNEL, "channel")                                                                          \
    X(STATUS, "status")                                                                            \
    X(ATTEMPT_COUNT, "attemptCount")                                                               \
    X(LAST_ATTEMPT_AT, "lastAttemptAt")                                                            \
    X(LAST_ERROR, "lastError")                                                                     \
    X(DELIVERED_AT, "deliveredAt")                                                                 \
    X(NEXT_ATTEMPT_AT, "nextAttemptAt")                                                            \
    X(CREATED_AT, "createdAt")                                                                     \
    X(UPDATED_AT, "updatedAt")                                                                     \
    X(HELD_UNTIL, "heldUntil")                                                                     \
    X(DIGEST_ID, "digestId")                                                                       \
    X(ITEMS, "items")                                                                              \
    X(ATTEMPTS, "attempts")                                                                        \
    X(NOTIFICATION, "notification")                                                                \
    X(CAUSE, "cause")                                                                              \
    X(LEASE, "lease")

enum field {
#define ENUM_(field, name) field,
    FIELD_MAP(ENUM_)
#undef ENUM_
        SCORE,
    OBSTACLE,
    FIELDS
};

BASE_NAME_TABLE(field_names, FIELD_MAP, BASE_NAME_SECOND);

#define NAMES (sizeof field_names / sizeof field_names[0])

ARDA_SCRIPT(delivery_get);
ARDA_SCRIPT(delivery_list);

/* ---- one record ---- */

struct reading {
    struct arda_bus *bus;
    struct arda_delivery_reader reader;
    struct arda_delivery_position *position; /* of lists */
    arda_delivery_tally_fn on_tally;         /* of counts */
    void *data;
    char tenant[ARDA_ID_MAX + 1];
    char id[ARDA_ID_MAX + 1]; /* of one record */
};

static uint64_t number_of(struct base_slice text)
{
    return text.len > 0 && *text.data != '-' ? strtoull(text.data, NULL, 10) : 0;
}

static bool is_record(const struct redisReply *reply, struct arda_delivery_record *record)
{
    if (!arda_reply_is_array_of(reply, FIELDS))
        return false;
    struct base_slice channel = arda_reply_text(reply->element[CHANNEL]);
    struct base_slice status = arda_reply_text(reply->element[STATUS]);
    return arda_notify_channel_find(channel.data, channel.len, &record->channel) == 0 &&
           arda_delivery_status_find(status.data, status.len, &record->status) == 0;
}

/* A lease that is over leaves a delivery that waits for whoever comes. */
static void take_times(const struct redisReply *reply, struct arda_delivery_record *record,
                       char until[static BASE_RFC3339_LEN + 1])
{
    struct base_slice score = arda_reply_text(reply->element[SCORE]);
    if (record->status != ARDA_DELIVERY_PENDING || score.len == 0)
        return;
    base_rfc3339_format((int64_t)strtod(score.data, NULL), until);
    struct base_slice text = {until, BASE_RFC3339_LEN};
    if (arda_reply_text(reply->element[LEASE]).len > 0)
        record->leased_until = text;
    else
        record->next_attempt_at = text;
}

static void give_record(struct reading *reading, const struct redisReply *reply, const char *id)
{
    char until[BASE_RFC3339_LEN + 1];
    struct arda_delivery_record record = {.tenant = {reading->tenant, strlen(reading->tenant)}};
    if (!is_record(reply, &record)) {
        reading->reader.on_bad(reading->reader.data, id);
        return;
    }
    record.id = (struct base_slice){id, strlen(id)};
    record.notification_id = arda_reply_text(reply->element[NOTIFICATION_ID]);
    record.user = arda_reply_text(reply->element[USER]);
    record.type = arda_reply_text(reply->element[TYPE]);
    record.attempt_count = number_of(arda_reply_text(reply->element[ATTEMPT_COUNT]));
    record.last_attempt_at = arda_reply_text(reply->element[LAST_ATTEMPT_AT]);
    record.last_error = arda_reply_text(reply->element[LAST_ERROR]);
    record.delivered_at = arda_reply_text(reply->element[DELIVERED_AT]);
    record.created_at = arda_reply_text(reply->element[CREATED_AT]);
    record.updated_at = arda_reply_text(reply->element[UPDATED_AT]);
    record.held_until = arda_reply_text(reply->element[HELD_UNTIL]);
    record.digest_id = arda_reply_text(reply->element[DIGEST_ID]);
    record.items = number_of(arda_reply_text(reply->element[ITEMS]));
    record.attempts = arda_reply_text(reply->element[ATTEMPTS]);
    record.notification = arda_reply_text(reply->element[NOTIFICATION]);
    record.cause = arda_reply_text(reply->element[CAUSE]);
    record.obstacle = arda_reply_text(reply->element[OBSTACLE]);
    take_times(reply, &record, until);
    reading->reader.on_record(reading->reader.data, &record);
}

static struct reading *new_reading(struct arda_bus *bus, const char *tenant)
{
    struct reading *reading = base_calloc(1, sizeof *reading);
    if (!reading)
        return NULL;
    reading->bus = bus;
    strcpy(reading->tenant, tenant); /* an id fits */
    return reading;
}

static void on_one(void *data, int result, const struct redisReply *reply)
{
    struct reading *reading = data;
    struct base_why why = {0};
    result = arda_script_error(reading->bus, result, reply, &why);
    if (!result && !arda_reply_is_array_of(reply, FIELDS))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result && reply->element[ID]->type != REDIS_REPLY_STRING)
        result = base_why_set(&why, BASE_ERR_NOTFOUND, "there is no such delivery");
    if (!result)
        give_record(reading, reply, reading->id);
    reading->reader.done(reading->reader.data, result, false, &why);
    base_free(reading);
}

int arda_delivery_get(struct arda_bus *bus, const char *tenant, const char *id,
                      const struct arda_delivery_reader *reader)
{
    if (!arda_tenant_valid(tenant, strlen(tenant)) || !arda_id_valid(id, strlen(id)))
        return BASE_ERR_INVALID;
    struct reading *reading = new_reading(bus, tenant);
    if (!reading)
        return BASE_ERR_NOMEM;
    reading->reader = *reader;
    strcpy(reading->id, id);
    const char *argv[3 + NAMES] = {arda_bus_prefix(bus), tenant, id};
    memcpy(argv + 3, field_names, sizeof field_names);
    int failed = arda_script_call(bus, &arda_delivery_get_script, sizeof argv / sizeof argv[0],
                                  argv, NULL, on_one, reading);
    if (failed)
        base_free(reading);
    return failed;
}

/* ---- lists and counts ---- */

static bool is_list(const struct redisReply *reply)
{
    return arda_reply_is_array_of(reply, 4) && arda_reply_is_number(reply->element[0]) &&
           arda_reply_is_text(reply->element[1]) && arda_reply_is_text(reply->element[2]) &&
           arda_reply_is_array(reply->element[3]);
}

/* Whether the position has moved: else to ask for more would not end. */
static bool is_elsewhere(const struct arda_delivery_position *position,
                         const struct redisReply *reply)
{
    return strcmp(position->id, reply->element[1]->str) != 0 ||
           strcmp(position->score, reply->element[2]->str) != 0;
}

static void move(struct arda_delivery_position *position, const struct redisReply *reply)
{
    snprintf(position->id, sizeof position->id, "%s", reply->element[1]->str);
    snprintf(position->score, sizeof position->score, "%s", reply->element[2]->str);
}

static void give_records(struct reading *reading, const struct redisReply *records)
{
    for (size_t i = 0; i < records->elements; i++) {
        const struct redisReply *one = records->element[i];
        bool named = one->type == REDIS_REPLY_ARRAY && one->elements > ID &&
                     one->element[ID]->type == REDIS_REPLY_STRING;
        give_record(reading, one, named ? one->element[ID]->str : "");
    }
}

static void give_tally(struct reading *reading, int result, const struct redisReply *counts,
                       bool more, const struct base_why *why)
{
    struct arda_delivery_tally tally = {0};
    for (size_t i = 0; !result && i < counts->elements; i++) {
        const struct redisReply *one = counts->element[i];
        if (!arda_reply_is_array_of(one, 2) || !arda_reply_is_text(one->element[0]) ||
            !arda_reply_is_number(one->element[1]))
            continue;
        struct base_slice name = arda_reply_text(one->element[0]);
        uint64_t count = (uint64_t)one->element[1]->integer;
        enum arda_delivery_status status;
        if (arda_delivery_status_find(name.data, name.len, &status) == 0)
            tally.by_status[status] = count;
        else if (strcmp(name.data, UNATTENDED) == 0)
            tally.unattended = count;
    }
    reading->on_tally(reading->data, result, &tally, more, why);
}

static void on_list(void *data, int result, const struct redisReply *reply)
{
    struct reading *reading = data;
    struct base_why why = {0};
    const struct redisReply *found = NULL;
    bool more = false;
    result = arda_script_error(reading->bus, result, reply, &why);
    if (!result && !is_list(reply))
        result = base_why_set(&why, BASE_ERR_INTERNAL, "a script gave no answer");
    if (!result) {
        more = reply->element[0]->integer == 1 && is_elsewhere(reading->position, reply);
        found = reply->element[3];
        move(reading->position, reply);
    }
    if (reading->on_tally) {
        give_tally(reading, result, found, more, &why);
    } else {
        if (found)
            give_records(reading, found);
        reading->reader.done(reading->reader.data, result, more, &why);
    }
    base_free(reading);
}

static void write_statuses(unsigned statuses, char out[static 64])
{
    *out = '\0';
    for (int i = 0; i < ARDA_DELIVERY_STATUSES; i++)
        if (statuses & ARDA_DELIVERY_STATUS_BIT(i)) {
            strcat(out, "|"); /* the names of all of them fit */
            strcat(out, arda_delivery_status_name((enum arda_delivery_status)i));
        }
    if (*out)
        strcat(out, "|");
}

static void write_ms(int64_t ms, char out[static 24])
{
    *out = '\0';
    if (ms >= 0)
        snprintf(out, 24, "%" PRId64, ms);
}

static const char *or_any(const char *text)
{
    return text ? text : "";
}

#define LIST_WORDS 13 /* of ARGV before the fields */

static int ask(struct reading *reading, const struct arda_delivery_filter *filter, uint32_t limit)
{
    char most[16] = "", since[24], until[24], statuses[64];
    const char *channel = filter->channel < 0
                              ? ""
                              : arda_notify_channel_name((enum arda_notify_channel)filter->channel);
    if (limit > 0)
        snprintf(most, sizeof most, "%" PRIu32, limit);
    write_ms(filter->since_ms, since);
    write_ms(filter->until_ms, until);
    write_statuses(filter->statuses, statuses);
    const char *argv[LIST_WORDS + NAMES] = {arda_bus_prefix(reading->bus),
                                            reading->tenant,
                                            most,
                                            since,
                                            until,
                                            reading->position->id,
                                            reading->position->score,
                                            statuses,
                                            channel,
                                            or_any(filter->user),
                                            or_any(filter->type),
                                            or_any(filter->event),
                                            or_any(filter->notification)};
    memcpy(argv + LIST_WORDS, field_names, sizeof field_names);
    int failed = arda_script_call(reading->bus, &arda_delivery_list_script,
                                  sizeof argv / sizeof argv[0], argv, NULL, on_list, reading);
    if (failed)
        base_free(reading);
    return failed;
}

int arda_delivery_list(struct arda_bus *bus, const char *tenant,
                       const struct arda_delivery_filter *filter, uint32_t limit,
                       struct arda_delivery_position *position,
                       const struct arda_delivery_reader *reader)
{
    if (!arda_tenant_valid(tenant, strlen(tenant)))
        return BASE_ERR_INVALID;
    if (limit < 1 || limit > ARDA_DELIVERY_LIMIT_MAX)
        return BASE_ERR_LIMIT;
    struct reading *reading = new_reading(bus, tenant);
    if (!reading)
        return BASE_ERR_NOMEM;
    reading->reader = *reader;
    reading->position = position;
    return ask(reading, filter, limit);
}

int arda_delivery_tally(struct arda_bus *bus, const char *tenant,
                        const struct arda_delivery_filter *filter,
                        struct arda_delivery_position *position, arda_delivery_tally_fn done,
                        void *data)
{
    if (!arda_tenant_valid(tenant, strlen(tenant)))
        return BASE_ERR_INVALID;
    struct reading *reading = new_reading(bus, tenant);
    if (!reading)
        return BASE_ERR_NOMEM;
    reading->on_tally = done;
    reading->data = data;
    reading->position = position;
    return ask(reading, filter, 0);
}
