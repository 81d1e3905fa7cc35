/* SPDX-License-Identifier: ISC
 *
 * Printing rows: as they are, or for a person:
 *
 *     * 2026-02-08 13:00:00  019c3d5e-8a00-8…  Purchase order sent
 *
 * with a star before what has not been read, and local time.
 */
#include "arda-inbox/inbox.h"

#include "base/text.h"

#include <string.h>

#define TIME_BYTES 64

enum member { ID, TITLE, IS_READ, CREATED, MEMBERS };

static const struct base_json_member wanted[MEMBERS] = {
    [ID] = BASE_JSON_WANT("id"),
    [TITLE] = BASE_JSON_WANT("title"),
    [IS_READ] = BASE_JSON_WANT("isRead"),
    [CREATED] = BASE_JSON_WANT("createdAt"),
};

static int add_time(struct base_buf *out, const struct base_json_value *value)
{
    char text[TIME_BYTES];
    ssize_t len = base_json_copy(value, text, sizeof text);
    return len < 0 ? base_text_value(out, value) : base_text_time(out, text, (size_t)len);
}

static int add_line(struct base_buf *out, struct base_slice row)
{
    struct base_json_member found[MEMBERS];
    memcpy(found, wanted, sizeof found);
    base_json_pick(row.data, row.len, found, MEMBERS, NULL, NULL); /* a row is an object */
    int failed = base_buf_add_text(out, found[IS_READ].value.kind == BASE_JSON_TRUE ? "  " : "* ");
    failed |= add_time(out, &found[CREATED].value) | base_buf_add_text(out, "  ");
    failed |= base_text_value(out, &found[ID].value) | base_buf_add_text(out, "  ");
    return failed | base_text_value(out, &found[TITLE].value);
}

void tool_print(struct tool *tool)
{
    app_tool_write(&tool->base, tool->line.data, tool->line.len);
    tool->line.len = 0;
}

void tool_print_row(struct tool *tool, struct base_slice row)
{
    int failed = tool->settings.json ? base_buf_add(&tool->line, row.data, row.len)
                                     : add_line(&tool->line, row);
    tool->printed++;
    if (failed || base_buf_add_byte(&tool->line, '\n') < 0)
        app_tool_out_of_memory(&tool->base);
    else
        tool_print(tool);
}
