/* SPDX-License-Identifier: ISC */
#include "base/timeline.h"

#include <stddef.h>

#define MOST_US INT64_C(1000000000000000000) /* 31,000 years: nobody waits for more */

static int64_t at_most(double us)
{
    return us < (double)MOST_US ? (int64_t)us : MOST_US;
}

/* The pause before an event, as recorded, in microseconds. */
static int64_t pause_us(const struct base_timeline *timeline, int64_t time_ms)
{
    /* Without a sign, since times of different eras may lie further apart than an int64_t tells. */
    uint64_t pause_ms = (uint64_t)time_ms - (uint64_t)timeline->latest_ms;
    int64_t us = at_most((double)pause_ms * 1000);
    if (timeline->max_pause_ms > 0) {
        int64_t most = at_most((double)timeline->max_pause_ms * 1000 * timeline->speed);
        us = us < most ? us : most;
    }
    return us;
}

static bool read_time(struct base_timeline *timeline, int64_t time_ms)
{
    if (time_ms == BASE_TIMELINE_NO_TIME)
        return false;
    if (timeline->begun && time_ms < timeline->latest_ms)
        return true;
    if (timeline->begun) {
        timeline->recorded_us += pause_us(timeline, time_ms);
        if (timeline->recorded_us > MOST_US)
            timeline->recorded_us = MOST_US;
    }
    timeline->begun = true;
    timeline->latest_ms = time_ms;
    return false;
}

uint64_t base_timeline_next(struct base_timeline *timeline, int64_t time_ms, bool *behind)
{
    bool is_behind = read_time(timeline, time_ms);
    uint64_t before = timeline->count++;
    if (behind)
        *behind = is_behind;
    if (timeline->rate > 0)
        return (uint64_t)at_most((double)before * 1e6 / timeline->rate);
    if (timeline->speed > 0)
        return (uint64_t)at_most((double)timeline->recorded_us / timeline->speed);
    return 0;
}

void base_timeline_again(struct base_timeline *timeline)
{
    timeline->begun = false;
}

void base_timeline_resume(struct base_timeline *timeline, int64_t latest_ms)
{
    timeline->begun = true;
    timeline->latest_ms = latest_ms;
}
