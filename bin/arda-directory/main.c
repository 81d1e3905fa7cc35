/* SPDX-License-Identifier: ISC
 *
 * arda-directory: tenants with their users, loops, preferences and so on, as JSON lines.
 */
#include "arda-directory/directory.h"
#include "option_tables.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/progress.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 16 /* requests under way: each may be a whole tenant */

static const struct base_opt rows[] = {DIRECTORY_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-directory",
    .operands = "load [FILE...] | dump [TENANT...] | get|rm KIND TENANT [ID...] | "
                "set KIND TENANT [ID...] [NAME=VALUE...]",
    .about = "Keep tenants with their users, kanban loops, preferences, webhooks, digests and "
             "quiet hours in Redis, where the other programs look them up. KIND is tenant, user, "
             "loop, preference, webhook, digest or quiet; load and dump speak JSON lines.",
    .after = "example: arda-directory set user acme ann email=ann@acme.example active=true",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

static const struct command *const commands[] = {&load_command, &dump_command, &get_command,
                                                 &set_command, &rm_command};

static void on_ending(void *data)
{
    struct tool *tool = data;
    base_progress_end();
    app_input_close(tool->input);
    tool->input = NULL;
}

/* ---- requests ---- */

static int send_request(void *data, struct app_outbox_item *item)
{
    struct tool *tool = data;
    struct request *request = base_container(item, struct request, item);
    return request->send(tool->base.bus, request);
}

static void fini_request(struct app_outbox_item *item)
{
    arda_directory_line_fini(&base_container(item, struct request, item)->line);
}

struct request *tool_request(struct tool *tool,
                             int (*send)(struct arda_bus *bus, struct request *request))
{
    struct app_outbox_item *item = app_outbox_blank(tool->base.outbox);
    if (!item) {
        app_tool_out_of_memory(&tool->base);
        return NULL;
    }
    struct request *request = base_container(item, struct request, item);
    request->tool = tool;
    request->send = send;
    return request;
}

void tool_answer(void *request, int result, const struct base_why *why)
{
    app_outbox_answer(&((struct request *)request)->item, result, why);
}

void tool_print(struct tool *tool, const struct arda_directory_line *line)
{
    struct base_buf text = BASE_BUF_INIT;
    int failed = tool->settings.secrets ? arda_directory_line_write(&text, line)
                                        : arda_directory_line_write_masked(&text, line);
    if (failed || base_buf_add_byte(&text, '\n') < 0)
        app_tool_out_of_memory(&tool->base);
    else
        app_tool_write(&tool->base, text.data, text.len);
    base_buf_fini(&text);
}

static void on_change(void *data)
{
    struct tool *tool = data;
    tool->command->on_change(tool);
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
                                             .window = WINDOW,
                                             .send = send_request,
                                             .fini = fini_request,
                                             .on_change = on_change,
                                             .on_ending = on_ending,
                                             .data = tool};
    int status = app_tool_open(&tool->base, &options);
    if (status)
        exit(status);
}

static const struct command *find_command(char **operands, int count)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && count > 0; i++)
        if (strcmp(commands[i]->name, operands[0]) == 0)
            return commands[i];
    base_log(BASE_LOG_ERROR, "expected load, dump, get, set or rm; see --help");
    exit(BASE_EXIT_USAGE);
}

static void take_operands(struct tool *tool, char **operands, int count)
{
    const struct command *command = find_command(operands, count);
    tool->command = command;
    tool->operands = operands + 1;
    tool->operand_count = count - 1;
    if (count - 1 >= command->min_operands &&
        (command->max_operands < 0 || count - 1 <= command->max_operands))
        return;
    base_log(BASE_LOG_ERROR, "%s: expected %s", command->name, command->operands);
    exit(BASE_EXIT_USAGE);
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
    base_buf_fini(&tool.tenants);
    changes_free(&tool);
    load_free(&tool);
    base_opt_fini(&program, &tool.settings);
    return app_tool_leave(&tool.base);
}
