/* SPDX-License-Identifier: ISC */
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

static bool is_blank(struct base_slice *line)
{
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
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

int base_jsonl_next(struct base_jsonl *lines, struct base_slice *line)
{
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
