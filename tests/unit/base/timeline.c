/* SPDX-License-Identifier: ISC */
#include "base/timeline.h"

#include "lib/test.h"

static uint64_t next(struct base_timeline *timeline, int64_t time_ms)
{
    return base_timeline_next(timeline, time_ms, NULL);
}

static void keeps_recorded_pauses(void)
{
    struct base_timeline timeline = {.speed = 1};
    CHECK_INT(next(&timeline, 1770552000000), 0);
    CHECK_INT(next(&timeline, 1770552000000), 0);
    CHECK_INT(next(&timeline, 1770552000001), 1000);
    CHECK_INT(next(&timeline, 1770552003600), 3600000);
}

static void is_faster_and_slower(void)
{
    struct base_timeline fast = {.speed = 1000}, slow = {.speed = 0.01};
    CHECK_INT(next(&fast, 0), 0);
    CHECK_INT(next(&fast, 60000), 60000);
    CHECK_INT(next(&fast, 60001), 60001);
    CHECK_INT(next(&slow, 0), 0);
    CHECK_INT(next(&slow, 10), 1000000);
}

/* What is rounded at one event is not added to the next. */
static void does_not_drift(void)
{
    struct base_timeline timeline = {.speed = 3};
    uint64_t due = 0;
    for (int64_t i = 0; i <= 3000000; i++)
        due = next(&timeline, i);
    CHECK_INT(due, 1000000000);
    struct base_timeline paced = {.rate = 3};
    for (int i = 0; i <= 3000000; i++)
        due = next(&paced, 0);
    CHECK_INT(due, 1000000000000);
}

static void cuts_pauses_and_moves_what_is_behind(void)
{
    struct base_timeline timeline = {.speed = 2, .max_pause_ms = 1000};
    CHECK_INT(next(&timeline, 0), 0);
    CHECK_INT(next(&timeline, 2000), 1000000);    /* exactly the most */
    CHECK_INT(next(&timeline, 3602000), 2000000); /* an hour */
    CHECK_INT(next(&timeline, 3602500), 2250000);
}

static void tells_what_is_out_of_order(void)
{
    struct base_timeline timeline = {.speed = 1};
    bool behind = true;
    CHECK_INT(base_timeline_next(&timeline, 5000, &behind), 0);
    CHECK(!behind);
    CHECK_INT(base_timeline_next(&timeline, 6000, &behind), 1000000);
    CHECK_INT(base_timeline_next(&timeline, 5500, &behind), 1000000);
    CHECK(behind);
    /* The pause is counted from the latest, not from the one that came late. */
    CHECK_INT(base_timeline_next(&timeline, 6100, &behind), 1100000);
    CHECK(!behind);
}

static void without_a_time_it_follows_at_once(void)
{
    struct base_timeline timeline = {.speed = 1};
    CHECK_INT(next(&timeline, BASE_TIMELINE_NO_TIME), 0);
    CHECK_INT(next(&timeline, 1000), 0);
    CHECK_INT(next(&timeline, 2000), 1000000);
    CHECK_INT(next(&timeline, BASE_TIMELINE_NO_TIME), 1000000);
    CHECK_INT(next(&timeline, 3000), 2000000);
}

static void a_rate_replaces_times(void)
{
    struct base_timeline timeline = {.speed = 1, .rate = 4};
    CHECK_INT(next(&timeline, 9000), 0);
    CHECK_INT(next(&timeline, 1000), 250000);
    CHECK_INT(next(&timeline, BASE_TIMELINE_NO_TIME), 500000);
}

static void instant_waits_for_nothing(void)
{
    struct base_timeline timeline = {.speed = 0, .max_pause_ms = 5};
    CHECK_INT(next(&timeline, 0), 0);
    CHECK_INT(next(&timeline, 1000000), 0);
}

static void goes_on_where_it_begins_again(void)
{
    struct base_timeline timeline = {.speed = 1};
    CHECK_INT(next(&timeline, 1000), 0);
    CHECK_INT(next(&timeline, 3000), 2000000);
    base_timeline_again(&timeline);
    CHECK_INT(next(&timeline, 1000), 2000000);
    CHECK_INT(next(&timeline, 3000), 4000000);
}

static void goes_on_after_a_stop(void)
{
    struct base_timeline timeline = {.speed = 2};
    base_timeline_resume(&timeline, 1000);
    CHECK_INT(next(&timeline, 900), 0);
    CHECK_INT(next(&timeline, 5000), 2000000);
}

static void the_longest_times_do_not_overflow(void)
{
    struct base_timeline timeline = {.speed = 0.01};
    uint64_t last = 0;
    CHECK_INT(next(&timeline, -62167219200000), 0);
    for (int i = 0; i < 2000; i++) {
        base_timeline_again(&timeline);
        uint64_t due = next(&timeline, -62167219200000);
        CHECK(due >= last);
        due = next(&timeline, 253402300799999);
        CHECK(due >= last && due <= UINT64_C(1000000000000000000));
        last = due;
    }
    struct base_timeline ends = {.speed = 1};
    next(&ends, INT64_MIN + 1);
    CHECK_INT(next(&ends, INT64_MAX), 1000000000000000000);
}

int main(void)
{
    RUN(keeps_recorded_pauses);
    RUN(is_faster_and_slower);
    RUN(does_not_drift);
    RUN(cuts_pauses_and_moves_what_is_behind);
    RUN(tells_what_is_out_of_order);
    RUN(without_a_time_it_follows_at_once);
    RUN(a_rate_replaces_times);
    RUN(instant_waits_for_nothing);
    RUN(goes_on_where_it_begins_again);
    RUN(goes_on_after_a_stop);
    RUN(the_longest_times_do_not_overflow);
    return test_end();
}
