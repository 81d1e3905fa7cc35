/* SPDX-License-Identifier: ISC
 *
 * get, set, rm: one entry, named by kind, tenant and id. `set` reads a user first, so that members
 * that are not named stay.
 */
#include "arda-directory/directory.h"

#include "base/exit.h"
#include "base/log.h"

#include <string.h>

static int bad_operand(const char *operand, const char *expected)
{
    base_log(BASE_LOG_ERROR, "expected %s, got `%s'", expected, operand);
    return BASE_EXIT_USAGE;
}

/* KIND TENANT ID */
static int read_name(struct tool *tool, struct arda_directory_line *line)
{
    const char *kind = tool->operands[0], *tenant = tool->operands[1], *id = tool->operands[2];
    if (arda_directory_kind_find(kind, &line->kind) < 0)
        return bad_operand(kind, "`user' or `loop'");
    if (!arda_tenant_valid(tenant, strlen(tenant)))
        return bad_operand(tenant, "the id of a tenant");
    if (!arda_id_valid(id, strlen(id)))
        return bad_operand(id, "an id");
    memcpy(line->tenant, tenant, strlen(tenant) + 1);
    memcpy(line->id, id, strlen(id) + 1);
    return BASE_EXIT_OK;
}

static int start(struct tool *tool, int (*send)(struct arda_bus *bus, struct request *request))
{
    struct request *request = tool_request(tool, send);
    if (!request)
        return BASE_EXIT_SOFTWARE;
    int status = read_name(tool, &request->line);
    if (status)
        arda_outbox_drop(&request->item);
    else
        arda_outbox_add(tool->outbox, &request->item);
    return status;
}

static void on_change(struct tool *tool)
{
    if (arda_outbox_held(tool->outbox) == 0)
        tool_end(tool, base_exit_status(arda_outbox_refusal(tool->outbox)));
}

/* ---- get, rm ---- */

static void on_got(void *data, int result, const struct base_why *why)
{
    struct request *request = data;
    if (!result)
        tool_print(request->tool, &request->line);
    tool_answer(data, result, why);
}

static int send_get(struct arda_bus *bus, struct request *request)
{
    return arda_directory_get(bus, &request->line, on_got, request);
}

static int start_get(struct tool *tool)
{
    return start(tool, send_get);
}

static int send_rm(struct arda_bus *bus, struct request *request)
{
    return arda_directory_remove(bus, &request->line, tool_answer, request);
}

static int start_rm(struct tool *tool)
{
    return start(tool, send_rm);
}

/* ---- set ---- */

/* NAME=VALUE or NAME:=JSON */
static int set_member(struct arda_directory_line *line, const char *operand, struct base_why *why)
{
    size_t len = strcspn(operand, "=");
    bool json = len > 0 && operand[len - 1] == ':';
    if (!operand[len])
        return base_why_set(why, BASE_ERR_INVALID, "expected NAME=VALUE, got `%s'", operand);
    return arda_directory_line_set_member(line, operand, len - json, operand + len + 1, json, why);
}

static int change(struct request *request, struct base_why *why)
{
    struct tool *tool = request->tool;
    int failed = BASE_OK;
    for (int i = 3; i < tool->operand_count && !failed; i++)
        failed = set_member(&request->line, tool->operands[i], why);
    return failed;
}

static int send_put(struct arda_bus *bus, struct request *request)
{
    return arda_directory_put(bus, &request->line, tool_answer, request);
}

static void on_former(void *data, int result, const struct base_why *why)
{
    struct request *request = data;
    struct base_why reason;
    if (result == BASE_ERR_NOTFOUND)
        result = arda_directory_line_set_value(&request->line, NULL, 0, &reason);
    else if (result) {
        tool_answer(data, result, why);
        return;
    }
    if (!result)
        result = change(request, &reason);
    if (result) {
        tool_answer(data, result, &reason);
        return;
    }
    request->send = send_put; /* also if this has to be sent again */
    int failed = send_put(request->tool->bus, request);
    if (failed)
        tool_answer(data, BASE_ERR_CLOSED, NULL);
}

static int send_set(struct arda_bus *bus, struct request *request)
{
    return arda_directory_get(bus, &request->line, on_former, request);
}

static int start_set(struct tool *tool)
{
    bool user = strcmp(tool->operands[0], "user") == 0;
    if (!user && tool->operand_count > 3)
        return bad_operand(tool->operands[3], "nothing behind the id of a loop");
    return start(tool, user ? send_set : send_put);
}

const struct command get_command = {"get", 3, 3, "KIND TENANT ID", start_get, on_change};
const struct command set_command = {"set",     3,        -1, "KIND TENANT ID [NAME=VALUE...]",
                                    start_set, on_change};
const struct command rm_command = {"rm", 3, 3, "KIND TENANT ID", start_rm, on_change};
