/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "lib/test.h"

#include <unistd.h>

static FILE *captured;
static int real_stderr;
static uint64_t mono_us;

static uint64_t mono_clock(void)
{
    return mono_us;
}

static int64_t wall_clock(void)
{
    return 1770554096789;
}

/* Standard error goes to a file until `captured_text`. */
static void capture(void)
{
    captured = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    if (!captured || real_stderr < 0 || dup2(fileno(captured), STDERR_FILENO) < 0)
        abort();
}

static void captured_text(char out[static 16384])
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    rewind(captured);
    out[fread(out, 1, 16383, captured)] = '\0';
    fclose(captured);
}

static const char *logged(enum base_log_format format, const char *message, char out[static 16384])
{
    capture();
    base_log_init("arda-test", format, BASE_LOG_INFO);
    base_log(BASE_LOG_WARNING, "%s", message);
    captured_text(out);
    return out;
}

static void text_lines_begin_with_the_program(void)
{
    char out[16384];
    CHECK_STR(logged(BASE_LOG_TEXT, "hello", out), "arda-test: hello\n");
    CHECK_STR(logged(BASE_LOG_TEXT, "", out), "arda-test: \n");
}

static void levels_above_are_left_out(void)
{
    char out[16384];
    capture();
    base_log_init("arda-test", BASE_LOG_TEXT, BASE_LOG_WARNING);
    base_log(BASE_LOG_ERROR, "%d", 1);
    base_log(BASE_LOG_WARNING, "%d", 2);
    base_log(BASE_LOG_INFO, "%d", 3);
    base_log(BASE_LOG_DEBUG, "%d", 4);
    captured_text(out);
    CHECK_STR(out, "arda-test: 1\narda-test: 2\n");
    CHECK(base_log_enabled(BASE_LOG_WARNING) && !base_log_enabled(BASE_LOG_INFO));
}

static void nobody_can_forge_a_line(void)
{
    char out[16384];
    CHECK_STR(logged(BASE_LOG_TEXT, "a\narda-test: b\r\x1b[2J\x7f\t\"\\", out),
              "arda-test: a\\x0aarda-test: b\\x0d\\x1b[2J\\x7f\\x09\"\\\n");
    CHECK_STR(logged(BASE_LOG_TEXT, "\xc3\xa4 \xff \xe2\x82", out),
              "arda-test: \xc3\xa4 \\xff \\xe2\\x82\n");
}

/* C1 controls, directions of writing and separators, which are not ASCII. */
static void nobody_can_move_the_cursor(void)
{
    char out[16384];
    CHECK_STR(logged(BASE_LOG_TEXT,
                     "\xc2\x9b"
                     "2J\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8 \xe2\x82\xac",
                     out),
              "arda-test: \\u009b2J\\u202e\\u2066\\u2028 \xe2\x82\xac\n");
    logged(BASE_LOG_JSON,
           "\xc2\x9b"
           "2J\xe2\x80\xae\xe2\x80\xa9",
           out);
    CHECK(strstr(out, "\"message\":\"\\u009b2J\\u202e\\u2029\"}\n"));
}

static void json_lines_are_json(void)
{
    char out[16384];
    base_clock_replace(NULL, wall_clock);
    CHECK_STR(logged(BASE_LOG_JSON, "a\n\"b\\\x7f", out),
              "{\"time\":\"2026-02-08T12:34:56.789Z\",\"level\":\"warning\","
              "\"program\":\"arda-test\",\"message\":\"a\\u000a\\\"b\\\\\\u007f\"}\n");
    logged(BASE_LOG_JSON, "\xc3\xa4\xff\xed\xa0\x80\xe2\x82", out);
    CHECK(strstr(out, "\"\xc3\xa4\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"}\n"));
    base_clock_replace(NULL, NULL);
}

static void long_messages_are_cut_to_a_whole_line(void)
{
    static const char *const fillers[] = {"x", "\n", "\"", "\xc3\xa4", "\xf0\x9f\x98\x80", "\xff"};
    char message[8192], out[16384];
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++)
        for (size_t before = 0; before < 8; before++) {
            size_t size = strlen(fillers[i]), len = before;
            memset(message, 'a', before);
            for (; len + size < sizeof message; len += size)
                memcpy(message + len, fillers[i], size);
            message[len] = '\0';
            logged(BASE_LOG_JSON, message, out);
            CHECK(base_json_check(out, strlen(out), NULL, NULL) == 0);
            CHECK(strchr(out, '\n') == out + strlen(out) - 1 && strlen(out) <= 4096);
            logged(BASE_LOG_TEXT, message, out);
            CHECK(base_utf8_valid(out, strlen(out)));
            CHECK(strchr(out, '\n') == out + strlen(out) - 1 && strlen(out) <= 4096);
        }
}

static void repeated_messages_are_limited_and_counted(void)
{
    struct base_log_limit limit = {0};
    char out[16384];
    capture();
    base_clock_replace(mono_clock, NULL);
    base_log_init("t", BASE_LOG_TEXT, BASE_LOG_INFO);
    mono_us = 5000000;
    for (int i = 0; i < 10; i++, mono_us += 99999)
        base_log_limited(&limit, BASE_LOG_INFO, "bad %d", i);
    mono_us = 6000000;
    base_log_limited(&limit, BASE_LOG_INFO, "bad %d", 10);
    mono_us = 7000000;
    base_log_limited(&limit, BASE_LOG_DEBUG, "bad %d", 11);
    base_log_limited(&limit, BASE_LOG_INFO, "bad %d", 12);
    base_clock_replace(NULL, NULL);
    captured_text(out);
    CHECK_STR(out, "t: bad 0\nt: bad 10\nt: 9 more of these were left out\nt: bad 12\n");
}

int main(void)
{
    unsetenv("JOURNAL_STREAM");
    RUN(text_lines_begin_with_the_program);
    RUN(levels_above_are_left_out);
    RUN(nobody_can_forge_a_line);
    RUN(nobody_can_move_the_cursor);
    RUN(json_lines_are_json);
    RUN(long_messages_are_cut_to_a_whole_line);
    RUN(repeated_messages_are_limited_and_counted);
    return test_end();
}
