/* SPDX-License-Identifier: ISC
 *
 * A line of input becomes a publication: parsed in either form, completed by splicing, checked, and
 * marked so that it happens once. Everything that is wrong is said, each thing on a line of its
 * own.
 *
 * Where the id comes from decides on the mark. One that the line has, or that follows from
 * --idempotency-key, marks itself. A new one is numbered by this run. A line of --unsent brings the
 * number that an earlier run has given it.
 */
#include "arda-publish/publish.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RUN_MARKS_LEAST_MS 3600000 /* the marks of a run stay so long even with --dedupe-for=0 */

static int refuse(const struct base_place *place, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(place, where), text);
    return BASE_ERR_SYNTAX;
}

/* ---- checking ---- */

static int refuse_form(const struct publisher *publisher, enum arda_drop drop,
                       const struct base_json_error *error)
{
    const struct base_place *place = &publisher->place;
    char text[256];
    if (!app_input_may_complain(publisher->input))
        return BASE_ERR_SYNTAX;
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

struct complaint {
    const struct base_place *place;
    const char *prefix;
};

static void complain(void *data, const char *field, const char *text)
{
    const struct complaint *complaint = data;
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s%s: %s", base_place_text(complaint->place, where),
             complaint->prefix, field, text);
}

size_t prepare_check(const struct publisher *publisher, const struct base_place *place,
                     const char *prefix, const struct arda_event_type *type,
                     struct base_slice event)
{
    struct complaint complaint = {place, prefix};
    struct base_json_value value = {BASE_JSON_OBJECT, event.data, event.len};
    return arda_event_check(type, &value, publisher->settings.loose_ids, complain, &complaint);
}

/* The completed event, so that what was filled in is not missed. A type with a map is known by its
 * older form. */
static int check(const struct publisher *publisher, struct base_slice name,
                 const struct downgrade *map, struct base_slice event, enum arda_drop drop)
{
    const struct arda_event_type *type = arda_event_find(name.data, name.len);
    bool known = type || map || publisher->settings.allow_unknown;
    if (!known || name.len == 0)
        return refuse_type(&publisher->place, name);
    if (prepare_check(publisher, &publisher->place, "", type, event) > 0)
        return BASE_ERR_SYNTAX;
    if (drop == ARDA_DROP_FOREIGN_TENANT)
        return refuse(&publisher->place, "tenantId: not the id of a tenant");
    return BASE_OK;
}

/* One form of the event, as it travels on a channel. */
static int check_size(const struct publisher *publisher, const struct arda_publication *publication)
{
    char text[96];
    size_t most = (size_t)publisher->settings.max_event, len = publication->message.len;
    if (len <= most)
        return BASE_OK;
    snprintf(text, sizeof text, "the event has %zu bytes, more than --max-event=%zu", len, most);
    return refuse(&publisher->place, text);
}

/* ---- ids and marks ---- */

/* The id follows from the key and the line; of identical lines, from their ordinal, too. */
static int derive_id(struct publisher *publisher, struct base_slice line,
                     char id[static BASE_UUID_LEN + 1])
{
    const char *key = publisher->settings.idempotency_key;
    struct base_buf *scratch = &publisher->scratch;
    int failed = base_id_derive(key, strlen(key), line.data, line.len, id);
    if (failed)
        return failed;
    uintptr_t before = (uintptr_t)base_map_get(&publisher->ordinals, id, BASE_UUID_LEN);
    if (base_map_set(&publisher->ordinals, id, BASE_UUID_LEN, (void *)(before + 1)) < 0)
        return BASE_ERR_NOMEM;
    if (before == 0)
        return BASE_OK;
    scratch->len = 0;
    if (base_buf_add(scratch, line.data, line.len) < 0 ||
        base_buf_printf(scratch, "\n%" PRIuPTR, before + 1) < 0)
        return BASE_ERR_NOMEM;
    return base_id_derive(key, strlen(key), scratch->data, scratch->len, id);
}

/* "RUN/NUMBER", as --unsent writes it; anything else is somebody else's and ignored. */
static bool read_earlier_mark(const struct arda_message *message, struct outgoing *event)
{
    struct base_json_member member = BASE_JSON_WANT("publication");
    const struct base_json_value *envelope = &message->envelope;
    char text[BASE_UUID_LEN + 17];
    uint64_t number = 0;
    if (envelope->kind != BASE_JSON_OBJECT)
        return false;
    base_json_pick(envelope->text, envelope->len, &member, 1, NULL, NULL);
    ssize_t len = base_json_copy(&member.value, text, sizeof text); /* "/" may be written "\/" */
    if (len < BASE_UUID_LEN + 2 || !base_id_is_uuid(text, BASE_UUID_LEN) ||
        text[BASE_UUID_LEN] != '/')
        return false;
    for (ssize_t i = BASE_UUID_LEN + 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    memcpy(event->run, text, BASE_UUID_LEN);
    event->publication.number = number;
    event->publication.again = true;
    return true;
}

static void mark(struct publisher *publisher, const struct arda_message *message, bool given,
                 struct outgoing *event)
{
    struct arda_publication *publication = &event->publication;
    uint64_t dedupe_for_ms = (uint64_t)publisher->settings.dedupe_for;
    memset(event->run, 0, sizeof event->run);
    publication->dedupe_for_ms = dedupe_for_ms;
    if (given && !read_earlier_mark(message, event) && dedupe_for_ms > 0)
        return;
    if (dedupe_for_ms < RUN_MARKS_LEAST_MS)
        publication->dedupe_for_ms = RUN_MARKS_LEAST_MS;
    if (!event->run[0]) {
        memcpy(event->run, publisher->run, sizeof event->run);
        publication->number = publisher->numbered = event->item.number;
    }
    publication->run = (struct base_slice){event->run, BASE_UUID_LEN};
}

/* ---- all of it ---- */

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, text ? strlen(text) : 0};
}

static struct arda_overrides overrides_of(const struct settings *settings)
{
    return (struct arda_overrides){
        .source = slice(settings->source),
        .correlation_id = slice(settings->correlation_id),
        .missing_tenant = slice(settings->tenant),
        .missing_source = slice(PROGRAM),
        .wrap = settings->envelope,
        .no_stream = settings->no_stream,
        .max_len = (uint64_t)settings->stream_maxlen,
    };
}

int prepare(struct publisher *publisher, struct base_slice line, struct outgoing *event)
{
    struct arda_message message;
    struct base_json_error error = {0};
    struct base_slice text;
    struct arda_overrides overrides = overrides_of(&publisher->settings);
    char id[BASE_UUID_LEN + 1];
    enum arda_drop drop = arda_message_parse(line.data, line.len, NULL, 0, &message, &error);
    if (drop != ARDA_DROP_NONE && drop != ARDA_DROP_FOREIGN_TENANT)
        return refuse_form(publisher, drop, &error);
    bool given = message.id.kind != BASE_JSON_ABSENT;
    int failed = 0;
    if (!given && publisher->settings.idempotency_key) {
        failed = derive_id(publisher, line, id);
        overrides.missing_id = (struct base_slice){id, BASE_UUID_LEN};
        given = true;
    }
    if (!failed)
        failed =
            arda_publication_make(&message, &overrides, &event->texts, &event->publication, &text);
    if (failed)
        return failed;
    struct downgrade *map = downgrade_find(publisher, event->publication.type);
    failed = check(publisher, event->publication.type, map, text, drop);
    if (!failed)
        failed = check_size(publisher, &event->publication);
    if (!failed && map)
        failed = downgrade_add(publisher, map, text, &overrides, event);
    if (!failed && event->publication.also)
        failed = check_size(publisher, event->publication.also);
    if (!failed)
        mark(publisher, &message, given, event);
    return failed;
}
