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

/* Puts `key` and a string behind what is there, or a `literal` that is JSON as it stands. */
static int add_member(struct base_buf *out, bool *first, const char *key, struct base_slice value,
                      const char *literal)
{
    int failed = base_buf_add_text(out, *first ? "" : ",") | base_buf_add_text(out, key);
    *first = false;
    return failed | (literal ? base_buf_add_text(out, literal)
                             : base_json_quote(out, value.data, value.len));
}

int arda_event_complete(struct base_buf *out, const struct base_json_value *event,
                        const struct arda_completion *completion)
{
    struct base_json_member has[] = {BASE_JSON_WANT("timestamp"), BASE_JSON_WANT("eventId"),
                                     BASE_JSON_WANT("schemaVersion")};
    struct base_json_iter iter;
    struct base_json_value member;
    size_t before = out->len;
    base_assert(base_json_pick(event->text, event->len, has, 3, NULL, NULL) == 0);
    base_json_iter_init(&iter, event);
    bool first = !base_json_iter_next(&iter, NULL, &member);
    int failed = base_buf_add(out, event->text, event->len - 1);
    if (has[0].value.kind == BASE_JSON_ABSENT)
        failed |= add_member(out, &first, "\"timestamp\":", completion->timestamp, NULL);
    if (has[1].value.kind == BASE_JSON_ABSENT)
        failed |= add_member(out, &first, "\"eventId\":", completion->event_id, NULL);
    if (has[2].value.kind == BASE_JSON_ABSENT)
        failed |= add_member(out, &first, "\"schemaVersion\":", (struct base_slice){NULL, 0}, "1");
    failed |= base_buf_add_byte(out, '}');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}
