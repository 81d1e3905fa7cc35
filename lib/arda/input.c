/* SPDX-License-Identifier: ISC */
#include "arda/input.h"

#include "base/jsonl.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define BLOCK_BYTES 65536

struct arda_input {
    struct arda_input_handlers on;
    uv_poll_t poll; /* of what can be waited for */
    uv_idle_t idle; /* of what is always ready; also goes on after a pause */
    struct base_jsonl lines;
    int fd;
    int open_handles;
    bool polls;
    bool paused;
    bool at_end; /* nothing more will be read */
    bool told;   /* on_end has been called */
    bool closing;
    int result;
    struct base_why why;
    char block[BLOCK_BYTES];
};

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_idle(uv_idle_t *idle);

/* Starts what has to run: nothing, the wait for bytes, or going on at once. */
static void arrange(struct arda_input *input)
{
    bool pending = input->lines.block.len > 0 || input->at_end;
    bool run = !input->paused && !input->told && !input->closing;
    if (input->polls && run && !pending)
        uv_poll_start(&input->poll, UV_READABLE, on_poll);
    else if (input->polls)
        uv_poll_stop(&input->poll);
    if (run && (pending || !input->polls))
        uv_idle_start(&input->idle, on_idle);
    else
        uv_idle_stop(&input->idle);
}

static void hand_out(struct arda_input *input)
{
    struct base_slice line;
    int got = 0;
    while (!input->paused && !input->closing &&
           (got = base_jsonl_next(&input->lines, &line)) != 0) {
        if (got == 1)
            input->on.on_line(input->on.data, input->lines.line_number, line);
        else
            input->on.on_bad_line(input->on.data, input->lines.line_number, got);
    }
    if (input->paused || input->closing || !input->at_end || input->told)
        return;
    input->told = true;
    arrange(input);
    input->on.on_end(input->on.data, input->result, &input->why);
}

static void read_block(struct arda_input *input)
{
    ssize_t got = read(input->fd, input->block, sizeof input->block);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got > 0) {
        base_jsonl_feed(&input->lines, input->block, (size_t)got);
        return;
    }
    if (got < 0)
        input->result = base_why_errno(&input->why, BASE_ERR_IO, errno, "cannot read");
    input->at_end = true;
    base_jsonl_finish(&input->lines);
}

static void go_on(struct arda_input *input)
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

/* The loop needs a descriptor that does not block, and standard input is often shared with the
 * shell: what can be opened anew is. A regular file is not, for it would begin at its start. */
static int open_stdin(void)
{
    struct stat status;
    int fd = -1;
    if (fstat(STDIN_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
        fd = open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd >= 0 ? fd : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
}

static int open_path(const char *path, int *fd, struct base_why *why)
{
    struct stat status;
    *fd = strcmp(path, "-") == 0 ? open_stdin() : open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return base_why_errno(why, BASE_ERR_IO, errno, "%s", path);
    if (fstat(*fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(*fd);
        return base_why_errno(why, BASE_ERR_IO, EISDIR, "%s", path);
    }
    return BASE_OK;
}

int arda_input_open(struct uv_loop_s *loop, const char *path, size_t max_line_bytes,
                    const struct arda_input_handlers *handlers, struct arda_input **out,
                    struct base_why *why)
{
    int fd;
    int failed = open_path(path, &fd, why);
    if (failed)
        return failed;
    struct arda_input *input = base_calloc(1, sizeof *input);
    if (!input) {
        close(fd);
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    }
    input->on = *handlers;
    input->fd = fd;
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

bool arda_input_is_file(const struct arda_input *input)
{
    return !input->polls;
}

void arda_input_pause(struct arda_input *input)
{
    input->paused = true;
    if (!input->closing)
        arrange(input);
}

void arda_input_resume(struct arda_input *input)
{
    input->paused = false;
    if (!input->closing)
        arrange(input);
}

static void on_closed(uv_handle_t *handle)
{
    struct arda_input *input = handle->data;
    if (--input->open_handles > 0)
        return;
    close(input->fd);
    base_jsonl_fini(&input->lines);
    base_free(input);
}

void arda_input_close(struct arda_input *input)
{
    if (!input || input->closing)
        return;
    input->closing = true;
    uv_close((uv_handle_t *)&input->idle, on_closed);
    if (input->polls)
        uv_close((uv_handle_t *)&input->poll, on_closed);
}
