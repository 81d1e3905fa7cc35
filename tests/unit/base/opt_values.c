/* SPDX-License-Identifier: ISC */
#include "base/opt_values.h"

#include "lib/test.h"

/* A value, or what is said about the text that was there. */
static const char *said(int failed, int64_t value, const struct base_why *why, char out[static 300])
{
    if (failed) {
        CHECK_INT(failed, BASE_ERR_INVALID);
        CHECK_INT(why->code, BASE_ERR_INVALID);
        snprintf(out, 300, "%s", why->text);
    } else {
        snprintf(out, 300, "%" PRId64, value);
    }
    return out;
}

static const char *as_int(const char *text, const char *range, char out[static 300])
{
    int64_t value = 0;
    struct base_why why;
    int failed = base_opt_parse_int(text, range, &value, &why);
    return said(failed, value, &why, out);
}

static const char *as_size(const char *text, const char *range, char out[static 300])
{
    int64_t value = 0;
    struct base_why why;
    int failed = base_opt_parse_size(text, range, &value, &why);
    return said(failed, value, &why, out);
}

/* Milliseconds; -1 when it is refused. */
static int64_t as_duration(const char *text)
{
    int64_t value = 0;
    struct base_why why = {0};
    if (base_opt_parse_duration(text, &value, &why) == 0)
        return value;
    CHECK(strstr(why.text, "expected a duration such as 1m30s or 500ms, got `"));
    return -1;
}

static void takes_whole_integers_in_range(void)
{
    char out[300];
    CHECK_STR(as_int("0", NULL, out), "0");
    CHECK_STR(as_int("-17", NULL, out), "-17");
    CHECK_STR(as_int("007", NULL, out), "7");
    CHECK_STR(as_int("9223372036854775807", NULL, out), "9223372036854775807");
    CHECK_STR(as_int("-9223372036854775808", NULL, out), "-9223372036854775808");
    CHECK_STR(as_int("1", "1..1000000", out), "1");
    CHECK_STR(as_int("1000000", "1..1000000", out), "1000000");
    CHECK_STR(as_int("-5", "-5..-1", out), "-5");
    CHECK_STR(as_int("9223372036854775807", "0..9223372036854775807", out), "9223372036854775807");
}

static void refuses_other_integers(void)
{
    static const char *const texts[] = {"",
                                        " 1",
                                        "1 ",
                                        "+1",
                                        "--1",
                                        "-",
                                        "0x10",
                                        "1e3",
                                        "1.0",
                                        "1k",
                                        "1,000",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "\xd9\xa1"};
    char out[300], want[300];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        snprintf(want, sizeof want, "expected a number, got `%s'", texts[i]);
        CHECK_STR(as_int(texts[i], NULL, out), want);
    }
    CHECK_STR(as_int("12x", "1..1000000", out), "expected 1 to 1000000, got `12x'");
    CHECK_STR(as_int("0", "1..1000000", out), "expected 1 to 1000000, got `0'");
    CHECK_STR(as_int("1000001", "1..1000000", out), "expected 1 to 1000000, got `1000001'");
}

static void takes_sizes_with_units(void)
{
    char out[300];
    CHECK_STR(as_size("0", NULL, out), "0");
    CHECK_STR(as_size("123", NULL, out), "123");
    CHECK_STR(as_size("64k", NULL, out), "65536");
    CHECK_STR(as_size("64K", NULL, out), "65536");
    CHECK_STR(as_size("3m", NULL, out), "3145728");
    CHECK_STR(as_size("2G", NULL, out), "2147483648");
    CHECK_STR(as_size("8589934591g", NULL, out), "9223372035781033984");
    CHECK_STR(as_size("1k", "1024..2048", out), "1024");
}

static void refuses_other_sizes(void)
{
    static const char *const texts[] = {"",
                                        "k",
                                        "-1",
                                        "1kb",
                                        "1.5k",
                                        "1 k",
                                        "1t",
                                        "1k ",
                                        "8589934592g",
                                        "9223372036854775807k",
                                        "9223372036854775808",
                                        "1\x0b"};
    char out[300], want[300];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        snprintf(want, sizeof want, "expected a size such as 64k, got `%s'", texts[i]);
        CHECK_STR(as_size(texts[i], NULL, out), want);
    }
    CHECK_STR(as_size("3k", "1024..2048", out), "expected a size from 1024 to 2048, got `3k'");
}

static void takes_durations(void)
{
    CHECK_INT(as_duration("0"), 0);
    CHECK_INT(as_duration("5"), 5000);
    CHECK_INT(as_duration("0.5"), 500);
    CHECK_INT(as_duration(".25"), 250);
    CHECK_INT(as_duration("500ms"), 500);
    CHECK_INT(as_duration("1s"), 1000);
    CHECK_INT(as_duration("1m30s"), 90000);
    CHECK_INT(as_duration("1d2h3m4s5ms"), 93784005);
    CHECK_INT(as_duration("1.5h"), 5400000);
    CHECK_INT(as_duration("0.0004s"), 0);
    CHECK_INT(as_duration("0.0006s"), 1);
    CHECK_INT(as_duration("11574d"), 999993600000);
}

static void refuses_other_durations(void)
{
    static const char *const texts[] = {
        "",      ".",   "-1",   "+1",    " 1",    "1 ",  "1m30",  "1 m",
        "s",     "1x",  "1ss",  "1.2.3", "1s,2s", "inf", "nan",   "0x10",
        "0x1d",  "1e3", "1e3s", "0x1p3", "1y",    "1S",  "1..5s", "9999999999999999999d",
        "1s inf"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (as_duration(texts[i]) != -1)
            test_fail(texts[i], 1, "judged wrongly");
}

static void choices_are_whole_words(void)
{
    int index = -1;
    struct base_why why;
    CHECK(base_opt_parse_choice("text", "text|json|xml", &index, &why) == 0 && index == 0);
    CHECK(base_opt_parse_choice("xml", "text|json|xml", &index, &why) == 0 && index == 2);
    CHECK(base_opt_parse_choice("only", "only", &index, &why) == 0 && index == 0);
    static const char *const texts[] = {"", "j", "jso", "jsonx", "JSON", "text|json", "|"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char want[300];
        snprintf(want, sizeof want, "expected one of text|json|xml, got `%s'", texts[i]);
        CHECK_INT(base_opt_parse_choice(texts[i], "text|json|xml", &index, &why), BASE_ERR_INVALID);
        CHECK_STR(why.text, want);
    }
}

static void flags_are_yes_or_no(void)
{
    static const char *const yes[] = {"1", "true", "YES", "On"};
    static const char *const no[] = {"0", "False", "no", "OFF", ""};
    struct base_why why;
    bool flag = false;
    for (size_t i = 0; i < 4; i++, flag = false)
        CHECK(base_opt_parse_flag(yes[i], &flag, &why) == 0 && flag);
    flag = true;
    for (size_t i = 0; i < 5; i++, flag = true)
        CHECK(base_opt_parse_flag(no[i], &flag, &why) == 0 && !flag);
    CHECK_INT(base_opt_parse_flag("2", &flag, &why), BASE_ERR_INVALID);
    CHECK_STR(why.text, "expected yes or no, got `2'");
    CHECK_INT(base_opt_parse_flag("yes ", &flag, NULL), BASE_ERR_INVALID);
}

int main(void)
{
    RUN(takes_whole_integers_in_range);
    RUN(refuses_other_integers);
    RUN(takes_sizes_with_units);
    RUN(refuses_other_sizes);
    RUN(takes_durations);
    RUN(refuses_other_durations);
    RUN(choices_are_whole_words);
    RUN(flags_are_yes_or_no);
    return test_end();
}
