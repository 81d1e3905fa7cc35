/* SPDX-License-Identifier: ISC */
#include "arda/delivery/retry_schedule.h"

#include "lib/test.h"

static void the_default_is_as_the_manual_says(void)
{
    static const int64_t want_s[] = {0, 5, 300, 1800, 7200, 18000, 36000, 36000};
    struct arda_retry_schedule schedule;
    CHECK_INT(arda_retry_schedule_parse(ARDA_RETRY_DEFAULT, &schedule, NULL), 0);
    CHECK_INT(schedule.count, 8);
    for (unsigned i = 0; i < 8; i++)
        CHECK_INT(schedule.pause_ms[i], want_s[i] * 1000);
    CHECK_INT(arda_retry_schedule_span(&schedule), 99305000);
}

static void a_span_has_an_end(void)
{
    struct arda_retry_schedule schedule = {.count = 2, .pause_ms = {INT64_MAX - 1, 1}};
    CHECK_INT(arda_retry_schedule_span(&schedule), INT64_MAX);
    schedule.pause_ms[1] = 2;
    CHECK_INT(arda_retry_schedule_span(&schedule), INT64_MAX);
    schedule.count = 0;
    CHECK_INT(arda_retry_schedule_span(&schedule), 0);
}

static void refuses(const char *text, const char *reason)
{
    struct arda_retry_schedule schedule = {.count = 77};
    struct base_why why;
    CHECK_INT(arda_retry_schedule_parse(text, &schedule, &why), BASE_ERR_INVALID);
    CHECK_STR(why.text, reason);
    CHECK_INT(schedule.count, 77);
}

static void bad_schedules_are_explained(void)
{
    char many[200] = "";
    for (int i = 0; i < 33; i++)
        strcat(many, i ? ",1s" : "1s");
    refuses(many, "expected at most 32 durations");
    refuses("1s,1234567890123456789012345", "expected a duration, got `123456789012345678901234'");
    struct arda_retry_schedule schedule;
    CHECK_INT(arda_retry_schedule_parse("", &schedule, NULL), BASE_ERR_INVALID);
    CHECK_INT(arda_retry_schedule_parse("1s,,2s", &schedule, NULL), BASE_ERR_INVALID);
    CHECK_INT(arda_retry_schedule_parse("1s,", &schedule, NULL), BASE_ERR_INVALID);
    CHECK_INT(arda_retry_schedule_parse("1s,soon", &schedule, NULL), BASE_ERR_INVALID);
}

static void pauses_have_jitter_on_top_and_an_end(void)
{
    struct arda_retry_schedule schedule;
    CHECK_INT(arda_retry_schedule_parse("0s,10s", &schedule, NULL), 0);
    for (uint32_t random = 0; random < 5000; random += 7) {
        CHECK_INT(arda_retry_schedule_pause(&schedule, 0, 0, random), 0);
        int64_t pause_ms = arda_retry_schedule_pause(&schedule, 1, 0, random);
        CHECK(pause_ms >= 10000 && pause_ms <= 12000);
    }
    CHECK_INT(arda_retry_schedule_pause(&schedule, 2, 0, 1), -1);
    CHECK_INT(arda_retry_schedule_pause(&schedule, 3, 99, 1), -1);
}

static void what_the_receiver_asks_for_is_the_least(void)
{
    struct arda_retry_schedule schedule;
    CHECK_INT(arda_retry_schedule_parse("0s,10s", &schedule, NULL), 0);
    CHECK_INT(arda_retry_schedule_pause(&schedule, 1, 60000, 0), 60000);
    CHECK_INT(arda_retry_schedule_pause(&schedule, 1, 5000, 0), 10000);
    CHECK_INT(arda_retry_schedule_pause(&schedule, 0, 5000, 1000), 6000);
}

int main(void)
{
    RUN(the_default_is_as_the_manual_says);
    RUN(a_span_has_an_end);
    RUN(bad_schedules_are_explained);
    RUN(pauses_have_jitter_on_top_and_an_end);
    RUN(what_the_receiver_asks_for_is_the_least);
    return test_end();
}
