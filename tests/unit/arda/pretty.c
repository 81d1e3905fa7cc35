/* SPDX-License-Identifier: ISC
 *
 * Whole lines are fixed by the golden files (tests/unit/arda/format.c); here are the odd values.
 */
#include "arda/record/pretty.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

#include <time.h>

#define TYPE_COLUMN 33 /* behind time and tenant */

static struct base_buf line;

static const char *pretty(const char *text, const char *tenant, bool color)
{
    struct arda_message message;
    base_buf_fini(&line);
    CHECK_INT(
        arda_message_parse(text, strlen(text), tenant, tenant ? strlen(tenant) : 0, &message, NULL),
        ARDA_DROP_NONE);
    struct arda_record record =
        arda_record_of(&message, (struct arda_stream_id){0, 0}, (struct base_slice){NULL, 0});
    CHECK_INT(arda_pretty_write(&line, &record, color), 0);
    CHECK_INT(line.data[line.len - 1], '\n');
    CHECK(memchr(line.data, '\n', line.len) == line.data + line.len - 1);
    line.data[line.len - 1] = '\0';
    return line.data;
}

/* The line from this column on; -1: all of it, with colors. */
static void check_line(const char *text, const char *tenant, int from, const char *want)
{
    const char *got = pretty(text, tenant, from < 0);
    CHECK_STR(got + (from < 0 ? 0 : from), want);
}

/* What is shown of a member `v` of an unknown type. */
static void check_value(const char *value, const char *want)
{
    char text[2048];
    snprintf(text, sizeof text, "{\"type\":\"x\",\"v\":%s}", value);
    const char *found = strstr(pretty(text, NULL, false), " v=");
    CHECK(found != NULL);
    CHECK_STR(found ? found + 3 : "", want);
}

static void values(void)
{
    check_value("\"word\"", "word");
    check_value("\"two words\"", "\"two words\"");
    check_value("\"\"", "\"\"");
    check_value("\"say \\\"yes\\\"\"", "\"say \\\"yes\\\"\"");
    check_value("\"x\\\" y=\\\"z\"", "\"x\\\" y=\\\"z\"");
    check_value("\"3F2A1B4C-0000-4000-8000-000000000001\"", "3F2A1B4C");
    check_value("\"\\u0033f2a1b4c-0000-4000-8000-000000000001\"", "3f2a1b4c");
    check_value("-1.50e3", "-1.50e3");
    check_value("null", "null");
    check_value("true", "true");
    check_value("{\"a\":\n\"b c\"}", "{\"a\": \"b c\"}");
    check_value("[]", "none");
    check_value("[1,\"two\",[3]]", "1,two,[3]");
    check_value("[1,2,3,4,5]", "1,2,3,+2");
}

static void nothing_reaches_the_terminal_but_text(void)
{
    check_value("\"\\u001b[2J\"", "\\u001b[2J");
    check_value("\"a\\nb\"", "a\\nb");
    check_value("\"\xc2\x9b"
                "2J\x7f\"",
                "\\u009b2J\\u007f");
    check_value("\"\\u202egnp.exe\"", "\\u202egnp.exe");
    check_value("\"\\ud800\\n\"", "\\ud800\\n");
    check_value("{\"k\":\"\x7f\"}", "{\"k\":\"\\u007f\"}");
    CHECK(strstr(pretty("{\"type\":\"a\\u001bb\",\"\\u001bk\xc2\x9b"
                        "\":1}",
                        NULL, false),
                 " a\\u001bb ") != NULL);
    CHECK(strstr(line.data, " \\u001bk\\u009b=1") != NULL);
    CHECK(strchr(line.data, '\033') == NULL);
}

static void long_values_are_cut(void)
{
    check_value("\"123456789012345678901234567890123456789012345678901234567890\"",
                "123456789012345678901234567890123456789012345678901234567890");
    check_value("\"1234567890123456789012345678901234567890123456789012345678901\"",
                "123456789012345678901234567890123456789012345678901234567890...");
    check_value("\"12345678901234567890123456789012345678901234567890123456789\u00e9\"",
                "12345678901234567890123456789012345678901234567890123456789...");
    check_value("1234567890123456789012345678901234567890123456789012345678901",
                "123456789012345678901234567890123456789012345678901234567890...");
    check_value("\"a b345678901234567890123456789012345678901234567890123456789012\"",
                "\"a b345678901234567890123456789012345678901234567890123456789\"...");
}

static void an_unknown_type_shows_its_first_members(void)
{
    check_line("{\"tenantId\":\"t\",\"a\":1,\"type\":\"x\",\"b\":2,\"timestamp\":7,\"c\":3,"
               "\"eventId\":\"e\",\"schemaVersion\":1,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
               "\"h\":8,\"i\":9}",
               NULL, 0,
               "-                       t        x                       a=1 b=2 c=3 d=4 e=5 f=6 "
               "g=7 h=8 ...");
    check_line("{\"type\":\"x\"}", NULL, 0, "-                       -        x");
    check_line("{\"type\":\"a.type.longer.than.its.column\",\"a\":1}", "tenant-of-ours", 0,
               "-                       tenant-of-ours a.type.longer.than.its.column a=1");
}

static void what_changed_comes_first(void)
{
    check_line("{\"type\":\"card.transition\",\"toStage\":\"ordered\",\"cardId\":\"c\"}", "t",
               TYPE_COLUMN, "card.transition         -> ordered cardId=c");
    check_line("{\"type\":\"card.transition\",\"toStage\":\"a b\",\"fromStage\":\"x\"}", "t",
               TYPE_COLUMN, "card.transition         x -> \"a b\"");
    check_line("{\"type\":\"card.transition\",\"fromStage\":\"x\"}", "t", TYPE_COLUMN,
               "card.transition         fromStage=x");
}

static void times(void)
{
    CHECK(
        strncmp(pretty("{\"type\":\"x\",\"timestamp\":\"2026-02-08T12:00:00.007Z\"}", NULL, false),
                "2026-02-08 13:00:00.007 -", 25) == 0);
    CHECK(
        strncmp(pretty("{\"type\":\"x\",\"timestamp\":\"2026-07-08T12:00:00+02:00\"}", NULL, false),
                "2026-07-08 12:00:00.000 -", 25) == 0);
    CHECK(
        strncmp(pretty("{\"type\":\"x\",\"timestamp\":\"1969-12-31T23:59:59.999Z\"}", NULL, false),
                "1970-01-01 00:59:59.999 -", 25) == 0);
    CHECK(strncmp(pretty("{\"timestamp\":\"2026-02-08T12:00:01Z\",\"event\":{\"type\":\"x\"}}",
                         NULL, false),
                  "2026-02-08 13:00:01.000 -", 25) == 0);
    CHECK(strncmp(pretty("{\"type\":\"x\",\"timestamp\":\"noon\"}", NULL, false),
                  "-                       -", 25) == 0);
}

static void colors(void)
{
    check_line("{\"replayed\":true,\"event\":{\"type\":\"card.transition\",\"toStage\":"
               "\"ordered\",\"method\":\"scan\"}}",
               "t", -1,
               "\033[2m-\033[0m                       \033[36mt\033[0m        "
               "\033[1mcard.transition\033[0m         \033[33m-> ordered\033[0m "
               "\033[2mmethod=\033[0mscan\033[2m (replayed)\033[0m");
}

static void a_failed_write_leaves_nothing(void)
{
    static const char text[] =
        "{\"replayed\":true,\"event\":{\"type\":\"card.transition\",\"toStage\":\"or\\u0064ered\","
        "\"cardId\":[1,2,3,4],\"method\":\"a \\\"long\\\" method of going on\",\"timestamp\":"
        "\"2026-02-08T12:00:00Z\"}}";
    struct arda_message message;
    int result = BASE_ERR_NOMEM;
    CHECK_INT(arda_message_parse(text, sizeof text - 1, "t", 1, &message, NULL), ARDA_DROP_NONE);
    struct arda_record record =
        arda_record_of(&message, (struct arda_stream_id){0, 0}, (struct base_slice){NULL, 0});
    for (long n = 1; result && n < 200; n++) {
        struct base_buf out = BASE_BUF_INIT;
        CHECK_INT(base_buf_add_text(&out, "before "), 0);
        base_mem_fail(n, 1);
        result = arda_pretty_write(&out, &record, true);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && out.len == 7));
        base_buf_fini(&out);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    RUN(values);
    RUN(nothing_reaches_the_terminal_but_text);
    RUN(long_values_are_cut);
    RUN(an_unknown_type_shows_its_first_members);
    RUN(what_changed_comes_first);
    RUN(times);
    RUN(colors);
    RUN(a_failed_write_leaves_nothing);
    base_buf_fini(&line);
    return test_end();
}
