/* SPDX-License-Identifier: ISC
 *
 * load: lines from files or standard input. They are kept until the input has ended, and then
 * stored, all of a tenant in one atomic step. What it has returned from is stored.
 */
#include "arda-directory/directory.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_LINE_BYTES (1 << 20)

/* What the input has of a tenant. */
struct loading {
    struct base_list link;
    struct arda_directory_batch *batch; /* NULL: no good line, or stored already */
    bool bad;                           /* a line is wrong */
    char id[ARDA_ID_MAX + 1];
    char named[ARDA_ID_MAX + 16]; /* for messages: "tenant ID" */
};

static void read_next(struct tool *tool);

/* ---- tenants ---- */

/* NULL without memory. */
static struct loading *loading_of(struct tool *tool, const char *tenant)
{
    struct loading *loading = base_map_get(&tool->loading_by_id, tenant, strlen(tenant));
    if (loading)
        return loading;
    loading = base_calloc(1, sizeof *loading);
    if (!loading || base_map_set(&tool->loading_by_id, tenant, strlen(tenant), loading) < 0) {
        base_free(loading);
        return NULL;
    }
    memcpy(loading->id, tenant, strlen(tenant) + 1);
    snprintf(loading->named, sizeof loading->named, "tenant %s", tenant);
    base_list_append(&tool->loadings, &loading->link);
    return loading;
}

static int add_line(struct tool *tool, const struct arda_directory_line *line)
{
    struct loading *loading = loading_of(tool, line->tenant);
    if (loading && !loading->batch)
        loading->batch = arda_directory_batch_new(line->tenant);
    return loading && loading->batch ? arda_directory_batch_add(loading->batch, line)
                                     : BASE_ERR_NOMEM;
}

void load_free(struct tool *tool)
{
    if (!tool->loadings.next)
        return;
    BASE_LIST_FOREACH_SAFE (link, &tool->loadings) {
        struct loading *loading = base_container(link, struct loading, link);
        arda_directory_batch_free(loading->batch);
        base_free(loading);
    }
    base_map_fini(&tool->loading_by_id);
    arda_directory_line_fini(&tool->line);
}

/* ---- storing ---- */

static void end_when_done(struct tool *tool)
{
    if (app_outbox_held(tool->base.outbox) == 0)
        app_tool_end(&tool->base, tool->bad_lines
                                      ? BASE_EXIT_DATAERR
                                      : base_exit_status(app_outbox_refusal(tool->base.outbox)));
}

static void on_change(struct tool *tool)
{
    size_t count = tool->loading_by_id.count, held = app_outbox_held(tool->base.outbox);
    base_progress_show("stored: %zu of %zu tenants", count - held, count);
    end_when_done(tool);
}

static void on_stored(void *data, int result, const struct base_why *why)
{
    struct request *request = data;
    if (!result) {
        arda_directory_batch_free(request->loading->batch);
        request->loading->batch = NULL;
    }
    tool_answer(data, result, why);
}

static int send_batch(struct arda_bus *bus, struct request *request)
{
    return arda_directory_batch_store(bus, request->loading->batch, request->replaces, on_stored,
                                      request);
}

/* Whether what the input lacks of the tenant may go. It may lack it by mistake. */
static bool may_replace(const struct tool *tool, const struct loading *loading)
{
    if (!tool->settings.replace || tool->incomplete)
        return false;
    if (loading->bad)
        base_log(BASE_LOG_ERROR, "%s: nothing was removed, since a line of it is wrong",
                 loading->named);
    return !loading->bad;
}

static void store(struct tool *tool)
{
    if (tool->settings.replace && tool->incomplete)
        base_log(BASE_LOG_ERROR, "nothing was removed, since it is not known whose %s",
                 tool->base.status ? "lines could not be read" : "line is wrong");
    BASE_LIST_FOREACH (link, &tool->loadings) {
        struct loading *loading = base_container(link, struct loading, link);
        bool replaces = may_replace(tool, loading);
        if (!loading->batch)
            continue;
        struct request *request = tool_request(tool, send_batch);
        if (!request)
            return;
        request->item.place = (struct base_place){loading->named, 0};
        request->loading = loading;
        request->replaces = replaces;
        app_outbox_add(tool->base.outbox, &request->item);
    }
    end_when_done(tool);
}

/* ---- reading ---- */

static void bad_line(struct tool *tool, const char *tenant, const char *text)
{
    char where[BASE_PLACE_MAX];
    struct loading *loading = *tenant ? loading_of(tool, tenant) : NULL;
    if (app_input_may_complain(tool->input))
        base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&tool->place, where), text);
    tool->bad_lines++;
    if (loading)
        loading->bad = true;
    else
        tool->incomplete = true;
    if (tool->settings.strict)
        app_tool_end(&tool->base, BASE_EXIT_DATAERR);
}

static void on_line(void *data, uint64_t number, struct base_slice text)
{
    struct tool *tool = data;
    struct base_why why;
    tool->place.line = number;
    tool->lines++;
    int failed = arda_directory_line_parse(text.data, text.len, &tool->line, &why);
    if (!failed)
        failed = add_line(tool, &tool->line);
    if (failed == BASE_ERR_NOMEM)
        app_tool_out_of_memory(&tool->base);
    else if (failed)
        bad_line(tool, tool->line.tenant, why.text);
    if (base_progress_is_due())
        base_progress_show("read: %" PRIu64 " lines, %zu tenants", tool->lines,
                           tool->loading_by_id.count);
}

static void on_bad_line(void *data, uint64_t number, int result)
{
    struct tool *tool = data;
    tool->place.line = number;
    bad_line(tool, "", result == BASE_ERR_LIMIT ? "longer than 1 MiB" : base_err_text(result));
}

static void on_unread(struct tool *tool, int status)
{
    tool->base.status = status;
    tool->incomplete = true;
}

static void on_end(void *data, int result, const struct base_why *why)
{
    struct tool *tool = data;
    char where[BASE_PLACE_MAX];
    app_input_close(tool->input);
    tool->input = NULL;
    if (result) {
        base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&tool->place, where), why->text);
        on_unread(tool, base_exit_status(result));
    }
    read_next(tool);
}

/* A file that cannot be opened is said, and the others are read. */
static void read_next(struct tool *tool)
{
    static char standard_input[] = "-";
    struct app_input_handlers handlers = {on_line, on_bad_line, on_end, tool,
                                          "arda-directory load"};
    struct base_why why;
    int files = tool->operand_count ? tool->operand_count : 1;
    while (tool->next_file < files) {
        const char *path = tool->operand_count ? tool->operands[tool->next_file] : standard_input;
        tool->next_file++;
        tool->place = (struct base_place){strcmp(path, "-") == 0 ? NULL : path, 0};
        if (app_input_open(&tool->base.loop, path, MAX_LINE_BYTES, &handlers, &tool->input, &why) ==
            0)
            return;
        base_log(BASE_LOG_ERROR, "%s", why.text);
        on_unread(tool, BASE_EXIT_IOERR);
    }
    store(tool);
}

static int start(struct tool *tool)
{
    base_list_init(&tool->loadings);
    base_progress_start(true);
    if (!arda_directory_zones())
        base_log(BASE_LOG_DEBUG, "this machine knows no time zones; their names are not looked up");
    read_next(tool);
    return BASE_EXIT_OK;
}

const struct command load_command = {"load", 0, -1, "[FILE...]", start, on_change};
