/* SPDX-License-Identifier: ISC */
#include "arda/publication.h"

#include "arda/envelope.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/rfc3339.h"

#include <string.h>

#define UNKNOWN_SOURCE "unknown"

/* What an envelope around the event says. */
enum outer { OUTER_SOURCE, OUTER_CORRELATION, OUTER_ID, OUTER_COUNT };
/* What the event itself says. */
enum inner { INNER_VERSION, INNER_ID, INNER_TENANT, INNER_COUNT };

struct said {
    struct base_json_member outer[OUTER_COUNT];
    struct base_json_member inner[INNER_COUNT];
};

/* Where the strings stand in their buffer, one behind the other: each ends where the next begins.
 */
enum string { ID, TYPE, TENANT, SOURCE, CORRELATION, TIMESTAMP, STRINGS };

struct strings {
    size_t at[STRINGS + 1];
    const char *data;
};

static const struct said nothing_said = {
    .outer =
        {
            [OUTER_SOURCE] = BASE_JSON_WANT("source"),
            [OUTER_CORRELATION] = BASE_JSON_WANT("correlationId"),
            [OUTER_ID] = BASE_JSON_WANT("id"),
        },
    .inner =
        {
            [INNER_VERSION] = BASE_JSON_WANT("schemaVersion"),
            [INNER_ID] = BASE_JSON_WANT("eventId"),
            [INNER_TENANT] = BASE_JSON_WANT("tenantId"),
        },
};

static void read_said(const struct arda_message *message, struct said *said)
{
    const struct base_json_value *envelope = &message->envelope;
    *said = nothing_said;
    if (envelope->kind == BASE_JSON_OBJECT)
        base_json_pick(envelope->text, envelope->len, said->outer, OUTER_COUNT, NULL, NULL);
    base_json_pick(message->event.data, message->event.len, said->inner, INNER_COUNT, NULL, NULL);
}

static bool says(const struct base_json_value *value)
{
    return value->kind == BASE_JSON_STRING && value->len > 2;
}

/* Appends the first there is: an override, the string's bytes, what is meant for a missing one. A
 * lone surrogate has no bytes, so that string is none. */
static int keep(struct base_buf *out, struct base_slice override,
                const struct base_json_value *value, struct base_slice missing)
{
    if (override.len > 0)
        return base_buf_add(out, override.data, override.len);
    if (value && says(value)) {
        int failed = base_json_unescape(value, out);
        if (failed != BASE_ERR_SYNTAX)
            return failed;
    }
    return base_buf_add(out, missing.data, missing.len);
}

static int keep_id(struct base_buf *out, const struct arda_overrides *overrides,
                   const struct said *said)
{
    bool own = said->inner[INNER_ID].value.kind == BASE_JSON_STRING;
    const struct base_json_value *given =
        own ? &said->inner[INNER_ID].value : &said->outer[OUTER_ID].value;
    char fresh[BASE_UUID_LEN + 1];
    struct base_slice missing = overrides->missing_id;
    if (overrides->event_id.len == 0 && missing.len == 0 && !says(given)) {
        if (base_id_uuid7(fresh) < 0)
            return BASE_ERR_INTERNAL;
        missing = (struct base_slice){fresh, BASE_UUID_LEN};
    }
    return keep(out, overrides->event_id, given, missing);
}

static struct base_slice tenant_of(const struct arda_message *message,
                                   const struct arda_overrides *overrides, const struct said *said)
{
    const struct base_json_value *named = &said->inner[INNER_TENANT].value;
    bool wrong = named->kind != BASE_JSON_ABSENT && named->kind != BASE_JSON_STRING;
    if (overrides->tenant.len > 0)
        return overrides->tenant;
    return says(named) || wrong || message->tenant.len > 0 ? message->tenant
                                                           : overrides->missing_tenant;
}

static int keep_strings(const struct arda_message *message, const struct arda_overrides *overrides,
                        const struct said *said, struct base_buf *out, struct strings *strings)
{
    static const struct base_slice unknown = {UNKNOWN_SOURCE, sizeof UNKNOWN_SOURCE - 1};
    const struct base_slice none = {NULL, 0};
    struct base_slice source = overrides->missing_source.len ? overrides->missing_source : unknown;
    char now[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(base_clock_wall_ms(), now);
    int failed = keep_id(out, overrides, said);
    if (failed)
        return failed;
    strings->at[TYPE] = out->len;
    failed |= keep(out, none, &message->type, none);
    strings->at[TENANT] = out->len;
    failed |= keep(out, tenant_of(message, overrides, said), NULL, none);
    strings->at[SOURCE] = out->len;
    failed |= keep(out, overrides->source, &said->outer[OUTER_SOURCE].value, source);
    strings->at[CORRELATION] = out->len;
    failed |= keep(out, overrides->correlation_id, &said->outer[OUTER_CORRELATION].value, none);
    strings->at[TIMESTAMP] = out->len;
    failed |= keep(out, overrides->timestamp, NULL, (struct base_slice){now, BASE_RFC3339_LEN});
    strings->at[STRINGS] = out->len;
    strings->data = out->data;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

static struct base_slice slice(const struct strings *strings, enum string which)
{
    size_t from = strings->at[which];
    return (struct base_slice){strings->data + from, strings->at[which + 1] - from};
}

/* The event with all it should have, in `out`. */
static int complete(struct base_buf *out, const struct arda_message *message,
                    const struct arda_overrides *overrides, const struct said *said,
                    const struct strings *strings)
{
    struct arda_member members[4];
    struct base_json_value event = {BASE_JSON_OBJECT, message->event.data, message->event.len};
    struct base_slice happened = overrides->event_timestamp;
    size_t count = 0;
    if (slice(strings, TENANT).len > 0) /* an empty tenantId gives way */
        members[count++] = (struct arda_member){"tenantId", slice(strings, TENANT), false,
                                                overrides->tenant.len > 0 ||
                                                    !says(&said->inner[INNER_TENANT].value)};
    members[count++] = (struct arda_member){
        "timestamp", happened.len ? happened : slice(strings, TIMESTAMP), false, happened.len > 0};
    members[count++] =
        (struct arda_member){"eventId", slice(strings, ID), false, overrides->event_id.len > 0};
    members[count++] =
        (struct arda_member){"schemaVersion", (struct base_slice){"1", 1}, true, false};
    return arda_event_put(out, &event, members, count);
}

/* The durable form of a notification is the user's inbox. */
static bool is_unlogged(struct base_slice type)
{
    static const char name[] = "notification.created";
    return type.len == sizeof name - 1 && memcmp(type.data, name, type.len) == 0;
}

static int wrap(struct base_buf *out, const struct strings *strings,
                const struct base_json_value *version, bool replayed, struct base_slice event)
{
    const struct arda_envelope envelope = {
        .id = slice(strings, ID),
        .schema_version = *version,
        .source = slice(strings, SOURCE),
        .correlation_id = slice(strings, CORRELATION),
        .timestamp = slice(strings, TIMESTAMP),
        .replayed = replayed,
        .event = event,
    };
    return arda_envelope_write(out, &envelope);
}

int arda_publication_make(const struct arda_message *message,
                          const struct arda_overrides *overrides,
                          struct arda_publication_texts *texts,
                          struct arda_publication *publication, struct base_slice *event)
{
    struct said said;
    struct strings strings = {0};
    texts->strings.len = texts->message.len = texts->envelope.len = 0;
    read_said(message, &said);
    int failed = keep_strings(message, overrides, &said, &texts->strings, &strings);
    if (!failed)
        failed = complete(&texts->message, message, overrides, &said, &strings);
    if (failed)
        return failed;
    struct base_slice completed = {texts->message.data, texts->message.len};
    *publication = (struct arda_publication){
        .tenant = slice(&strings, TENANT),
        .message = completed,
        .event_id = slice(&strings, ID),
        .type = slice(&strings, TYPE),
        .source = slice(&strings, SOURCE),
        .correlation_id = slice(&strings, CORRELATION),
        .timestamp = slice(&strings, TIMESTAMP),
        .max_len = overrides->max_len,
        .dedupe_for_ms = (uint64_t)overrides->dedupe_for,
    };
    if (event)
        *event = completed;
    failed = wrap(&texts->envelope, &strings, &said.inner[INNER_VERSION].value, overrides->replayed,
                  completed);
    struct base_slice envelope = {texts->envelope.data, texts->envelope.len};
    if (!overrides->no_stream && !is_unlogged(publication->type))
        publication->envelope = envelope;
    if (overrides->wrap)
        publication->message = envelope;
    return failed;
}

void arda_publication_texts_fini(struct arda_publication_texts *texts)
{
    base_buf_fini(&texts->strings);
    base_buf_fini(&texts->message);
    base_buf_fini(&texts->envelope);
}
