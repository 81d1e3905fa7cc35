/* SPDX-License-Identifier: ISC
 *
 * load: lines from files or standard input. What it has returned from is stored.
 */
#include "arda-directory/directory.h"

#include "base/exit.h"
#include "base/log.h"

#include <string.h>

#define MAX_LINE_BYTES (1 << 20)
#define HELD_HIGH      4096 /* requests held before reading pauses ... */
#define HELD_LOW       2048 /* ... until so few are left */

static void read_next(struct tool *tool);

static void end_when_done(struct tool *tool)
{
    int refused = base_exit_status(arda_outbox_refusal(tool->outbox));
    if (tool->read_all && arda_outbox_held(tool->outbox) == 0)
        tool_end(tool, tool->bad_lines ? BASE_EXIT_DATAERR : refused);
}

static void on_change(struct tool *tool)
{
    if (tool->paused && tool->input && arda_outbox_held(tool->outbox) <= HELD_LOW) {
        tool->paused = false;
        arda_input_resume(tool->input);
    }
    end_when_done(tool);
}

static int send_line(struct arda_bus *bus, struct request *request)
{
    return arda_directory_put(bus, &request->line, tool_answer, request);
}

static void bad_line(struct tool *tool, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&tool->place, where), text);
    tool->bad_lines++;
    if (!tool->settings.strict)
        return;
    arda_input_close(tool->input);
    tool->input = NULL;
    tool->read_all = true; /* of what there is to read */
    end_when_done(tool);
}

static void on_line(void *data, uint64_t number, struct base_slice text)
{
    struct tool *tool = data;
    struct base_why why;
    struct request *request = tool_request(tool, send_line);
    if (!request)
        return;
    tool->place.line = number;
    request->item.place = tool->place;
    int failed = arda_directory_line_parse(text.data, text.len, &request->line, &why);
    if (failed) {
        arda_outbox_drop(&request->item);
        if (failed == BASE_ERR_NOMEM)
            tool_out_of_memory(tool);
        else
            bad_line(tool, why.text);
        return;
    }
    arda_outbox_add(tool->outbox, &request->item);
    if (arda_outbox_held(tool->outbox) >= HELD_HIGH) {
        tool->paused = true;
        arda_input_pause(tool->input);
    }
}

static void on_bad_line(void *data, uint64_t number, int result)
{
    struct tool *tool = data;
    tool->place.line = number;
    bad_line(tool, result == BASE_ERR_LIMIT ? "longer than 1 MiB" : base_err_text(result));
}

static void on_end(void *data, int result, const struct base_why *why)
{
    struct tool *tool = data;
    char where[BASE_PLACE_MAX];
    arda_input_close(tool->input);
    tool->input = NULL;
    if (result) {
        base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&tool->place, where), why->text);
        tool->status = BASE_EXIT_IOERR;
    }
    read_next(tool);
}

/* A file that cannot be opened is said, and the others are read. */
static void read_next(struct tool *tool)
{
    static char standard_input[] = "-";
    struct arda_input_handlers handlers = {on_line, on_bad_line, on_end, tool};
    struct base_why why;
    int files = tool->operand_count ? tool->operand_count : 1;
    while (tool->next_file < files) {
        const char *path = tool->operand_count ? tool->operands[tool->next_file] : standard_input;
        tool->next_file++;
        tool->place = (struct base_place){strcmp(path, "-") == 0 ? NULL : path, 0};
        if (arda_input_open(&tool->loop, path, MAX_LINE_BYTES, &handlers, &tool->input, &why) == 0)
            return;
        base_log(BASE_LOG_ERROR, "%s", why.text);
        tool->status = BASE_EXIT_IOERR;
    }
    tool->read_all = true;
    end_when_done(tool);
}

static int start(struct tool *tool)
{
    read_next(tool);
    return BASE_EXIT_OK;
}

const struct command load_command = {"load", 0, -1, "[FILE...]", start, on_change};
