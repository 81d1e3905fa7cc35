/* SPDX-License-Identifier: ISC
 *
 * A pipe or terminal is polled, a regular file is read a block at the end of each turn, so that
 * answers of Redis come in between. Lines are split by base/jsonl.h, which also notices what is no
 * text.
 */
#include "app/input.h"

#include "arda/record/form.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define BLOCK_BYTES       65536
#define HEAD_BYTES        262144 /* in which the form has to show */
#define COMPLAINTS_LOGGED 3

struct app_input {
    struct app_input_handlers on;
    uv_poll_t poll; /* of what can be waited for */
    uv_idle_t idle; /* of what is always ready; also goes on after a pause */
    struct base_jsonl lines;
    int fd;
    int open_handles;
    bool polls;
    bool drains; /* what is left in a pipe without a writer: read without waiting */
    bool paused;
    bool at_end; /* nothing more will be read */
    bool told;   /* on_end has been called */
    bool closing;
    int result;
    struct base_why why;
    const char *file;     /* NULL: standard input */
    struct base_buf head; /* what has been read while the form is open */
    enum arda_form form;
    unsigned logged;   /* messages about wrong lines, after help for all of them */
    uint64_t unlogged; /* that would have been more */
    char block[BLOCK_BYTES];
};

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_idle(uv_idle_t *idle);

/* ---- what the whole input is ---- */

static void log_input(const struct app_input *input, const char *text)
{
    struct base_place place = {input->file, 0};
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&place, where), text);
}

/* Looks at bytes that have been read, before their lines are handed out. Without memory there is no
 * help. */
static void note_form(struct app_input *input, const char *bytes, size_t len)
{
    if (input->form != ARDA_FORM_OPEN)
        return;
    bool is_all = len == 0 || input->head.len + len > HEAD_BYTES;
    if (len > 0 && base_buf_add(&input->head, bytes, len) < 0)
        input->form = ARDA_FORM_LINES;
    else if (is_all || memchr(bytes, '\n', len))
        input->form =
            arda_form_of(input->head.data ? input->head.data : "", input->head.len, is_all);
    if (input->form == ARDA_FORM_OPEN)
        return;
    base_buf_fini(&input->head);
    const char *help = arda_form_help(input->form);
    if (help)
        log_input(input, help);
}

bool app_input_may_complain(struct app_input *input)
{
    if (!input || !arda_form_help(input->form))
        return true;
    if (input->logged < COMPLAINTS_LOGGED) {
        input->logged++;
        return true;
    }
    input->unlogged++;
    return false;
}

static void log_unlogged(struct app_input *input)
{
    char text[80];
    if (input->unlogged == 0)
        return;
    snprintf(text, sizeof text, "%" PRIu64 " more lines are wrong", input->unlogged);
    input->unlogged = 0;
    log_input(input, text);
}

/* ---- reading ---- */

/* Starts what has to run: nothing, the wait for bytes, or going on at once. */
static void arrange(struct app_input *input)
{
    bool pending = input->lines.block.len > 0 || input->at_end;
    bool run = !input->paused && !input->told && !input->closing;
    bool at_once = pending || !input->polls || input->drains;
    if (input->polls && run && !at_once)
        uv_poll_start(&input->poll, UV_READABLE, on_poll);
    else if (input->polls)
        uv_poll_stop(&input->poll);
    if (run && at_once)
        uv_idle_start(&input->idle, on_idle);
    else
        uv_idle_stop(&input->idle);
}

/* Nothing more is read of what is no text. */
static void refuse(struct app_input *input)
{
    input->result =
        base_encoding_refuse(input->lines.encoding, input->file, input->on.program, &input->why);
    input->at_end = true;
}

static void hand_out(struct app_input *input)
{
    struct base_slice line;
    int got = 0;
    while (!input->paused && !input->closing &&
           (got = base_jsonl_next(&input->lines, &line)) != 0) {
        if (got == 1)
            input->on.on_line(input->on.data, input->lines.line_number, line);
        else if (got == BASE_ERR_SYNTAX)
            refuse(input);
        else
            input->on.on_bad_line(input->on.data, input->lines.line_number, got);
    }
    if (input->paused || input->closing || !input->at_end || input->told)
        return;
    input->told = true;
    arrange(input);
    log_unlogged(input);
    input->on.on_end(input->on.data, input->result, &input->why);
}

static void read_block(struct app_input *input)
{
    ssize_t got = read(input->fd, input->block, sizeof input->block);
    if (got < 0 && errno == EAGAIN)
        input->drains = false;
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got >= 0)
        note_form(input, input->block, (size_t)got);
    if (got > 0) {
        base_jsonl_feed(&input->lines, input->block, (size_t)got);
        return;
    }
    if (got < 0)
        input->result = base_why_errno(&input->why, BASE_ERR_IO, errno, "cannot read");
    input->at_end = true;
    base_jsonl_finish(&input->lines);
}

static void go_on(struct app_input *input)
{
    if (!input->at_end && input->lines.block.len == 0)
        read_block(input);
    hand_out(input);
    if (!input->closing)
        arrange(input);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    go_on(poll->data);
}

static void on_idle(uv_idle_t *idle)
{
    go_on(idle->data);
}

/* Opening a named pipe would wait for its writer, and signals with it. The loop can wait. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

/* The loop needs a descriptor that does not block, and standard input is often shared with the
 * shell: what can be opened again is. A regular file is not, for it would begin at its start.
 * A new description of a named pipe does not tell the end that was there before it, the old one
 * does: then it `drains`. It is asked last, so that no end comes in between. */
static int open_stdin(bool *drains)
{
    struct pollfd old = {.fd = STDIN_FILENO, .events = POLLIN};
    struct stat status;
    int fd = -1;
    if (fstat(STDIN_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        fd = open("/proc/self/fd/0", OPEN_FLAGS);
    *drains = fd >= 0 && poll(&old, 1, 0) > 0 && (old.revents & POLLHUP);
    return fd >= 0 ? fd : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
}

static int open_path(const char *path, int *fd, bool *drains, struct base_why *why)
{
    struct stat status;
    *drains = false;
    *fd = strcmp(path, "-") == 0 ? open_stdin(drains) : open(path, OPEN_FLAGS);
    if (*fd < 0)
        return base_why_errno(why, BASE_ERR_IO, errno, "%s", path);
    if (fstat(*fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(*fd);
        return base_why_errno(why, BASE_ERR_IO, EISDIR, "%s", path);
    }
    return BASE_OK;
}

int app_input_open(struct uv_loop_s *loop, const char *path, size_t max_line_bytes,
                   const struct app_input_handlers *handlers, struct app_input **out,
                   struct base_why *why)
{
    int fd;
    bool drains;
    int failed = open_path(path, &fd, &drains, why);
    if (failed)
        return failed;
    struct app_input *input = base_calloc(1, sizeof *input);
    if (!input) {
        close(fd);
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    }
    input->on = *handlers;
    input->fd = fd;
    input->drains = drains;
    input->file = strcmp(path, "-") == 0 ? NULL : path;
    base_jsonl_init(&input->lines, max_line_bytes);
    /* The kernel refuses to wait for regular files and the like, which are always ready. */
    input->polls = uv_poll_init(loop, &input->poll, fd) == 0;
    uv_idle_init(loop, &input->idle);
    input->poll.data = input->idle.data = input;
    input->open_handles = input->polls ? 2 : 1;
    arrange(input);
    *out = input;
    return BASE_OK;
}

bool app_input_is_file(const struct app_input *input)
{
    return !input->polls;
}

void app_input_pause(struct app_input *input)
{
    input->paused = true;
    if (!input->closing)
        arrange(input);
}

void app_input_resume(struct app_input *input)
{
    input->paused = false;
    if (!input->closing)
        arrange(input);
}

static void on_closed(uv_handle_t *handle)
{
    struct app_input *input = handle->data;
    if (--input->open_handles > 0)
        return;
    close(input->fd);
    base_buf_fini(&input->head);
    base_jsonl_fini(&input->lines);
    base_free(input);
}

void app_input_close(struct app_input *input)
{
    if (!input || input->closing)
        return;
    input->closing = true;
    log_unlogged(input);
    uv_close((uv_handle_t *)&input->idle, on_closed);
    if (input->polls)
        uv_close((uv_handle_t *)&input->poll, on_closed);
}
