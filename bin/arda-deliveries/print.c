/* SPDX-License-Identifier: ISC
 *
 * Printing deliveries: as JSON, or for a person:
 *
 *     2026-02-08 13:00:00  019c3d5e-…  ann  email    failed     3  no e-mail address
 */
#include "arda-deliveries/deliveries.h"

#include "base/clock.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

void tool_print(struct tool *tool, int failed)
{
    if (failed)
        app_tool_out_of_memory(&tool->base);
    else if (!tool->base.ending)
        app_tool_write(&tool->base, tool->line.data, tool->line.len);
    tool->line.len = 0;
}

int print_ms(struct base_buf *out, int64_t ms)
{
    char text[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(ms, text);
    return base_text_time(out, text, BASE_RFC3339_LEN);
}

static int add_clean(struct base_buf *out, struct base_slice text)
{
    if (!base_utf8_valid(text.data, text.len))
        return base_buf_add_byte(out, '?');
    return base_text_clean(out, text.data, text.len);
}

static int add_moment(struct base_buf *out, const char *before, struct base_slice time)
{
    return base_buf_add_text(out, before) | base_text_time(out, time.data, time.len);
}

/* Since when one that does not go out is due; a lease that is over does not count. */
static struct base_slice due_at(const struct arda_delivery_record *record)
{
    return record->leased_until.len > 0 ? record->leased_until : record->next_attempt_at;
}

/* How long it has been due. */
static int add_age(struct base_buf *out, const struct arda_delivery_record *record)
{
    char age[BASE_TEXT_AGE_MAX];
    int64_t since_ms, now_ms = base_clock_wall_ms();
    struct base_slice since = due_at(record);
    if (base_rfc3339_parse(since.data, since.len, &since_ms) < 0)
        since_ms = now_ms;
    return base_buf_add_text(out, base_text_age(now_ms - since_ms, age));
}

/* What is to come of one that is pending. */
static int add_next(struct base_buf *out, const struct arda_delivery_record *record)
{
    if (record->obstacle.len > 0) {
        int failed = add_moment(out, ", due since ", due_at(record));
        failed |= base_buf_add_text(out, " (") | add_age(out, record);
        return failed | base_buf_add_text(out, "): ") | add_clean(out, record->obstacle);
    }
    if (record->leased_until.len > 0)
        return add_moment(out, ", under way, until ", record->leased_until);
    if (record->digest_id.len > 0) {
        int failed = add_moment(out, ", held until ", record->held_until);
        return failed | base_buf_add_text(out, " in digest ") | add_clean(out, record->digest_id);
    }
    if (record->next_attempt_at.len > 0)
        return add_moment(out, ", next attempt ", record->next_attempt_at);
    return BASE_OK;
}

int print_state(struct base_buf *out, const struct arda_delivery_record *record)
{
    int failed = base_buf_add_text(out, arda_delivery_status_name(record->status));
    if (record->delivered_at.len > 0)
        failed |= add_moment(out, " ", record->delivered_at);
    failed |= base_buf_printf(out, ", %" PRIu64 " attempt%s", record->attempt_count,
                              record->attempt_count == 1 ? "" : "s");
    if (record->status == ARDA_DELIVERY_PENDING)
        failed |= add_next(out, record);
    else if (record->digest_id.len > 0)
        failed |= base_buf_add_text(out, ", in digest ") | add_clean(out, record->digest_id);
    if (record->last_error.len > 0)
        failed |= base_buf_add_text(out, ": ") | add_clean(out, record->last_error);
    return failed;
}

/* ---- attempts ---- */

struct attempts {
    struct base_buf *out;
    int blanks;
    int failed;
};

static void on_attempt(void *data, const struct arda_delivery_attempt *attempt)
{
    struct attempts *attempts = data;
    struct base_buf *out = attempts->out;
    attempts->failed |= base_buf_printf(out, "%*s", attempts->blanks, "");
    attempts->failed |= base_text_time(out, attempt->at.data, attempt->at.len);
    if (attempt->status > 0)
        attempts->failed |= base_buf_printf(out, "  %3d  ", attempt->status);
    else
        attempts->failed |= base_buf_add_text(out, "    -  ");
    attempts->failed |= base_text_value(out, &attempt->text);
    attempts->failed |= base_buf_printf(out, " (%" PRId64 " ms)\n", attempt->duration_ms);
}

int print_attempts(struct base_buf *out, const struct arda_delivery_record *record, int blanks)
{
    struct attempts attempts = {out, blanks, BASE_OK};
    arda_delivery_attempts(record->attempts, on_attempt, &attempts);
    return attempts.failed;
}

/* ---- a line ---- */

static int add_line(struct tool *tool, const struct arda_delivery_record *record)
{
    struct base_buf *out = &tool->line;
    int failed = base_text_time(out, record->created_at.data, record->created_at.len);
    failed |= base_buf_add_text(out, "  ") | add_clean(out, record->id);
    failed |= base_buf_add_text(out, "  ");
    if (!tool->settings.tenant)
        failed |= add_clean(out, record->tenant) | base_buf_add_byte(out, ' ');
    failed |= add_clean(out, record->user);
    failed |=
        base_buf_printf(out, "  %-7s  %-9s  %2" PRIu64, arda_notify_channel_name(record->channel),
                        arda_delivery_status_name(record->status), record->attempt_count);
    if (record->obstacle.len > 0) {
        failed |= base_buf_add_text(out, "  due for ") | add_age(out, record);
        failed |= base_buf_add_text(out, ": ") | add_clean(out, record->obstacle);
    }
    if (record->last_error.len > 0)
        failed |= base_buf_add_text(out, "  ") | add_clean(out, record->last_error);
    return failed;
}

void tool_print_record(struct tool *tool, const struct arda_delivery_record *record)
{
    int failed = tool->settings.json ? arda_delivery_record_write(&tool->line, record)
                                     : add_line(tool, record);
    tool->printed++;
    tool_print(tool, failed | base_buf_add_byte(&tool->line, '\n'));
}
