/* SPDX-License-Identifier: ISC
 *
 * Requests go into the outbox, which tells when there are fewer; output is waited for at the end,
 * and a signal shortens that wait. Everything is closed in one order, whatever has ended the
 * program.
 */
#include "app/tool.h"

#include "base/exit.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define GRACE_MS   1000      /* for answers that are on their way when it ends early */
#define HELD_BYTES (1 << 20) /* of output, at which nothing more is asked */

/* ---- output ---- */

static void close_output(struct app_tool *tool)
{
    if (uv_is_closing((uv_handle_t *)&tool->grace))
        return;
    app_output_close(tool->output);
    tool->output = NULL;
    uv_close((uv_handle_t *)&tool->grace, NULL);
}

static void on_grace_over(uv_timer_t *timer)
{
    close_output(timer->data);
}

/* At the end: what was written is for the reader, unless a signal says otherwise. */
static void finish_output(struct app_tool *tool)
{
    if (app_tool_unread(tool) == 0)
        close_output(tool);
    else if (tool->signal)
        uv_timer_start(&tool->grace, on_grace_over, GRACE_MS, 0);
}

static void on_change(void *data);

static void on_room(void *data)
{
    struct app_tool *tool = data;
    if (tool->ending) {
        if (app_tool_unread(tool) == 0)
            close_output(tool);
    } else if (tool->held && app_tool_unread(tool) < HELD_BYTES / 2) {
        tool->held = false;
        on_change(tool);
    }
}

static void on_output_error(void *data, int result, const struct base_why *why)
{
    struct app_tool *tool = data;
    (void)result;
    base_log(BASE_LOG_ERROR, "%s", why->text);
    if (!tool->status)
        tool->status = BASE_EXIT_IOERR;
    app_tool_end(tool, BASE_EXIT_IOERR);
    close_output(tool);
}

size_t app_tool_unread(const struct app_tool *tool)
{
    return tool->output ? app_output_waiting(tool->output) : 0;
}

void app_tool_write(struct app_tool *tool, const char *bytes, size_t len)
{
    const struct app_output_handlers handlers = {on_room, on_output_error, tool};
    struct base_why why;
    if (len == 0 || uv_is_closing((uv_handle_t *)&tool->grace))
        return;
    if (!tool->output && app_output_open(&tool->loop, &handlers, &tool->output, &why) < 0) {
        on_output_error(tool, BASE_ERR_IO, &why);
        return;
    }
    if (base_buf_add(app_output_buf(tool->output), bytes, len) < 0)
        app_tool_out_of_memory(tool);
    else
        app_output_touch(tool->output);
}

/* ---- ending ---- */

static void on_bus_gone(void *data)
{
    struct app_tool *tool = data;
    if (app_outbox_report(tool->outbox) > 0 && !tool->refused)
        tool->status = BASE_EXIT_TEMPFAIL;
}

void app_tool_end(struct app_tool *tool, int status)
{
    if (tool->ending)
        return;
    tool->ending = true;
    if (!tool->status)
        tool->status = status;
    if (tool->options.on_ending)
        tool->options.on_ending(tool->options.data);
    app_outbox_end(tool->outbox);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&tool->signals[i], NULL);
    finish_output(tool);
    arda_bus_shutdown(tool->bus, GRACE_MS, on_bus_gone, tool);
}

void app_tool_out_of_memory(struct app_tool *tool)
{
    base_log(BASE_LOG_ERROR, "out of memory");
    app_tool_end(tool, BASE_EXIT_SOFTWARE);
}

static void on_impatient(void *data)
{
    struct app_tool *tool = data;
    if (tool->options.waits && tool->options.waits(tool->options.data))
        return;
    app_outbox_log_giving_up(tool->outbox, arda_bus_reason(tool->bus));
    app_tool_end(tool, BASE_EXIT_TEMPFAIL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct app_tool *tool = handle->data;
    tool->signal = number;
    app_tool_end(tool, BASE_EXIT_OK);
}

/* ---- requests ---- */

static int send_item(void *data, struct app_outbox_item *item)
{
    const struct app_tool *tool = data;
    return tool->options.send(tool->options.data, item);
}

static void fini_item(struct app_outbox_item *item)
{
    const struct app_tool *tool = app_outbox_data(item->outbox);
    if (tool->options.fini)
        tool->options.fini(item);
}

static void on_change(void *data)
{
    struct app_tool *tool = data;
    tool->held = app_tool_unread(tool) >= HELD_BYTES;
    if (!tool->ending && !tool->held)
        tool->options.on_change(tool->options.data);
}

/* The first connection, or a channel: waiting does not help. */
static void on_refused(void *data, const struct base_why *why)
{
    struct app_tool *tool = data;
    if (tool->ending)
        return;
    base_log(BASE_LOG_ERROR, "%s", why->text);
    tool->refused = true;
    app_tool_end(tool, base_exit_status(why->code));
}

static void on_state(void *data, bool up, const struct base_why *why)
{
    struct app_tool *tool = data;
    if (tool->ending)
        return;
    if (!up && arda_bus_is_refusal(why)) {
        on_refused(tool, why);
        return;
    }
    if (up)
        base_log(BASE_LOG_DEBUG, "redis: connected");
    else
        base_log(BASE_LOG_WARNING, "%s; trying again", why->text);
    app_outbox_on_state(tool->outbox, up);
}

/* ---- beginning ---- */

int app_tool_open(struct app_tool *tool, const struct app_tool_options *options)
{
    struct base_why why;
    *tool = (struct app_tool){.options = *options};
    struct app_outbox_options outbox = {.item_size = options->item_size,
                                        .patience_ms = (uint64_t)options->retry_for_ms,
                                        .window = options->window,
                                        .send = send_item,
                                        .fini = fini_item,
                                        .on_change = on_change,
                                        .on_impatient = on_impatient,
                                        .data = tool};
    struct arda_bus_options bus = {.url = options->redis,
                                   .prefix = options->prefix,
                                   .name = options->name,
                                   .use = options->use,
                                   .on_state = on_state,
                                   .on_refused = on_refused,
                                   .data = tool};
    uv_loop_init(&tool->loop);
    uv_timer_init(&tool->loop, &tool->grace);
    tool->grace.data = tool;
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&tool->loop, &tool->signals[i]);
        tool->signals[i].data = tool;
    }
    tool->outbox = app_outbox_new(&tool->loop, &outbox);
    if (!tool->outbox) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    int failed = arda_bus_get(&tool->loop, &bus, &tool->bus, &why);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        return base_exit_status(failed);
    }
    return BASE_EXIT_OK;
}

/* Until the loop runs, a signal simply ends the program: an operand may be a file to wait for. */
static void watch_signals(struct app_tool *tool)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < 3 && !tool->ending; i++)
        uv_signal_start(&tool->signals[i], on_signal, numbers[i]);
}

void app_tool_run(struct app_tool *tool)
{
    watch_signals(tool);
    uv_run(&tool->loop, UV_RUN_DEFAULT);
    uv_loop_close(&tool->loop);
    app_outbox_free(tool->outbox);
    tool->outbox = NULL;
}

int app_tool_leave(struct app_tool *tool)
{
    if (fclose(stdout) != 0 && tool->status == BASE_EXIT_OK) {
        base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
        tool->status = BASE_EXIT_IOERR;
    }
    if (tool->signal && tool->status == BASE_EXIT_OK) { /* the shell is to see what ended it */
        signal(tool->signal, SIG_DFL);
        raise(tool->signal);
    }
    return tool->status;
}
