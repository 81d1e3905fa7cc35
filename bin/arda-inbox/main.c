/* SPDX-License-Identifier: ISC
 *
 * arda-inbox: users' notifications, listed, counted, added, marked and watched.
 */
#include "arda-inbox/inbox.h"

#include "base/exit.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRACE_MS 1000 /* for answers that are on their way when it ends early */

static const struct base_opt rows[] = {INBOX_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-inbox",
    .operands = "list|count|watch | add --type=TYPE --title=TEXT | read|unread|rm ID...|--all",
    .about = "List, count, add, mark and watch the notifications of a user, who is named with "
             "--tenant and --user.",
    .after = "example: arda-inbox list --tenant=acme --user=ann --unread",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
};

static const struct command *const commands[] = {&list_command, &count_command,  &add_command,
                                                 &read_command, &unread_command, &rm_command,
                                                 &watch_command};

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
    arda_inbox_unwatch(tool->watch);
    tool->watch = NULL;
    arda_outbox_end(tool->outbox);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&tool->signals[i], NULL);
    uv_close((uv_handle_t *)&tool->timer, NULL);
    arda_bus_shutdown(tool->bus, GRACE_MS, on_bus_gone, tool);
}

void tool_out_of_memory(struct tool *tool)
{
    base_log(BASE_LOG_ERROR, "out of memory");
    tool_end(tool, BASE_EXIT_SOFTWARE);
}

static void on_impatient(void *data)
{
    struct tool *tool = data;
    if (tool->watch) /* which waits for as long as it takes */
        return;
    base_log(BASE_LOG_ERROR, "giving up: Redis was away for too long");
    tool_end(tool, BASE_EXIT_TEMPFAIL);
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
    (void)item;
}

void tool_ask(struct tool *tool, int (*send)(struct arda_bus *bus, struct request *request))
{
    struct arda_outbox_item *item = arda_outbox_blank(tool->outbox);
    if (!item) {
        tool_out_of_memory(tool);
        return;
    }
    struct request *request = base_container(item, struct request, item);
    request->tool = tool;
    request->send = send;
    arda_outbox_add(tool->outbox, item);
}

void tool_answer(void *request, int result, const struct base_why *why)
{
    arda_outbox_answer(&((struct request *)request)->item, result, why);
}

static void on_change(void *data)
{
    struct tool *tool = data;
    if (tool->ending || arda_outbox_held(tool->outbox) > 0)
        return;
    int refusal = arda_outbox_refusal(tool->outbox);
    if (refusal)
        tool_end(tool, base_exit_status(refusal));
    else
        tool->command->on_done(tool);
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
                                          .send = send_request,
                                          .fini = fini_request,
                                          .on_change = on_change,
                                          .on_impatient = on_impatient,
                                          .data = tool};
    uv_loop_init(&tool->loop);
    uv_timer_init(&tool->loop, &tool->timer);
    tool->timer.data = tool;
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
    start_loop(&tool);
    open_bus(&tool);
    int status = tool.command->start(&tool);
    if (status)
        tool_end(&tool, status);
    uv_run(&tool.loop, UV_RUN_DEFAULT);
    uv_loop_close(&tool.loop);
    arda_outbox_free(tool.outbox);
    add_free(&tool);
    base_buf_fini(&tool.line);
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
