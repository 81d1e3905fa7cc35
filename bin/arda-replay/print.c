/* SPDX-License-Identifier: ISC
 *
 * The sink that prints. A reader that is slow delays the replay and does not hold the program: what
 * can wait (a pipe, a terminal) is written when it takes something. Only there a reader can go
 * away, and then the program ends, also in the middle of a pause.
 */
#include "arda-replay/replay.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define HELD_BYTES 65536 /* of lines that are not written */

struct printer {
    uv_poll_t poll;
    int fd;
    bool polls; /* a regular file is always ready */
    bool waits; /* for room */
    bool closing;
    bool is_terminal;
    struct base_buf line; /* for a terminal */
    struct base_buf out;
    size_t written;         /* of `out` */
    struct base_list lines; /* events that are not written, each with its end in order.bytes */
    struct arda_publication_texts texts;
};

static struct event *first_line(const struct printer *printer)
{
    return base_container(printer->lines.next, struct event, link);
}

/* ---- writing ---- */

static void settle_lines(struct replay *replay)
{
    struct printer *printer = replay->printer;
    uint64_t now_us = base_clock_mono_us();
    while (!base_list_empty(&printer->lines) &&
           first_line(printer)->order.bytes <= printer->written) {
        struct event *event = first_line(printer);
        base_list_remove(&event->link);
        replay_settled(replay, event, now_us);
        event_free(event);
    }
    if (printer->written == printer->out.len)
        printer->written = printer->out.len = 0;
}

static void fail(struct replay *replay, int error)
{
    replay->printer->out.len = replay->printer->written = 0;
    if (error == EPIPE) {
        replay->reader_gone = true; /* nobody needs to be told */
        replay_end(replay, BASE_EXIT_OK);
        return;
    }
    base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(error));
    replay_end(replay, BASE_EXIT_IOERR);
}

/* With a checkpoint line by line, so that no more than one is written and not entered. */
static size_t next_bytes(const struct replay *replay)
{
    const struct printer *printer = replay->printer;
    size_t end = printer->out.len;
    if (replay->checkpoint && !base_list_empty(&printer->lines))
        end = first_line(printer)->order.bytes;
    return end - printer->written;
}

static void wait_for_reader(struct replay *replay);

static void write_out(struct replay *replay)
{
    struct printer *printer = replay->printer;
    printer->waits = false;
    while (printer->written < printer->out.len) {
        ssize_t wrote =
            write(printer->fd, printer->out.data + printer->written, next_bytes(replay));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN && printer->polls) {
            printer->waits = true;
            break;
        }
        if (wrote < 0) {
            fail(replay, errno);
            return;
        }
        printer->written += (size_t)wrote;
        settle_lines(replay);
    }
    wait_for_reader(replay);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct replay *replay = poll->data;
    if (replay->ending)
        return;
    if (status < 0 || (events & UV_DISCONNECT)) {
        fail(replay, EPIPE);
        return;
    }
    write_out(replay);
    pace_go_on(replay);
}

/* Without anything to write, that the reader goes away is what is waited for. */
static void wait_for_reader(struct replay *replay)
{
    struct printer *printer = replay->printer;
    if (printer->polls && !printer->closing)
        uv_poll_start(&printer->poll, UV_DISCONNECT | (printer->waits ? UV_WRITABLE : 0), on_poll);
}

/* ---- the sink ---- */

static int start(struct replay *replay)
{
    struct printer *printer = base_calloc(1, sizeof *printer);
    replay->printer = printer;
    if (!printer) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    signal(SIGPIPE, SIG_IGN); /* raised at the very end, when all is in order */
    base_list_init(&printer->lines);
    printer->fd = base_descriptors_reopen_output(); /* the loop's does not block */
    if (printer->fd < 0)
        printer->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (printer->fd < 0) {
        base_log(BASE_LOG_ERROR, "standard output: %s", strerror(errno));
        return BASE_EXIT_IOERR;
    }
    printer->is_terminal = isatty(printer->fd);
    printer->polls = uv_poll_init(&replay->loop, &printer->poll, printer->fd) == 0;
    printer->poll.data = replay;
    wait_for_reader(replay);
    return BASE_EXIT_OK;
}

static bool is_ready(struct replay *replay, const struct event *event)
{
    (void)event;
    return !replay->printer->waits || replay->printer->out.len < HELD_BYTES;
}

static int add_line(struct printer *printer, struct base_slice text)
{
    struct base_buf *out = &printer->out;
    if (printer->is_terminal) {
        printer->line.len = 0;
        if (base_terminal_add(&printer->line, text.data, text.len) < 0)
            return BASE_ERR_NOMEM;
        text = (struct base_slice){printer->line.data, printer->line.len};
    }
    return base_text_flat(out, text) < 0 ? BASE_ERR_NOMEM : base_buf_add_byte(out, '\n');
}

static void send_one(struct replay *replay, struct event *event)
{
    struct printer *printer = replay->printer;
    struct arda_publication publication;
    int failed = rewrite(replay, event, &printer->texts, &publication);
    if (failed == BASE_ERR_SYNTAX || failed == BASE_ERR_LIMIT) {
        replay_refused(replay, event, failed == BASE_ERR_LIMIT ? publication.message.len : 0);
        event_free(event);
        return;
    }
    if (!failed)
        failed = add_line(printer, publication.message);
    if (failed) {
        event_free(event);
        replay_out_of_memory(replay);
        return;
    }
    event->order.bytes = printer->out.len;
    base_list_append(&printer->lines, &event->link);
    if (!printer->waits)
        write_out(replay);
}

static bool is_idle(const struct replay *replay)
{
    return base_list_empty(&replay->printer->lines);
}

static void on_closed(uv_handle_t *handle)
{
    struct replay *replay = handle->data;
    close(replay->printer->fd);
    replay->printer->fd = -1;
}

void printer_close(struct replay *replay)
{
    struct printer *printer = replay->printer;
    if (!printer || printer->closing)
        return;
    printer->closing = true;
    if (printer->polls)
        uv_close((uv_handle_t *)&printer->poll, on_closed);
}

void printer_free(struct replay *replay)
{
    struct printer *printer = replay->printer;
    if (!printer)
        return;
    BASE_LIST_FOREACH_SAFE (link, &printer->lines)
        event_free(base_container(link, struct event, link));
    if (printer->fd >= 0)
        close(printer->fd);
    arda_publication_texts_fini(&printer->texts);
    base_buf_fini(&printer->line);
    base_buf_fini(&printer->out);
    base_free_clear(&replay->printer);
}

const struct sink print_sink = {start, is_ready, send_one, is_idle};
