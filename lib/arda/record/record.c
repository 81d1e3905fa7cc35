/* SPDX-License-Identifier: ISC */
#include "arda/record.h"

#include "arda/ws_type.h"
#include "base/err.h"
#include "base/rfc3339.h"
#include "base/text.h"

#include <string.h>

struct arda_record arda_record_of(const struct arda_message *message,
                                  struct arda_stream_id position, struct base_slice channel)
{
    bool wrapped = message->envelope.kind == BASE_JSON_OBJECT;
    return (struct arda_record){.message = *message,
                                .form = wrapped ? ARDA_RECORD_ENVELOPE : ARDA_RECORD_EVENT,
                                .position = position,
                                .channel = channel};
}

void arda_record_meta(const struct arda_record *record, struct arda_record_meta *meta)
{
    enum { SCHEMA_VERSION, SOURCE, CORRELATION_ID, TIMESTAMP, REPLAYED, MEMBERS };
    struct base_json_member found[MEMBERS] = {
        [SCHEMA_VERSION] = BASE_JSON_WANT("schemaVersion"),
        [SOURCE] = BASE_JSON_WANT("source"),
        [CORRELATION_ID] = BASE_JSON_WANT("correlationId"),
        [TIMESTAMP] = BASE_JSON_WANT("timestamp"),
        [REPLAYED] = BASE_JSON_WANT("replayed"),
    };
    const struct base_json_value *envelope = &record->message.envelope;
    if (envelope->kind == BASE_JSON_OBJECT)
        base_assert(base_json_pick(envelope->text, envelope->len, found, MEMBERS, NULL, NULL) == 0);
    *meta = (struct arda_record_meta){
        .schema_version = found[SCHEMA_VERSION].value,
        .source = found[SOURCE].value,
        .correlation_id = found[CORRELATION_ID].value,
        .timestamp = found[TIMESTAMP].value,
        .replayed = found[REPLAYED].value,
    };
}

/* ---- times ---- */

static bool time_of(const struct base_json_value *value, int64_t *ms)
{
    return base_rfc3339_of_json(value, ms) == 0;
}

int arda_record_time(const struct arda_record *record, int64_t *ms)
{
    struct arda_record_meta meta;
    if (record->position.ms > 0 && record->position.ms <= INT64_MAX) {
        *ms = (int64_t)record->position.ms;
        return BASE_OK;
    }
    arda_record_meta(record, &meta);
    return time_of(&meta.timestamp, ms) || time_of(&record->message.timestamp, ms)
               ? BASE_OK
               : BASE_ERR_NOTFOUND;
}

/* ---- writing ---- */

static int end_line(struct base_buf *out, size_t before, int failed)
{
    failed |= base_buf_add_byte(out, '\n');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int arda_record_write_json(struct base_buf *out, const struct arda_record *record)
{
    size_t before = out->len;
    return end_line(out, before, base_text_flat(out, record->message.event));
}

/* A value as it stands. */
static int add_value(struct base_buf *out, const struct base_json_value *value)
{
    if (value->kind == BASE_JSON_ABSENT)
        return base_buf_add_text(out, "null");
    return base_text_flat(out, (struct base_slice){value->text, value->len});
}

/* A string, or null for an empty one. */
static int add_string(struct base_buf *out, struct base_slice text)
{
    return text.len ? base_json_quote(out, text.data, text.len) : base_buf_add_text(out, "null");
}

static int add_position(struct base_buf *out, struct arda_stream_id position)
{
    char text[ARDA_STREAM_ID_LEN + 1];
    if (arda_stream_id_is_zero(position))
        return base_buf_add_text(out, "null");
    return base_json_quote(out, text, arda_stream_id_format(position, text));
}

/* `,"key":value`, or nothing without a value. */
static int add_known(struct base_buf *out, const char *key, const struct base_json_value *value)
{
    return value->kind == BASE_JSON_ABSENT ? BASE_OK
                                           : base_buf_add_text(out, key) | add_value(out, value);
}

/* Members of an envelope that are written in places of their own. */
static bool has_a_place(const struct base_json_value *key)
{
    static const char *const names[] = {"id",        "position",      "channel",
                                        "source",    "schemaVersion", "correlationId",
                                        "timestamp", "replayed",      "event"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (base_json_equals(key, names[i], strlen(names[i])))
            return true;
    return false;
}

static int add_others(struct base_buf *out, const struct base_json_value *envelope)
{
    struct base_json_iter iter;
    struct base_json_value key, value;
    int failed = BASE_OK;
    if (envelope->kind != BASE_JSON_OBJECT)
        return BASE_OK;
    base_json_iter_init(&iter, envelope);
    while (base_json_iter_next(&iter, &key, &value)) {
        if (has_a_place(&key))
            continue;
        failed |= base_buf_add_byte(out, ',') | add_value(out, &key);
        failed |= base_buf_add_byte(out, ':') | add_value(out, &value);
    }
    return failed;
}

int arda_record_write_envelope(struct base_buf *out, const struct arda_record *record)
{
    struct arda_record_meta meta;
    size_t before = out->len;
    arda_record_meta(record, &meta);
    int failed = base_buf_add_text(out, "{\"id\":") | add_value(out, &record->message.id);
    failed |= base_buf_add_text(out, ",\"position\":") | add_position(out, record->position);
    failed |= base_buf_add_text(out, ",\"channel\":") | add_string(out, record->channel);
    failed |= add_known(out, ",\"schemaVersion\":", &meta.schema_version);
    failed |= add_known(out, ",\"source\":", &meta.source);
    failed |= add_known(out, ",\"correlationId\":", &meta.correlation_id);
    failed |= add_known(out, ",\"timestamp\":", &meta.timestamp);
    failed |= add_known(out, ",\"replayed\":", &meta.replayed);
    failed |= add_others(out, &record->message.envelope);
    failed |= base_buf_add_text(out, ",\"event\":") | base_text_flat(out, record->message.event);
    failed |= base_buf_add_byte(out, '}');
    return end_line(out, before, failed);
}

/* The time of the event, else of the envelope, else null. */
static int add_time(struct base_buf *out, const struct arda_record *record)
{
    struct arda_record_meta meta;
    if (record->message.timestamp.kind != BASE_JSON_ABSENT)
        return add_value(out, &record->message.timestamp);
    arda_record_meta(record, &meta);
    return add_value(out, &meta.timestamp);
}

int arda_record_write_ws(struct base_buf *out, const struct arda_record *record)
{
    const struct arda_message *message = &record->message;
    struct base_json_value event = {BASE_JSON_OBJECT, message->event.data, message->event.len};
    const char *type = arda_ws_type(&event);
    size_t before = out->len;
    if (!type)
        return 0;
    int failed = base_buf_add_text(out, "{\"type\":") | base_json_quote(out, type, strlen(type));
    failed |= base_buf_add_text(out, ",\"tenantId\":") | add_string(out, message->tenant);
    failed |= base_buf_add_text(out, ",\"payload\":") | base_text_flat(out, message->event);
    failed |= base_buf_add_text(out, ",\"timestamp\":") | add_time(out, record);
    failed |= base_buf_add_text(out, ",\"eventId\":") | add_value(out, &message->id);
    failed |= base_buf_add_byte(out, '}');
    failed = end_line(out, before, failed);
    return failed ? failed : 1;
}
