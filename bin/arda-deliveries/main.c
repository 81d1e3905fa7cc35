/* SPDX-License-Identifier: ISC
 *
 * arda-deliveries: what goes out by e-mail and webhook, listed, counted, explained, tried again.
 */
#include "arda-deliveries/deliveries.h"
#include "option_tables.h"

#include "arda/when.h"
#include "base/clock.h"
#include "base/exit.h"
#include "base/jsonl.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW 64 /* requests under way */

static const struct base_opt rows[] = {DELIVERIES_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = "arda-deliveries",
    .operands = "list|count | show ID... | explain [ID] | redrive [ID...] | endpoint",
    .about = "List, count, explain and redrive what goes out to users by e-mail and webhook.\n"
             "`explain' says why somebody did or did not get something.",
    .after = "example: arda-deliveries list --tenant=acme --failed",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

static const struct command *const commands[] = {&list_command,    &count_command,
                                                 &show_command,    &explain_command,
                                                 &redrive_command, &endpoint_command};

void tool_end(struct tool *tool, int status)
{
    app_tool_end(&tool->base, status);
}

/* ---- requests ---- */

static int send_request(void *data, struct app_outbox_item *item)
{
    struct request *request = base_container(item, struct request, item);
    return request->send(((struct tool *)data)->base.bus, request);
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
    request->tenant = 0;
    return request;
}

void tool_send(struct request *request)
{
    app_outbox_add(request->tool->base.outbox, &request->item);
}

void tool_ask(struct tool *tool, int (*send)(struct arda_bus *bus, struct request *request))
{
    struct request *request = tool_request(tool, send);
    if (request)
        tool_send(request);
}

void tool_answer(void *request, int result, const struct base_why *why)
{
    app_outbox_answer(&((struct request *)request)->item, result, why);
}

void tool_snapshot(void *request, int result, const struct arda_directory_state *state,
                   const struct base_why *why)
{
    (void)state;
    tool_answer(request, result, why);
}

void tool_left_out(void *request, const struct base_why *why)
{
    (void)request;
    base_log(BASE_LOG_WARNING, "%s; it is left out", why->text);
}

const char *tool_tenant(const struct request *request)
{
    return request->tool->tenants.data + request->tenant;
}

bool tool_try_next_tenant(struct request *request)
{
    struct tool *tool = request->tool;
    size_t next = request->tenant + strlen(tool_tenant(request)) + 1;
    if (next >= tool->tenants.len)
        return false;
    request->tenant = next;
    int failed = request->send(tool->base.bus, request);
    if (failed)
        app_outbox_unsent(&request->item, failed);
    return true;
}

/* ---- tenants ---- */

static void on_tenant(void *data, const char *tenant, size_t len)
{
    struct tool *tool = ((struct request *)data)->tool;
    if (!arda_tenant_valid(tenant, len)) {
        base_log(BASE_LOG_ERROR, "`%s' is not the id of a tenant", tenant);
        tool->base.status = BASE_EXIT_DATAERR;
    } else if (base_buf_add(&tool->tenants, tenant, len) < 0 ||
               base_buf_add_byte(&tool->tenants, '\0') < 0) {
        app_tool_out_of_memory(&tool->base);
    }
}

static int send_tenants(struct arda_bus *bus, struct request *request)
{
    request->tool->tenants.len = 0;
    return arda_directory_tenants(bus, on_tenant, tool_answer, request);
}

static void on_change(void *data)
{
    struct tool *tool = data;
    if (app_outbox_held(tool->base.outbox) > 0)
        return;
    int refusal = app_outbox_refusal(tool->base.outbox);
    if (refusal) {
        tool_end(tool, base_exit_status(refusal));
    } else if (tool->started) {
        tool->command->on_done(tool);
    } else if (tool->tenants.len == 0) {
        base_log(BASE_LOG_ERROR, "there are no tenants in the directory");
        tool_end(tool, BASE_EXIT_NO);
    } else {
        tool->started = true;
        tool->command->start(tool);
    }
}

static void start(struct tool *tool)
{
    const char *tenant = tool->settings.tenant;
    if (!tenant) {
        tool_ask(tool, send_tenants);
    } else if (base_buf_add(&tool->tenants, tenant, strlen(tenant) + 1) < 0) {
        app_tool_out_of_memory(&tool->base);
    } else {
        tool->started = true;
        tool->command->start(tool);
    }
}

/* ---- usage ---- */

static _Noreturn void misused(const char *text)
{
    base_log(BASE_LOG_ERROR, "%s", text);
    exit(BASE_EXIT_USAGE);
}

static void take_id(struct tool *tool, const char *id, size_t len)
{
    if (!arda_id_valid(id, len)) {
        base_log(BASE_LOG_ERROR, "`%.*s' is not the id of a delivery", (int)(len < 80 ? len : 80),
                 id);
        exit(BASE_EXIT_USAGE);
    }
    if (base_buf_add(&tool->ids, id, len) < 0 || base_buf_add_byte(&tool->ids, '\0') < 0) {
        base_log(BASE_LOG_ERROR, "out of memory");
        exit(BASE_EXIT_SOFTWARE);
    }
}

static _Noreturn void refuse_encoding(const struct tool *tool, enum base_encoding encoding)
{
    char call[64];
    struct base_why why;
    snprintf(call, sizeof call, "arda-deliveries %s -", tool->command->name);
    base_encoding_refuse(encoding, NULL, call, &why);
    base_log(BASE_LOG_ERROR, "%s", why.text);
    exit(BASE_EXIT_DATAERR);
}

static void take_lines(struct tool *tool, struct base_jsonl *lines)
{
    struct base_slice line;
    int more;
    while ((more = base_jsonl_next(lines, &line)) != 0) {
        if (more == BASE_ERR_SYNTAX)
            refuse_encoding(tool, lines->encoding);
        if (more < 0)
            misused("standard input: a line is too long");
        take_id(tool, line.data, line.len);
    }
}

/* Ids of standard input, one a line. */
static void read_ids(struct tool *tool)
{
    static char block[65536];
    struct base_jsonl lines;
    ssize_t got;
    tool->from_stdin = true;
    base_jsonl_init(&lines, 4096);
    while ((got = read(STDIN_FILENO, block, sizeof block)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            base_log(BASE_LOG_ERROR, "cannot read: %s", strerror(errno));
            exit(BASE_EXIT_IOERR);
        }
        base_jsonl_feed(&lines, block, (size_t)got);
        take_lines(tool, &lines);
    }
    base_jsonl_finish(&lines);
    take_lines(tool, &lines);
    base_jsonl_fini(&lines);
}

static unsigned read_statuses(const char *text)
{
    unsigned statuses = 0;
    while (*text) {
        enum arda_delivery_status status;
        size_t len = strcspn(text, ",");
        if (arda_delivery_status_find(text, len, &status) < 0) {
            base_log(BASE_LOG_ERROR,
                     "--status: expected pending, sent, delivered, failed or bounced, got `%.*s'",
                     (int)len, text);
            exit(BASE_EXIT_USAGE);
        }
        statuses |= ARDA_DELIVERY_STATUS_BIT(status);
        text += len + (text[len] == ',');
    }
    return statuses;
}

/* -1: whenever. */
static int64_t read_when(const char *option, const char *text)
{
    struct arda_when when = {0};
    struct base_why why;
    if (!text)
        return -1;
    if (arda_when_parse(text, base_clock_wall_ms(), &when, &why) < 0) {
        base_log(BASE_LOG_ERROR, "%s: %s", option, why.text);
        exit(BASE_EXIT_USAGE);
    }
    if (when.kind != ARDA_WHEN_TIME) {
        base_log(BASE_LOG_ERROR, "%s: expected a time", option);
        exit(BASE_EXIT_USAGE);
    }
    return when.ms > INT64_MAX ? INT64_MAX : (int64_t)when.ms;
}

static void take_filter(struct tool *tool)
{
    const struct settings *settings = &tool->settings;
    enum arda_notify_type type;
    unsigned failed = ARDA_DELIVERY_STATUS_BIT(ARDA_DELIVERY_FAILED) |
                      ARDA_DELIVERY_STATUS_BIT(ARDA_DELIVERY_BOUNCED);
    if (settings->status && settings->failed)
        misused("--status and --failed exclude each other");
    if (settings->user && !arda_id_valid(settings->user, strlen(settings->user)))
        misused("--user: expected the id of a user");
    if (settings->notification &&
        !arda_id_valid(settings->notification, strlen(settings->notification)))
        misused("--notification: expected the id of a notification");
    if (settings->type && arda_notify_type_find(settings->type, strlen(settings->type), &type) < 0)
        misused("--type: expected a type of notifications, such as po_created");
    if (settings->event && (!*settings->event || strlen(settings->event) > ARDA_NOTIFY_KEY_MAX))
        misused("--event: expected the id of an event");
    tool->filter = (struct arda_delivery_filter){
        .statuses = settings->failed   ? failed
                    : settings->status ? read_statuses(settings->status)
                                       : 0,
        .channel = settings->channel == 0   ? -1
                   : settings->channel == 1 ? ARDA_NOTIFY_EMAIL
                                            : ARDA_NOTIFY_WEBHOOK,
        .user = settings->user,
        .type = settings->type,
        .event = settings->event,
        .notification = settings->notification,
        .since_ms = read_when("--since", settings->since),
        .until_ms = read_when("--until", settings->until),
    };
}

static void take_operands(struct tool *tool, char **operands, int count)
{
    const struct settings *settings = &tool->settings;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && count > 0; i++)
        if (strcmp(commands[i]->name, operands[0]) == 0)
            tool->command = commands[i];
    if (!tool->command)
        misused("expected list, count, show, explain, redrive or endpoint; see --help");
    if (settings->tenant && !arda_tenant_valid(settings->tenant, strlen(settings->tenant)))
        misused("--tenant: expected the id of a tenant");
    if (tool->command->of_tenant && !settings->tenant)
        misused("--tenant is missing");
    if (count > (tool->command->of_one ? 2 : tool->command->of_ids ? INT32_MAX : 1))
        misused("there is an operand too many");
    take_filter(tool);
    for (int i = 1; i < count; i++)
        if (strcmp(operands[i], "-") == 0)
            read_ids(tool);
        else
            take_id(tool, operands[i], strlen(operands[i]));
}

/* Ids and filters name different things, and none of both would be everything. */
static void check_selection(const struct tool *tool)
{
    const struct settings *settings = &tool->settings;
    bool filtered = settings->user || settings->status || settings->failed || settings->channel ||
                    settings->type || settings->event || settings->notification ||
                    settings->since || settings->until;
    bool ids = tool->ids.len > 0 || tool->from_stdin;
    if (tool->command == &show_command && !ids)
        misused("expected ids of deliveries");
    if (tool->command != &redrive_command)
        return;
    if (ids && filtered)
        misused("expected either ids of deliveries or filters");
    if (!ids && !filtered)
        misused("expected ids of deliveries, or filters such as --failed");
}

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
                                             .on_change = on_change,
                                             .data = tool};
    int status = app_tool_open(&tool->base, &options);
    if (status)
        exit(status);
}

int main(int argc, char **argv)
{
    static struct tool tool;
    char **operands;
    int count = base_opt_start(&program, &tool.settings, argc, argv, &operands);
    take_operands(&tool, operands, count);
    check_selection(&tool);
    open_tool(&tool);
    start(&tool);
    app_tool_run(&tool.base);
    explain_free(&tool);
    base_buf_fini(&tool.ids);
    base_buf_fini(&tool.tenants);
    base_buf_fini(&tool.line);
    base_buf_fini(&tool.found);
    base_map_fini(&tool.digests);
    base_opt_fini(&program, &tool.settings);
    return app_tool_leave(&tool.base);
}
