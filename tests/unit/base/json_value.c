/* SPDX-License-Identifier: ISC */
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "lib/corpus.h"
#include "lib/test.h"

#include <math.h>

static struct base_json_value parse(const char *text)
{
    struct base_json_value value = {BASE_JSON_ABSENT, NULL, 0};
    CHECK_INT(base_json_check(text, strlen(text), &value, NULL), 0);
    return value;
}

/* ---- iteration ---- */

/* Every value that iteration yields must be one by itself. */
static void walk(const struct base_json_value *value)
{
    struct base_json_value again;
    CHECK_INT(base_json_check(value->text, value->len, &again, NULL), 0);
    CHECK_INT(again.kind, value->kind);
    CHECK_INT(again.len, value->len);
    if (value->kind != BASE_JSON_ARRAY && value->kind != BASE_JSON_OBJECT)
        return;
    struct base_json_iter iter;
    struct base_json_value key = {BASE_JSON_ABSENT, NULL, 0}, child;
    base_json_iter_init(&iter, value);
    while (base_json_iter_next(&iter, &key, &child)) {
        CHECK_INT(key.kind, value->kind == BASE_JSON_OBJECT ? BASE_JSON_STRING : BASE_JSON_ABSENT);
        if (key.kind == BASE_JSON_STRING)
            walk(&key);
        walk(&child);
    }
}

static void walk_file(const struct corpus_file *file)
{
    struct base_json_value value;
    if (base_json_check(file->data, file->len, &value, NULL) == 0)
        walk(&value);
}

static void yields_values_from_the_whole_corpus(void)
{
    corpus_each("json", walk_file);
}

/* What is in a container, as "key=value;" or "value;". */
static const char *list(const char *text, char out[static 128])
{
    struct base_json_value container = parse(text), key, value;
    struct base_json_iter iter;
    size_t len = 0;
    out[0] = '\0';
    base_json_iter_init(&iter, &container);
    while (base_json_iter_next(&iter, &key, &value)) {
        if (container.kind == BASE_JSON_OBJECT)
            len += (size_t)snprintf(out + len, 128 - len, "%.*s=", (int)key.len, key.text);
        len += (size_t)snprintf(out + len, 128 - len, "%.*s;", (int)value.len, value.text);
    }
    return out;
}

static void walks_arrays_and_objects(void)
{
    char out[128];
    CHECK_STR(list("[]", out), "");
    CHECK_STR(list("{ }", out), "");
    CHECK_STR(list("[ 1,\t-2e5 ,null,\"a,]\\\"\"\r\n, [ [ ] ] ,{\"]\":\"}\"},true]", out),
              "1;-2e5;null;\"a,]\\\"\";[ [ ] ];{\"]\":\"}\"};true;");
    CHECK_STR(list("{\"a\":1, \"b\" : [2,{}] ,\"a\":\":\"}", out),
              "\"a\"=1;\"b\"=[2,{}];\"a\"=\":\";");
    CHECK_STR(list("[\"\\\\\",\"\"]", out), "\"\\\\\";\"\";");
    CHECK_STR(list("[[\"]\"],[\"\\\"]\"]]", out), "[\"]\"];[\"\\\"]\"];");
}

static void the_key_may_be_left_out(void)
{
    struct base_json_value object = parse("{\"a\":1,\"b\":[]}"), value;
    struct base_json_iter iter;
    base_json_iter_init(&iter, &object);
    CHECK(base_json_iter_next(&iter, NULL, &value) && value.kind == BASE_JSON_NUMBER);
    CHECK(base_json_iter_next(&iter, NULL, &value) && value.kind == BASE_JSON_ARRAY);
    CHECK(!base_json_iter_next(&iter, NULL, &value));
    CHECK(!base_json_iter_next(&iter, NULL, &value));
}

/* ---- strings ---- */

static const struct {
    const char *json;
    const char *bytes;
    size_t len;
} strings[] = {
    {"\"\"", "", 0},
    {"\"abc\"", "abc", 3},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
    {"\"a\\u0000b\"", "a\0b", 3},
    {"\"\\u007f\\u0080\\u07ff\\u0800\\uFFFF\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 11},
    {"\"\\ud7ff\\ue000\"", "\xed\x9f\xbf\xee\x80\x80", 6},
    {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8},
    {"\"x\\u00e9\xc3\xa9y\"", "x\xc3\xa9\xc3\xa9y", 6},
};

static void unescapes(void)
{
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct base_json_value string = parse(strings[i].json);
        struct base_buf out = BASE_BUF_INIT;
        CHECK_INT(base_buf_add_text(&out, "before"), 0);
        CHECK_INT(base_json_unescape(&string, &out), 0);
        CHECK_INT(out.len, 6 + strings[i].len);
        CHECK(memcmp(out.data, "before", 6) == 0);
        CHECK(memcmp(out.data + 6, strings[i].bytes, strings[i].len) == 0);
        base_buf_fini(&out);
    }
}

static void compares_unescaped(void)
{
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct base_json_value string = parse(strings[i].json);
        size_t len = strings[i].len;
        char bytes[16] = "";
        memcpy(bytes, strings[i].bytes, len);
        CHECK(base_json_equals(&string, bytes, len));
        CHECK(!base_json_equals(&string, bytes, len + 1));
        for (size_t at = 0; at < len; at++) {
            CHECK(!base_json_equals(&string, bytes, at));
            bytes[at] ^= 1;
            CHECK(!base_json_equals(&string, bytes, len));
            bytes[at] ^= 1;
        }
    }
}

static void a_lone_surrogate_has_no_bytes(void)
{
    static const char *const texts[] = {"\"\\ud800\"",          "\"\\udc00\"",
                                        "\"x\\ud800y\"",        "\"\\ud800\\ud800\\udc00\"",
                                        "\"\\ud800\\u0041\"",   "\"\\ud800\\n\"",
                                        "\"\\udc00\\ud800\"",   "\"\\udc00\\udc00\"",
                                        "\"\\ud800\\\\udc00\"", "\"\\udbff\\ue000\""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct base_json_value string = parse(texts[i]);
        struct base_buf out = BASE_BUF_INIT;
        CHECK_INT(base_buf_add_text(&out, "kept"), 0);
        CHECK_INT(base_json_unescape(&string, &out), BASE_ERR_SYNTAX);
        CHECK_BYTES(out.data, out.len, "kept");
        CHECK(!base_json_equals(&string, "\xed\xa0\x80", 3));
        CHECK(!base_json_equals(&string, "", 0));
        base_buf_fini(&out);
    }
}

static void copies_what_fits(void)
{
    char out[9];
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct base_json_value string = parse(strings[i].json);
        size_t len = strings[i].len;
        bool fits = len < sizeof out && !memchr(strings[i].bytes, '\0', len);
        memset(out, 'x', sizeof out);
        CHECK_INT(base_json_copy(&string, out, sizeof out), fits ? (ssize_t)len : -1);
        CHECK(!fits || (memcmp(out, strings[i].bytes, len) == 0 && out[len] == 0));
    }
}

static void copies_nothing_else(void)
{
    static const char *const texts[] = {"12",      "null",      "{}",           "\"\\ud800\"",
                                        "\"abc\"", "\"ab\\n\"", "\"a\\u20ac\"", "\"\\u0000\""};
    char out[4] = "abc";
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct base_json_value value = parse(texts[i]);
        CHECK_INT(base_json_copy(&value, out, 3), -1);
    }
    CHECK_INT(base_json_copy(&(struct base_json_value){BASE_JSON_ABSENT, NULL, 0}, out, 3), -1);
    CHECK_STR(out + 3, "");
}

static void plain_strings_are_lent(void)
{
    struct base_json_value string = parse("\"a\xc3\xa4/b\"");
    struct base_slice slice;
    CHECK(base_json_plain(&string, &slice));
    CHECK(slice.data == string.text + 1);
    CHECK_BYTES(slice.data, slice.len, "a\xc3\xa4/b");
    string = parse("\"a\\/b\"");
    CHECK(!base_json_plain(&string, &slice));
    string = parse("\"\"");
    CHECK(base_json_plain(&string, &slice) && slice.len == 0);
}

static void other_kinds_are_no_strings_and_no_numbers(void)
{
    static const char *const texts[] = {"null", "true", "false", "1", "[]", "{}", "\"1\""};
    struct base_json_value absent = {BASE_JSON_ABSENT, NULL, 0};
    for (size_t i = 0; i < 8; i++) {
        struct base_json_value value = i < 7 ? parse(texts[i]) : absent;
        struct base_buf out = BASE_BUF_INIT;
        struct base_slice slice;
        double number = 7;
        if (value.kind != BASE_JSON_STRING) {
            CHECK_INT(base_json_unescape(&value, &out), BASE_ERR_INVALID);
            CHECK(!base_json_plain(&value, &slice));
            CHECK(!base_json_equals(&value, "", 0));
        }
        if (value.kind != BASE_JSON_NUMBER) {
            CHECK_INT(base_json_double(&value, &number), BASE_ERR_INVALID);
            CHECK(number == 7);
        }
        base_buf_fini(&out);
    }
}

/* ---- quoting ---- */

static void check_quoted(const char *bytes, size_t len, const char *want)
{
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(base_json_quote(&out, bytes, len), 0);
    CHECK_BYTES(out.data, out.len, want);
    base_buf_fini(&out);
}

static void quotes(void)
{
    check_quoted(NULL, 0, "\"\"");
    check_quoted("abc/d", 5, "\"abc/d\"");
    check_quoted("\"\\", 2, "\"\\\"\\\\\"");
    check_quoted("\0\x1f\x7f\n", 4, "\"\\u0000\\u001f\\u007f\\u000a\"");
    check_quoted("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 12,
                 "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"");
    check_quoted("x\xe2\x80\xa8", 4, "\"x\\u2028\"");
    check_quoted("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
    check_quoted("\xc2\x80\xc2\xa8", 4, "\"\xc2\x80\xc2\xa8\"");
}

static void what_was_quoted_reads_the_same(void)
{
    /* Every character of the first plane's edges with every ASCII neighbour. */
    static const char *const others[] = {"\xc2\x80",     "\xe2\x80\xa8",     "\xe2\x80\xa9",
                                         "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        for (int c = 0; c < 128; c++) {
            char bytes[16];
            size_t len = strlen(others[i]);
            memcpy(bytes + 1, others[i], len);
            bytes[0] = bytes[len + 1] = (char)c;
            struct base_buf out = BASE_BUF_INIT;
            struct base_json_value string;
            CHECK_INT(base_json_quote(&out, bytes, len + 2), 0);
            CHECK_INT(base_json_check(out.data, out.len, &string, NULL), 0);
            CHECK(base_json_equals(&string, bytes, len + 2));
            base_buf_fini(&out);
        }
}

/* ---- numbers ---- */

static double number(const char *text)
{
    struct base_json_value value = parse(text);
    double out = NAN;
    CHECK_INT(base_json_double(&value, &out), 0);
    return out;
}

static void reads_doubles(void)
{
    CHECK(number("0") == 0 && !signbit(number("0")));
    CHECK(number("-0") == 0 && signbit(number("-0")));
    CHECK(number("-12.5e-1") == -1.25);
    CHECK(number("0.1") == 0.1);
    CHECK(number("9007199254740993") == 9007199254740992.0);
    CHECK(number("18446744073709551616") == 18446744073709551616.0);
    CHECK(number("5e-324") == 5e-324);
    CHECK(number("1.7976931348623157e308") == 1.7976931348623157e308);
    CHECK(number("1e400") == HUGE_VAL);
    CHECK(number("-1e400") == -HUGE_VAL);
    CHECK(number("1e99999999999999999999999") == HUGE_VAL);
    CHECK(number("1e-99999999999999999999999") == 0);
    CHECK(number("0e99999999999999999999999") == 0);
}

static void a_number_ends_where_its_value_ends(void)
{
    struct base_json_value array = parse("[1,23]"), first;
    struct base_json_iter iter;
    double out = 0;
    base_json_iter_init(&iter, &array);
    CHECK(base_json_iter_next(&iter, NULL, &first));
    CHECK_INT(base_json_double(&first, &out), 0);
    CHECK(out == 1);
}

/* `head`, then `digit` so many times, then `tail`, as a double. */
static double long_number(const char *head, char digit, size_t times, const char *tail)
{
    char *text = malloc(strlen(head) + times + strlen(tail) + 1);
    size_t len = (size_t)sprintf(text, "%s", head);
    memset(text + len, digit, times);
    strcpy(text + len + times, tail);
    double out = number(text);
    CHECK(out == strtod(text, NULL) && !signbit(out) == !signbit(strtod(text, NULL)));
    free(text);
    return out;
}

static void reads_doubles_from_any_number_of_digits(void)
{
    CHECK(long_number("", '9', 5000, "") == HUGE_VAL);
    CHECK(long_number("-1", '0', 5000, "") == -HUGE_VAL);
    CHECK(long_number("1", '0', 5000, "e-5000") == 1);
    CHECK(long_number("1", '0', 5000, ".0E-4999") == 10);
    CHECK(long_number("0.", '0', 5000, "25e+5001") == 2.5);
    CHECK(long_number("-0.", '0', 5000, "") == 0);
    CHECK(long_number("-0.", '0', 5000, "e5") == 0);
    CHECK(long_number("0.", '0', 5000, "1") == 0);
    CHECK(long_number("0.", '3', 5000, "") == 1.0 / 3);
    CHECK(long_number("1e", '9', 5000, "") == HUGE_VAL);
    CHECK(long_number("1e-", '9', 5000, "") == 0);
    CHECK(long_number("3e", '0', 5000, "7") == 3e7);
    /* Half way between two doubles, and ever so little above. */
    CHECK(long_number("9007199254740993.", '0', 5000, "") == 9007199254740992.0);
    CHECK(long_number("9007199254740993.", '0', 5000, "1") == 9007199254740994.0);
    CHECK(long_number("9007199254740993.", '0', 700, "1") == 9007199254740994.0);
}

static void the_longest_double_needs_all_its_digits(void)
{
    /* Half the smallest double has 751 significant digits; at it the answer turns. */
    char text[2000];
    int len = snprintf(text, sizeof text, "%.1075f", 0x1p-1074);
    CHECK(len > 1000);
    char longer[4000];
    snprintf(longer, sizeof longer, "%s%0900d", text, 0);
    CHECK(number(longer) == 0x1p-1074);
    snprintf(longer, sizeof longer, "%.1076Lf%0900d", 0x1p-1075L, 0);
    CHECK(number(longer) == 0);
    snprintf(longer, sizeof longer, "%.1076Lf%0900d", 0x1p-1075L, 1);
    CHECK(number(longer) == 0x1p-1074);
}

/* ---- memory ---- */

static void survives_every_failing_allocation(void)
{
    struct base_json_value string =
        parse("\"a\\nb and more than the sixty-four bytes that a buffer "
              "begins with, so that it has to grow\"");
    for (long n = 1, failed = 1; failed; n++) {
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        int unescaped = base_json_unescape(&string, &out);
        size_t len = out.len;
        int quoted = base_json_quote(&out, string.text, string.len);
        base_mem_fail(0, 0);
        CHECK(unescaped == 0 || (unescaped == BASE_ERR_NOMEM && len == 0));
        CHECK(quoted == 0 || (quoted == BASE_ERR_NOMEM && out.len == len));
        failed = unescaped || quoted;
        CHECK(failed || n > 2);
        base_buf_fini(&out);
    }
}

int main(void)
{
    RUN(yields_values_from_the_whole_corpus);
    RUN(walks_arrays_and_objects);
    RUN(the_key_may_be_left_out);
    RUN(unescapes);
    RUN(compares_unescaped);
    RUN(copies_what_fits);
    RUN(copies_nothing_else);
    RUN(a_lone_surrogate_has_no_bytes);
    RUN(plain_strings_are_lent);
    RUN(other_kinds_are_no_strings_and_no_numbers);
    RUN(quotes);
    RUN(what_was_quoted_reads_the_same);
    RUN(reads_doubles);
    RUN(a_number_ends_where_its_value_ends);
    RUN(reads_doubles_from_any_number_of_digits);
    RUN(the_longest_double_needs_all_its_digits);
    RUN(survives_every_failing_allocation);
    return test_end();
}
