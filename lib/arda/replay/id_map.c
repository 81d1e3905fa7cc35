/* SPDX-License-Identifier: ISC */
#include "arda/replay/id_map.h"

#include "arda/event.h"
#include "base/err.h"
#include "base/id.h"

#include <ctype.h>
#include <string.h>

/* What a string of checked JSON is behind: its last quote. */
static const char *string_end(const char *at)
{
    for (at++; *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

/* Behind the name of a member comes a colon. */
static bool is_name(const char *behind, const char *end)
{
    while (behind < end && strchr(" \t\r\n", *behind))
        behind++;
    return behind < end && *behind == ':';
}

/* `old` is decoded, and written over. */
static int add_new(struct base_buf *out, struct base_buf *old, struct base_slice seed)
{
    char id[BASE_UUID_LEN + 1];
    if (base_id_is_uuid(old->data, old->len))
        for (size_t i = 0; i < old->len; i++)
            old->data[i] = (char)tolower((unsigned char)old->data[i]);
    int failed = base_id_derive(seed.data, seed.len, old->data, old->len, id);
    if (failed)
        return failed;
    failed = base_buf_add_byte(out, '"') | base_buf_add(out, id, BASE_UUID_LEN);
    return failed | base_buf_add_byte(out, '"');
}

/* `any`: whatever its form. */
static int add_string(struct base_buf *out, const struct base_json_value *string, bool any,
                      struct base_slice seed)
{
    struct base_buf old = BASE_BUF_INIT;
    int failed = base_json_unescape(string, &old);
    bool wanted = !failed && old.len > 0 && (any || base_id_is_uuid(old.data, old.len));
    if (failed == BASE_ERR_SYNTAX) /* a lone surrogate: no identifier */
        failed = BASE_OK;
    if (!failed)
        failed = wanted ? add_new(out, &old, seed) : base_buf_add(out, string->text, string->len);
    base_buf_fini(&old);
    return failed;
}

/* The strings of a value of any depth; its text is gone through from string to string. */
static int add_value(struct base_buf *out, const struct base_json_value *value, bool any,
                     struct base_slice seed)
{
    const char *end = value->text + value->len, *at = value->text;
    int failed = BASE_OK;
    while (at < end && !failed) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        const char *rest = quote ? quote : end;
        failed = base_buf_add(out, at, (size_t)(rest - at));
        at = rest;
        if (failed || !quote)
            continue;
        at = string_end(quote);
        struct base_json_value string = {BASE_JSON_STRING, quote, (size_t)(at - quote)};
        failed = is_name(at, end) ? base_buf_add(out, string.text, string.len)
                                  : add_string(out, &string, any, seed);
    }
    return failed;
}

#define NAME_BYTES 64 /* no member of the table has a longer name */

static bool holds_ids(const struct arda_event_type *type, const struct base_json_value *name)
{
    char plain[NAME_BYTES];
    ssize_t len = base_json_copy(name, plain, sizeof plain);
    const struct arda_field *field = len > 0 ? arda_event_field(type, plain, (size_t)len) : NULL;
    return field && (field->kind == ARDA_FIELD_UUID || field->kind == ARDA_FIELD_UUIDS);
}

int arda_id_map(struct base_buf *out, const struct base_json_value *event, struct base_slice type,
                struct base_slice seed)
{
    const struct arda_event_type *row = arda_event_find(type.data, type.len);
    struct base_json_iter iter;
    struct base_json_value name, value;
    const char *copied = event->text;
    size_t before = out->len;
    int failed = BASE_OK;
    base_json_iter_init(&iter, event);
    while (!failed && base_json_iter_next(&iter, &name, &value)) {
        if (base_json_equals(&name, "eventId", 7) || base_json_equals(&name, "tenantId", 8))
            continue;
        failed = base_buf_add(out, copied, (size_t)(value.text - copied));
        if (!failed)
            failed = add_value(out, &value, holds_ids(row, &name), seed);
        copied = value.text + value.len;
    }
    if (!failed)
        failed = base_buf_add(out, copied, (size_t)(event->text + event->len - copied));
    if (failed)
        out->len = before;
    return failed;
}
