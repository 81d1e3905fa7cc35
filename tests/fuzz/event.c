/* SPDX-License-Identifier: ISC
 *
 * arda/message, event_check, envelope: what is taken for an event lies in the text; completing it
 * gives an event that is complete, begins as the text did, and stands being wrapped and read again.
 */
#include "arda/event.h"
#include "arda/envelope.h"
#include "arda/ws_type.h"

#include "lib/fuzz.h"

static const char now[] = "2026-02-08T12:00:00.000Z", id[] = "0195f3a0-0000-7000-8000-000000000001";

static void count(void *data, const char *field, const char *text)
{
    FUZZ_CHECK(*field && *text);
    ++*(size_t *)data;
}

static void check_inside(struct base_slice part, const char *text, size_t size)
{
    FUZZ_CHECK(part.len == 0 || (part.data >= text && part.data + part.len <= text + size));
}

static void check_fields(const struct base_json_value *event, bool loose_ids)
{
    for (const struct arda_event_type *type = arda_event_types; type->name; type++) {
        size_t complaints = 0;
        size_t wrong = arda_event_check(type, event, loose_ids, count, &complaints);
        FUZZ_CHECK(wrong == complaints);
    }
    (void)arda_ws_type(event);
}

static const struct arda_member missing[] = {
    {"timestamp", {now, sizeof now - 1}, false, false},
    {"eventId", {id, sizeof id - 1}, false, false},
    {"schemaVersion", {"1", 1}, true, false},
};

/* Members that are there are exchanged, and the text stays valid. */
static void exchange(const struct base_json_value *event)
{
    struct arda_member members[3];
    struct base_json_member has[] = {BASE_JSON_WANT("timestamp"), BASE_JSON_WANT("eventId"),
                                     BASE_JSON_WANT("schemaVersion")};
    struct base_buf out = BASE_BUF_INIT;
    memcpy(members, missing, sizeof members);
    for (size_t i = 0; i < 3; i++)
        members[i].replace = true;
    FUZZ_CHECK(arda_event_put(&out, event, members, 3) == 0);
    FUZZ_CHECK(base_json_pick(out.data, out.len, has, 3, NULL, NULL) == 0);
    FUZZ_CHECK(base_json_equals(&has[0].value, now, sizeof now - 1));
    FUZZ_CHECK(base_json_equals(&has[1].value, id, sizeof id - 1));
    FUZZ_CHECK(has[2].value.len == 1 && has[2].value.text[0] == '1');
    base_buf_fini(&out);
}

/* The event completed, in `out`. */
static void complete(const struct base_json_value *event, struct base_buf *out)
{
    struct base_json_member has[] = {BASE_JSON_WANT("timestamp"), BASE_JSON_WANT("eventId"),
                                     BASE_JSON_WANT("schemaVersion")};
    FUZZ_CHECK(arda_event_put(out, event, missing, 3) == 0);
    FUZZ_CHECK(memcmp(out->data, event->text, event->len - 1) == 0);
    FUZZ_CHECK(base_json_pick(out->data, out->len, has, 3, NULL, NULL) == 0);
    for (size_t i = 0; i < 3; i++)
        FUZZ_CHECK(has[i].value.kind != BASE_JSON_ABSENT);
}

static void wrap(struct base_slice event)
{
    struct arda_envelope envelope = {.id = {id, sizeof id - 1},
                                     .source = {"fuzz", 4},
                                     .timestamp = {now, sizeof now - 1},
                                     .event = event};
    struct arda_message message;
    struct base_buf out = BASE_BUF_INIT;
    FUZZ_CHECK(arda_envelope_write(&out, &envelope) == 0);
    enum arda_drop drop = arda_message_parse(out.data, out.len, NULL, 0, &message, NULL);
    FUZZ_CHECK(drop == ARDA_DROP_NONE || drop == ARDA_DROP_FOREIGN_TENANT ||
               drop == ARDA_DROP_NOT_JSON); /* one level deeper than is allowed */
    if (drop != ARDA_DROP_NOT_JSON)
        FUZZ_CHECK(message.event.len == event.len &&
                   memcmp(message.event.data, event.data, event.len) == 0);
    base_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct arda_message message;
    enum arda_drop drop = arda_message_parse(text, size, NULL, 0, &message, NULL);
    struct arda_message of_channel;
    enum arda_drop on_channel = arda_message_parse(text, size, "t1", 2, &of_channel, NULL);
    FUZZ_CHECK((drop == ARDA_DROP_NOT_JSON) == (on_channel == ARDA_DROP_NOT_JSON));
    if (drop != ARDA_DROP_NONE && drop != ARDA_DROP_FOREIGN_TENANT)
        return 0;
    check_inside(message.event, text, size);
    if (drop == ARDA_DROP_NONE)
        check_inside(message.tenant, text, size);
    struct base_json_value event = {BASE_JSON_OBJECT, message.event.data, message.event.len};
    check_fields(&event, size % 2);
    struct base_buf completed = BASE_BUF_INIT;
    complete(&event, &completed);
    exchange(&event);
    wrap((struct base_slice){completed.data, completed.len});
    base_buf_fini(&completed);
    return 0;
}
