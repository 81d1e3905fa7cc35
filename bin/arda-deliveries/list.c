/* SPDX-License-Identifier: ISC
 *
 * list, count and show.
 */
#include "arda-deliveries/deliveries.h"

#include "base/exit.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

/* ---- list ---- */

static void on_record(void *data, const struct arda_delivery_record *record)
{
    struct tool *tool = ((struct request *)data)->tool;
    tool->left--;
    if (!tool->base.ending)
        tool_print_record(tool, record);
}

static void on_page(struct tool *tool)
{
    if (!walk_on(tool, on_record))
        tool_end(tool, tool->printed > 0 ? BASE_EXIT_OK : BASE_EXIT_NO);
}

static void start_list(struct tool *tool)
{
    tool->left = tool->settings.limit ? (uint64_t)tool->settings.limit : UINT64_MAX;
    on_page(tool);
}

/* ---- count ---- */

static void print_tally(struct tool *tool)
{
    int failed = BASE_OK;
    for (int i = 0; i < ARDA_DELIVERY_STATUSES; i++) {
        const char *name = arda_delivery_status_name((enum arda_delivery_status)i);
        uint64_t count = tool->tally.by_status[i];
        if (tool->settings.json)
            failed |= base_buf_printf(&tool->line, "%s\"%s\":%" PRIu64, i ? "," : "{", name, count);
        else
            failed |= base_buf_printf(&tool->line, "%-9s %" PRIu64 "\n", name, count);
    }
    if (tool->settings.json)
        failed |=
            base_buf_printf(&tool->line, ",\"unattended\":%" PRIu64 "}\n", tool->tally.unattended);
    else if (tool->tally.unattended > 0)
        failed |= base_buf_printf(&tool->line, "unattended %" PRIu64 "\n", tool->tally.unattended);
    tool_print(tool, failed);
}

static void print_sum(struct tool *tool)
{
    uint64_t sum = 0;
    for (int i = 0; i < ARDA_DELIVERY_STATUSES; i++)
        sum += tool->tally.by_status[i];
    tool_print(tool, base_buf_printf(&tool->line, "%" PRIu64 "\n", sum));
}

static void on_counted(struct tool *tool)
{
    if (walk_on(tool, NULL))
        return;
    if (tool->filter.statuses && !tool->settings.json)
        print_sum(tool);
    else
        print_tally(tool);
    tool_end(tool, BASE_EXIT_OK);
}

static void start_count(struct tool *tool)
{
    tool->left = UINT64_MAX;
    on_counted(tool);
}

/* ---- show ---- */

static void on_shown(void *data, const struct arda_delivery_record *record)
{
    struct tool *tool = ((struct request *)data)->tool;
    int failed = arda_delivery_record_write(&tool->line, record);
    tool_print(tool, failed | base_buf_add_byte(&tool->line, '\n'));
}

static void on_asked(void *data, int result, bool more, const struct base_why *why)
{
    struct request *request = data;
    (void)more;
    if (result == BASE_ERR_NOTFOUND) {
        if (tool_try_next_tenant(request))
            return;
        base_log(BASE_LOG_ERROR, "%s: there is no such delivery", request->id);
        request->tool->base.status = BASE_EXIT_NO;
        result = BASE_OK;
    }
    tool_answer(data, result, why);
}

static int send_get(struct arda_bus *bus, struct request *request)
{
    const struct arda_delivery_reader reader = {on_shown, walk_on_bad, on_asked, request};
    return arda_delivery_get(bus, tool_tenant(request), request->id, &reader);
}

static void start_show(struct tool *tool)
{
    if (tool->ids.len == 0)
        tool_end(tool, BASE_EXIT_NO);
    for (const char *id = tool->ids.data; id && id < tool->ids.data + tool->ids.len;
         id += strlen(id) + 1) {
        struct request *request = tool_request(tool, send_get);
        if (!request)
            return;
        strcpy(request->id, id); /* an id fits */
        tool_send(request);
    }
}

static void end_well(struct tool *tool)
{
    tool_end(tool, BASE_EXIT_OK);
}

const struct command list_command = {"list", false, false, false, start_list, on_page};
const struct command count_command = {"count", false, false, false, start_count, on_counted};
const struct command show_command = {"show", true, false, false, start_show, end_well};
