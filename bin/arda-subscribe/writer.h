/* SPDX-License-Identifier: ISC
 *
 * writer: lines to standard output that never stop the loop.
 *
 * A write to a pipe or a terminal is done when it takes it, at most PIPE_BUF bytes at a time; what
 * it does not take waits here, and how much that is the caller bounds: writer_is_blocked,
 * writer_waiting_bytes. A descriptor that cannot be waited for, as that of a file, is written to at
 * once. The flags of the descriptor, which other processes share, stay as they are.
 * Threads: the loop's.
 */
#ifndef SUBSCRIBE_WRITER_H
#define SUBSCRIBE_WRITER_H

#include "arda/stream_id.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Up to where a reader has come when a line has been written. */
struct writer_mark {
    void *owner; /* NULL: the line moves nobody */
    struct arda_stream_id position;
    uint64_t number;
};

struct writer_handlers {
    /* Everything up to the mark has been written: write(2) has returned. */
    void (*on_written)(void *data, const struct writer_mark *mark);
    /* It takes bytes again, and none is waiting. */
    void (*on_drained)(void *data);
    /* It will not take any more: EPIPE when the reader has gone, else the errno. Once. */
    void (*on_failed)(void *data, int error);
    void *data;
};

struct writer {
    struct writer_handlers on;
    int fd;
    bool by_line; /* a write of its own for each line, and marks */
    bool blocked;
    bool failed;
    bool watched; /* the poll handle is open */
    bool is_terminal;
    int epoll_fd; /* -1: the descriptor cannot be waited for */
    uv_poll_t poll;
    struct base_buf cleaned; /* a line for a terminal */
    struct base_buf bytes;
    size_t sent;        /* of them */
    struct line *lines; /* a ring, with by_line */
    size_t line_cap, line_first, line_count;
};

/* 0, or BASE_ERR_NOMEM. `by_line`: see struct writer. */
int writer_init(struct writer *writer, uv_loop_t *loop, int fd, bool by_line,
                const struct writer_handlers *handlers);
/* What has not been written is dropped. The loop then needs one more turn. */
void writer_fini(struct writer *writer);

/* A line, without its line end; none, with data NULL, only carries its mark. `mark` (may be NULL)
 * is copied. To a terminal it goes as base/terminal.h has it. BASE_ERR_NOMEM: nothing was added. */
int writer_add(struct writer *writer, struct base_slice line, const struct writer_mark *mark);
/* Writes what can be written now. */
void writer_flush(struct writer *writer);

bool writer_is_blocked(const struct writer *writer);
size_t writer_waiting_bytes(const struct writer *writer);

#endif
