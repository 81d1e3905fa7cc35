/* SPDX-License-Identifier: ISC
 *
 * dump: every entry as a line, sorted by tenant, kind and id. One list is asked for at a time, so
 * that memory is bounded by the largest.
 */
#include "arda-directory/directory.h"

#include "base/exit.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static void on_tenant(void *data, const char *tenant, size_t len)
{
    struct tool *tool = ((struct request *)data)->tool;
    if (!arda_tenant_valid(tenant, len)) {
        base_log(BASE_LOG_ERROR, "`%s' is not the id of a tenant", tenant);
        tool->status = BASE_EXIT_DATAERR;
    } else if (base_buf_add(&tool->tenants, tenant, len + 1) < 0) {
        tool_out_of_memory(tool);
    }
}

static void on_line(void *data, const struct arda_directory_line *line)
{
    tool_print(((struct request *)data)->tool, line);
}

static void on_bad(void *data, const struct base_why *why)
{
    base_log(BASE_LOG_ERROR, "%s", why->text);
    ((struct request *)data)->tool->status = BASE_EXIT_DATAERR;
}

static int send_tenants(struct arda_bus *bus, struct request *request)
{
    struct arda_directory_list list = {on_tenant, NULL, NULL, tool_answer, request};
    return arda_directory_tenants(bus, &list);
}

static int send_entries(struct arda_bus *bus, struct request *request)
{
    struct arda_directory_list list = {NULL, on_line, on_bad, tool_answer, request};
    return arda_directory_entries(bus, request->line.tenant, request->line.kind, &list);
}

/* The next list, or the end. */
static void on_change(struct tool *tool)
{
    if (arda_outbox_refusal(tool->outbox) || tool->next_tenant >= tool->tenants.len) {
        tool_end(tool, base_exit_status(arda_outbox_refusal(tool->outbox)));
        return;
    }
    struct request *request = tool_request(tool, send_entries);
    if (!request)
        return;
    const char *tenant = tool->tenants.data + tool->next_tenant;
    request->line.kind = tool->next_kind;
    memcpy(request->line.tenant, tenant, strlen(tenant) + 1);
    if (++tool->next_kind == ARDA_DIRECTORY_KINDS) {
        tool->next_kind = 0;
        tool->next_tenant += strlen(tenant) + 1;
    }
    arda_outbox_add(tool->outbox, &request->item);
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
        arda_outbox_add(tool->outbox, &request->item);
    return BASE_EXIT_OK;
}

const struct command dump_command = {"dump", 0, -1, "[TENANT...]", start, on_change};
