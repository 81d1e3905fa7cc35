/* SPDX-License-Identifier: ISC
 *
 * arda/record, form, filter, pretty: a line that was read can be written in each form, on one
 * line and without control characters where a person looks; what was written can be read back and
 * written again, and is the same. A first line `%…` is a template and a rule for the second line.
 */
#include "arda/filter.h"
#include "arda/format.h"

#include "base/mem.h"
#include "lib/fuzz.h"

static bool same(struct base_slice one, struct base_slice other)
{
    return one.len == other.len && (one.len == 0 || memcmp(one.data, other.data, one.len) == 0);
}

/* One line with its end and no other; without what a terminal obeys if it is for a person. */
static void check_line(const struct base_buf *out, bool person)
{
    FUZZ_CHECK(out->len > 0 && out->data[out->len - 1] == '\n');
    FUZZ_CHECK(!memchr(out->data, '\n', out->len - 1) && !memchr(out->data, '\r', out->len));
    for (size_t i = 0; person && i + 1 < out->len; i++) {
        unsigned char byte = (unsigned char)out->data[i], next = (unsigned char)out->data[i + 1];
        FUZZ_CHECK(byte >= 0x20 && byte != 0x7F && !(byte == 0xC2 && next < 0xA0));
    }
}

/* Writes the record in a form, and if the form can be read back, does so again. */
static void write(const char *form, const struct arda_record *record, bool readable)
{
    struct arda_format *format;
    struct base_buf out = BASE_BUF_INIT, again = BASE_BUF_INIT;
    struct arda_record back;
    FUZZ_CHECK(arda_format_new(form, false, &format, NULL) == 0);
    int written = arda_format_write(format, &out, record);
    FUZZ_CHECK(written == 1 || (written == 0 && strcmp(form, "ws") == 0 && out.len == 0));
    if (written)
        check_line(&out, !readable);
    if (written && readable) {
        enum arda_drop drop = arda_record_parse(out.data, out.len, &back, NULL);
        if (drop == ARDA_DROP_NONE) {
            FUZZ_CHECK(arda_format_write(format, &again, &back) == 1);
            FUZZ_CHECK(same((struct base_slice){out.data, out.len},
                            (struct base_slice){again.data, again.len}));
        } else { /* one level deeper than is allowed */
            FUZZ_CHECK(drop == ARDA_DROP_NOT_JSON && strcmp(form, "json") != 0);
        }
    }
    arda_format_free(format);
    base_buf_fini(&out);
    base_buf_fini(&again);
}

static void write_all(const struct arda_record *record)
{
    int64_t ms;
    write("json", record, true);
    write("envelope", record, true);
    write("ws", record, true);
    write("pretty", record, false);
    write("%{timestamp}%{id}%{source}%{correlationId}%{event.a.b.0}%{event}%{envelope}", record,
          false);
    (void)arda_record_time(record, &ms);
}

/* The user's form, and a filter of the same text. */
static void use_template(const char *text, const struct arda_record *record)
{
    const char *rules[] = {text}, *types[] = {text};
    struct arda_filter_options options = {.type = {types, 1}, .match = {rules, 1}};
    struct arda_format *format;
    struct arda_filter *filter;
    struct base_why why;
    struct base_buf out = BASE_BUF_INIT;
    int failed = arda_format_new(text, false, &format, &why);
    FUZZ_CHECK(!failed || (failed == BASE_ERR_INVALID && *why.text));
    if (!failed && record)
        FUZZ_CHECK(arda_format_write(format, &out, record) >= 0);
    if (!failed)
        arda_format_free(format);
    failed = arda_filter_new(&options, &filter, &why);
    FUZZ_CHECK(!failed || (failed == BASE_ERR_INVALID && *why.text));
    if (!failed && record)
        FUZZ_CHECK(arda_filter_match(filter, &record->message) >= 0);
    if (!failed)
        arda_filter_free(filter);
    base_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data, *end = size ? memchr(data, '\n', size) : NULL;
    struct arda_record record;
    char *form = NULL;
    if (size > 0 && *line == '%' && end) {
        form = base_memdup(line, (size_t)(end - line));
        size -= (size_t)(end + 1 - line);
        line = end + 1;
    }
    enum arda_drop drop = arda_record_parse(line, size, &record, NULL);
    bool event = drop == ARDA_DROP_NONE && record.form != ARDA_RECORD_GAP;
    if (event)
        write_all(&record);
    if (form)
        use_template(form, event ? &record : NULL);
    base_free(form);
    return 0;
}
