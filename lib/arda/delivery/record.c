/* SPDX-License-Identifier: ISC
 *
 * A record as a line of JSON, and its attempts one by one.
 */
#include "arda/delivery/read.h"

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int add_text(struct base_buf *out, const char *name, struct base_slice text)
{
    int failed = base_buf_printf(out, ",\"%s\":", name);
    if (text.len == 0 || !base_utf8_valid(text.data, text.len))
        return failed | base_buf_add_text(out, "null");
    return failed | base_json_quote(out, text.data, text.len);
}

/* As it stands, if it is of the kind; else `other`. */
static int add_json(struct base_buf *out, const char *name, struct base_slice json,
                    enum base_json_kind kind, const char *other)
{
    struct base_json_value value;
    int failed = base_buf_printf(out, ",\"%s\":", name);
    if (json.len == 0 || base_json_check(json.data, json.len, &value, NULL) < 0 ||
        value.kind != kind)
        return failed | base_buf_add_text(out, other);
    return failed | base_text_flat(out, (struct base_slice){value.text, value.len});
}

int arda_delivery_record_write(struct base_buf *out, const struct arda_delivery_record *record)
{
    size_t before = out->len;
    const char *channel = arda_notify_channel_name(record->channel);
    const char *status = arda_delivery_status_name(record->status);
    int failed = base_buf_add_text(out, "{\"id\":");
    failed |= base_json_quote(out, record->id.data, record->id.len);
    failed |= add_text(out, "tenantId", record->tenant);
    failed |= add_text(out, "notificationId", record->notification_id);
    failed |= add_text(out, "userId", record->user);
    failed |= add_text(out, "channel", (struct base_slice){channel, strlen(channel)});
    failed |= add_text(out, "type", record->type);
    failed |= add_text(out, "status", (struct base_slice){status, strlen(status)});
    failed |= base_buf_printf(out, ",\"attemptCount\":%" PRIu64, record->attempt_count);
    failed |= add_text(out, "lastAttemptAt", record->last_attempt_at);
    failed |= add_text(out, "lastError", record->last_error);
    failed |= add_text(out, "deliveredAt", record->delivered_at);
    failed |= add_text(out, "nextAttemptAt", record->next_attempt_at);
    failed |= add_text(out, "leasedUntil", record->leased_until);
    failed |= add_text(out, "obstacle", record->obstacle);
    failed |= add_text(out, "heldUntil", record->held_until);
    failed |= add_text(out, "createdAt", record->created_at);
    failed |= add_text(out, "updatedAt", record->updated_at);
    failed |= add_text(out, "digestId", record->digest_id);
    failed |= base_buf_printf(out, ",\"items\":%" PRIu64, record->items);
    failed |= add_json(out, "attempts", record->attempts, BASE_JSON_ARRAY, "[]");
    failed |= add_json(out, "notification", record->notification, BASE_JSON_OBJECT, "null");
    failed |= add_text(out, "cause", record->cause) | base_buf_add_byte(out, '}');
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

/* ---- attempts ---- */

static int64_t whole(const struct base_json_value *value)
{
    double number = 0;
    if (value->kind != BASE_JSON_NUMBER || base_json_double(value, &number) < 0 || number < 0 ||
        number > 1e15)
        return 0;
    return (int64_t)number;
}

void arda_delivery_attempts(struct base_slice attempts,
                            void (*visit)(void *data, const struct arda_delivery_attempt *attempt),
                            void *data)
{
    enum member { AT, STATUS, TEXT, DURATION, MEMBERS };
    static const struct base_json_member wanted[MEMBERS] = {
        [AT] = BASE_JSON_WANT("at"),
        [STATUS] = BASE_JSON_WANT("status"),
        [TEXT] = BASE_JSON_WANT("text"),
        [DURATION] = BASE_JSON_WANT("durationMs"),
    };
    struct base_json_iter iter;
    struct base_json_value list, one;
    if (attempts.len == 0 || base_json_check(attempts.data, attempts.len, &list, NULL) < 0 ||
        list.kind != BASE_JSON_ARRAY)
        return;
    base_json_iter_init(&iter, &list);
    while (base_json_iter_next(&iter, NULL, &one)) {
        struct base_json_member found[MEMBERS];
        struct arda_delivery_attempt attempt = {0};
        memcpy(found, wanted, sizeof found);
        if (one.kind != BASE_JSON_OBJECT ||
            base_json_pick(one.text, one.len, found, MEMBERS, NULL, NULL) < 0 ||
            !base_json_plain(&found[AT].value, &attempt.at))
            continue;
        attempt.status = (int)(whole(&found[STATUS].value) % 1000);
        attempt.duration_ms = whole(&found[DURATION].value);
        if (found[TEXT].value.kind == BASE_JSON_STRING)
            attempt.text = found[TEXT].value;
        visit(data, &attempt);
    }
}
