/* SPDX-License-Identifier: ISC
 *
 * redrive: those that are named, or a page of what the filters let through, then the next page.
 * What is redriven keeps its place in the list.
 */
#include "arda-deliveries/deliveries.h"

#include "arda/delivery/redrive.h"
#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

static void on_redriven(void *data, int result, enum arda_delivery_redriven redriven,
                        const struct base_why *why)
{
    struct request *request = data;
    struct tool *tool = request->tool;
    if (result == BASE_ERR_NOTFOUND) {
        if (!tool->walked && tool_try_next_tenant(request))
            return;
        base_log(BASE_LOG_ERROR, "%s: there is no such delivery", request->id);
        tool->base.status = BASE_EXIT_NO;
        result = BASE_OK;
    } else if (!result && redriven == ARDA_DELIVERY_UNDER_WAY) {
        base_log(BASE_LOG_INFO, "%s: it is being attempted just now", request->id);
        tool->under_way++;
    } else if (!result && redriven == ARDA_DELIVERY_EMPTY) {
        base_log(BASE_LOG_WARNING, "%s: nothing is left in this digest", request->id);
    } else if (!result) {
        tool->redriven++;
    }
    tool_answer(data, result, why);
}

static int send_redrive(struct arda_bus *bus, struct request *request)
{
    return arda_delivery_redrive(bus, tool_tenant(request), request->id, base_clock_wall_ms(),
                                 on_redriven, request);
}

/* Each id of a list with its NULs; `tenant` is a place in tool->tenants. */
static void ask_each(struct tool *tool, const struct base_buf *ids, size_t tenant,
                     int (*send)(struct arda_bus *bus, struct request *request))
{
    for (const char *id = ids->data; id && id < ids->data + ids->len; id += strlen(id) + 1) {
        struct request *request = tool_request(tool, send);
        if (!request)
            return;
        strcpy(request->id, id); /* an id fits */
        request->tenant = tenant;
        tool_send(request);
    }
}

/* ---- which ---- */

static int add_found(struct tool *tool, struct base_slice id)
{
    return base_buf_add(&tool->found, id.data, id.len) | base_buf_add_byte(&tool->found, '\0');
}

/* A digest once, however many of its members are found. */
static int add_digest(struct tool *tool, struct base_slice id)
{
    if (base_map_get(&tool->digests, id.data, id.len))
        return BASE_OK;
    return base_map_set(&tool->digests, id.data, id.len, tool) | add_found(tool, id);
}

/* A member that has gone out leaves its digest; any other has the fate of its digest, and is
 * redriven with it. */
static void on_found(void *data, const struct arda_delivery_record *record)
{
    struct tool *tool = ((struct request *)data)->tool;
    int failed = BASE_OK;
    bool gone_out =
        record->status == ARDA_DELIVERY_SENT || record->status == ARDA_DELIVERY_DELIVERED;
    if (tool->base.ending)
        return;
    if (tool->settings.dry_run)
        tool_print_record(tool, record);
    else if (record->items > 0)
        failed = add_digest(tool, record->id);
    else if (record->digest_id.len > 0 && !gone_out)
        failed = add_digest(tool, record->digest_id);
    else
        failed = add_found(tool, record->id);
    if (failed)
        app_tool_out_of_memory(&tool->base);
}

static void report(struct tool *tool)
{
    int failed =
        tool->settings.json
            ? base_buf_printf(&tool->line, "{\"redriven\":%" PRIu64 ",\"underWay\":%" PRIu64 "}\n",
                              tool->redriven, tool->under_way)
            : base_buf_printf(&tool->line, "%" PRIu64 " redriven\n", tool->redriven);
    tool_print(tool, failed);
}

static void on_done(struct tool *tool)
{
    if (tool->found.len > 0) {
        ask_each(tool, &tool->found, (size_t)(tool->walked - tool->tenants.data), send_redrive);
        tool->found.len = 0;
        return;
    }
    if (walk_on(tool, on_found))
        return;
    if (!tool->settings.dry_run)
        report(tool);
    tool_end(tool, tool->redriven + tool->printed > 0 ? BASE_EXIT_OK : BASE_EXIT_NO);
}

/* ---- those that are named ---- */

static void on_shown(void *data, const struct arda_delivery_record *record)
{
    tool_print_record(((struct request *)data)->tool, record);
}

static void on_looked_at(void *data, int result, bool more, const struct base_why *why)
{
    struct request *request = data;
    (void)more;
    if (result == BASE_ERR_NOTFOUND) {
        on_redriven(data, result, ARDA_DELIVERY_REDRIVEN, why);
        return;
    }
    tool_answer(request, result, why);
}

static int send_look(struct arda_bus *bus, struct request *request)
{
    const struct arda_delivery_reader reader = {on_shown, walk_on_bad, on_looked_at, request};
    return arda_delivery_get(bus, tool_tenant(request), request->id, &reader);
}

static void start(struct tool *tool)
{
    tool->left = tool->ids.len > 0 || tool->from_stdin ? 0 : UINT64_MAX; /* of a walk */
    if (tool->ids.len > 0)
        ask_each(tool, &tool->ids, 0, tool->settings.dry_run ? send_look : send_redrive);
    else
        on_done(tool);
}

const struct command redrive_command = {"redrive", true, false, false, start, on_done};
