/* SPDX-License-Identifier: ISC
 *
 * trace: a decoder's events as text, so that a test compares one string and a failure can be read.
 * It stays clear of base/mem, whose allocations a test may let fail.
 */
#ifndef TEST_TRACE_H
#define TEST_TRACE_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace {
    FILE *out;
    char *text;
    size_t len;
};

static inline void trace_begin(struct trace *trace)
{
    *trace = (struct trace){0};
    trace->out = open_memstream(&trace->text, &trace->len);
    if (!trace->out)
        abort();
}

/* The text, to be freed. */
static inline char *trace_end(struct trace *trace)
{
    if (fclose(trace->out) != 0)
        abort();
    return trace->text;
}

/* ` "<bytes>"` with everything unprintable as \xNN; of long ones the length and a sum. */
static inline void trace_bytes(struct trace *trace, const char *bytes, size_t len)
{
    if (len > 200) {
        unsigned sum = 5381;
        for (size_t i = 0; i < len; i++)
            sum = sum * 33 + (unsigned char)bytes[i];
        fprintf(trace->out, " %zu:%08x", len, sum);
        return;
    }
    fputs(" \"", trace->out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            fprintf(trace->out, "\\x%02x", c);
        else
            fputc(c, trace->out);
    }
    fputc('"', trace->out);
}

/* A copy that ends where the bytes end, so that a sanitizer sees a read beyond. */
static inline char *trace_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

#endif
