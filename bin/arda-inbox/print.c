/* SPDX-License-Identifier: ISC
 *
 * Printing rows: as they are, or for a person:
 *
 *     * 2026-02-08 13:00:00  019c3d5e-8a00-8…  Purchase order sent
 *
 * with a star before what has not been read, and local time.
 */
#include "arda-inbox/inbox.h"

#include "arda/text.h"
#include "base/rfc3339.h"

#include <string.h>
#include <time.h>

enum member { ID, TITLE, IS_READ, CREATED, MEMBERS };

static const struct base_json_member wanted[MEMBERS] = {
    [ID] = BASE_JSON_WANT("id"),
    [TITLE] = BASE_JSON_WANT("title"),
    [IS_READ] = BASE_JSON_WANT("isRead"),
    [CREATED] = BASE_JSON_WANT("createdAt"),
};

/* Local time; what is no time stays as it is. */
static int add_time(struct base_buf *out, const struct base_json_value *value)
{
    char text[32];
    struct base_slice plain;
    struct tm parts;
    int64_t ms;
    if (!base_json_plain(value, &plain) || base_rfc3339_parse(plain.data, plain.len, &ms) < 0)
        return arda_text_value(out, value);
    time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
    if (!localtime_r(&seconds, &parts) ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        return arda_text_value(out, value);
    return base_buf_add_text(out, text);
}

static int add_line(struct base_buf *out, struct base_slice row)
{
    struct base_json_member found[MEMBERS];
    memcpy(found, wanted, sizeof found);
    base_json_pick(row.data, row.len, found, MEMBERS, NULL, NULL); /* a row is an object */
    int failed = base_buf_add_text(out, found[IS_READ].value.kind == BASE_JSON_TRUE ? "  " : "* ");
    failed |= add_time(out, &found[CREATED].value) | base_buf_add_text(out, "  ");
    failed |= arda_text_value(out, &found[ID].value) | base_buf_add_text(out, "  ");
    return failed | arda_text_value(out, &found[TITLE].value);
}

void tool_print(struct tool *tool)
{
    arda_tool_write(&tool->base, tool->line.data, tool->line.len);
    tool->line.len = 0;
}

void tool_print_row(struct tool *tool, struct base_slice row)
{
    int failed = tool->settings.json ? base_buf_add(&tool->line, row.data, row.len)
                                     : add_line(&tool->line, row);
    tool->printed++;
    if (failed || base_buf_add_byte(&tool->line, '\n') < 0)
        arda_tool_out_of_memory(&tool->base);
    else
        tool_print(tool);
}
