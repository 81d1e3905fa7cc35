/* SPDX-License-Identifier: ISC
 *
 * read, unread and rm.
 */
#include "arda-inbox/inbox.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"

#include <inttypes.h>

static void on_unknown(void *data, const char *id)
{
    base_log(BASE_LOG_ERROR, "%s: there is no such notification", id);
    ((struct request *)data)->tool->base.status = BASE_EXIT_NO;
}

static void on_changed(void *data, int result, uint64_t changed, const struct base_why *why)
{
    if (!result)
        base_log(BASE_LOG_DEBUG, "%" PRIu64 " changed", changed);
    tool_answer(data, result, why);
}

static int send_change(struct arda_bus *bus, struct request *request)
{
    struct tool *tool = request->tool;
    const struct arda_inbox_changer changer = {on_unknown, on_changed, request};
    enum arda_inbox_change change = tool->command == &read_command     ? ARDA_INBOX_READ
                                    : tool->command == &unread_command ? ARDA_INBOX_UNREAD
                                                                       : ARDA_INBOX_REMOVE;
    const char *const *ids = tool->settings.all ? NULL : (const char *const *)tool->operands;
    return arda_inbox_change(bus, &tool->inbox, change, ids, (size_t)tool->operand_count,
                             base_clock_wall_ms(), &changer);
}

static int start(struct tool *tool)
{
    tool_ask(tool, send_change);
    return BASE_EXIT_OK;
}

static void end_well(struct tool *tool)
{
    app_tool_end(&tool->base, BASE_EXIT_OK);
}

const struct command read_command = {"read", true, true, start, end_well};
const struct command unread_command = {"unread", true, true, start, end_well};
const struct command rm_command = {"rm", true, true, start, end_well};
