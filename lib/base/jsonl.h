/* SPDX-License-Identifier: ISC
 *
 * jsonl: cuts a stream of bytes into lines and numbers them.
 *
 * Lines end with LF or CR LF; the last one may lack its end. Empty lines and lines of blanks are
 * numbered and skipped, and so is U+001E at the beginning of a line (RFC 7464). A line longer than
 * the maximum is reported once and skipped to its end, so memory stays bounded. A byte order mark
 * of UTF-8 at the beginning of the input is skipped; an input that is no UTF-8 by its first bytes
 * (base/encoding.h) is reported once and has no lines. Usage: feed a block, call next until it
 * gives 0, feed the next block; at the end of input call finish and next once more. Threads: one at
 * a time.
 */
#ifndef BASE_JSONL_H
#define BASE_JSONL_H

#include "base/buf.h"
#include "base/encoding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE_JSONL_RECORD_MARK '\x1e' /* before each text of a sequence of JSON texts */

struct base_jsonl {
    struct base_buf partial; /* the beginning of a line whose end has not come */
    struct base_slice block; /* what is left of the block that was fed */
    size_t max_line_bytes;
    uint64_t line_number;        /* of the line yielded last */
    enum base_encoding encoding; /* OPEN until enough of the input has come */
    bool skipping;               /* inside a line that is too long */
    bool finished;
    unsigned char head_len;
    char head[BASE_ENCODING_HEAD_MAX]; /* the first bytes while the encoding is OPEN */
};

void base_jsonl_init(struct base_jsonl *lines, size_t max_line_bytes);
void base_jsonl_fini(struct base_jsonl *lines);
/* Borrows the block until base_jsonl_next has returned 0. The former block must be used up. */
void base_jsonl_feed(struct base_jsonl *lines, const char *bytes, size_t len);
void base_jsonl_finish(struct base_jsonl *lines);
/* 1: `line` is the next one without its end, borrowed until the next call; lines->line_number is
 * its number, from 1. 0: all used up. BASE_ERR_LIMIT: line number lines->line_number is too long
 * and left out; go on. BASE_ERR_NOMEM: the line is left out; go on. BASE_ERR_SYNTAX, once:
 * lines->encoding says what the input is, and there are no lines. */
int base_jsonl_next(struct base_jsonl *lines, struct base_slice *line);

#endif
