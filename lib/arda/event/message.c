/* SPDX-License-Identifier: ISC */
#include "arda/message.h"

#include "arda/tenant.h"
#include "base/err.h"
#include "base/names.h"

#include <string.h>

BASE_NAME_FUNCTION(arda_drop_name, enum arda_drop, ARDA_DROP_MAP, BASE_NAME_SECOND, "none")
BASE_NAME_FUNCTION(arda_drop_text, enum arda_drop, ARDA_DROP_MAP, BASE_NAME_THIRD, "nothing wrong")

/* The members of either form that matter here. */
enum member { TYPE, TENANT, EVENT_ID, TIMESTAMP, EVENT, ID, MEMBERS };

static const struct base_json_member wanted[MEMBERS] = {
    [TYPE] = BASE_JSON_WANT("type"),        [TENANT] = BASE_JSON_WANT("tenantId"),
    [EVENT_ID] = BASE_JSON_WANT("eventId"), [TIMESTAMP] = BASE_JSON_WANT("timestamp"),
    [EVENT] = BASE_JSON_WANT("event"),      [ID] = BASE_JSON_WANT("id"),
};

static struct base_json_value as_id(const struct base_json_value *value)
{
    bool usable = value->kind == BASE_JSON_STRING && value->len > 2;
    return usable ? *value : (struct base_json_value){BASE_JSON_ABSENT, NULL, 0};
}

/* Whose event it is. An empty tenantId is none, as other publishers write it. */
static enum arda_drop read_tenant(const struct base_json_value *value, struct base_slice channel,
                                  struct base_slice *tenant)
{
    struct base_slice named;
    *tenant = channel;
    if (value->kind == BASE_JSON_ABSENT || (value->kind == BASE_JSON_STRING && value->len == 2))
        return ARDA_DROP_NONE;
    if (channel.len > 0)
        return base_json_equals(value, channel.data, channel.len) ? ARDA_DROP_NONE
                                                                  : ARDA_DROP_FOREIGN_TENANT;
    if (!base_json_plain(value, &named) || !arda_tenant_valid(named.data, named.len))
        return ARDA_DROP_FOREIGN_TENANT;
    *tenant = named;
    return ARDA_DROP_NONE;
}

enum arda_drop arda_message_parse(const char *text, size_t len, const char *tenant,
                                  size_t tenant_len, struct arda_message *message,
                                  struct base_json_error *error)
{
    struct base_json_member found[MEMBERS];
    struct base_json_value object;
    struct base_slice channel = {tenant, tenant ? tenant_len : 0};
    memcpy(found, wanted, sizeof found);
    *message = (struct arda_message){.text = {text, len}};
    int failed = base_json_pick(text, len, found, MEMBERS, &object, error);
    if (failed)
        return failed == BASE_ERR_INVALID ? ARDA_DROP_NOT_OBJECT : ARDA_DROP_NOT_JSON;
    if (found[TYPE].value.kind != BASE_JSON_STRING) {
        if (found[EVENT].value.kind != BASE_JSON_OBJECT)
            return ARDA_DROP_NO_TYPE;
        message->envelope = object;
        message->id = as_id(&found[ID].value);
        object = found[EVENT].value;
        memcpy(found, wanted, sizeof found);
        if (base_json_pick(object.text, object.len, found, EVENT, NULL, NULL) < 0 ||
            found[TYPE].value.kind != BASE_JSON_STRING)
            return ARDA_DROP_NO_TYPE;
    }
    if (message->id.kind == BASE_JSON_ABSENT)
        message->id = as_id(&found[EVENT_ID].value);
    message->event = (struct base_slice){object.text, object.len};
    message->type = found[TYPE].value;
    message->timestamp = found[TIMESTAMP].value;
    return read_tenant(&found[TENANT].value, channel, &message->tenant);
}
