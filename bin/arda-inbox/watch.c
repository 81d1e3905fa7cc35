/* SPDX-License-Identifier: ISC
 *
 * watch: rows as they come, each written at once.
 */
#include "arda-inbox/inbox.h"

#include "base/exit.h"
#include "base/log.h"

#define UNREAD_MAX (64 << 20)

static void on_row(void *data, struct base_slice row)
{
    struct tool *tool = data;
    if (tool->base.ending)
        return;
    tool_print_row(tool, row);
    if (app_tool_unread(&tool->base) > UNREAD_MAX) {
        base_log(BASE_LOG_ERROR, "standard output is not read: rows of %d MiB wait for it",
                 UNREAD_MAX >> 20);
        app_tool_end(&tool->base, BASE_EXIT_IOERR);
    } else if (tool->printed == (uint64_t)tool->settings.limit) {
        app_tool_end(&tool->base, BASE_EXIT_OK);
    }
}

static void on_standing(void *data, bool standing)
{
    static bool lost;
    (void)data;
    if (standing && lost)
        base_log(BASE_LOG_WARNING, "going on; what has come meanwhile is in the list");
    else
        base_log(BASE_LOG_DEBUG, standing ? "watching" : "lost");
    lost = !standing;
}

static void on_timeout(uv_timer_t *timer)
{
    app_tool_end(&((struct tool *)timer->data)->base, BASE_EXIT_TIMEOUT);
}

static int start(struct tool *tool)
{
    const struct arda_inbox_watcher watcher = {on_row, on_standing, tool};
    int failed = arda_inbox_watch(tool->base.bus, &tool->inbox, &watcher, &tool->watch);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", base_err_text(failed));
        return base_exit_status(failed);
    }
    if (tool->settings.timeout > 0)
        uv_timer_start(&tool->timer, on_timeout, (uint64_t)tool->settings.timeout, 0);
    return BASE_EXIT_OK;
}

static void on_done(struct tool *tool)
{
    (void)tool;
}

const struct command watch_command = {"watch", true, false, start, on_done};
