/* SPDX-License-Identifier: ISC
 *
 * dump: every entry as a line, sorted by tenant, kind and id. One tenant is asked for at a time, so
 * that memory is bounded by the largest. A tenant is a line of its own only if it has no entries.
 * One that cannot be read is named, and the others are dumped.
 */
#include "arda-directory/directory.h"

#include "base/exit.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* What went wrong counts more than that there was nothing. */
static void note_status(struct tool *tool, int status)
{
    if (!tool->base.status || tool->base.status == BASE_EXIT_NO)
        tool->base.status = status;
}

static void on_tenant(void *data, const char *tenant, size_t len)
{
    struct tool *tool = ((struct request *)data)->tool;
    if (!arda_tenant_valid(tenant, len)) {
        base_log(BASE_LOG_ERROR, "`%s' is not the id of a tenant", tenant);
        note_status(tool, BASE_EXIT_DATAERR);
    } else if (base_buf_add(&tool->tenants, tenant, len + 1) < 0) {
        app_tool_out_of_memory(&tool->base);
    }
}

static void on_line(void *data, const struct arda_directory_line *line)
{
    struct request *request = data;
    request->lines++;
    tool_print(request->tool, line);
}

static void on_bad(void *data, const struct base_why *why)
{
    struct request *request = data;
    request->lines++; /* it is an entry all the same */
    base_log(BASE_LOG_ERROR, "%s", why->text);
    note_status(request->tool, BASE_EXIT_DATAERR);
}

static void on_tenant_done(void *data, int result, const struct arda_directory_state *state,
                           const struct base_why *why)
{
    struct request *request = data;
    const char *tenant = request->line.tenant;
    if (!result && state->known && request->lines == 0) {
        request->line.kind = ARDA_DIRECTORY_TENANT;
        tool_print(request->tool, &request->line);
    } else if (!result && request->lines == 0) {
        base_log(BASE_LOG_ERROR, "tenant %s is not in the directory", tenant);
        note_status(request->tool, BASE_EXIT_NO);
    } else if (result == BASE_ERR_SYNTAX || result == BASE_ERR_INTERNAL) {
        base_log(BASE_LOG_ERROR, "tenant %s: %s", tenant, why->text);
        note_status(request->tool, base_exit_status(result));
        result = BASE_OK; /* the others are dumped all the same */
    }
    tool_answer(data, result, why);
}

static void on_tenants(void *data, int result, const struct base_why *why)
{
    struct tool *tool = ((struct request *)data)->tool;
    if (!result && tool->tenants.len == 0 && !tool->base.status) {
        base_log(BASE_LOG_ERROR, "the directory has no tenants");
        note_status(tool, BASE_EXIT_NO);
    }
    tool_answer(data, result, why);
}

static int send_tenants(struct arda_bus *bus, struct request *request)
{
    return arda_directory_tenants(bus, on_tenant, on_tenants, request);
}

static int send_snapshot(struct arda_bus *bus, struct request *request)
{
    const struct arda_directory_handlers handlers = {on_line, on_bad, on_tenant_done, request};
    unsigned kinds = ARDA_DIRECTORY_ALL & ~ARDA_DIRECTORY_BIT(ARDA_DIRECTORY_TENANT);
    request->lines = 0;
    return arda_directory_snapshot(bus, request->line.tenant, kinds, &handlers);
}

/* The next tenant, or the end. */
static void on_change(struct tool *tool)
{
    if (app_outbox_refusal(tool->base.outbox) || tool->next_tenant >= tool->tenants.len) {
        app_tool_end(&tool->base, base_exit_status(app_outbox_refusal(tool->base.outbox)));
        return;
    }
    struct request *request = tool_request(tool, send_snapshot);
    if (!request)
        return;
    const char *tenant = tool->tenants.data + tool->next_tenant;
    memcpy(request->line.tenant, tenant, strlen(tenant) + 1);
    tool->next_tenant += strlen(tenant) + 1;
    app_outbox_add(tool->base.outbox, &request->item);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int take_operands(struct tool *tool)
{
    qsort(tool->operands, (size_t)tool->operand_count, sizeof *tool->operands, compare);
    for (int i = 0; i < tool->operand_count; i++) {
        const char *tenant = tool->operands[i];
        if (!arda_tenant_valid(tenant, strlen(tenant))) {
            base_log(BASE_LOG_ERROR, "`%s' is not the id of a tenant", tenant);
            return BASE_EXIT_USAGE;
        }
        if (i > 0 && strcmp(tenant, tool->operands[i - 1]) == 0)
            continue;
        if (base_buf_add(&tool->tenants, tenant, strlen(tenant) + 1) < 0)
            return BASE_EXIT_SOFTWARE;
    }
    on_change(tool);
    return BASE_EXIT_OK;
}

static int start(struct tool *tool)
{
    if (tool->operand_count > 0)
        return take_operands(tool);
    struct request *request = tool_request(tool, send_tenants);
    if (request)
        app_outbox_add(tool->base.outbox, &request->item);
    return BASE_EXIT_OK;
}

const struct command dump_command = {"dump", 0, -1, "[TENANT...]", start, on_change};
