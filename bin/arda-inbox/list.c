/* SPDX-License-Identifier: ISC
 *
 * list and count. A long list is asked for page by page, each behind the last row of the one
 * before.
 */
#include "arda-inbox/inbox.h"

#include "base/exit.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

/* ---- list ---- */

static void remember(struct tool *tool, struct base_slice row)
{
    struct base_json_member id = BASE_JSON_WANT("id");
    char text[ARDA_ID_MAX + 1];
    base_json_pick(row.data, row.len, &id, 1, NULL, NULL);
    if (base_json_copy(&id.value, text, sizeof text) >= 0)
        strcpy(tool->last, text);
}

static void on_row(void *data, struct base_slice row, bool is_read)
{
    struct tool *tool = ((struct request *)data)->tool;
    (void)is_read;
    tool->left--;
    remember(tool, row);
    if (!tool->base.ending)
        tool_print_row(tool, row);
}

static void on_bad(void *data, const char *id)
{
    struct tool *tool = ((struct request *)data)->tool;
    base_log(BASE_LOG_ERROR, "%s: what Redis holds is no notification", id);
    tool->base.status = BASE_EXIT_DATAERR;
    tool->left--;
    if (strlen(id) <= ARDA_ID_MAX)
        strcpy(tool->last, id);
}

static void on_listed(void *data, int result, bool more, const struct base_why *why)
{
    ((struct request *)data)->tool->more = more;
    tool_answer(data, result, why);
}

static int send_list(struct arda_bus *bus, struct request *request)
{
    struct tool *tool = request->tool;
    struct arda_inbox_query query = {.unread = tool->settings.unread};
    struct arda_inbox_reader reader = {on_row, on_bad, on_listed, request};
    query.limit = (uint32_t)(tool->left < ARDA_INBOX_LIMIT_MAX ? tool->left : ARDA_INBOX_LIMIT_MAX);
    query.before = *tool->last ? tool->last : NULL;
    return arda_inbox_list(bus, &tool->inbox, &query, &reader);
}

static void on_page(struct tool *tool)
{
    if (tool->more && tool->left > 0)
        tool_ask(tool, send_list);
    else
        app_tool_end(&tool->base, tool->printed > 0 ? BASE_EXIT_OK : BASE_EXIT_NO);
}

static int start_list(struct tool *tool)
{
    tool->left = tool->settings.limit ? (uint64_t)tool->settings.limit : UINT64_MAX;
    if (tool->settings.before)
        strcpy(tool->last, tool->settings.before); /* an id fits */
    tool_ask(tool, send_list);
    return BASE_EXIT_OK;
}

/* ---- count ---- */

static void on_counted(void *data, int result, const struct arda_inbox_counts *counts,
                       const struct base_why *why)
{
    struct tool *tool = ((struct request *)data)->tool;
    int failed = BASE_OK;
    if (!result && tool->settings.json)
        failed = base_buf_printf(&tool->line, "{\"all\":%" PRIu64 ",\"unread\":%" PRIu64 "}\n",
                                 counts->all, counts->unread);
    else if (!result)
        failed = base_buf_printf(&tool->line, "%" PRIu64 "\n",
                                 tool->settings.unread ? counts->unread : counts->all);
    if (failed)
        app_tool_out_of_memory(&tool->base);
    else if (!result)
        tool_print(tool);
    tool_answer(data, result, why);
}

static int send_count(struct arda_bus *bus, struct request *request)
{
    return arda_inbox_count(bus, &request->tool->inbox, on_counted, request);
}

static int start_count(struct tool *tool)
{
    tool_ask(tool, send_count);
    return BASE_EXIT_OK;
}

static void end_well(struct tool *tool)
{
    app_tool_end(&tool->base, BASE_EXIT_OK);
}

const struct command list_command = {"list", true, false, start_list, on_page};
const struct command count_command = {"count", true, false, start_count, end_well};
