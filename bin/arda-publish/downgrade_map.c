/* SPDX-License-Identifier: ISC
 *
 * Reading a map of --downgrade. One that is not understood as a whole is not used; what is wrong is
 * said with its place.
 */
#include "arda-publish/downgrade.h"

#include "base/encoding.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rfc3339.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_MAP_BYTES (1 << 20)
#define DAY_MS        86400000
#define LEAST_DAYS    90

/* ---- saying what is wrong ---- */

__attribute__((format(printf, 2, 3))) static int fail(const struct downgrade *map,
                                                      const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    base_log(BASE_LOG_ERROR, "%s: %s", map->path, text);
    return BASE_EXIT_CONFIG;
}

static int no_memory(const struct downgrade *map)
{
    fail(map, "out of memory");
    return BASE_EXIT_SOFTWARE;
}

static int fail_syntax(const struct downgrade *map, const struct base_json_error *error)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < error->offset && i < map->text.len; i++) {
        column = map->text.data[i] == '\n' ? 1 : column + 1;
        line += map->text.data[i] == '\n';
    }
    return fail(map, "line %zu: column %zu: %s", line, column, error->text);
}

/* ---- changes ---- */

/* A copy of a string that is not empty; NULL for anything else, or without memory. */
static char *take_string(const struct base_json_value *value)
{
    struct base_buf out = BASE_BUF_INIT;
    if (value->kind == BASE_JSON_STRING && value->len > 2 && base_json_unescape(value, &out) == 0 &&
        base_buf_cstr(&out) && strlen(out.data) == out.len)
        return base_buf_take(&out, NULL);
    base_buf_fini(&out);
    return NULL;
}

/* Members that are the bus's own business. */
static bool is_reserved(const char *name)
{
    static const char *const names[] = {"type", "tenantId", "eventId", "schemaVersion",
                                        "timestamp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

const char *downgrade_result(const struct change *change)
{
    return change->kind == RENAME ? change->to : change->kind == CONSTANT ? change->name : NULL;
}

/* The change is the last one; neither its source nor its result may be another's. */
static int check_change(const struct downgrade *map, const char *place)
{
    const struct change *last = &map->changes[map->change_count - 1];
    const char *result = downgrade_result(last);
    if (is_reserved(last->name) || (last->to && is_reserved(last->to)))
        return fail(map,
                    "%s: type, tenantId, eventId, schemaVersion and timestamp cannot be changed",
                    place);
    for (const struct change *change = map->changes; change < last; change++) {
        const char *other = downgrade_result(change);
        bool same_source = last->kind != CONSTANT && change->kind != CONSTANT &&
                           strcmp(change->name, last->name) == 0;
        if (same_source)
            return fail(map, "%s: `%s' is renamed or dropped twice", place, last->name);
        if (result && other && strcmp(result, other) == 0)
            return fail(map, "%s: `%s' would be there twice", place, result);
    }
    return BASE_EXIT_OK;
}

static int add_change(struct downgrade *map, enum kind kind, const struct base_json_value *name,
                      const struct base_json_value *value)
{
    static const char *const kinds[] = {"rename", "drop", "constant"};
    char place[128];
    struct change *changes =
        base_realloc(map->changes, (map->change_count + 1) * sizeof *map->changes);
    if (!changes)
        return no_memory(map);
    map->changes = changes;
    struct change *change = &changes[map->change_count];
    *change = (struct change){.kind = kind, .name = take_string(name)};
    if (!change->name)
        return fail(map, "%s: expected names of members that are not empty", kinds[kind]);
    map->change_count++;
    snprintf(place, sizeof place, "%s.%.80s", kinds[kind], change->name);
    if (kind == DROP)
        snprintf(place, sizeof place, "drop");
    if (kind == RENAME && !(change->to = take_string(value)))
        return fail(map, "%s: expected a name that is not empty, got %.*s", place,
                    value->len < 60 ? (int)value->len : 60, value->text);
    if (kind == CONSTANT)
        change->json = (struct base_slice){value->text, value->len};
    return check_change(map, place);
}

static int read_changes(struct downgrade *map, enum kind kind, const struct base_json_value *value)
{
    struct base_json_iter iter;
    struct base_json_value name, element;
    int failed = BASE_EXIT_OK;
    if (value->kind == BASE_JSON_ABSENT)
        return failed;
    if (kind == DROP && value->kind != BASE_JSON_ARRAY)
        return fail(map, "drop: expected an array of names");
    if (kind != DROP && value->kind != BASE_JSON_OBJECT)
        return fail(map, "%s: expected an object", kind == RENAME ? "rename" : "constant");
    base_json_iter_init(&iter, value);
    while (!failed && base_json_iter_next(&iter, &name, &element))
        failed = add_change(map, kind, kind == DROP ? &element : &name, &element);
    return failed;
}

/* ---- types and dates ---- */

/* A day, which begins in UTC, or a moment. */
static int read_date(const struct downgrade *map, const char *name,
                     const struct base_json_value *value, int64_t *ms)
{
    char text[48] = "";
    struct base_slice plain;
    if (base_json_plain(value, &plain) && plain.len < sizeof text - 12)
        snprintf(text, sizeof text, "%.*s%s", (int)plain.len, plain.data,
                 plain.len == 10 ? "T00:00:00Z" : "");
    if (base_rfc3339_parse(text, strlen(text), ms) == 0)
        return BASE_EXIT_OK;
    if (value->kind == BASE_JSON_ABSENT)
        return fail(map, "%s: missing", name);
    return fail(map, "%s: expected a date such as \"2026-02-08\", got %.*s", name,
                value->len < 60 ? (int)value->len : 60, value->text);
}

static int read_dates(struct downgrade *map, const struct base_json_value *from,
                      const struct base_json_value *until)
{
    int failed = read_date(map, "fromDate", from, &map->from_ms);
    if (!failed)
        failed = read_date(map, "untilDate", until, &map->until_ms);
    if (!failed && map->until_ms - map->from_ms < (int64_t)LEAST_DAYS * DAY_MS)
        return fail(map, "untilDate: expected %d days or more after fromDate, got %" PRId64,
                    LEAST_DAYS, (map->until_ms - map->from_ms) / DAY_MS);
    return failed;
}

static int read_types(struct downgrade *map, const struct base_json_value *from,
                      const struct base_json_value *to)
{
    map->from = take_string(from);
    map->to = take_string(to);
    if (!map->from)
        return fail(map, "from: %s", from->kind ? "expected an event type" : "missing");
    map->type = map->to ? arda_event_find(map->to, strlen(map->to)) : NULL;
    if (!map->type)
        return fail(map, "to: %s",
                    to->kind ? "expected a type of the catalog (see --help types)" : "missing");
    if (strcmp(map->from, map->to) == 0)
        return fail(map, "to: is the same type as from");
    return BASE_EXIT_OK;
}

/* ---- all of it ---- */

enum member { FROM, TO, FROM_DATE, UNTIL_DATE, RENAMES, DROPS, CONSTANTS, MEMBERS };

static const struct base_json_member members[MEMBERS] = {
    [FROM] = BASE_JSON_WANT("from"),          [TO] = BASE_JSON_WANT("to"),
    [FROM_DATE] = BASE_JSON_WANT("fromDate"), [UNTIL_DATE] = BASE_JSON_WANT("untilDate"),
    [RENAMES] = BASE_JSON_WANT("rename"),     [DROPS] = BASE_JSON_WANT("drop"),
    [CONSTANTS] = BASE_JSON_WANT("constant"),
};

/* A map that is not understood as a whole is not used. */
static int check_members(const struct downgrade *map, const struct base_json_value *object)
{
    struct base_json_iter iter;
    struct base_json_value key, ignored;
    unsigned seen[MEMBERS] = {0};
    base_json_iter_init(&iter, object);
    while (base_json_iter_next(&iter, &key, &ignored)) {
        size_t which = 0;
        while (which < MEMBERS &&
               !base_json_equals(&key, members[which].key, members[which].key_len))
            which++;
        if (which == MEMBERS)
            return fail(map,
                        "%.*s: is not one of from, to, fromDate, untilDate, rename, drop, constant",
                        key.len < 60 ? (int)key.len : 60, key.text);
        if (seen[which]++)
            return fail(map, "%s: is there twice", members[which].key);
    }
    return BASE_EXIT_OK;
}

static int read_map(struct downgrade *map)
{
    struct base_json_member found[MEMBERS];
    struct base_json_value object;
    struct base_json_error error;
    struct base_slice text = {map->text.data ? map->text.data : "", map->text.len};
    struct base_why why;
    if (base_encoding_strip(&text, &why) < 0)
        return fail(map, "%s", why.text);
    memcpy(found, members, sizeof found);
    int failed = base_json_pick(text.data, text.len, found, MEMBERS, &object, &error);
    if (failed == BASE_ERR_INVALID)
        return fail(map, "expected a JSON object");
    if (failed)
        return fail_syntax(map, &error);
    failed = check_members(map, &object);
    if (!failed)
        failed = read_types(map, &found[FROM].value, &found[TO].value);
    if (!failed)
        failed = read_dates(map, &found[FROM_DATE].value, &found[UNTIL_DATE].value);
    if (!failed)
        failed = read_changes(map, RENAME, &found[RENAMES].value);
    if (!failed)
        failed = read_changes(map, DROP, &found[DROPS].value);
    return failed ? failed : read_changes(map, CONSTANT, &found[CONSTANTS].value);
}

static int read_file(struct downgrade *map)
{
    struct base_why why;
    int failed = base_file_read(map->path, MAX_MAP_BYTES, &map->text, &why);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    return failed == BASE_ERR_NOMEM ? BASE_EXIT_SOFTWARE : failed ? BASE_EXIT_CONFIG : BASE_EXIT_OK;
}

int downgrade_load(struct publisher *publisher, const char *path)
{
    struct downgrade *map = base_calloc(1, sizeof *map);
    if (!map) {
        base_log(BASE_LOG_ERROR, "%s: out of memory", path);
        return BASE_EXIT_SOFTWARE;
    }
    publisher->downgrades[publisher->downgrade_count++] = map;
    map->path = path;
    int failed = read_file(map);
    if (!failed)
        failed = read_map(map);
    for (size_t i = 0; !failed && i + 1 < publisher->downgrade_count; i++)
        if (strcmp(publisher->downgrades[i]->from, map->from) == 0)
            failed = fail(map, "from: %s has a map for `%s', too", publisher->downgrades[i]->path,
                          map->from);
    return failed;
}

void downgrade_free(struct downgrade *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->change_count; i++) {
        base_free(map->changes[i].name);
        base_free(map->changes[i].to);
    }
    base_free(map->changes);
    base_free(map->from);
    base_free(map->to);
    base_buf_fini(&map->text);
    base_free(map);
}
