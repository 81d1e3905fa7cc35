/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static void check_clean(const char *text, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_text_clean(&out, text, strlen(text)), 0);
    CHECK_BYTES(out.data ? out.data : "", out.len, want);
    base_buf_fini(&out);
}

static void harmless_text_stays(void)
{
    check_clean("", "");
    check_clean("plain \"text\" \\ ~", "plain \"text\" \\ ~");
    check_clean("\u00a0\u00e9\u2026\u4e2d\U0001f600\u061b\u061d\u200d\u2030\u2065\u206a",
                "\u00a0\u00e9\u2026\u4e2d\U0001f600\u061b\u061d\u200d\u2030\u2065\u206a");
}

static void control_characters_become_escapes(void)
{
    check_clean("a\nb\rc\td", "a\\nb\\rc\\td");
    check_clean("\033[31mred\033]0;title\007", "\\u001b[31mred\\u001b]0;title\\u0007");
    check_clean("\x01\x1f\x7f", "\\u0001\\u001f\\u007f");
    check_clean("\xc2\x80"
                "\xc2\x9b"
                "31m\xc2\x9f"
                "",
                "\\u0080\\u009b31m\\u009f");
    check_clean("\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069",
                "\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a\\u202e\\u2066\\u2069");
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_text_clean(&out, "a\0b", 3), 0);
    CHECK_BYTES(out.data, out.len, "a\\u0000b");
    base_buf_fini(&out);
}

static void check_value(const char *json, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    struct base_json_value value;
    CHECK_INT(base_json_check(json, strlen(json), &value, NULL), 0);
    CHECK_INT(base_text_value(&out, &value), 0);
    CHECK_BYTES(out.data ? out.data : "", out.len, want);
    base_buf_fini(&out);
}

static void values(void)
{
    check_value("\"\"", "");
    check_value("\"a b\"", "a b");
    check_value("\"\\u0061\\/\\u00e9\"", "a/\u00e9");
    check_value("\"\\u001b[2J\\n\\u009b\"", "\\u001b[2J\\n\\u009b");
    check_value("\"x\\ud800\\n\"", "x\\ud800\\n");
    check_value("\"\xc2\x9b"
                "\\ud800\"",
                "\\u009b\\ud800");
    check_value("1.50", "1.50");
    check_value("null", "null");
    check_value("{\"a\":\n\t[1,\r\n2], \"b\":\"\\n\x7f\u202e\"}",
                "{\"a\":  [1,  2], \"b\":\"\\n\\u007f\\u202e\"}");
    struct base_json_value absent = {BASE_JSON_ABSENT, NULL, 0};
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_text_value(&out, &absent), 0);
    CHECK_INT(out.len, 0);
    base_buf_fini(&out);
}

static void flat_json_differs_in_line_ends_alone(void)
{
    static const char json[] = "{\n\"a\":\r\n\t\"\\n\x7f\u202e\"\n}";
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_text_flat(&out, (struct base_slice){json, strlen(json)}), 0);
    CHECK_BYTES(out.data, out.len, "{ \"a\":  \t\"\\n\x7f\u202e\" }");
    base_buf_fini(&out);
}

static void excerpts_are_one_line(void)
{
    static const char wild[] = " \r\n a\t\tb\x1b[2J\xff\n\nc\xc3\xa9 \n";
    char text[32], small[7];
    base_text_excerpt(text, sizeof text, wild, sizeof wild - 1);
    CHECK_STR(text, "a b\\u001b[2J? c\xc3\xa9");
    base_text_excerpt(small, sizeof small, "12345\xc3\xa9", 7);
    CHECK_STR(small, "12345"); /* no half of a character */
    base_text_excerpt(small, sizeof small, "\r\n", 2);
    CHECK_STR(small, "");
    base_mem_fail(1, 1);
    base_text_excerpt(small, sizeof small, "text", 4);
    base_mem_fail(0, 0);
    CHECK_STR(small, "");
}

static void ages_by_their_greatest_unit(void)
{
    static const struct {
        int64_t s;
        const char *want;
    } ages[] = {{-5, "0 s"},      {0, "0 s"},       {59, "59 s"},
                {60, "1 min"},    {3599, "59 min"}, {3600, "1 h"},
                {172799, "47 h"}, {172800, "2 d"},  {4000000000, "46296 d"}};
    char text[BASE_TEXT_AGE_MAX];
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++)
        CHECK_STR(base_text_age(ages[i].s * 1000, text), ages[i].want);
}

static void memory_may_be_short(void)
{
    static const char json[] = "\"\\u001b and so on\"";
    struct base_json_value value = {BASE_JSON_STRING, json, sizeof json - 1};
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 20; n++) {
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        result = base_text_value(&out, &value);
        base_mem_fail(0, 0);
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        base_buf_fini(&out);
    }
    CHECK_INT(result, 0);
    struct base_buf out = BASE_BUF_INIT;
    base_mem_fail(1, 1);
    CHECK_INT(base_text_flat(&out, (struct base_slice){json, strlen(json)}), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    base_buf_fini(&out);
}

int main(void)
{
    RUN(harmless_text_stays);
    RUN(control_characters_become_escapes);
    RUN(values);
    RUN(flat_json_differs_in_line_ends_alone);
    RUN(excerpts_are_one_line);
    RUN(ages_by_their_greatest_unit);
    RUN(memory_may_be_short);
    return test_end();
}
