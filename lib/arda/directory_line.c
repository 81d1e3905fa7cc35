/* SPDX-License-Identifier: ISC */
#include "arda/directory_line.h"

#include "base/utf8.h"

#include <jansson.h>
#include <string.h>

#define LOAD_FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)
#define SHOWN      40 /* bytes of a wrong value */

static const char *const kind_names[] = {
    [ARDA_DIRECTORY_LOOP] = "loop",
    [ARDA_DIRECTORY_USER] = "user",
};
static const char *const id_names[] = {
    [ARDA_DIRECTORY_LOOP] = "loopId",
    [ARDA_DIRECTORY_USER] = "userId",
};

const char *arda_directory_kind_name(enum arda_directory_kind kind)
{
    return kind_names[kind];
}

int arda_directory_kind_find(const char *name, enum arda_directory_kind *kind)
{
    for (int i = 0; i < ARDA_DIRECTORY_KINDS; i++)
        if (strcmp(kind_names[i], name) == 0) {
            *kind = (enum arda_directory_kind)i;
            return BASE_OK;
        }
    return BASE_ERR_NOTFOUND;
}

void arda_directory_line_fini(struct arda_directory_line *line)
{
    base_buf_fini(&line->value);
}

/* ---- members of a user ---- */

static bool is_address(const json_t *value)
{
    const char *text = json_string_value(value);
    const char *at = text ? strrchr(text, '@') : NULL;
    if (!at || at == text || !at[1] || json_string_length(value) != strlen(text))
        return false;
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7F)
            return false;
    return true;
}

static bool is_boolean(const json_t *value)
{
    return json_is_boolean(value);
}

static bool is_text(const json_t *value)
{
    return json_is_string(value);
}

/* The known members in their order; all may be missing. */
static const struct member {
    const char *name;
    bool (*is_right)(const json_t *value);
    const char *expected;
} members[] = {
    {"email", is_address, "an address"},
    {"active", is_boolean, "true or false"},
    {"name", is_text, "a string"},
    {"locale", is_text, "a string such as \"en\""},
    {"timeZone", is_text, "a string such as \"Europe/Berlin\""},
};
#define MEMBERS (sizeof members / sizeof members[0])

/* How much of a text a message shows: whole characters. */
static int shown_len(const char *text)
{
    size_t len = strlen(text);
    return (int)(len > SHOWN ? base_utf8_cut(text, SHOWN) : len);
}

static int wrong_value(struct base_why *why, const char *name, const char *expected,
                       const json_t *value)
{
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *shown = dumped ? dumped : "something else";
    int code = base_why_set(why, BASE_ERR_SYNTAX, "%s: expected %s, got %.*s", name, expected,
                            shown_len(shown), shown);
    free(dumped);
    return code;
}

/* Moves the known members of `from` in their order to `to`. */
static int move_known(json_t *from, json_t *to, struct base_why *why)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        json_t *value = json_object_get(from, members[i].name);
        if (value && !members[i].is_right(value))
            return wrong_value(why, members[i].name, members[i].expected, value);
        if (!value && members[i].is_right != is_boolean)
            continue;
        int failed = value ? json_object_set(to, members[i].name, value)
                           : json_object_set_new(to, members[i].name, json_true());
        if (failed)
            return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
        json_object_del(from, members[i].name);
    }
    return BASE_OK;
}

static bool reads_as(const char *text, const json_t *value)
{
    json_t *back = json_loads(text, 0, NULL);
    bool same = back && json_equal(back, value);
    json_decref(back);
    return same;
}

/* With 17 digits, jansson's own choice, every number is exact, and 0.1 is 0.10000000000000001. */
static char *dump(const json_t *user)
{
    char *exact = json_dumps(user, JSON_COMPACT | JSON_REAL_PRECISION(17));
    for (size_t digits = 15; exact && digits < 17; digits++) {
        char *shorter = json_dumps(user, JSON_COMPACT | JSON_REAL_PRECISION(digits));
        if (shorter && strcmp(shorter, exact) != 0 && reads_as(shorter, user)) {
            free(exact);
            return shorter;
        }
        free(shorter);
    }
    return exact;
}

static int write_value(struct arda_directory_line *line, const json_t *user, struct base_why *why)
{
    char *text = dump(user);
    line->value.len = 0;
    int failed = text ? base_buf_add_text(&line->value, text) : BASE_ERR_NOMEM;
    free(text);
    return failed ? base_why_set(why, BASE_ERR_NOMEM, "out of memory") : BASE_OK;
}

/* Makes the user's object canonical and keeps it as the line's value. */
static int keep_user(struct arda_directory_line *line, json_t *user, struct base_why *why)
{
    json_t *ordered = json_object();
    int failed = ordered ? move_known(user, ordered, why)
                         : base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    if (!failed && json_object_update(ordered, user) < 0)
        failed = base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    if (!failed)
        failed = write_value(line, ordered, why);
    json_decref(ordered);
    return failed;
}

/* ---- a whole line ---- */

static json_t *load(const char *text, size_t len, struct base_why *why)
{
    json_error_t error;
    json_t *object = json_loadb(text, len, LOAD_FLAGS, &error);
    if (!object)
        base_why_set(why, BASE_ERR_SYNTAX, "column %d: %s", error.column, error.text);
    else if (!json_is_object(object))
        base_why_set(why, BASE_ERR_SYNTAX, "not a JSON object");
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static int take_id(json_t *object, const char *name, bool tenant, char out[static ARDA_ID_MAX + 1],
                   struct base_why *why)
{
    json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    size_t len = text ? json_string_length(value) : 0;
    if (!value)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: missing", name);
    if (!text || !(tenant ? arda_tenant_valid(text, len) : arda_id_valid(text, len)))
        return wrong_value(why, name, tenant ? "the id of a tenant" : "an id", value);
    memcpy(out, text, len + 1);
    json_object_del(object, name);
    return BASE_OK;
}

static int take_kind(json_t *object, enum arda_directory_kind *kind, struct base_why *why)
{
    json_t *value = json_object_get(object, "kind");
    const char *name = json_string_value(value);
    if (!value)
        return base_why_set(why, BASE_ERR_SYNTAX, "kind: missing");
    if (!name || arda_directory_kind_find(name, kind) < 0)
        return wrong_value(why, "kind", "\"user\" or \"loop\"", value);
    json_object_del(object, "kind");
    return BASE_OK;
}

static int take_object(json_t *object, struct arda_directory_line *line, struct base_why *why)
{
    int failed = take_kind(object, &line->kind, why);
    if (!failed)
        failed = take_id(object, "tenantId", true, line->tenant, why);
    if (!failed)
        failed = take_id(object, id_names[line->kind], false, line->id, why);
    if (failed)
        return failed;
    line->value.len = 0;
    if (line->kind == ARDA_DIRECTORY_USER)
        return keep_user(line, object, why);
    void *rest = json_object_iter(object);
    if (rest)
        return base_why_set(why, BASE_ERR_SYNTAX, "%.*s: unknown member of a %s",
                            shown_len(json_object_iter_key(rest)), json_object_iter_key(rest),
                            kind_names[line->kind]);
    return BASE_OK;
}

int arda_directory_line_parse(const char *text, size_t len, struct arda_directory_line *line,
                              struct base_why *why)
{
    json_t *object = load(text, len, why);
    if (!object)
        return BASE_ERR_SYNTAX;
    int failed = take_object(object, line, why);
    json_decref(object);
    return failed;
}

int arda_directory_line_write(struct base_buf *out, const struct arda_directory_line *line)
{
    size_t before = out->len;
    int failed =
        base_buf_printf(out, "{\"kind\":\"%s\",\"tenantId\":\"%s\",\"%s\":\"%s\"",
                        kind_names[line->kind], line->tenant, id_names[line->kind], line->id);
    if (line->value.len > 2) { /* its members behind ours */
        failed |= base_buf_add_byte(out, ',');
        failed |= base_buf_add(out, line->value.data + 1, line->value.len - 1);
    } else {
        failed |= base_buf_add_byte(out, '}');
    }
    if (failed)
        out->len = before;
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

/* ---- changing a user ---- */

int arda_directory_line_set_value(struct arda_directory_line *line, const char *text, size_t len,
                                  struct base_why *why)
{
    json_t *user = len ? load(text, len, why) : json_object();
    if (!user)
        return BASE_ERR_SYNTAX;
    /* The line has these already, and a key that stands twice would make it unreadable. */
    json_object_del(user, "kind");
    json_object_del(user, "tenantId");
    json_object_del(user, id_names[ARDA_DIRECTORY_USER]);
    int failed = keep_user(line, user, why);
    json_decref(user);
    return failed;
}

static json_t *make_value(const char *name, const char *value, bool json, struct base_why *why)
{
    json_error_t error;
    bool boolean = strcmp(name, "active") == 0;
    if (!json && !boolean) {
        json_t *text = json_string(value);
        if (!text)
            base_why_set(why, BASE_ERR_SYNTAX, "%s: not UTF-8", name);
        return text;
    }
    json_t *made = json_loads(value, LOAD_FLAGS, &error);
    if (!made && boolean)
        base_why_set(why, BASE_ERR_SYNTAX, "%s: expected true or false, got %.40s", name, value);
    else if (!made)
        base_why_set(why, BASE_ERR_SYNTAX, "%s: column %d: %s", name, error.column, error.text);
    return made;
}

int arda_directory_line_set_member(struct arda_directory_line *line, const char *name, size_t len,
                                   const char *value, bool json, struct base_why *why)
{
    char key[ARDA_ID_MAX + 1];
    if (len == 0 || len > ARDA_ID_MAX)
        return base_why_set(why, BASE_ERR_SYNTAX, "`%.*s' is no member's name", (int)len, name);
    memcpy(key, name, len);
    key[len] = '\0';
    for (int i = 0; i < ARDA_DIRECTORY_KINDS; i++)
        if (strcmp(key, id_names[i]) == 0 || strcmp(key, "kind") == 0 ||
            strcmp(key, "tenantId") == 0)
            return base_why_set(why, BASE_ERR_SYNTAX, "%s: not to be set", key);
    json_t *user = load(line->value.data, line->value.len, why);
    json_t *made = user ? make_value(key, value, json, why) : NULL;
    int failed = made ? BASE_OK : BASE_ERR_SYNTAX;
    if (made && json_object_set(user, key, made) < 0)
        failed = base_why_set(why, BASE_ERR_NOMEM, "out of memory");
    if (!failed)
        failed = keep_user(line, user, why);
    json_decref(made);
    json_decref(user);
    return failed;
}
