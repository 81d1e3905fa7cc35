/* SPDX-License-Identifier: ISC */
#include "arda/envelope.h"

#include "base/err.h"

#include <string.h>

static int add_string(struct base_buf *out, const char *key, struct base_slice value)
{
    return base_buf_add_text(out, key) | base_json_quote(out, value.data, value.len);
}

int arda_envelope_write(struct base_buf *out, const struct arda_envelope *envelope)
{
    const struct base_json_value *version = &envelope->schema_version;
    bool given = version->kind == BASE_JSON_NUMBER;
    size_t before = out->len;
    int failed = add_string(out, "{\"id\":", envelope->id);
    failed |= base_buf_add_text(out, ",\"schemaVersion\":");
    failed |= base_buf_add(out, given ? version->text : "1", given ? version->len : 1);
    failed |= add_string(out, ",\"source\":", envelope->source);
    if (envelope->correlation_id.len > 0)
        failed |= add_string(out, ",\"correlationId\":", envelope->correlation_id);
    failed |= add_string(out, ",\"timestamp\":", envelope->timestamp);
    if (envelope->replayed)
        failed |= base_buf_add_text(out, ",\"replayed\":true");
    failed |= base_buf_add_text(out, ",\"event\":");
    failed |= base_buf_add(out, envelope->event.data, envelope->event.len);
    failed |= base_buf_add_byte(out, '}');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

/* ---- members of an event ---- */

static int add_value(struct base_buf *out, const struct arda_member *member)
{
    return member->literal ? base_buf_add(out, member->value.data, member->value.len)
                           : base_json_quote(out, member->value.data, member->value.len);
}

/* The one to be exchanged that stands first at or behind `at`; `count` when there is none. */
static size_t next_exchange(const struct arda_member *members, const struct base_json_member *has,
                            size_t count, const char *at)
{
    size_t next = count;
    for (size_t i = 0; i < count; i++) {
        const struct base_json_value *value = &has[i].value;
        if (members[i].replace && value->kind != BASE_JSON_ABSENT && value->text >= at &&
            (next == count || value->text < has[next].value.text))
            next = i;
    }
    return next;
}

static int add_exchanged(struct base_buf *out, const struct base_json_value *event,
                         const struct arda_member *members, const struct base_json_member *has,
                         size_t count)
{
    const char *at = event->text, *end = event->text + event->len - 1;
    size_t next;
    int failed = 0;
    while ((next = next_exchange(members, has, count, at)) < count) {
        const struct base_json_value *value = &has[next].value;
        failed |= base_buf_add(out, at, (size_t)(value->text - at));
        failed |= add_value(out, &members[next]);
        at = value->text + value->len;
    }
    return failed | base_buf_add(out, at, (size_t)(end - at));
}

int arda_event_put(struct base_buf *out, const struct base_json_value *event,
                   const struct arda_member *members, size_t count)
{
    struct base_json_member has[ARDA_MEMBERS_MAX] = {0};
    struct base_json_iter iter;
    struct base_json_value ignored;
    size_t before = out->len;
    base_assert(count <= ARDA_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++) {
        has[i].key = members[i].key;
        has[i].key_len = strlen(members[i].key);
    }
    base_assert(base_json_pick(event->text, event->len, has, count, NULL, NULL) == 0);
    base_json_iter_init(&iter, event);
    bool first = !base_json_iter_next(&iter, NULL, &ignored);
    int failed = add_exchanged(out, event, members, has, count);
    for (size_t i = 0; i < count; i++) {
        if (has[i].value.kind != BASE_JSON_ABSENT)
            continue;
        failed |= base_buf_add_text(out, first ? "" : ",");
        failed |= base_json_quote(out, has[i].key, has[i].key_len);
        failed |= base_buf_add_byte(out, ':') | add_value(out, &members[i]);
        first = false;
    }
    failed |= base_buf_add_byte(out, '}');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}
