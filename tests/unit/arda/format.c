/* SPDX-License-Identifier: ISC
 *
 * The lines of tests/data/records-<version>: `input.jsonl` written in each format must give the
 * file of that format, byte for byte. TEST_UPDATE=1 writes the files anew, for a new version.
 */
#include "arda/format.h"

#include "base/mem.h"
#include "lib/test.h"

#include <time.h>

#define TEMPLATE                                                                                   \
    "%{timestamp} %{type} [%{wsType}] %{tenantId}\\t%{id}|%{position}|%{channel}|%{source}|"       \
    "%{correlationId} %{event.orderNumber}%{event.reason} 100%% %{envelope.replayed}"

static const struct golden {
    const char *file, *format;
    bool color;
} goldens[] = {
    {"json.jsonl", "json", false},
    {"envelope.jsonl", "envelope", false},
    {"ws.jsonl", "ws", false},
    {"pretty.txt", "pretty", false},
    {"pretty-color.txt", "pretty", true},
    {"template.txt", TEMPLATE, false},
};
#define GOLDENS (sizeof goldens / sizeof goldens[0])

/* ---- files ---- */

static FILE *open_file(const char *name, const char *mode)
{
    const char *srcdir = getenv("srcdir");
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/data/records-" ARDA_RECORD_VERSION "/%s",
             srcdir ? srcdir : ".", name);
    FILE *file = fopen(path, mode);
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return file;
}

static struct base_buf read_file(const char *name)
{
    struct base_buf out = BASE_BUF_INIT;
    FILE *file = open_file(name, "rb");
    char block[4096];
    size_t len;
    while ((len = fread(block, 1, sizeof block, file)) > 0)
        CHECK_INT(base_buf_add(&out, block, len), 0);
    CHECK_INT(fclose(file), 0);
    return out;
}

static void write_file(const char *name, const struct base_buf *text)
{
    FILE *file = open_file(name, "wb");
    CHECK_INT(fwrite(text->data, 1, text->len, file), text->len);
    CHECK_INT(fclose(file), 0);
}

/* The next line without its end; false behind the last. */
static bool next_line(const struct base_buf *text, size_t *at, struct base_slice *line)
{
    const char *end = *at < text->len ? memchr(text->data + *at, '\n', text->len - *at) : NULL;
    if (!end)
        return false;
    *line = (struct base_slice){text->data + *at, (size_t)(end - text->data) - *at};
    *at += line->len + 1;
    return true;
}

/* ---- golden files ---- */

/* How many lines were written. */
static size_t write_all(const char *format_text, bool color, struct base_buf *out)
{
    struct base_buf input = read_file("input.jsonl");
    struct arda_format *format;
    struct base_slice line;
    size_t at = 0, written = 0;
    CHECK_INT(arda_format_new(format_text, color, &format, NULL), 0);
    while (next_line(&input, &at, &line)) {
        struct arda_record record;
        CHECK_INT(arda_record_parse(line.data, line.len, &record, NULL), ARDA_DROP_NONE);
        int result = arda_format_write(format, out, &record);
        CHECK(result == 0 || result == 1);
        written += (size_t)result;
    }
    arda_format_free(format);
    base_buf_fini(&input);
    return written;
}

static void compare(const struct base_buf *got, const struct base_buf *want)
{
    struct base_slice got_line, want_line;
    size_t got_at = 0, want_at = 0;
    while (next_line(got, &got_at, &got_line) && next_line(want, &want_at, &want_line))
        if (got_line.len != want_line.len ||
            memcmp(got_line.data, want_line.data, got_line.len) != 0) {
            printf("# got      %.*s\n", (int)got_line.len, got_line.data);
            printf("# expected %.*s\n", (int)want_line.len, want_line.data);
        }
    CHECK_INT(got->len, want->len);
    CHECK(got->len == want->len && memcmp(got->data, want->data, got->len) == 0);
}

static void every_format_is_as_it_was(void)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        struct base_buf out = BASE_BUF_INIT;
        CHECK(write_all(goldens[i].format, goldens[i].color, &out) >= 5);
        if (getenv("TEST_UPDATE"))
            write_file(goldens[i].file, &out);
        struct base_buf want = read_file(goldens[i].file);
        compare(&out, &want);
        base_buf_fini(&want);
        base_buf_fini(&out);
    }
}

/* What was read from a line of one format and written in it again is the same line. */
static void every_line_can_be_read_back(void)
{
    for (size_t i = 0; i < 3; i++) {
        struct base_buf lines = read_file(goldens[i].file), out = BASE_BUF_INIT;
        struct arda_format *format;
        struct base_slice line;
        size_t at = 0;
        CHECK_INT(arda_format_new(goldens[i].format, false, &format, NULL), 0);
        while (next_line(&lines, &at, &line)) {
            struct arda_record record;
            CHECK_INT(arda_record_parse(line.data, line.len, &record, NULL), ARDA_DROP_NONE);
            CHECK_INT(record.form, (enum arda_record_form)i);
            CHECK_INT(arda_format_write(format, &out, &record), 1);
        }
        compare(&out, &lines);
        arda_format_free(format);
        base_buf_fini(&lines);
        base_buf_fini(&out);
    }
}

/* ---- choosing one ---- */

static void a_format_that_is_none_is_refused(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"xml", "expected json, envelope, ws, pretty or a template with %{NAME}, got `xml'"},
        {"", "expected json, envelope, ws, pretty or a template with %{NAME}, got `'"},
        {"JSON", "expected json, envelope, ws, pretty or a template with %{NAME}, got `JSON'"},
        {"type: %{type", "column 7: %{ without }"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arda_format *format;
        struct base_why why = {0, ""};
        CHECK_INT(arda_format_new(rows[i].text, false, &format, &why), BASE_ERR_INVALID);
        CHECK(format == NULL);
        CHECK_STR(why.text, rows[i].want);
    }
    arda_format_free(NULL);
}

static void memory_may_be_short(void)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        int failed = BASE_ERR_NOMEM;
        for (long n = 1; failed && n < 100; n++) {
            struct arda_format *format;
            struct base_why why = {0, ""};
            base_mem_fail(n, 1);
            failed = arda_format_new(goldens[i].format, false, &format, &why);
            base_mem_fail(0, 0);
            CHECK((failed == 0) == (format != NULL));
            CHECK_STR(why.text, failed ? "out of memory" : "");
            arda_format_free(format);
        }
        CHECK_INT(failed, 0);
    }
}

int main(void)
{
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    RUN(every_format_is_as_it_was);
    RUN(every_line_can_be_read_back);
    RUN(a_format_that_is_none_is_refused);
    RUN(memory_may_be_short);
    return test_end();
}
