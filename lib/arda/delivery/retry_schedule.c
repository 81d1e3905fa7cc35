/* SPDX-License-Identifier: ISC */
#include "arda/delivery/retry_schedule.h"

#include "base/opt_values.h"

#include <string.h>

#define DURATION_MAX 24

static int parse_pause(const char *text, size_t len, int64_t *pause_ms, struct base_why *why)
{
    char duration[DURATION_MAX];
    if (len >= sizeof duration)
        return base_why_set(why, BASE_ERR_INVALID, "expected a duration, got `%.*s'", DURATION_MAX,
                            text);
    memcpy(duration, text, len);
    duration[len] = '\0';
    return base_opt_parse_duration(duration, pause_ms, why);
}

int arda_retry_schedule_parse(const char *text, struct arda_retry_schedule *schedule,
                              struct base_why *why)
{
    struct arda_retry_schedule parsed = {0};
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        if (parsed.count == ARDA_RETRY_MAX)
            return base_why_set(why, BASE_ERR_INVALID, "expected at most %d durations",
                                ARDA_RETRY_MAX);
        int failed = parse_pause(at, len, &parsed.pause_ms[parsed.count++], why);
        if (failed)
            return failed;
        at += len;
        if (!*at)
            break;
    }
    *schedule = parsed;
    return BASE_OK;
}

int64_t arda_retry_schedule_pause(const struct arda_retry_schedule *schedule, unsigned attempts,
                                  int64_t least_ms, uint32_t random)
{
    if (attempts >= schedule->count)
        return -1;
    int64_t pause_ms = schedule->pause_ms[attempts];
    if (pause_ms < least_ms)
        pause_ms = least_ms;
    return pause_ms + (int64_t)(random % ((uint64_t)pause_ms / 5 + 1));
}

int64_t arda_retry_schedule_span(const struct arda_retry_schedule *schedule)
{
    int64_t span_ms = 0;
    for (unsigned i = 0; i < schedule->count; i++)
        if (__builtin_add_overflow(span_ms, schedule->pause_ms[i], &span_ms))
            return INT64_MAX;
    return span_ms;
}
