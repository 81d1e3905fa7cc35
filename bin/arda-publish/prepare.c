/* SPDX-License-Identifier: ISC
 *
 * A line of input becomes a publication: parsed in either form, checked, completed by splicing, and
 * wrapped for the log. Everything that is wrong is said, each thing on a line of its own.
 */
#include "arda-publish/publish.h"

#include "arda/envelope.h"
#include "arda/event.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/rfc3339.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_SOURCE "arda-publish"

static void complain(void *data, const char *field, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s: %s", base_place_text(data, where), field, text);
}

static int refuse(const struct base_place *place, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(place, where), text);
    return BASE_ERR_SYNTAX;
}

/* ---- checking ---- */

static int refuse_form(const struct base_place *place, enum arda_drop drop,
                       const struct base_json_error *error)
{
    char text[256];
    if (drop != ARDA_DROP_NOT_JSON)
        return refuse(place, arda_drop_text(drop));
    snprintf(text, sizeof text, "column %zu: %s", error->offset + 1, error->text);
    return refuse(place, text);
}

static int refuse_type(const struct base_place *place, struct base_slice name)
{
    char text[384];
    int len = snprintf(text, sizeof text, "type: \"%.*s\" is not one of",
                       name.len < 60 ? (int)name.len : 60, name.data);
    for (const struct arda_event_type *type = arda_event_types; type->name; type++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%s %s",
                        type == arda_event_types ? "" : ",", type->name);
    snprintf(text + len, sizeof text - (size_t)len, " (see --allow-unknown)");
    return refuse(place, text);
}

/* ---- completing ---- */

/* What an envelope around the event says. */
enum outer { OUTER_SOURCE, OUTER_CORRELATION, OUTER_ID, OUTER_COUNT };
/* What the event itself says. */
enum inner { INNER_VERSION, INNER_ID, INNER_COUNT };

/* Appends the string's bytes, or `otherwise` when there is none. */
static int keep_string(struct base_buf *out, const struct base_json_value *value,
                       const char *otherwise)
{
    if (value->kind == BASE_JSON_STRING && value->len > 2) {
        int failed = base_json_unescape(value, out);
        if (failed != BASE_ERR_SYNTAX)
            return failed;
    }
    return base_buf_add_text(out, otherwise);
}

/* The durable form of a notification is the user's inbox. */
static bool is_unlogged(struct base_slice type)
{
    static const char name[] = "notification.created";
    return type.len == sizeof name - 1 && memcmp(type.data, name, type.len) == 0;
}

/* Where the strings stand in their buffer, one behind the other. */
struct parts {
    size_t type, source, correlation, timestamp, end; /* the id is at 0 */
    struct base_json_value version;
};

static int keep_strings(const struct settings *settings, const struct arda_message *message,
                        struct base_buf *out, struct parts *parts)
{
    struct base_json_member outer[OUTER_COUNT] = {
        [OUTER_SOURCE] = BASE_JSON_WANT("source"),
        [OUTER_CORRELATION] = BASE_JSON_WANT("correlationId"),
        [OUTER_ID] = BASE_JSON_WANT("id"),
    };
    struct base_json_member inner[INNER_COUNT] = {
        [INNER_VERSION] = BASE_JSON_WANT("schemaVersion"),
        [INNER_ID] = BASE_JSON_WANT("eventId"),
    };
    char id[BASE_UUID_LEN + 1], now[BASE_RFC3339_LEN + 1];
    if (message->envelope.kind == BASE_JSON_OBJECT)
        base_json_pick(message->envelope.text, message->envelope.len, outer, OUTER_COUNT, NULL,
                       NULL);
    base_json_pick(message->event.data, message->event.len, inner, INNER_COUNT, NULL, NULL);
    parts->version = inner[INNER_VERSION].value;
    base_rfc3339_format(base_clock_wall_ms(), now);
    if (base_id_uuid7(id) < 0)
        return BASE_ERR_INTERNAL;
    bool own_id = inner[INNER_ID].value.kind == BASE_JSON_STRING;
    int failed = keep_string(out, own_id ? &inner[INNER_ID].value : &outer[OUTER_ID].value, id);
    parts->type = out->len;
    failed |= keep_string(out, &message->type, "");
    parts->source = out->len;
    failed |= settings->source ? base_buf_add_text(out, settings->source)
                               : keep_string(out, &outer[OUTER_SOURCE].value, DEFAULT_SOURCE);
    parts->correlation = out->len;
    failed |= keep_string(out, &outer[OUTER_CORRELATION].value, "");
    parts->timestamp = out->len;
    failed |= base_buf_add(out, now, BASE_RFC3339_LEN);
    parts->end = out->len;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

static int complete(const struct settings *settings, const struct arda_message *message,
                    struct outgoing *event)
{
    struct parts parts;
    struct base_json_value object = {BASE_JSON_OBJECT, message->event.data, message->event.len};
    event->strings.len = event->message.len = event->envelope.len = 0;
    int failed = keep_strings(settings, message, &event->strings, &parts);
    if (failed)
        return failed;
    const char *strings = event->strings.data;
    struct arda_envelope envelope = {
        .id = {strings, parts.type},
        .schema_version = parts.version,
        .source = {strings + parts.source, parts.correlation - parts.source},
        .correlation_id = {strings + parts.correlation, parts.timestamp - parts.correlation},
        .timestamp = {strings + parts.timestamp, parts.end - parts.timestamp},
    };
    struct arda_completion completion = {envelope.timestamp, envelope.id};
    failed = arda_event_complete(&event->message, &object, &completion);
    if (failed)
        return failed;
    envelope.event = (struct base_slice){event->message.data, event->message.len};
    event->publication = (struct arda_publication){
        .message = envelope.event,
        .type = {strings + parts.type, parts.source - parts.type},
        .source = envelope.source,
        .timestamp = envelope.timestamp,
    };
    if (is_unlogged(event->publication.type))
        return BASE_OK;
    failed = arda_envelope_write(&event->envelope, &envelope);
    event->publication.envelope = (struct base_slice){event->envelope.data, event->envelope.len};
    return failed;
}

/* ---- all of it ---- */

/* The completed event, so that what was filled in is not missed. */
static int check(const struct settings *settings, const struct base_place *place,
                 const struct arda_publication *publication, enum arda_drop drop)
{
    struct base_slice name = publication->type;
    const struct arda_event_type *type = arda_event_find(name.data, name.len);
    struct base_json_value event = {BASE_JSON_OBJECT, publication->message.data,
                                    publication->message.len};
    if (!type && (name.len == 0 || !settings->allow_unknown))
        return refuse_type(place, name);
    void *data = (void *)(uintptr_t)place;
    if (arda_event_check(type, &event, settings->loose_ids, complain, data) > 0)
        return BASE_ERR_SYNTAX;
    if (drop == ARDA_DROP_FOREIGN_TENANT)
        return refuse(place, "tenantId: not the id of a tenant");
    return BASE_OK;
}

int prepare(const struct settings *settings, const struct base_place *place, struct base_slice line,
            struct outgoing *event)
{
    struct arda_message message;
    struct base_json_error error = {0};
    enum arda_drop drop = arda_message_parse(line.data, line.len, NULL, 0, &message, &error);
    if (drop != ARDA_DROP_NONE && drop != ARDA_DROP_FOREIGN_TENANT)
        return refuse_form(place, drop, &error);
    int failed = complete(settings, &message, event);
    if (!failed)
        failed = check(settings, place, &event->publication, drop);
    if (failed)
        return failed;
    event->item.place = *place;
    /* The published text begins with the event as it was written, so a position in it holds. */
    if (message.tenant.len > 0) {
        const char *tenant = event->message.data + (message.tenant.data - message.event.data);
        event->publication.tenant = (struct base_slice){tenant, message.tenant.len};
    }
    return BASE_OK;
}
