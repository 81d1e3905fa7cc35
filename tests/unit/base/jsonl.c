/* SPDX-License-Identifier: ISC */
#include "base/jsonl.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

#define MAX_LINE 8

/* What came out so far, as "number:line|", "number!|" for a line too long, "number?|" without
 * memory, "no text|" for another encoding. */
struct output {
    char text[512];
    size_t len;
};

static void collect(struct base_jsonl *lines, struct output *out)
{
    struct base_slice line;
    int result;
    while ((result = base_jsonl_next(lines, &line)) != 0) {
        size_t room = sizeof out->text - out->len;
        char *to = out->text + out->len;
        unsigned long number = (unsigned long)lines->line_number;
        if (result == 1)
            out->len += (size_t)snprintf(to, room, "%lu:%.*s|", number, (int)line.len, line.data);
        else if (result == BASE_ERR_LIMIT)
            out->len += (size_t)snprintf(to, room, "%lu!|", number);
        else if (result == BASE_ERR_SYNTAX)
            out->len += (size_t)snprintf(to, room, "no text|");
        else
            out->len += (size_t)snprintf(to, room, "%lu?|", number);
        if (out->len >= sizeof out->text) {
            test_fail(__FILE__, __LINE__, "too much output");
            return;
        }
    }
}

/* A block of exactly this size that is gone when the call returns, as its owner may do. */
static void feed(struct base_jsonl *lines, const char *bytes, size_t len, struct output *out)
{
    char *block = malloc(len);
    memcpy(block, bytes, len);
    base_jsonl_feed(lines, block, len);
    collect(lines, out);
    free(block);
}

static void check_pieces(const char *text, size_t piece, size_t first, const char *want)
{
    struct base_jsonl lines;
    struct output out = {.len = 0};
    base_jsonl_init(&lines, MAX_LINE);
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        size_t size = at == 0 && first ? first : piece;
        size = size < len - at ? size : len - at;
        feed(&lines, text + at, size, &out);
        at += size;
    }
    base_jsonl_finish(&lines);
    collect(&lines, &out);
    collect(&lines, &out);
    CHECK_STR(out.text, want);
    CHECK(lines.partial.cap <= 64);
    base_jsonl_fini(&lines);
}

/* Whole, in pieces of every size, and cut once at every place. */
static void check(const char *text, const char *want)
{
    size_t len = strlen(text);
    for (size_t piece = 1; piece <= len; piece++)
        check_pieces(text, piece, 0, want);
    for (size_t cut = 1; cut < len; cut++)
        check_pieces(text, len, cut, want);
    check_pieces(text, len + 1, 0, want);
}

static void cuts_and_numbers_lines(void)
{
    check("", "");
    check("a", "1:a|");
    check("a\n", "1:a|");
    check("a\nbc\ndef", "1:a|2:bc|3:def|");
    check("a\nbc\ndef\n", "1:a|2:bc|3:def|");
}

static void lines_may_end_in_cr_lf(void)
{
    check("a\r\nb\r\n", "1:a|2:b|");
    check("a\r\nb\r", "1:a|2:b|");
    check("a\rb\n", "1:a\rb|");
    check("a\r\r\nb", "1:a\r|2:b|");
}

static void blank_lines_are_counted_and_skipped(void)
{
    check("\n\n\n", "");
    check("\n\na\n \t\n\r\n  b \n\n", "3:a|6:  b |");
    check("a\n  ", "1:a|");
    check("a\n \r", "1:a|");
}

static void a_line_of_the_maximum_is_taken(void)
{
    check("12345678\nb\n", "1:12345678|2:b|");
    check("12345678", "1:12345678|");
    check("12345678\r\nb\r\n", "1:12345678|2:b|");
    check("a\n12345678\r", "1:a|2:12345678|");
}

static void a_longer_line_is_reported_once_and_skipped(void)
{
    check("123456789\nb\n", "1!|2:b|");
    check("123456789", "1!|");
    check("123456789\r\nb\r\n", "1!|2:b|");
    check("12345678\r9\nb\n", "1!|2:b|");
    check("12345678\r\r\nb\n", "1!|2:b|");
    check("a\n1234567890123456789012345678901234567890\nb\n123456789x\n\nc", "1:a|2!|3:b|4!|6:c|");
}

static void a_byte_order_mark_at_the_very_beginning_is_skipped(void)
{
    check("\xef\xbb\xbf"
          "a\r\nb\n",
          "1:a|2:b|");
    check("\xef\xbb\xbf", "");
    check("\xef\xbb\xbf\na", "2:a|");
    check("\xef\xbb\xbf"
          "12345678\n",
          "1:12345678|");
    check("a\n\xef\xbb\xbf"
          "b",
          "1:a|2:\xef\xbb\xbf"
          "b|");
    check("\xef\xbb", "1:\xef\xbb|");
}

static void the_mark_of_a_record_is_skipped(void)
{
    check("\x1e"
          "a\n\x1e"
          "b\n",
          "1:a|2:b|");
    check("\x1e\n\x1e\x1e"
          "a",
          "2:a|");
    check("a\x1e"
          "b",
          "1:a\x1e"
          "b|");
}

static void an_input_of_another_encoding_is_reported_once(void)
{
    check("\xff\xfe"
          "a\nb\n",
          "no text|");
    check("\x1f\x8b\n\n", "no text|");
    check("\x28\xb5\x2f\xfd"
          "a\n",
          "no text|");
    check("\xfe\xff", "no text|");
}

static void bytes_are_left_as_they_are(void)
{
    struct base_jsonl lines;
    struct base_slice line;
    base_jsonl_init(&lines, MAX_LINE);
    base_jsonl_feed(&lines,
                    "xa\0\xff"
                    "b\nc",
                    7);
    CHECK_INT(base_jsonl_next(&lines, &line), 1);
    CHECK_INT(line.len, 5);
    CHECK(memcmp(line.data,
                 "xa\0\xff"
                 "b",
                 5) == 0);
    CHECK_INT(base_jsonl_next(&lines, &line), 0);
    base_jsonl_fini(&lines);
}

static void a_whole_line_in_a_block_is_not_copied(void)
{
    struct base_jsonl lines;
    struct base_slice line;
    const char *block = "ab\ncd\n";
    base_mem_fail(0, 0);
    base_jsonl_init(&lines, MAX_LINE);
    base_jsonl_feed(&lines, block, 6);
    CHECK(base_jsonl_next(&lines, &line) == 1 && line.data == block);
    CHECK(base_jsonl_next(&lines, &line) == 1 && line.data == block + 3);
    CHECK_INT(base_jsonl_next(&lines, &line), 0);
    CHECK_INT(base_mem_tries(), 0);
    base_jsonl_fini(&lines);
}

static void survives_every_failing_allocation(void)
{
    static const char *const wants[] = {"1?|2:cd|3:ef|", "1:ab|2:cd|3:ef|"};
    for (long n = 1; n <= 2; n++) {
        struct base_jsonl lines;
        struct output out = {.len = 0};
        base_jsonl_init(&lines, MAX_LINE);
        base_mem_fail(n, 1);
        feed(&lines, "a", 1, &out);
        feed(&lines, "b\nc", 3, &out);
        feed(&lines, "d\ne", 3, &out);
        feed(&lines, "f", 1, &out);
        base_jsonl_finish(&lines);
        collect(&lines, &out);
        base_mem_fail(0, 0);
        CHECK_STR(out.text, wants[n - 1]);
        base_jsonl_fini(&lines);
    }
}

static void a_line_without_memory_may_end_in_its_block(void)
{
    struct base_jsonl lines;
    struct output out = {.len = 0};
    char text[100];
    base_jsonl_init(&lines, 200);
    memset(text, 'x', sizeof text);
    feed(&lines, text, 60, &out);
    text[99] = '\n';
    base_mem_fail(1, 1);
    feed(&lines, text, 100, &out);
    feed(&lines, "b\n", 2, &out);
    base_mem_fail(0, 0);
    CHECK_STR(out.text, "1?|2:b|");
    base_jsonl_fini(&lines);
}

int main(void)
{
    RUN(cuts_and_numbers_lines);
    RUN(lines_may_end_in_cr_lf);
    RUN(blank_lines_are_counted_and_skipped);
    RUN(a_line_of_the_maximum_is_taken);
    RUN(a_longer_line_is_reported_once_and_skipped);
    RUN(a_byte_order_mark_at_the_very_beginning_is_skipped);
    RUN(the_mark_of_a_record_is_skipped);
    RUN(an_input_of_another_encoding_is_reported_once);
    RUN(bytes_are_left_as_they_are);
    RUN(a_whole_line_in_a_block_is_not_copied);
    RUN(survives_every_failing_allocation);
    RUN(a_line_without_memory_may_end_in_its_block);
    return test_end();
}
