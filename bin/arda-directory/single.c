/* SPDX-License-Identifier: ISC
 *
 * get, set, rm: one entry, named by kind, tenant and the parts of its id. `set` reads an entry
 * first, so that members that are not named stay.
 */
#include "arda-directory/directory.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

static int bad_operand(const char *operand, const char *expected)
{
    base_log(BASE_LOG_ERROR, "expected %s, got `%s'", expected, operand);
    return BASE_EXIT_USAGE;
}

/* They are not shown: one may be a secret that was meant for `set'. */
static int too_many_operands(void)
{
    base_log(BASE_LOG_ERROR, "expected nothing after the id");
    return BASE_EXIT_USAGE;
}

/* ---- which entry ---- */

/* The operands that name an entry of each kind, and how many there are behind the kind. */
static const struct form {
    int operands;
    const char *text;
} forms[ARDA_DIRECTORY_KINDS] = {
    [ARDA_DIRECTORY_DIGEST] = {3, "TENANT USER TYPE"},
    [ARDA_DIRECTORY_LOOP] = {2, "TENANT LOOP"},
    [ARDA_DIRECTORY_PREFERENCE] = {4, "TENANT USER TYPE CHANNEL"},
    [ARDA_DIRECTORY_QUIET] = {2, "TENANT USER"},
    [ARDA_DIRECTORY_TENANT] = {1, "TENANT"},
    [ARDA_DIRECTORY_USER] = {2, "TENANT USER"},
    [ARDA_DIRECTORY_WEBHOOK] = {1, "TENANT"},
};

/* The parts of the id stand behind the tenant, one an operand, as Redis joins them. */
static int read_id(struct tool *tool, struct arda_directory_line *line, int parts)
{
    struct base_buf id = BASE_BUF_INIT;
    struct base_why why;
    int failed = BASE_OK;
    for (int i = 0; i < parts; i++) {
        failed |= i > 0 ? base_buf_add_byte(&id, ':') : BASE_OK;
        failed |= base_buf_add_text(&id, tool->operands[2 + i]);
    }
    if (failed)
        base_log(BASE_LOG_ERROR, "out of memory");
    else if (arda_directory_line_set_id(line, id.len ? id.data : "", id.len, &why) < 0)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    else
        parts = -1; /* all well */
    base_buf_fini(&id);
    return failed ? BASE_EXIT_SOFTWARE : parts < 0 ? BASE_EXIT_OK : BASE_EXIT_USAGE;
}

/* KIND TENANT [PART...]; `*behind` is the first operand that is none of these. */
static int read_name(struct tool *tool, struct arda_directory_line *line, int *behind)
{
    const char *kind = tool->operands[0], *tenant = tool->operands[1];
    if (arda_directory_kind_find(kind, &line->kind) < 0)
        return bad_operand(kind, "a kind such as `user' or `loop'");
    const struct form *form = &forms[line->kind];
    if (tool->operand_count < 1 + form->operands) {
        base_log(BASE_LOG_ERROR, "%s: expected %s %s", tool->command->name, kind, form->text);
        return BASE_EXIT_USAGE;
    }
    if (!arda_tenant_valid(tenant, strlen(tenant)))
        return bad_operand(tenant, "the id of a tenant");
    memcpy(line->tenant, tenant, strlen(tenant) + 1);
    *behind = 1 + form->operands;
    return read_id(tool, line, form->operands - 1);
}

static int start(struct tool *tool, int (*send)(struct arda_bus *bus, struct request *request))
{
    int behind = 0;
    struct request *request = tool_request(tool, send);
    if (!request)
        return BASE_EXIT_SOFTWARE;
    int status = read_name(tool, &request->line, &behind);
    if (!status && behind < tool->operand_count)
        status = too_many_operands();
    if (status)
        app_outbox_drop(&request->item);
    else
        app_outbox_add(tool->base.outbox, &request->item);
    return status;
}

static void on_change(struct tool *tool)
{
    if (app_outbox_held(tool->base.outbox) == 0)
        app_tool_end(&tool->base, base_exit_status(app_outbox_refusal(tool->base.outbox)));
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

static int send_put(struct arda_bus *bus, struct request *request)
{
    return arda_directory_put(bus, &request->line, tool_answer, request);
}

static void on_former(void *data, int result, const struct base_why *why)
{
    struct request *request = data;
    struct tool *tool = request->tool;
    struct base_why reason;
    if (result && result != BASE_ERR_NOTFOUND) {
        tool_answer(data, result, why);
        return;
    }
    result = arda_directory_line_change(&request->line, tool->changes, tool->change_count, &reason);
    if (result) {
        tool_answer(data, result, &reason);
        return;
    }
    request->send = send_put; /* also if this has to be sent again */
    int failed = send_put(request->tool->base.bus, request);
    if (failed)
        app_outbox_unsent(&request->item, failed);
}

static int send_set(struct arda_bus *bus, struct request *request)
{
    return arda_directory_get(bus, &request->line, on_former, request);
}

static int start_set(struct tool *tool)
{
    int behind = 0;
    struct request *request = tool_request(tool, send_set);
    if (!request)
        return BASE_EXIT_SOFTWARE;
    int status = read_name(tool, &request->line, &behind);
    if (!status)
        status = changes_read(tool, tool->operands + behind, tool->operand_count - behind);
    enum arda_directory_kind kind = request->line.kind;
    if (!status && (kind == ARDA_DIRECTORY_LOOP || kind == ARDA_DIRECTORY_TENANT)) {
        request->send = send_put; /* there is nothing to read */
        if (behind < tool->operand_count)
            status = too_many_operands();
    }
    if (status)
        app_outbox_drop(&request->item);
    else
        app_outbox_add(tool->base.outbox, &request->item);
    return status;
}

const struct command get_command = {"get", 2, -1, "KIND TENANT [ID...]", start_get, on_change};
const struct command set_command = {"set",     2,        -1, "KIND TENANT [ID...] [NAME=VALUE...]",
                                    start_set, on_change};
const struct command rm_command = {"rm", 2, -1, "KIND TENANT [ID...]", start_rm, on_change};
