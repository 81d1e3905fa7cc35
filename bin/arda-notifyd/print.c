/* SPDX-License-Identifier: ISC
 *
 * Standard output, which may be a pipe whose reader is slow: written as far as it takes without
 * waiting, 4 KB at a time, since a pipe that takes anything takes as much as that at once. When too
 * much waits, no more events are taken in until it has been read. When the reader has gone, the
 * daemon ends: whoever asked for the rows would miss the rest.
 */
#include "notifyd.h"

#include "base/log.h"
#include "base/terminal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define STEP_BYTES  4096
#define STUCK_BYTES (4u * 1024 * 1024)
#define RETRY_MS    20

bool print_is_empty(const struct notifyd *nd)
{
    return nd->print.out.len == 0 || nd->print.broken;
}

bool print_is_stuck(const struct notifyd *nd)
{
    return nd->print.out.len >= STUCK_BYTES;
}

void print_text(struct notifyd *nd, const char *text, size_t len)
{
    struct base_buf *out = &nd->print.out;
    if (nd->print.broken)
        return;
    int failed =
        nd->print.is_terminal ? base_terminal_add(out, text, len) : base_buf_add(out, text, len);
    if (failed)
        base_log(BASE_LOG_ERROR, "out of memory: a line was not printed");
}

void print_row(void *data, struct base_slice row)
{
    struct work *work = data;
    struct notifyd *nd = work->tenant->nd;
    if (nd->print.broken || base_buf_reserve(&nd->print.out, row.len + 1) < 0)
        return;
    print_text(nd, row.data, row.len);
    print_text(nd, "\n", 1);
    nd->counters.printed++;
}

static void fail(struct notifyd *nd)
{
    base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
    nd->print.broken = true;
    nd->print.out.len = 0;
    notifyd_stop(nd, BASE_EXIT_IOERR);
}

/* False: it takes nothing just now, or never again. */
static bool write_some(struct notifyd *nd, size_t *sent)
{
    struct print *print = &nd->print;
    struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
    size_t step = print->out.len - *sent < STEP_BYTES ? print->out.len - *sent : STEP_BYTES;
    if (poll(&fd, 1, 0) == 0)
        return false;
    ssize_t wrote = write(STDOUT_FILENO, print->out.data + *sent, step);
    if (wrote >= 0) {
        *sent += (size_t)wrote;
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (errno != EINTR)
        fail(nd);
    return errno == EINTR;
}

static void on_timer(uv_timer_t *timer)
{
    notifyd_turn(timer->data);
}

void print_flush(struct notifyd *nd)
{
    static struct base_log_limit limit;
    struct print *print = &nd->print;
    size_t sent = 0;
    if (print->out.len == 0)
        return;
    if (print_is_stuck(nd))
        base_log_limited(&limit, BASE_LOG_WARNING,
                         "standard output is not read: no events are taken until it is");
    while (sent < print->out.len && write_some(nd, &sent))
        ;
    if (print->broken)
        return;
    base_buf_consume(&print->out, sent);
    if (print->out.len > 0 && !uv_is_closing((uv_handle_t *)&print->timer))
        uv_timer_start(&print->timer, on_timer, RETRY_MS, 0);
    else
        notifyd_check_end(nd);
}

void print_init(struct notifyd *nd)
{
    nd->print.is_terminal = isatty(STDOUT_FILENO);
    uv_timer_init(&nd->loop, &nd->print.timer);
    nd->print.timer.data = nd;
}

void print_close(struct notifyd *nd)
{
    uv_close((uv_handle_t *)&nd->print.timer, NULL);
}

void print_fini(struct notifyd *nd)
{
    base_buf_fini(&nd->print.out);
}
