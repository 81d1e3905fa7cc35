/* SPDX-License-Identifier: ISC */
#include "arda/when.h"

#include "base/id.h"
#include "base/opt_values.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_MS_NUMBER 100000000000 /* as seconds it would be the year 5138 */

/* DIGITS or DIGITS.DIGITS. */
static bool parse_epoch(const char *text, uint64_t *ms)
{
    size_t digits = strspn(text, "0123456789"), fraction = 0;
    if (digits == 0 || digits > 15)
        return false;
    if (text[digits] == '.' && (fraction = strspn(text + digits + 1, "0123456789")) == 0)
        return false;
    if (text[digits + (fraction ? fraction + 1 : 0)])
        return false;
    uint64_t number = strtoull(text, NULL, 10);
    if (number >= FIRST_MS_NUMBER) {
        *ms = number;
        return fraction == 0;
    }
    *ms = number * 1000;
    uint64_t scale = 100;
    for (size_t i = 0; i < fraction && scale > 0; i++, scale /= 10)
        *ms += (uint64_t)(text[digits + 1 + i] - '0') * scale;
    return true;
}

static bool parse_relative(const char *text, int64_t now_ms, uint64_t *ms)
{
    int64_t span_ms;
    if ((*text != '-' && *text != '+') || base_opt_parse_duration(text + 1, &span_ms, NULL) < 0)
        return false;
    int64_t at = *text == '-' ? now_ms - span_ms : now_ms + span_ms;
    *ms = at > 0 ? (uint64_t)at : 0;
    return true;
}

static bool parse_date(const char *text, uint64_t *ms)
{
    int64_t at;
    if (base_rfc3339_parse(text, strlen(text), &at) < 0)
        return false;
    *ms = at > 0 ? (uint64_t)at : 0;
    return true;
}

int arda_when_parse(const char *text, int64_t now_ms, struct arda_when *when, struct base_why *why)
{
    struct arda_when read = {.kind = ARDA_WHEN_NONE};
    size_t len = strlen(text);
    if (strcmp(text, "start") == 0) {
        read.kind = ARDA_WHEN_START;
    } else if (strcmp(text, "end") == 0) {
        read.kind = ARDA_WHEN_END;
    } else if (arda_stream_id_parse(text, len, &read.id)) {
        read.kind = ARDA_WHEN_ID;
    } else if (base_id_is_uuid(text, len)) {
        read.kind = ARDA_WHEN_EVENT;
        memcpy(read.event_id, text, len + 1);
    } else if (parse_epoch(text, &read.ms) || parse_relative(text, now_ms, &read.ms) ||
               parse_date(text, &read.ms)) {
        read.kind = ARDA_WHEN_TIME;
    } else {
        return base_why_set(why, BASE_ERR_INVALID,
                            "expected a time such as 2026-02-08T12:00:00Z, 1770552000 or -10m, a "
                            "stream id, an eventId, start or end, got `%s'",
                            text);
    }
    *when = read;
    return BASE_OK;
}

bool arda_when_first(const struct arda_when *when, struct arda_stream_id *first)
{
    switch (when->kind) {
    case ARDA_WHEN_START: *first = (struct arda_stream_id){0, 1}; return true;
    case ARDA_WHEN_TIME: *first = (struct arda_stream_id){when->ms, when->ms ? 0 : 1}; return true;
    case ARDA_WHEN_ID: *first = when->id; return true;
    default: return false;
    }
}

bool arda_when_last(const struct arda_when *when, struct arda_stream_id *last)
{
    switch (when->kind) {
    case ARDA_WHEN_TIME:
        *last = arda_stream_id_previous((struct arda_stream_id){when->ms, 0});
        return true;
    case ARDA_WHEN_ID: *last = when->id; return true;
    default: return false;
    }
}
