/* SPDX-License-Identifier: ISC
 *
 * arda-directory: tenants with their users, loops, preferences and so on, as JSON lines.
 */
#include "arda-directory/directory.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW   16   /* requests under way: each may be a whole tenant */
#define GRACE_MS 1000 /* for answers that are on their way when it ends early */

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
};

static const struct command *const commands[] = {&load_command, &dump_command, &get_command,
                                                 &set_command, &rm_command};

/* ---- ending ---- */

static void on_bus_gone(void *data)
{
    struct tool *tool = data;
    if (arda_outbox_report(tool->outbox) > 0)
        tool->status = BASE_EXIT_TEMPFAIL;
}

void tool_end(struct tool *tool, int status)
{
    if (tool->ending)
        return;
    tool->ending = true;
    if (!tool->status)
        tool->status = status;
    base_progress_end();
    arda_input_close(tool->input);
    tool->input = NULL;
    arda_outbox_end(tool->outbox);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&tool->signals[i], NULL);
    arda_bus_shutdown(tool->bus, GRACE_MS, on_bus_gone, tool);
}

void tool_out_of_memory(struct tool *tool)
{
    base_log(BASE_LOG_ERROR, "out of memory");
    tool_end(tool, BASE_EXIT_SOFTWARE);
}

static void on_impatient(void *data)
{
    base_log(BASE_LOG_ERROR, "giving up: Redis was away for too long");
    tool_end(data, BASE_EXIT_TEMPFAIL);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct tool *tool = handle->data;
    tool->signal = number;
    tool_end(tool, BASE_EXIT_OK);
}

/* ---- requests ---- */

static int send_request(void *data, struct arda_outbox_item *item)
{
    struct tool *tool = data;
    struct request *request = base_container(item, struct request, item);
    return request->send(tool->bus, request);
}

static void fini_request(struct arda_outbox_item *item)
{
    arda_directory_line_fini(&base_container(item, struct request, item)->line);
}

struct request *tool_request(struct tool *tool,
                             int (*send)(struct arda_bus *bus, struct request *request))
{
    struct arda_outbox_item *item = arda_outbox_blank(tool->outbox);
    if (!item) {
        tool_out_of_memory(tool);
        return NULL;
    }
    struct request *request = base_container(item, struct request, item);
    request->tool = tool;
    request->send = send;
    return request;
}

void tool_answer(void *request, int result, const struct base_why *why)
{
    arda_outbox_answer(&((struct request *)request)->item, result, why);
}

void tool_print(struct tool *tool, const struct arda_directory_line *line)
{
    struct base_buf text = BASE_BUF_INIT;
    int failed = tool->settings.no_secrets ? arda_directory_line_write_open(&text, line)
                                           : arda_directory_line_write(&text, line);
    if (failed || base_buf_add_byte(&text, '\n') < 0) {
        tool_out_of_memory(tool);
    } else if (fwrite(text.data, 1, text.len, stdout) != text.len) {
        base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
        tool_end(tool, BASE_EXIT_IOERR);
    }
    base_buf_fini(&text);
}

static void on_change(void *data)
{
    struct tool *tool = data;
    if (!tool->ending)
        tool->command->on_change(tool);
}

/* ---- beginning ---- */

static void on_state(void *data, bool up, const struct base_why *why)
{
    struct tool *tool = data;
    if (tool->ending)
        return;
    if (up)
        base_log(BASE_LOG_DEBUG, "redis: connected");
    else
        base_log(BASE_LOG_WARNING, "%s; trying again", why->text);
    arda_outbox_on_state(tool->outbox, up);
}

static void start_loop(struct tool *tool)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct arda_outbox_options options = {.item_size = sizeof(struct request),
                                          .patience_ms = (uint64_t)tool->settings.retry_for,
                                          .window = WINDOW,
                                          .send = send_request,
                                          .fini = fini_request,
                                          .on_change = on_change,
                                          .on_impatient = on_impatient,
                                          .data = tool};
    uv_loop_init(&tool->loop);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&tool->loop, &tool->signals[i]);
        tool->signals[i].data = tool;
        uv_signal_start(&tool->signals[i], on_signal, numbers[i]);
    }
    tool->outbox = arda_outbox_new(&tool->loop, &options);
    if (!tool->outbox) {
        base_log(BASE_LOG_ERROR, "out of memory");
        exit(BASE_EXIT_SOFTWARE);
    }
}

static void open_bus(struct tool *tool)
{
    struct base_why why;
    struct arda_bus_options options = {.url = tool->settings.redis,
                                       .prefix = tool->settings.prefix,
                                       .name = program.name,
                                       .on_state = on_state,
                                       .data = tool};
    int failed = arda_bus_get(&tool->loop, &options, &tool->bus, &why);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        exit(base_exit_status(failed));
    }
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
    start_loop(&tool);
    open_bus(&tool);
    int status = tool.command->start(&tool);
    if (status)
        tool_end(&tool, status);
    uv_run(&tool.loop, UV_RUN_DEFAULT);
    uv_loop_close(&tool.loop);
    arda_outbox_free(tool.outbox);
    base_buf_fini(&tool.tenants);
    changes_free(&tool);
    load_free(&tool);
    base_opt_fini(&program, &tool.settings);
    if (fclose(stdout) != 0 && tool.status == BASE_EXIT_OK) {
        base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
        tool.status = BASE_EXIT_IOERR;
    }
    if (tool.signal && tool.status == BASE_EXIT_OK) { /* the shell is to see what ended it */
        signal(tool.signal, SIG_DFL);
        raise(tool.signal);
    }
    return tool.status;
}
