/* SPDX-License-Identifier: ISC */
#include "arda-subscribe/writer.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/terminal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define KEEP_BYTES  (1024 * 1024) /* sent ones that are moved out before more are added */
#define FIRST_LINES 64

struct line {
    size_t len; /* with its line end; 0: a mark alone */
    struct writer_mark mark;
};

/* ---- the descriptor ---- */

static void watch(struct writer *writer)
{
    struct epoll_event event = {.events = writer->blocked ? EPOLLOUT : 0};
    if (writer->watched)
        epoll_ctl(writer->epoll_fd, EPOLL_CTL_MOD, writer->fd, &event);
}

static void fail(struct writer *writer, int error)
{
    if (writer->failed)
        return;
    writer->failed = true;
    writer->on.on_failed(writer->on.data, error);
}

static void set_blocked(struct writer *writer, bool blocked)
{
    if (writer->blocked == blocked)
        return;
    writer->blocked = blocked;
    watch(writer);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct writer *writer = poll->data;
    struct epoll_event event;
    (void)status;
    (void)events;
    if (epoll_wait(writer->epoll_fd, &event, 1, 0) <= 0)
        return;
    if (event.events & (EPOLLERR | EPOLLHUP))
        fail(writer, EPIPE);
    else
        writer_flush(writer);
}

/* False for a descriptor that is always ready: epoll refuses it. */
static bool start_watching(struct writer *writer, uv_loop_t *loop)
{
    struct epoll_event event = {.events = 0};
    writer->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (writer->epoll_fd < 0)
        return false;
    /* libuv would make the descriptor itself non-blocking, for all who share it. */
    if (epoll_ctl(writer->epoll_fd, EPOLL_CTL_ADD, writer->fd, &event) < 0 ||
        uv_poll_init(loop, &writer->poll, writer->epoll_fd) < 0) {
        close(writer->epoll_fd);
        writer->epoll_fd = -1;
        return false;
    }
    writer->poll.data = writer;
    uv_poll_start(&writer->poll, UV_READABLE, on_ready);
    return true;
}

static bool takes_bytes(const struct writer *writer)
{
    struct pollfd wait = {.fd = writer->fd, .events = POLLOUT};
    return !writer->watched || poll(&wait, 1, 0) != 0;
}

/* ---- lines ---- */

static int grow(struct writer *writer)
{
    size_t cap = writer->line_cap ? writer->line_cap * 2 : FIRST_LINES;
    struct line *lines = base_malloc(cap * sizeof *lines);
    if (!lines)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < writer->line_count; i++)
        lines[i] = writer->lines[(writer->line_first + i) % writer->line_cap];
    base_free(writer->lines);
    writer->lines = lines;
    writer->line_cap = cap;
    writer->line_first = 0;
    return BASE_OK;
}

static struct line *line_at(const struct writer *writer, size_t index)
{
    return &writer->lines[(writer->line_first + index) % writer->line_cap];
}

static int note_line(struct writer *writer, size_t len, const struct writer_mark *mark)
{
    struct line line = {.len = len};
    if (mark)
        line.mark = *mark;
    struct line *last = writer->line_count ? line_at(writer, writer->line_count - 1) : NULL;
    /* Of marks alone only the last one matters. */
    if (len == 0 && last && last->len == 0 && last->mark.owner == line.mark.owner) {
        *last = line;
        return BASE_OK;
    }
    if (writer->line_count == writer->line_cap && grow(writer) < 0)
        return BASE_ERR_NOMEM;
    *line_at(writer, writer->line_count++) = line;
    return BASE_OK;
}

/* On a terminal the line is another one. */
static int clean(struct writer *writer, struct base_slice *text)
{
    writer->cleaned.len = 0;
    if (!writer->is_terminal || text->len == 0)
        return BASE_OK;
    int failed = base_terminal_add(&writer->cleaned, text->data, text->len);
    *text = (struct base_slice){writer->cleaned.data, writer->cleaned.len};
    return failed;
}

int writer_add(struct writer *writer, struct base_slice text, const struct writer_mark *mark)
{
    struct base_buf *bytes = &writer->bytes;
    if (clean(writer, &text) < 0)
        return BASE_ERR_NOMEM;
    size_t len = text.data ? text.len + 1 : 0;
    if (writer->sent > KEEP_BYTES) {
        base_buf_consume(bytes, writer->sent);
        writer->sent = 0;
    }
    if (base_buf_reserve(bytes, len) < 0)
        return BASE_ERR_NOMEM;
    if (writer->by_line && note_line(writer, len, mark) < 0)
        return BASE_ERR_NOMEM;
    if (len == 0)
        return BASE_OK;
    char *from = bytes->data + bytes->len;
    memcpy(from, text.data, text.len);
    from[text.len] = '\n';
    bytes->len += len;
    return BASE_OK;
}

/* ---- writing ---- */

/* Takes off lines that have been written whole. */
static void pop_lines(struct writer *writer)
{
    while (writer->line_count > 0 && line_at(writer, 0)->len == 0 && !writer->failed) {
        struct writer_mark mark = line_at(writer, 0)->mark;
        writer->line_first = (writer->line_first + 1) % writer->line_cap;
        writer->line_count--;
        if (mark.owner)
            writer->on.on_written(writer->on.data, &mark);
    }
}

static size_t chunk_len(const struct writer *writer)
{
    size_t len = writer->bytes.len - writer->sent;
    if (writer->by_line && len > 0)
        len = line_at(writer, 0)->len;
    return writer->watched && len > PIPE_BUF ? PIPE_BUF : len;
}

/* One write. False when there is nothing to go on with. */
static bool write_some(struct writer *writer)
{
    size_t len = chunk_len(writer);
    if (len == 0)
        return false;
    if (!takes_bytes(writer)) {
        set_blocked(writer, true);
        return false;
    }
    ssize_t wrote = write(writer->fd, writer->bytes.data + writer->sent, len);
    if (wrote < 0 && errno == EINTR)
        return true;
    if (wrote < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && writer->watched) {
        set_blocked(writer, true);
        return false;
    }
    if (wrote < 0) {
        fail(writer, errno);
        return false;
    }
    writer->sent += (size_t)wrote;
    if (writer->by_line)
        line_at(writer, 0)->len -= (size_t)wrote;
    return true;
}

void writer_flush(struct writer *writer)
{
    do {
        pop_lines(writer);
    } while (!writer->failed && write_some(writer));
    if (writer->failed || writer->sent < writer->bytes.len)
        return;
    bool was_blocked = writer->blocked;
    writer->bytes.len = writer->sent = 0;
    set_blocked(writer, false);
    if (was_blocked)
        writer->on.on_drained(writer->on.data);
}

bool writer_is_blocked(const struct writer *writer)
{
    return writer->blocked;
}

size_t writer_waiting_bytes(const struct writer *writer)
{
    return writer->bytes.len - writer->sent;
}

/* ---- life ---- */

int writer_init(struct writer *writer, uv_loop_t *loop, int fd, bool by_line,
                const struct writer_handlers *handlers)
{
    *writer = (struct writer){.on = *handlers, .fd = fd, .by_line = by_line, .epoll_fd = -1};
    writer->is_terminal = isatty(fd);
    writer->watched = start_watching(writer, loop);
    return BASE_OK;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct writer *writer = handle->data;
    close(writer->epoll_fd);
}

void writer_fini(struct writer *writer)
{
    base_buf_fini(&writer->bytes);
    base_buf_fini(&writer->cleaned);
    base_free_clear(&writer->lines);
    writer->line_count = writer->line_cap = writer->sent = 0;
    writer->failed = true;
    if (writer->watched)
        uv_close((uv_handle_t *)&writer->poll, on_poll_closed);
    writer->watched = false;
}
