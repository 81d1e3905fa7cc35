/* SPDX-License-Identifier: ISC */
#include "base/rfc3339.h"

#include "base/err.h"
#include "lib/test.h"

#include <time.h>

#define DAY_MS 86400000LL

static int parse(const char *text, int64_t *ms)
{
    /* Of exactly its size, so that a sanitizer sees a read behind the end. */
    size_t len = strlen(text);
    char *copy = malloc(len);
    memcpy(copy, text, len);
    int result = base_rfc3339_parse(copy, len, ms);
    free(copy);
    return result;
}

static void check(const char *text, int64_t want)
{
    int64_t ms = -1;
    CHECK_INT(parse(text, &ms), 0);
    CHECK_INT(ms, want);
}

static void check_format(int64_t ms, const char *want)
{
    char out[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(ms, out);
    CHECK_STR(out, want);
}

static void knows_the_examples_of_the_rfc(void)
{
    check("1985-04-12T23:20:50.52Z", 482196050520);
    check("1996-12-19T16:39:57-08:00", 851042397000);
    check("1990-12-31T23:59:60Z", 662688000000);
    check("1990-12-31T15:59:60-08:00", 662688000000);
    check("1937-01-01T12:00:27.87+00:20", -1041337172130);
}

static void formats_with_milliseconds_and_z(void)
{
    check_format(0, "1970-01-01T00:00:00.000Z");
    check_format(-1, "1969-12-31T23:59:59.999Z");
    check_format(1770554096789, "2026-02-08T12:34:56.789Z");
    check_format(951827696001, "2000-02-29T12:34:56.001Z");
    check_format(-62167219200000, "0000-01-01T00:00:00.000Z");
    check_format(253402300799999, "9999-12-31T23:59:59.999Z");
}

static void clamps_to_four_digit_years(void)
{
    check_format(-62167219200001, "0000-01-01T00:00:00.000Z");
    check_format(INT64_MIN, "0000-01-01T00:00:00.000Z");
    check_format(253402300800000, "9999-12-31T23:59:59.999Z");
    check_format(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

static void agrees_with_the_c_library_on_every_day(void)
{
    for (int64_t day = -719528; day <= 2932896; day++) {
        time_t seconds = (time_t)(day * 86400 + 86399);
        struct tm parts;
        char want[64], got[BASE_RFC3339_LEN + 1];
        int64_t ms = 0;
        gmtime_r(&seconds, &parts);
        snprintf(want, sizeof want, "%04d-%02d-%02dT23:59:59.007Z", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday);
        base_rfc3339_format(day * DAY_MS + 86399007, got);
        if (strcmp(got, want) != 0 || base_rfc3339_parse(want, strlen(want), &ms) != 0 ||
            ms != day * DAY_MS + 86399007) {
            CHECK_STR(got, want);
            CHECK_INT(ms, day * DAY_MS + 86399007);
            return;
        }
    }
}

static void cuts_fractions_to_milliseconds(void)
{
    check("1970-01-01T00:00:00.5Z", 500);
    check("1970-01-01T00:00:00.05Z", 50);
    check("1970-01-01T00:00:00.1239999999999999999999999999Z", 123);
    check("1970-01-01T00:00:00.0009Z", 0);
    check("1969-12-31T23:59:59.9999Z", -1);
}

static void subtracts_the_zone(void)
{
    check("1970-01-01T00:00:00+00:00", 0);
    check("1970-01-01T00:00:00-00:00", 0);
    check("1970-01-01T01:30:00+01:30", 0);
    check("1969-12-31T14:00:00-10:00", 0);
    check("1970-01-01T23:59:00+23:59", 0);
    check("0000-01-01T00:00:00+23:59", -62167219200000 - 86340000);
    check("9999-12-31T23:59:59-23:59", 253402300799000 + 86340000);
}

static void takes_small_letters_and_a_blank(void)
{
    check("1970-01-01t00:00:01z", 1000);
    check("1970-01-01 00:00:01Z", 1000);
}

static void a_leap_second_is_the_last_of_a_utc_day(void)
{
    check("2016-12-31T23:59:60Z", 1483228800000);
    check("2016-12-31T23:59:60.25Z", 1483228800250);
    check("2017-01-01T01:29:60+01:30", 1483228800000);
    check("1968-12-31T23:59:60.999Z", -365 * DAY_MS + 999);
    int64_t ms;
    CHECK_INT(parse("2016-12-31T23:58:60Z", &ms), BASE_ERR_SYNTAX);
    CHECK_INT(parse("2016-12-31T22:59:60Z", &ms), BASE_ERR_SYNTAX);
    CHECK_INT(parse("2016-12-31T23:59:60+01:00", &ms), BASE_ERR_SYNTAX);
    CHECK_INT(parse("2016-12-31T23:59:61Z", &ms), BASE_ERR_SYNTAX);
}

static void refuses_dates_that_are_none(void)
{
    static const char *const dates[] = {"2025-02-29", "2025-02-30", "1900-02-29", "2100-02-29",
                                        "2025-04-31", "2025-13-01", "2025-00-01", "2025-01-00",
                                        "2025-01-32", "2024-02-30", "2025-11-31", "0200-02-29",
                                        "2200-02-29", "2300-02-29"};
    char text[64];
    int64_t ms = 7;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        snprintf(text, sizeof text, "%sT00:00:00Z", dates[i]);
        CHECK_INT(parse(text, &ms), BASE_ERR_SYNTAX);
    }
    CHECK_INT(ms, 7);
    check("2000-02-29T00:00:00Z", 951782400000);
    check("2024-02-29T00:00:00Z", 1709164800000);
}

static void refuses_other_forms(void)
{
    static const char *const texts[] = {"2025-01-01",
                                        "2025-01-01T00:00:00",
                                        "2025-01-01T00:00Z",
                                        "2025-01-01T24:00:00Z",
                                        "2025-01-01T00:60:00Z",
                                        "2025-01-01T00:00:00.Z",
                                        "2025-01-01T00:00:00,5Z",
                                        "2025-01-01T00:00:00+24:00",
                                        "2025-01-01T00:00:00+00:60",
                                        "2025-01-01T00:00:00+0100",
                                        "2025-01-01T00:00:00+01",
                                        "2025-01-01T00:00:00 Z",
                                        "2025-01-01T00:00:00ZZ",
                                        "2025-01-01T00:00:00Z ",
                                        " 2025-01-01T00:00:00Z",
                                        "20250101T000000Z",
                                        "2025-1-1T00:00:00Z",
                                        "25-01-01T00:00:00Z",
                                        "02025-01-01T00:00:00Z",
                                        "+025-01-01T00:00:00Z",
                                        "-001-01-01T00:00:00Z",
                                        "2025/01/01T00:00:00Z",
                                        "2025-01-01X00:00:00Z",
                                        "2025-01-01T00:00:0/Z",
                                        "2025-01-01T00:00:00.5.5Z",
                                        "2025-01-01T00:00:00:00Z",
                                        "1735689600",
                                        "2025-01-01T00:00:00+01:00Z"};
    int64_t ms;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (parse(texts[i], &ms) != BASE_ERR_SYNTAX)
            test_fail(texts[i], 1, "judged wrongly");
    CHECK_INT(base_rfc3339_parse(NULL, 0, &ms), BASE_ERR_SYNTAX);
    CHECK_INT(base_rfc3339_parse("2025-01-01T00:00:00Z\0", 21, &ms), BASE_ERR_SYNTAX);
}

static void of_json_however_it_is_written(void)
{
    static const char *const texts[] = {"\"2026-02-08T13:00:00.000+01:00\"",
                                        "\"2026-02-08T13:00:00.000\\u002b01:00\"",
                                        "\"2026\\u002D02-08T12:00:00Z\""};
    static const char *const bad[] = {"12", "null", "\"\"", "\"2026\\ud80002-08T12:00:00Z\"",
                                      "\"2026-02-08T12:00:00Z\\u0000\""};
    struct base_json_value value;
    int64_t ms = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_INT(base_json_check(texts[i], strlen(texts[i]), &value, NULL), 0);
        CHECK_INT(base_rfc3339_of_json(&value, &ms), 0);
        CHECK_INT(ms, INT64_C(1770552000000));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(base_json_check(bad[i], strlen(bad[i]), &value, NULL), 0);
        CHECK_INT(base_rfc3339_of_json(&value, &ms), BASE_ERR_SYNTAX);
    }
}

static void refuses_what_breaks_off(void)
{
    static const char text[] = "2016-12-31T23:59:59.125+01:30";
    int64_t ms;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        char cut[sizeof text];
        snprintf(cut, sizeof cut, "%.*s", (int)len, text);
        CHECK_INT(parse(cut, &ms), BASE_ERR_SYNTAX);
    }
}

int main(void)
{
    RUN(knows_the_examples_of_the_rfc);
    RUN(formats_with_milliseconds_and_z);
    RUN(clamps_to_four_digit_years);
    RUN(agrees_with_the_c_library_on_every_day);
    RUN(cuts_fractions_to_milliseconds);
    RUN(subtracts_the_zone);
    RUN(takes_small_letters_and_a_blank);
    RUN(of_json_however_it_is_written);
    RUN(a_leap_second_is_the_last_of_a_utc_day);
    RUN(refuses_dates_that_are_none);
    RUN(refuses_other_forms);
    RUN(refuses_what_breaks_off);
    return test_end();
}
