/* SPDX-License-Identifier: ISC */
#include "arda/event.h"

#include "arda/tenant.h"
#include "base/err.h"
#include "base/id.h"
#include "base/rfc3339.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_FIELDS  16
#define SHOWN_BYTES 60 /* of a wrong value */

struct check {
    bool loose_ids;
    arda_complain_fn complain;
    void *data;
    size_t wrong;
};

__attribute__((format(printf, 3, 4))) static void blame(struct check *check, const char *field,
                                                        const char *format, ...)
{
    char text[512];
    va_list args;
    check->wrong++;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check->complain(check->data, field, text);
}

/* As much of a value as a message can hold, with a mark where it was cut. */
static const char *show(const struct base_json_value *value, char out[static SHOWN_BYTES + 4])
{
    size_t len = value->len <= SHOWN_BYTES ? value->len : base_utf8_cut(value->text, SHOWN_BYTES);
    snprintf(out, SHOWN_BYTES + 4, "%.*s%s", (int)len, value->text, len < value->len ? "..." : "");
    return out;
}

static void expected(struct check *check, const char *field, const char *what,
                     const struct base_json_value *got)
{
    char shown[SHOWN_BYTES + 4];
    blame(check, field, "expected %s, got %s", what, show(got, shown));
}

/* ---- kinds ---- */

static bool is_id(const struct check *check, const struct base_json_value *value)
{
    struct base_slice id;
    if (!base_json_plain(value, &id))
        return false;
    return check->loose_ids ? arda_id_valid(id.data, id.len) : base_id_is_uuid(id.data, id.len);
}

static bool is_time(const struct base_json_value *value)
{
    int64_t ignored;
    return base_rfc3339_of_json(value, &ignored) == 0;
}

static bool is_percent(const struct base_json_value *value)
{
    double number;
    return base_json_double(value, &number) == 0 && number >= 0 && number <= 100;
}

static bool is_version(const struct base_json_value *value)
{
    if (value->kind != BASE_JSON_NUMBER || value->len > 9 || value->text[0] == '0')
        return false;
    return strspn(value->text, "0123456789") >= value->len;
}

static void check_choice(struct check *check, const struct arda_field *field,
                         const struct base_json_value *value)
{
    char list[384], shown[SHOWN_BYTES + 4];
    size_t used = 0;
    for (const char *at = field->choices; *at;) {
        size_t len = strcspn(at, "|");
        if (base_json_equals(value, at, len))
            return;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", used ? ", " : "",
                                 (int)len, at);
        at += len + (at[len] == '|');
    }
    blame(check, field->name, "%s is not one of %s", show(value, shown), list);
}

static void check_ids(struct check *check, const struct arda_field *field,
                      const struct base_json_value *value)
{
    struct base_json_iter iter;
    struct base_json_value element;
    char name[64];
    if (value->kind != BASE_JSON_ARRAY) {
        expected(check, field->name, arda_field_kind_text(field->kind), value);
        return;
    }
    base_json_iter_init(&iter, value);
    for (size_t i = 0; base_json_iter_next(&iter, NULL, &element); i++) {
        if (is_id(check, &element))
            continue;
        snprintf(name, sizeof name, "%s[%zu]", field->name, i);
        expected(check, name, check->loose_ids ? "an identifier" : "a UUID", &element);
    }
}

static bool is_right(const struct check *check, const struct arda_field *field,
                     const struct base_json_value *value)
{
    switch (field->kind) {
    case ARDA_FIELD_UUID: return is_id(check, value);
    case ARDA_FIELD_TIMESTAMP: return is_time(value);
    case ARDA_FIELD_NAME: return value->kind == BASE_JSON_STRING && value->len > 2;
    case ARDA_FIELD_PERCENT: return is_percent(value);
    case ARDA_FIELD_VERSION: return is_version(value);
    default: return value->kind == BASE_JSON_STRING;
    }
}

static void check_field(struct check *check, const struct arda_field *field,
                        const struct base_json_value *value)
{
    char what[64];
    if (value->kind == BASE_JSON_ABSENT) {
        if (!field->optional)
            blame(check, field->name, "missing");
    } else if (value->kind == BASE_JSON_NULL && field->nullable) {
        return;
    } else if (field->kind == ARDA_FIELD_CHOICE) {
        check_choice(check, field, value);
    } else if (field->kind == ARDA_FIELD_UUIDS) {
        check_ids(check, field, value);
    } else if (!is_right(check, field, value)) {
        bool id = field->kind == ARDA_FIELD_UUID && check->loose_ids;
        snprintf(what, sizeof what, "%s%s",
                 id ? "an identifier" : arda_field_kind_text(field->kind),
                 field->nullable ? " or null" : "");
        expected(check, field->name, what, value);
    }
}

/* ---- all fields of an event ---- */

static size_t want_fields(const struct arda_field *fields, struct base_json_member *wanted,
                          const struct arda_field **meaning, size_t count)
{
    for (; fields->name; fields++, count++) {
        base_assert(count < MAX_FIELDS);
        wanted[count].key = fields->name;
        wanted[count].key_len = strlen(fields->name);
        meaning[count] = fields;
    }
    return count;
}

size_t arda_event_check(const struct arda_event_type *type, const struct base_json_value *event,
                        bool loose_ids, arda_complain_fn complain, void *data)
{
    struct check check = {loose_ids, complain, data, 0};
    struct base_json_member found[MAX_FIELDS] = {0};
    const struct arda_field *meaning[MAX_FIELDS];
    size_t count = type ? want_fields(type->fields, found, meaning, 0) : 0;
    count = want_fields(arda_event_extras, found, meaning, count);
    base_assert(base_json_pick(event->text, event->len, found, count, NULL, NULL) == 0);
    for (size_t i = 0; i < count; i++)
        check_field(&check, meaning[i], &found[i].value);
    return check.wrong;
}
