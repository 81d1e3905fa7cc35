/* SPDX-License-Identifier: ISC
 *
 * Reading printed lines back. One pass over the line tells its form; the event inside is then read
 * as a message, which has the last word on what an event is.
 */
#include "arda/record.h"

#include "arda/name/keys.h"
#include "arda/tenant.h"
#include "arda/ws_type.h"
#include "base/err.h"

#include <string.h>

enum member { TYPE, EVENT, GAP, PAYLOAD, POSITION, CHANNEL, TENANT, EVENT_ID, TIMESTAMP, MEMBERS };

static const struct base_json_member wanted[MEMBERS] = {
    [TYPE] = BASE_JSON_WANT("type"),
    [EVENT] = BASE_JSON_WANT("event"),
    [GAP] = BASE_JSON_WANT("gap"),
    [PAYLOAD] = BASE_JSON_WANT("payload"),
    [POSITION] = BASE_JSON_WANT("position"),
    [CHANNEL] = BASE_JSON_WANT("channel"),
    [TENANT] = BASE_JSON_WANT("tenantId"),
    [EVENT_ID] = BASE_JSON_WANT("eventId"),
    [TIMESTAMP] = BASE_JSON_WANT("timestamp"),
};

static const struct base_slice nothing = {NULL, 0};

/* A line of the WS form says the type that its payload has; a bare event with a member `payload`
 * does not. */
static bool is_ws(const struct base_json_member found[static MEMBERS])
{
    if (found[PAYLOAD].value.kind != BASE_JSON_OBJECT)
        return false;
    const char *type = arda_ws_type(&found[PAYLOAD].value);
    return type && base_json_equals(&found[TYPE].value, type, strlen(type));
}

/* As arda_prefix_valid, of a text without an end. */
static bool is_prefix(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ':' && !arda_id_valid(&text[i], 1))
            return false;
    return len > 0 && len <= ARDA_PREFIX_MAX;
}

/* PREFIX:events:TENANT; of `global` the tenant is empty. */
static bool read_channel(struct base_slice channel, struct base_slice *tenant)
{
    static const char family[] = ":events";
    const char *last = memrchr(channel.data, ':', channel.len);
    size_t before = last ? (size_t)(last - channel.data) : 0, len = sizeof family - 1;
    if (before <= len || memcmp(last - len, family, len) != 0 ||
        !is_prefix(channel.data, before - len))
        return false;
    *tenant = (struct base_slice){last + 1, channel.len - before - 1};
    if (tenant->len == strlen("global") && memcmp(tenant->data, "global", tenant->len) == 0)
        *tenant = nothing;
    else if (!arda_tenant_valid(tenant->data, tenant->len))
        return false;
    return true;
}

/* Position and channel of a line that was printed. Members of these names in an envelope of another
 * origin mean something else, as their values, or that one of them is missing, show. */
static void read_place(const struct base_json_member found[static MEMBERS],
                       struct arda_record *record, struct base_slice *tenant)
{
    struct base_slice text, channel = nothing;
    struct arda_stream_id position = {0, 0};
    bool placed = found[POSITION].value.kind != BASE_JSON_ABSENT &&
                  found[CHANNEL].value.kind != BASE_JSON_ABSENT;
    if (placed && found[POSITION].value.kind != BASE_JSON_NULL)
        placed = base_json_plain(&found[POSITION].value, &text) &&
                 arda_stream_id_parse(text.data, text.len, &position);
    if (placed && found[CHANNEL].value.kind != BASE_JSON_NULL)
        placed = base_json_plain(&found[CHANNEL].value, &channel) && read_channel(channel, tenant);
    if (placed) {
        record->position = position;
        record->channel = channel;
    } else {
        *tenant = nothing;
    }
}

static enum arda_drop read_message(struct base_slice text, struct base_slice tenant,
                                   struct arda_record *record, struct base_json_error *error)
{
    return arda_message_parse(text.data, text.len, tenant.len ? tenant.data : NULL, tenant.len,
                              &record->message, error);
}

static enum arda_drop read_ws(const struct base_json_member found[static MEMBERS],
                              struct arda_record *record)
{
    const struct base_json_value *payload = &found[PAYLOAD].value;
    struct base_slice tenant = nothing, line = record->message.text;
    if (found[TENANT].value.kind == BASE_JSON_STRING &&
        !(base_json_plain(&found[TENANT].value, &tenant) &&
          arda_tenant_valid(tenant.data, tenant.len)))
        return ARDA_DROP_FOREIGN_TENANT;
    enum arda_drop drop =
        read_message((struct base_slice){payload->text, payload->len}, tenant, record, NULL);
    struct arda_message *message = &record->message;
    message->text = line;
    if (found[EVENT_ID].value.kind == BASE_JSON_STRING && found[EVENT_ID].value.len > 2)
        message->id = found[EVENT_ID].value;
    if (message->timestamp.kind == BASE_JSON_ABSENT)
        message->timestamp = found[TIMESTAMP].value;
    return drop;
}

enum arda_drop arda_record_parse(const char *line, size_t len, struct arda_record *record,
                                 struct base_json_error *error)
{
    struct base_json_member found[MEMBERS];
    struct base_slice text = {line, len}, tenant = nothing;
    memcpy(found, wanted, sizeof found);
    *record = (struct arda_record){.message = {.text = text}};
    int failed = base_json_pick(line, len, found, MEMBERS, NULL, error);
    if (failed)
        return failed == BASE_ERR_INVALID ? ARDA_DROP_NOT_OBJECT : ARDA_DROP_NOT_JSON;
    if (found[TYPE].value.kind == BASE_JSON_STRING) {
        bool ws = is_ws(found);
        record->form = ws ? ARDA_RECORD_WS : ARDA_RECORD_EVENT;
        return ws ? read_ws(found, record) : read_message(text, tenant, record, error);
    }
    if (found[EVENT].value.kind == BASE_JSON_OBJECT) {
        record->form = ARDA_RECORD_ENVELOPE;
        read_place(found, record, &tenant);
        return read_message(text, tenant, record, error);
    }
    if (found[GAP].value.kind != BASE_JSON_OBJECT)
        return ARDA_DROP_NO_TYPE;
    record->form = ARDA_RECORD_GAP;
    record->gap = found[GAP].value;
    return ARDA_DROP_NONE;
}
