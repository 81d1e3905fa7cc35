/* SPDX-License-Identifier: ISC
 *
 * Notification and event go out as they are in Redis: their texts are spliced, not parsed.
 */
#include "arda/webhook/body.h"

#include "base/err.h"
#include "base/json.h"
#include "base/rfc3339.h"

static struct base_slice object_or_null(struct base_slice text)
{
    struct base_json_value value;
    bool is_object = text.len > 0 && base_json_check(text.data, text.len, &value, NULL) == 0 &&
                     value.kind == BASE_JSON_OBJECT;
    return is_object ? text : (struct base_slice){"null", 4};
}

int arda_webhook_body_add(struct base_buf *out, struct base_slice notification,
                          struct base_slice event, int64_t at_ms)
{
    struct base_slice row = object_or_null(notification), cause = object_or_null(event);
    char at[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(at_ms, at);
    int failed = base_buf_printf(
        out, "{\"type\":\"notification.created\",\"timestamp\":\"%s\",\"notification\":", at);
    failed |= base_buf_add(out, row.data, row.len) | base_buf_add_text(out, ",\"event\":");
    failed |= base_buf_add(out, cause.data, cause.len) | base_buf_add_byte(out, '}');
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}
