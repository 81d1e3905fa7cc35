/* SPDX-License-Identifier: ISC
 *
 * All deliveries that the filter lets through, page by page and tenant by tenant. A page is asked
 * for when the one before has been dealt with.
 */
#include "arda-deliveries/deliveries.h"

#include "base/exit.h"
#include "base/log.h"

#include <string.h>

void walk_on_bad(void *data, const char *id)
{
    struct request *request = data;
    base_log(BASE_LOG_ERROR, "%s: what Redis holds is no delivery", id);
    request->tool->base.status = BASE_EXIT_DATAERR;
}

/* A tenant whose deliveries cannot be read is named, and the others are read. */
static void answer_walk(struct request *request, int result, bool more, const struct base_why *why)
{
    struct tool *tool = request->tool;
    tool->more = more && !result;
    if (result == BASE_ERR_SYNTAX || result == BASE_ERR_INTERNAL) {
        base_log(BASE_LOG_ERROR, "tenant %s: %s", tool->walked, why->text);
        tool->base.status = base_exit_status(result);
        result = BASE_OK;
    }
    tool_answer(request, result, why);
}

static void on_listed(void *data, int result, bool more, const struct base_why *why)
{
    answer_walk(data, result, more, why);
}

static void on_tallied(void *data, int result, const struct arda_delivery_tally *tally, bool more,
                       const struct base_why *why)
{
    struct tool *tool = ((struct request *)data)->tool;
    for (int i = 0; !result && i < ARDA_DELIVERY_STATUSES; i++)
        tool->tally.by_status[i] += tally->by_status[i];
    if (!result)
        tool->tally.unattended += tally->unattended;
    answer_walk(data, result, more, why);
}

static void (*on_walked)(void *request, const struct arda_delivery_record *record);

static int send_walk(struct arda_bus *bus, struct request *request)
{
    struct tool *tool = request->tool;
    struct arda_delivery_reader reader = {on_walked, walk_on_bad, on_listed, request};
    uint64_t limit = tool->left < ARDA_DELIVERY_LIMIT_MAX ? tool->left : ARDA_DELIVERY_LIMIT_MAX;
    if (!on_walked)
        return arda_delivery_tally(bus, tool->walked, &tool->filter, &tool->position, on_tallied,
                                   request);
    return arda_delivery_list(bus, tool->walked, &tool->filter, (uint32_t)limit, &tool->position,
                              &reader);
}

bool walk_on(struct tool *tool,
             void (*on_record)(void *request, const struct arda_delivery_record *record))
{
    if (tool->left == 0)
        return false;
    if (!tool->more) {
        if (tool->next_tenant >= tool->tenants.len)
            return false;
        tool->walked = tool->tenants.data + tool->next_tenant;
        tool->next_tenant += strlen(tool->walked) + 1;
        tool->position = (struct arda_delivery_position){0};
    }
    on_walked = on_record;
    tool_ask(tool, send_walk);
    return true;
}
