/* SPDX-License-Identifier: ISC */
#include "arda/record/form.h"

#include "lib/test.h"

#define A "{\"a\":{\"x\":[1,2]}}"
#define B "{\"b\":\"}{,\"}"

/* A form that is told from the beginning; every shorter one is open, or tells the same. */
static void check(const char *text, enum arda_form want)
{
    size_t len = strlen(text);
    enum arda_form got = arda_form_of(text, len, true);
    if (got != want)
        printf("# of `%s':\n", text);
    CHECK_INT(got, want);
    for (size_t cut = 0; cut <= len; cut++) {
        got = arda_form_of(text, cut, false);
        if (got != ARDA_FORM_OPEN && got != want) {
            printf("# of `%.*s' of `%s':\n", (int)cut, text, text);
            CHECK_INT(got, want);
        }
    }
}

static void lines_are_lines(void)
{
    check("", ARDA_FORM_LINES);
    check("\n \n", ARDA_FORM_LINES);
    check(A, ARDA_FORM_LINES);
    check(A "\n" B "\n", ARDA_FORM_LINES);
    check("\r\n" A "\r\n\r\n" B, ARDA_FORM_LINES);
    check("\x1e" A "\n\x1e" B "\n", ARDA_FORM_LINES);
    check("\xef\xbb\xbf" A "\n", ARDA_FORM_LINES);
    CHECK_INT(arda_form_of(A "\n", strlen(A) + 1, false), ARDA_FORM_LINES);
}

static void one_wrong_line_is_not_another_form(void)
{
    check("nonsense\n" A "\n", ARDA_FORM_LINES);
    check("\"text\"\n", ARDA_FORM_LINES);
    check("{\"a\":\n" A "\n", ARDA_FORM_LINES);
    check("{\"a\":1,\n" A "\n", ARDA_FORM_LINES);
    check("{\"a\":\"cut\n \"b\": 1\n", ARDA_FORM_LINES);
    check("{\"a\":1", ARDA_FORM_LINES);
    check("{\n", ARDA_FORM_LINES);
    check("{\nnonsense\n", ARDA_FORM_LINES);
    check("{a:1}\n{b:2}\n", ARDA_FORM_LINES);
    check(A B "\n" A "\n", ARDA_FORM_LINES);
    check("[]\n" A "\n", ARDA_FORM_LINES);
    check(A ",\n" B "\n", ARDA_FORM_LINES);
    check(A ",\n", ARDA_FORM_LINES);
    check(A " junk\n", ARDA_FORM_LINES);
}

static void an_array_is_known(void)
{
    check("[" A "," B "]\n", ARDA_FORM_ARRAY);
    check("[\n" A ",\n" B "\n]\n", ARDA_FORM_ARRAY);
    check("[\n" A "\n]\n", ARDA_FORM_ARRAY);
    check("[" A ",\n" B "]\n", ARDA_FORM_ARRAY);
    check("[\r\n  {\r\n    \"a\": 1\r\n  }\r\n]", ARDA_FORM_ARRAY);
    check("[]", ARDA_FORM_ARRAY);
    check("[1]\n[2]\n", ARDA_FORM_ARRAY);
}

static void an_object_over_several_lines_is_known(void)
{
    check("{\n  \"a\": 1\n}\n", ARDA_FORM_SPREAD);
    check("{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n", ARDA_FORM_SPREAD);
    check("\n\n{\n\n\"a\":\n{\n}\n}", ARDA_FORM_SPREAD);
    check("{ \"a\": 1,\n  \"b\": 2 }\n" A "\n", ARDA_FORM_SPREAD);
    check("\x1e{\n  \"a\": 1\n}\n", ARDA_FORM_SPREAD);
    check("{\n}\n", ARDA_FORM_SPREAD);
    CHECK_INT(arda_form_of("{\n  \"a\": 1,\n", 12, false), ARDA_FORM_SPREAD);
}

static void objects_on_a_line_are_known(void)
{
    check(A B, ARDA_FORM_JOINED);
    check(A " " B "\n", ARDA_FORM_JOINED);
    check(A B "\n" A B "\n", ARDA_FORM_JOINED);
    check("\x1e" A "\x1e" B, ARDA_FORM_JOINED);
}

static void a_comma_after_each_object_is_known(void)
{
    check(A ",\n" B ",\n" A "\n", ARDA_FORM_COMMAS);
    check(A " ,\r\n" B ",\r\n", ARDA_FORM_COMMAS);
}

static void each_form_but_lines_has_its_help(void)
{
    CHECK(!arda_form_help(ARDA_FORM_OPEN) && !arda_form_help(ARDA_FORM_LINES));
    for (int form = ARDA_FORM_ARRAY; form <= ARDA_FORM_COMMAS; form++)
        CHECK(arda_form_help((enum arda_form)form));
}

int main(void)
{
    RUN(lines_are_lines);
    RUN(one_wrong_line_is_not_another_form);
    RUN(an_array_is_known);
    RUN(an_object_over_several_lines_is_known);
    RUN(objects_on_a_line_are_known);
    RUN(a_comma_after_each_object_is_known);
    RUN(each_form_but_lines_has_its_help);
    return test_end();
}
