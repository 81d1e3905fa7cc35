/* SPDX-License-Identifier: ISC
 *
 * Bytes are kept until their line is complete; a line that is too long is skipped to its end, and
 * counted.
 */
#include "base/jsonl.h"

#include "base/err.h"

#include <string.h>

void base_jsonl_init(struct base_jsonl *lines, size_t max_line_bytes)
{
    *lines = (struct base_jsonl){.max_line_bytes = max_line_bytes};
}

void base_jsonl_fini(struct base_jsonl *lines)
{
    base_buf_fini(&lines->partial);
}

void base_jsonl_feed(struct base_jsonl *lines, const char *bytes, size_t len)
{
    base_assert(lines->block.len == 0);
    lines->block = (struct base_slice){bytes, len};
}

void base_jsonl_finish(struct base_jsonl *lines)
{
    lines->finished = true;
}

/* Takes bytes up to a line's end, or all. True when the end was among them. */
static bool take_run(struct base_jsonl *lines, struct base_slice *run)
{
    const char *end = memchr(lines->block.data, '\n', lines->block.len);
    run->data = lines->block.data;
    run->len = end ? (size_t)(end - run->data) : lines->block.len;
    size_t used = run->len + (end ? 1 : 0);
    lines->block.data += used;
    lines->block.len -= used;
    return end != NULL;
}

/* Also takes off what is no part of the line: the CR of its end, and the mark of a record. */
static bool is_blank(struct base_slice *line)
{
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    while (line->len > 0 && *line->data == BASE_JSONL_RECORD_MARK) {
        line->data++;
        line->len--;
    }
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] != ' ' && line->data[i] != '\t')
            return false;
    return true;
}

/* Counts a line that is given up; its rest is skipped. */
static int give_up(struct base_jsonl *lines, bool ended, int code)
{
    lines->partial.len = 0;
    lines->skipping = !ended;
    lines->line_number++;
    return code;
}

/* The length of the line so far, a CR at the end left out: it may belong to the line's end. */
static size_t line_len(const struct base_jsonl *lines, const struct base_slice *run)
{
    size_t len = lines->partial.len + run->len;
    if (len == 0)
        return 0;
    char last = run->len > 0 ? run->data[run->len - 1] : lines->partial.data[len - 1];
    return len - (last == '\r');
}

/* A run of the block: 1, an error, or 0 when there is no whole line yet. */
static int take_line(struct base_jsonl *lines, struct base_slice *line)
{
    bool ended = take_run(lines, line);
    if (lines->skipping) {
        lines->skipping = !ended;
        return 0;
    }
    if (line_len(lines, line) > lines->max_line_bytes)
        return give_up(lines, ended, BASE_ERR_LIMIT);
    if (lines->partial.len > 0 || !ended) {
        if (base_buf_add(&lines->partial, line->data, line->len) < 0)
            return give_up(lines, ended, BASE_ERR_NOMEM);
        if (!ended)
            return 0;
        /* Borrowed until the next call, which begins by emptying it. */
        *line = (struct base_slice){lines->partial.data, lines->partial.len};
        lines->partial.len = 0;
    }
    lines->line_number++;
    return is_blank(line) ? 0 : 1;
}

/* ---- the beginning of the input ---- */

/* Bytes that are needed to tell the encoding, together with those that came before them. */
static enum base_encoding look(struct base_jsonl *lines)
{
    char bytes[2 * BASE_ENCODING_HEAD_MAX + 1];
    size_t room = sizeof bytes - lines->head_len;
    size_t more = lines->block.len < room ? lines->block.len : room;
    memcpy(bytes, lines->head, lines->head_len);
    if (more > 0)
        memcpy(bytes + lines->head_len, lines->block.data, more);
    return base_encoding_of(bytes, lines->head_len + more, lines->finished);
}

/* They are few, or the encoding would not be open. */
static void keep_head(struct base_jsonl *lines)
{
    base_assert(lines->head_len + lines->block.len <= sizeof lines->head);
    if (lines->block.len > 0)
        memcpy(lines->head + lines->head_len, lines->block.data, lines->block.len);
    lines->head_len = (unsigned char)(lines->head_len + lines->block.len);
    lines->block.len = 0;
}

/* What has been kept is the beginning of the first line. */
static int take_head(struct base_jsonl *lines)
{
    size_t mark = lines->encoding == BASE_ENCODING_MARK ? BASE_ENCODING_MARK_LEN : 0;
    size_t kept = lines->head_len < mark ? lines->head_len : mark;
    size_t len = lines->head_len - kept;
    if (mark > kept) {
        lines->block.data += mark - kept;
        lines->block.len -= mark - kept;
    }
    lines->head_len = 0;
    if (len == 0 || base_buf_add(&lines->partial, lines->head + kept, len) == 0)
        return 1;
    return give_up(lines, false, BASE_ERR_NOMEM);
}

/* 1: lines follow; 0: more bytes are needed; or the input or its first line is left out. */
static int begin(struct base_jsonl *lines)
{
    if (lines->encoding == BASE_ENCODING_OPEN) {
        lines->encoding = look(lines);
        if (base_encoding_is_text(lines->encoding) && lines->encoding != BASE_ENCODING_OPEN)
            return take_head(lines);
        if (lines->encoding == BASE_ENCODING_OPEN) {
            keep_head(lines);
            return 0;
        }
        lines->block.len = lines->head_len = 0;
        return BASE_ERR_SYNTAX;
    }
    if (base_encoding_is_text(lines->encoding))
        return 1;
    lines->block.len = 0;
    return 0;
}

int base_jsonl_next(struct base_jsonl *lines, struct base_slice *line)
{
    int begun = begin(lines);
    if (begun <= 0)
        return begun;
    while (lines->block.len > 0) {
        int result = take_line(lines, line);
        if (result != 0)
            return result;
    }
    if (!lines->finished || lines->partial.len == 0)
        return 0;
    *line = (struct base_slice){lines->partial.data, lines->partial.len};
    lines->partial.len = 0;
    lines->line_number++;
    return is_blank(line) ? 0 : 1;
}
