/* SPDX-License-Identifier: ISC */
#include "arda/when.h"

#include "lib/test.h"

#define NOW_MS 1770552000000 /* 2026-02-08T12:00:00Z */

static struct arda_when parse(const char *text)
{
    struct arda_when when = {.kind = ARDA_WHEN_NONE};
    struct base_why why = {0, ""};
    CHECK_INT(arda_when_parse(text, NOW_MS, &when, &why), 0);
    CHECK_STR(why.text, "");
    return when;
}

static void is_time(const char *text, uint64_t ms)
{
    struct arda_when when = parse(text);
    struct arda_stream_id id;
    CHECK_INT(when.kind, ARDA_WHEN_TIME);
    CHECK_INT(when.ms, ms);
    CHECK(arda_when_first(&when, &id));
    CHECK_INT(id.ms, ms);
    CHECK_INT(id.seq, ms ? 0 : 1);
    CHECK(arda_when_last(&when, &id));
    CHECK_INT(id.ms, ms ? ms - 1 : 0);
    CHECK(id.seq == (ms ? UINT64_MAX : 0));
}

static void knows_times(void)
{
    is_time("2026-02-08T12:00:00Z", NOW_MS);
    is_time("2026-02-08T13:30:00.250+01:30", NOW_MS + 250);
    is_time("1770552000", NOW_MS);
    is_time("1770552000.25", NOW_MS + 250);
    is_time("1770552000.1239", NOW_MS + 123);
    is_time("1770552000000", NOW_MS);
    is_time("99999999999", 99999999999000);
    is_time("100000000000", 100000000000);
    is_time("0", 0);
    is_time("0.001", 1);
    is_time("1969-12-31T23:59:59Z", 0);
}

static void knows_times_from_now_on_and_ago(void)
{
    is_time("-10m", NOW_MS - 600000);
    is_time("-1h30m", NOW_MS - 5400000);
    is_time("-90", NOW_MS - 90000);
    is_time("-250ms", NOW_MS - 250);
    is_time("+10s", NOW_MS + 10000);
    is_time("-40000d", 0);
}

static void knows_positions_of_a_stream(void)
{
    struct arda_stream_id id;
    struct arda_when when = parse("1770552000000-3");
    CHECK_INT(when.kind, ARDA_WHEN_ID);
    CHECK(arda_when_first(&when, &id) && id.ms == NOW_MS && id.seq == 3);
    CHECK(arda_when_last(&when, &id) && id.ms == NOW_MS && id.seq == 3);
    when = parse("start");
    CHECK_INT(when.kind, ARDA_WHEN_START);
    CHECK(arda_when_first(&when, &id) && id.ms == 0 && id.seq == 1);
    CHECK(!arda_when_last(&when, &id));
    when = parse("end");
    CHECK_INT(when.kind, ARDA_WHEN_END);
    CHECK(!arda_when_first(&when, &id));
    CHECK(!arda_when_last(&when, &id));
    when = parse("0195F0A0-1c2b-7abc-8def-0123456789ab");
    CHECK_INT(when.kind, ARDA_WHEN_EVENT);
    CHECK_STR(when.event_id, "0195F0A0-1c2b-7abc-8def-0123456789ab");
    CHECK(!arda_when_first(&when, &id));
    CHECK(!arda_when_last(&when, &id));
}

static void refuses_everything_else(void)
{
    static const char *const texts[] = {"",
                                        "now",
                                        "Start",
                                        "yesterday",
                                        "2026-02-08",
                                        "2026-02",
                                        "12:00",
                                        "-",
                                        "+",
                                        "10m",
                                        "--10m",
                                        "-10m ago",
                                        "-1x",
                                        "2026-02-08T12:00:00",
                                        "2026-02-30T12:00:00Z",
                                        "1.",
                                        ".5",
                                        "1.5.5",
                                        "1e9",
                                        "0x10",
                                        "1770552000000.5",
                                        "1234567890123456",
                                        "1-2-3",
                                        "0195f0a0-1c2b-7abc-8def-0123456789a",
                                        "*"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arda_when when = {.kind = ARDA_WHEN_START};
        struct base_why why;
        char end[80];
        int result = arda_when_parse(texts[i], NOW_MS, &when, &why);
        if (result != BASE_ERR_INVALID)
            printf("# %s\n", texts[i]);
        CHECK_INT(result, BASE_ERR_INVALID);
        CHECK_INT(when.kind, ARDA_WHEN_START);
        snprintf(end, sizeof end, "got `%s'", texts[i]);
        CHECK(strstr(why.text, end));
    }
}

int main(void)
{
    RUN(knows_times);
    RUN(knows_times_from_now_on_and_ago);
    RUN(knows_positions_of_a_stream);
    RUN(refuses_everything_else);
    return test_end();
}
