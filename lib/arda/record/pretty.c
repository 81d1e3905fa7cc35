/* SPDX-License-Identifier: ISC */
#include "arda/record/pretty.h"

#include "arda/event.h"
#include "base/err.h"
#include "base/id.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIELDS_MAX   24 /* of a type in the table */
#define SHORT_ID     8  /* characters of a UUID that are shown */
#define TIME_WIDTH   23
#define TENANT_WIDTH 8
#define TYPE_WIDTH   23
#define TIME_BYTES   64
#define NAME_BYTES   64 /* no type of the table has a longer name */
#define LIST_MAX     3  /* elements of a list that are shown */

enum style { DIM, TENANT, BOLD, CHANGE, STYLES };

static const char *const styles[STYLES] = {
    [DIM] = "\033[2m", [TENANT] = "\033[36m", [BOLD] = "\033[1m", [CHANGE] = "\033[33m"};

/* A line in the making. */
struct line {
    struct base_buf *out;
    bool color;
    int failed;
};

static void add(struct line *line, const char *text, size_t len)
{
    line->failed |= base_buf_add(line->out, text, len);
}

static void add_text(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

static void begin(struct line *line, enum style style)
{
    if (line->color)
        add_text(line, styles[style]);
}

static void end(struct line *line)
{
    if (line->color)
        add_text(line, "\033[0m");
}

static void add_styled(struct line *line, enum style style, const char *text)
{
    begin(line, style);
    add_text(line, text);
    end(line);
}

/* Blanks behind a column of which `shown` of `width` characters are used. */
static void pad(struct line *line, size_t shown, size_t width)
{
    for (; shown < width && !line->failed; shown++)
        add(line, " ", 1);
}

/* ---- values ---- */

static size_t cut(const char *text, size_t len)
{
    return len > ARDA_PRETTY_VALUE_BYTES ? base_utf8_cut(text, ARDA_PRETTY_VALUE_BYTES) : len;
}

/* In quotes, so that it cannot be mistaken for more than one value. */
static void add_quoted(struct line *line, const char *text, size_t len)
{
    add(line, "\"", 1);
    while (len > 0) {
        const char *quote = memchr(text, '"', len);
        size_t piece = quote ? (size_t)(quote - text) : len;
        line->failed |= base_text_clean(line->out, text, piece);
        add_text(line, quote ? "\\\"" : "");
        piece += quote != NULL;
        text += piece;
        len -= piece;
    }
    add(line, "\"", 1);
}

/* A decoded string. */
static void add_plain(struct line *line, const char *text, size_t len)
{
    size_t shown = cut(text, len);
    if (base_id_is_uuid(text, len))
        add(line, text, SHORT_ID);
    else if (len == 0 || memchr(text, ' ', len) || memchr(text, '"', len))
        add_quoted(line, text, shown);
    else
        line->failed |= base_text_clean(line->out, text, shown);
    add_text(line, shown < len ? "..." : "");
}

static void add_decoded(struct line *line, const struct base_json_value *string)
{
    struct base_buf decoded = BASE_BUF_INIT;
    int failed = base_json_unescape(string, &decoded);
    if (!failed)
        add_plain(line, decoded.data ? decoded.data : "", decoded.len);
    else if (failed == BASE_ERR_SYNTAX) /* a lone surrogate stays an escape */
        add_plain(line, string->text + 1, string->len - 2);
    else
        line->failed |= failed;
    base_buf_fini(&decoded);
}

static void add_scalar(struct line *line, const struct base_json_value *value)
{
    struct base_slice plain;
    if (value->kind == BASE_JSON_STRING && base_json_plain(value, &plain)) {
        add_plain(line, plain.data, plain.len);
    } else if (value->kind == BASE_JSON_STRING) {
        add_decoded(line, value);
    } else {
        size_t shown = cut(value->text, value->len);
        line->failed |= base_text_json(line->out, value->text, shown);
        add_text(line, shown < value->len ? "..." : "");
    }
}

static void add_list(struct line *line, const struct base_json_value *list)
{
    struct base_json_iter iter;
    struct base_json_value value;
    size_t count = 0;
    base_json_iter_init(&iter, list);
    while (base_json_iter_next(&iter, NULL, &value)) {
        if (++count > LIST_MAX)
            continue;
        add_text(line, count > 1 ? "," : "");
        add_scalar(line, &value);
    }
    if (count > LIST_MAX)
        line->failed |= base_buf_printf(line->out, ",+%zu", count - LIST_MAX);
    else if (count == 0)
        add_text(line, "none");
}

static void add_value(struct line *line, const struct base_json_value *value)
{
    if (value->kind == BASE_JSON_ARRAY)
        add_list(line, value);
    else
        add_scalar(line, value);
}

static void add_field(struct line *line, const char *name, size_t len,
                      const struct base_json_value *value)
{
    add(line, " ", 1);
    begin(line, DIM);
    line->failed |= base_text_clean(line->out, name, len);
    add(line, "=", 1);
    end(line);
    add_value(line, value);
}

/* ---- fields of a type ---- */

/* fromStage and toStage, fromStatus and toStatus: what changed. */
static bool is_change(const struct arda_field *from, const struct arda_field *to)
{
    return to->name && strncmp(from->name, "from", 4) == 0 && strncmp(to->name, "to", 2) == 0 &&
           strcmp(from->name + 4, to->name + 2) == 0;
}

static void add_change(struct line *line, const struct base_json_value *from,
                       const struct base_json_value *to)
{
    add(line, " ", 1);
    begin(line, CHANGE);
    if (from->kind != BASE_JSON_ABSENT && from->kind != BASE_JSON_NULL) {
        add_value(line, from);
        add(line, " ", 1);
    }
    add_text(line, "-> ");
    add_value(line, to);
    end(line);
}

static bool is_known_already(const char *name)
{
    return strcmp(name, "tenantId") == 0 || strcmp(name, "timestamp") == 0;
}

static bool is_identifier(const struct arda_field *field)
{
    return field->kind == ARDA_FIELD_UUID || field->kind == ARDA_FIELD_UUIDS;
}

/* The fields of the table that are there: the change, then the telling ones, then identifiers. */
static void add_table_fields(struct line *line, const struct arda_event_type *type,
                             struct base_slice event)
{
    struct base_json_member found[FIELDS_MAX];
    size_t count = 0;
    bool done[FIELDS_MAX] = {false};
    for (; type->fields[count].name && count < FIELDS_MAX; count++) {
        const char *name = type->fields[count].name;
        found[count] = (struct base_json_member){.key = name, .key_len = strlen(name)};
    }
    base_assert(base_json_pick(event.data, event.len, found, count, NULL, NULL) == 0);
    for (size_t i = 0; i + 1 < count; i++)
        if (is_change(&type->fields[i], &type->fields[i + 1]) &&
            found[i + 1].value.kind != BASE_JSON_ABSENT) {
            add_change(line, &found[i].value, &found[i + 1].value);
            done[i] = done[i + 1] = true;
        }
    for (int identifiers = 0; identifiers < 2; identifiers++)
        for (size_t i = 0; i < count; i++)
            if (!done[i] && found[i].value.kind != BASE_JSON_ABSENT &&
                is_identifier(&type->fields[i]) == identifiers && !is_known_already(found[i].key))
                add_field(line, found[i].key, found[i].key_len, &found[i].value);
}

static bool is_common(const struct base_json_value *key)
{
    static const char *const common[] = {"type", "tenantId", "timestamp", "eventId",
                                         "schemaVersion"};
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (base_json_equals(key, common[i], strlen(common[i])))
            return true;
    return false;
}

/* Of a type that the table does not know: members in their order. */
static void add_any_fields(struct line *line, const struct base_json_value *event)
{
    struct base_json_iter iter;
    struct base_json_value key, value;
    size_t count = 0;
    base_json_iter_init(&iter, event);
    while (base_json_iter_next(&iter, &key, &value))
        if (!is_common(&key) && ++count <= ARDA_PRETTY_FIELDS)
            add_field(line, key.text + 1, key.len - 2, &value);
    if (count > ARDA_PRETTY_FIELDS)
        add_text(line, " ...");
}

/* ---- the line ---- */

/* When it happened, else when it was published. */
static bool read_time(const struct arda_record *record, int64_t *ms)
{
    return base_rfc3339_of_json(&record->message.timestamp, ms) == 0 ||
           arda_record_time(record, ms) == 0;
}

static void add_time(struct line *line, const struct arda_record *record)
{
    char text[TIME_BYTES] = "-";
    struct tm parts;
    int64_t ms;
    if (read_time(record, &ms)) {
        int64_t rest = (ms % 1000 + 1000) % 1000;
        time_t seconds = (time_t)((ms - rest) / 1000);
        size_t len = localtime_r(&seconds, &parts)
                         ? strftime(text, sizeof text - 5, "%Y-%m-%d %H:%M:%S", &parts)
                         : 0;
        if (len > 0)
            snprintf(text + len, sizeof text - len, ".%03d", (int)rest);
    }
    add_styled(line, DIM, text);
    pad(line, strlen(text), TIME_WIDTH);
}

static void add_tenant(struct line *line, struct base_slice tenant)
{
    add(line, " ", 1);
    begin(line, TENANT);
    size_t from = line->out->len;
    if (tenant.len == 0)
        add_text(line, "-");
    else
        add_plain(line, tenant.data, tenant.len);
    size_t shown = line->out->len - from;
    end(line);
    pad(line, shown, TENANT_WIDTH);
}

static void add_type(struct line *line, const struct base_json_value *type)
{
    add(line, " ", 1);
    begin(line, BOLD);
    size_t from = line->out->len;
    line->failed |= base_text_value(line->out, type);
    size_t shown = line->out->len - from;
    end(line);
    pad(line, shown, TYPE_WIDTH);
}

static void add_fields(struct line *line, const struct arda_message *message)
{
    char name[NAME_BYTES];
    struct base_json_value event = {BASE_JSON_OBJECT, message->event.data, message->event.len};
    ssize_t len = base_json_copy(&message->type, name, sizeof name);
    const struct arda_event_type *type = len > 0 ? arda_event_find(name, (size_t)len) : NULL;
    if (type)
        add_table_fields(line, type, message->event);
    else
        add_any_fields(line, &event);
}

int arda_pretty_write(struct base_buf *out, const struct arda_record *record, bool color)
{
    struct line line = {out, color, BASE_OK};
    struct arda_record_meta meta;
    size_t before = out->len;
    arda_record_meta(record, &meta);
    add_time(&line, record);
    add_tenant(&line, record->message.tenant);
    add_type(&line, &record->message.type);
    add_fields(&line, &record->message);
    if (meta.replayed.kind == BASE_JSON_TRUE)
        add_styled(&line, DIM, " (replayed)");
    while (!line.failed && out->data[out->len - 1] == ' ')
        out->len--;
    add(&line, "\n", 1);
    if (line.failed)
        out->len = before;
    return line.failed ? BASE_ERR_NOMEM : BASE_OK;
}
