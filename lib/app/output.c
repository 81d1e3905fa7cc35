/* SPDX-License-Identifier: ISC
 *
 * The descriptor is opened again, so that it can be non-blocking without being so for other
 * processes; a socket, which cannot be opened again, is watched through an epoll set and told not
 * to wait at each write.
 */
#include "app/output.h"

#include "base/descriptors.h"
#include "base/mem.h"
#include "base/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

struct app_output {
    struct app_output_handlers on;
    uv_prepare_t prepare; /* the end of the turn */
    uv_poll_t poll;
    struct base_buf buf;
    size_t ready; /* of buf, as it will be written */
    int fd;
    int epoll_fd; /* of a socket, through which it is watched; else -1 */
    int open_handles;
    bool polls;
    bool is_terminal;
    bool blocked; /* until the reader has read */
    bool failed;
    bool closing;
};

static void fail(struct app_output *output, int error)
{
    struct base_why why;
    int code = error == EPIPE ? BASE_ERR_CLOSED : BASE_ERR_IO;
    base_why_errno(&why, code, error, "cannot write");
    output->failed = true;
    output->buf.len = output->ready = 0;
    output->on.on_error(output->on.data, code, &why);
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* A socket cannot be opened again, so each write says that it does not wait. */
static ssize_t put(const struct app_output *output, const char *bytes, size_t len)
{
    if (output->epoll_fd >= 0)
        return send(output->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(output->fd, bytes, len);
}

/* Somebody else has made it non-blocking, and it cannot be watched. */
static void wait_for_room(const struct app_output *output)
{
    struct pollfd poll_fd = {.fd = output->fd, .events = POLLOUT};
    (void)poll(&poll_fd, 1, -1);
}

static void write_out(struct app_output *output)
{
    size_t sent = 0;
    while (sent < output->ready && !output->blocked) {
        ssize_t got = put(output, output->buf.data + sent, output->ready - sent);
        if (got >= 0) {
            sent += (size_t)got;
        } else if (errno == EAGAIN && output->polls) {
            output->blocked = true;
            uv_poll_start(&output->poll,
                          output->epoll_fd >= 0 ? UV_READABLE : UV_WRITABLE | UV_DISCONNECT,
                          on_poll);
        } else if (errno == EAGAIN) {
            wait_for_room(output);
        } else if (errno != EINTR) {
            fail(output, errno);
            return;
        }
    }
    base_buf_consume(&output->buf, sent);
    output->ready -= sent;
    if (sent > 0)
        output->on.on_room(output->on.data);
}

/* libuv's word for an end that is gone is an error; writing tells which. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct app_output *output = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    output->blocked = false;
    write_out(output);
}

void app_output_flush(struct app_output *output)
{
    uv_prepare_stop(&output->prepare);
    if (!output->blocked && !output->closing)
        write_out(output);
}

static void on_prepare(uv_prepare_t *prepare)
{
    app_output_flush(prepare->data);
}

struct base_buf *app_output_buf(struct app_output *output)
{
    return &output->buf;
}

/* Whether what was added last is fit for a terminal now. */
static bool clean(struct app_output *output)
{
    struct base_buf *buf = &output->buf, cleaned = BASE_BUF_INIT;
    int failed = base_terminal_add(&cleaned, buf->data + output->ready, buf->len - output->ready);
    buf->len = output->ready;
    if (!failed && cleaned.len > 0)
        failed = base_buf_add(buf, cleaned.data, cleaned.len);
    base_buf_fini(&cleaned);
    return !failed;
}

void app_output_touch(struct app_output *output)
{
    if (output->failed || output->closing) {
        output->buf.len = output->ready = 0;
        return;
    }
    if (output->is_terminal && output->buf.len > output->ready && !clean(output)) {
        fail(output, ENOMEM);
        return;
    }
    output->ready = output->buf.len;
    uv_prepare_start(&output->prepare, on_prepare);
}

size_t app_output_waiting(const struct app_output *output)
{
    return output->buf.len;
}

/* A pipe or device has a description of ours. That of a socket is shared, and libuv would make it
 * non-blocking for all; so libuv watches a set that has the socket. */
static bool start_watching(struct app_output *output, struct uv_loop_s *loop)
{
    struct epoll_event event = {.events = EPOLLOUT};
    struct stat status;
    output->fd = base_descriptors_reopen_output();
    if (output->fd >= 0)
        return uv_poll_init(loop, &output->poll, output->fd) == 0;
    output->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (output->fd < 0 || fstat(output->fd, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;
    output->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (output->epoll_fd >= 0 &&
        epoll_ctl(output->epoll_fd, EPOLL_CTL_ADD, output->fd, &event) == 0 &&
        uv_poll_init(loop, &output->poll, output->epoll_fd) == 0)
        return true;
    if (output->epoll_fd >= 0)
        close(output->epoll_fd);
    output->epoll_fd = -1;
    return false;
}

int app_output_open(struct uv_loop_s *loop, const struct app_output_handlers *handlers,
                    struct app_output **out, struct base_why *why)
{
    struct app_output *output = base_calloc(1, sizeof *output);
    if (!output)
        return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    output->on = *handlers;
    output->epoll_fd = -1;
    output->polls = start_watching(output, loop);
    if (output->fd < 0) {
        int error = errno;
        base_free(output);
        return base_why_errno(why, BASE_ERR_IO, error, "standard output");
    }
    output->is_terminal = isatty(output->fd);
    uv_prepare_init(loop, &output->prepare);
    output->poll.data = output->prepare.data = output;
    output->open_handles = output->polls ? 2 : 1;
    *out = output;
    return BASE_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct app_output *output = handle->data;
    if (--output->open_handles > 0)
        return;
    close(output->fd);
    if (output->epoll_fd >= 0)
        close(output->epoll_fd);
    base_buf_fini(&output->buf);
    base_free(output);
}

void app_output_close(struct app_output *output)
{
    if (!output || output->closing)
        return;
    output->closing = true;
    uv_close((uv_handle_t *)&output->prepare, on_closed);
    if (output->polls)
        uv_close((uv_handle_t *)&output->poll, on_closed);
}
