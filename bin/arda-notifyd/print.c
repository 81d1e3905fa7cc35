/* SPDX-License-Identifier: ISC
 *
 * Standard output, which may be a pipe whose reader is slow. When too much waits, no more events
 * are taken in until it has been read. When the reader has gone, the daemon ends: whoever asked for
 * the rows would miss the rest. It is opened when there is something to print.
 */
#include "notifyd.h"

#include "app/output.h"
#include "base/log.h"

#define STUCK_BYTES (4u * 1024 * 1024)

size_t print_waiting(const struct notifyd *nd)
{
    return nd->print.output ? app_output_waiting(nd->print.output) : 0;
}

bool print_is_empty(const struct notifyd *nd)
{
    return print_waiting(nd) == 0;
}

bool print_is_stuck(const struct notifyd *nd)
{
    return print_waiting(nd) >= STUCK_BYTES;
}

static void on_room(void *data)
{
    struct notifyd *nd = data;
    if (nd->closed)
        return;
    if (print_is_empty(nd))
        notifyd_check_end(nd);
    if (!nd->print.flushing) /* else this is within a turn */
        notifyd_turn(nd);
}

static void fail(struct notifyd *nd, const struct base_why *why)
{
    base_log(BASE_LOG_ERROR, "%s", why->text);
    nd->print.broken = true;
    notifyd_stop(nd, BASE_EXIT_IOERR);
}

static void on_error(void *data, int result, const struct base_why *why)
{
    (void)result;
    fail(data, why);
}

/* NULL: nothing can be printed any more, which has been reported. */
static struct base_buf *open_output(struct notifyd *nd)
{
    const struct app_output_handlers handlers = {on_room, on_error, nd};
    struct base_why why;
    if (!nd->print.output && !nd->print.broken &&
        app_output_open(&nd->loop, &handlers, &nd->print.output, &why) < 0)
        fail(nd, &why);
    return nd->print.broken ? NULL : app_output_buf(nd->print.output);
}

/* Whole or not at all. */
static bool add(struct notifyd *nd, struct base_slice text, const char *end)
{
    struct base_buf *out = open_output(nd);
    size_t before = out ? out->len : 0;
    if (!out)
        return false;
    if (base_buf_add(out, text.data, text.len) < 0 || base_buf_add_text(out, end) < 0) {
        out->len = before;
        base_log(BASE_LOG_ERROR, "out of memory: a line was not printed");
        return false;
    }
    app_output_touch(nd->print.output);
    return true;
}

void print_text(struct notifyd *nd, const char *text, size_t len)
{
    (void)add(nd, (struct base_slice){text, len}, "");
}

void print_row(void *data, struct base_slice row)
{
    struct work *work = data;
    struct notifyd *nd = work->tenant->nd;
    nd->counters.printed += add(nd, row, "\n");
}

void print_flush(struct notifyd *nd)
{
    static struct base_log_limit limit;
    if (print_is_stuck(nd))
        base_log_limited(&limit, BASE_LOG_WARNING,
                         "standard output is not read: no events are taken until it is");
    nd->print.flushing = true;
    if (nd->print.output)
        app_output_flush(nd->print.output);
    nd->print.flushing = false;
}

void print_close(struct notifyd *nd)
{
    app_output_close(nd->print.output);
    nd->print.output = NULL;
    nd->print.broken = true;
}
