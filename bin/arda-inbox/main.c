/* SPDX-License-Identifier: ISC
 *
 * arda-inbox: users' notifications, listed, counted, added, marked and watched.
 */
#include "arda-inbox/inbox.h"
#include "option_tables.h"

#include "base/exit.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static const struct base_opt rows[] = {INBOX_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-inbox",
    .operands = "list|count|watch | add --type=TYPE --title=TEXT | read|unread|rm ID...|--all",
    .about = "List, count, add, mark and watch the notifications of a user, who is named with "
             "--tenant and --user.",
    .after = "example: arda-inbox list --tenant=acme --user=ann --unread",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

static const struct command *const commands[] = {&list_command, &count_command,  &add_command,
                                                 &read_command, &unread_command, &rm_command,
                                                 &watch_command};

/* ---- ending ---- */

static void on_ending(void *data)
{
    struct tool *tool = data;
    arda_inbox_unwatch(tool->watch);
    tool->watch = NULL;
    uv_close((uv_handle_t *)&tool->timer, NULL);
}

/* A watch waits for as long as it takes. */
static bool waits(void *data)
{
    return ((struct tool *)data)->watch != NULL;
}

/* ---- requests ---- */

static int send_request(void *data, struct app_outbox_item *item)
{
    struct tool *tool = data;
    struct request *request = base_container(item, struct request, item);
    return request->send(tool->base.bus, request);
}

void tool_ask(struct tool *tool, int (*send)(struct arda_bus *bus, struct request *request))
{
    struct app_outbox_item *item = app_outbox_blank(tool->base.outbox);
    if (!item) {
        app_tool_out_of_memory(&tool->base);
        return;
    }
    struct request *request = base_container(item, struct request, item);
    request->tool = tool;
    request->send = send;
    app_outbox_add(tool->base.outbox, item);
}

void tool_answer(void *request, int result, const struct base_why *why)
{
    app_outbox_answer(&((struct request *)request)->item, result, why);
}

static void on_change(void *data)
{
    struct tool *tool = data;
    if (app_outbox_held(tool->base.outbox) > 0)
        return;
    int refusal = app_outbox_refusal(tool->base.outbox);
    if (refusal)
        app_tool_end(&tool->base, base_exit_status(refusal));
    else
        tool->command->on_done(tool);
}

/* ---- beginning ---- */

static void open_tool(struct tool *tool)
{
    const struct app_tool_options options = {.name = program.name,
                                             .redis = tool->settings.redis,
                                             .prefix = tool->settings.prefix,
                                             .use = ARDA_BUS_ASKS,
                                             .retry_for_ms = tool->settings.retry_for,
                                             .item_size = sizeof(struct request),
                                             .send = send_request,
                                             .on_change = on_change,
                                             .on_ending = on_ending,
                                             .waits = waits,
                                             .data = tool};
    int status = app_tool_open(&tool->base, &options);
    if (status)
        exit(status);
    uv_timer_init(&tool->base.loop, &tool->timer);
    tool->timer.data = tool;
}

static _Noreturn void misused(const char *text)
{
    base_log(BASE_LOG_ERROR, "%s", text);
    exit(BASE_EXIT_USAGE);
}

static const struct command *find_command(char **operands, int count)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && count > 0; i++)
        if (strcmp(commands[i]->name, operands[0]) == 0)
            return commands[i];
    misused("expected list, count, add, read, unread, rm or watch; see --help");
}

static void take_ids(struct tool *tool)
{
    if (tool->settings.all ? tool->operand_count > 0 : tool->operand_count == 0)
        misused("expected ids of notifications, or --all alone");
    if (tool->operand_count > ARDA_INBOX_IDS_MAX)
        misused("more than 1000 ids at once");
    for (int i = 0; i < tool->operand_count; i++)
        if (!arda_id_valid(tool->operands[i], strlen(tool->operands[i]))) {
            base_log(BASE_LOG_ERROR, "`%s' is not the id of a notification", tool->operands[i]);
            exit(BASE_EXIT_USAGE);
        }
}

static void take_operands(struct tool *tool, char **operands, int count)
{
    const struct settings *settings = &tool->settings;
    const struct command *command = find_command(operands, count);
    tool->command = command;
    tool->operands = operands + 1;
    tool->operand_count = count - 1;
    if (!settings->tenant)
        misused("--tenant is missing");
    if (!arda_tenant_valid(settings->tenant, strlen(settings->tenant)))
        misused("--tenant: expected the id of a tenant");
    if (command->of_user && !settings->user)
        misused("--user is missing");
    if (settings->user && !arda_id_valid(settings->user, strlen(settings->user)))
        misused("--user: expected the id of a user");
    if (settings->before && !arda_id_valid(settings->before, strlen(settings->before)))
        misused("--before: expected the id of a notification");
    if (command->of_ids)
        take_ids(tool);
    else if (count > 1)
        misused("there is an operand too many");
    tool->inbox = (struct arda_inbox){settings->tenant, settings->user};
}

int main(int argc, char **argv)
{
    static struct tool tool;
    char **operands;
    int count = base_opt_start(&program, &tool.settings, argc, argv, &operands);
    take_operands(&tool, operands, count);
    open_tool(&tool);
    int status = tool.command->start(&tool);
    if (status)
        app_tool_end(&tool.base, status);
    app_tool_run(&tool.base);
    add_free(&tool);
    base_buf_fini(&tool.line);
    base_opt_fini(&program, &tool.settings);
    return app_tool_leave(&tool.base);
}
