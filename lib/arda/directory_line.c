/* SPDX-License-Identifier: ISC
 *
 * Lines go through the scanner, since members of users that are not known have to keep their text:
 * another parser would write 1.10 anew and refuse a number that is too large for it.
 */
#include "arda/directory_line.h"

#include "base/json.h"
#include "base/utf8.h"

#include <string.h>

#define SHOWN       40  /* bytes of a wrong value */
#define MAX_MEMBERS 100 /* of a line; all pairs are compared */

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

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "out of memory");
}

/* How much of a text a message shows: whole characters. */
static int shown_len(const char *text, size_t len)
{
    return (int)(len > SHOWN ? base_utf8_cut(text, SHOWN) : len);
}

static int wrong_value(struct base_why *why, const char *name, const char *expected,
                       const struct base_json_value *value)
{
    return base_why_set(why, BASE_ERR_SYNTAX, "%s: expected %s, got %.*s", name, expected,
                        shown_len(value->text, value->len), value->text);
}

/* ---- objects ---- */

static bool same_key(const struct base_json_value *key, const char *name)
{
    return base_json_equals(key, name, strlen(name));
}

/* Whether another key behind `key` means the same. */
static int stands_twice(const struct base_json_value *key, struct base_json_iter rest,
                        struct base_why *why)
{
    struct base_json_value other, value;
    struct base_buf decoded = BASE_BUF_INIT;
    int failed = base_json_unescape(key, &decoded);
    if (failed == BASE_ERR_NOMEM)
        no_memory(why);
    else if (failed) /* a lone surrogate, which is no text */
        base_why_set(why, failed, "%.*s: no name for a member", shown_len(key->text, key->len),
                     key->text);
    while (!failed && base_json_iter_next(&rest, &other, &value))
        if (base_json_equals(&other, decoded.data, decoded.len))
            failed = base_why_set(why, BASE_ERR_SYNTAX, "%.*s: stands twice",
                                  shown_len(key->text, key->len), key->text);
    base_buf_fini(&decoded);
    return failed;
}

/* An object none of whose members stands twice. */
static int load(const char *text, size_t len, struct base_json_value *object, struct base_why *why)
{
    struct base_json_error error;
    struct base_json_iter iter;
    struct base_json_value key, value;
    int failed = base_json_check(text, len, object, &error);
    if (failed)
        return base_why_set(why, BASE_ERR_SYNTAX, "column %zu: %s", error.offset + 1, error.text);
    if (object->kind != BASE_JSON_OBJECT)
        return base_why_set(why, BASE_ERR_SYNTAX, "not a JSON object");
    base_json_iter_init(&iter, object);
    for (int count = 0; !failed && base_json_iter_next(&iter, &key, &value); count++)
        failed = count < MAX_MEMBERS
                     ? stands_twice(&key, iter, why)
                     : base_why_set(why, BASE_ERR_SYNTAX, "more than %d members", MAX_MEMBERS);
    return failed;
}

static struct base_json_value find(const struct base_json_value *object, const char *name)
{
    struct base_json_member member = {.key = name, .key_len = strlen(name)};
    base_json_pick(object->text, object->len, &member, 1, NULL, NULL);
    return member.value;
}

/* ---- members of a user ---- */

static bool is_text(const struct base_json_value *value)
{
    return value->kind == BASE_JSON_STRING;
}

static bool is_boolean(const struct base_json_value *value)
{
    return value->kind == BASE_JSON_TRUE || value->kind == BASE_JSON_FALSE;
}

static bool is_address(const struct base_json_value *value)
{
    struct base_buf text = BASE_BUF_INIT;
    bool good = is_text(value) && base_json_unescape(value, &text) == BASE_OK && text.len > 0;
    const char *at = good ? memrchr(text.data, '@', text.len) : NULL;
    good = at && at > text.data && at + 1 < text.data + text.len;
    for (size_t i = 0; good && i < text.len; i++)
        good = (unsigned char)text.data[i] > ' ' && text.data[i] != 0x7F;
    base_buf_fini(&text);
    return good;
}

/* The known members in their order; all may be missing. */
static const struct member {
    const char *name;
    bool (*is_right)(const struct base_json_value *value);
    const char *expected;
    const char *otherwise; /* written when it is missing; NULL: nothing is */
} members[] = {
    {"email", is_address, "an address", NULL},
    {"active", is_boolean, "true or false", "true"},
    {"name", is_text, "a string", NULL},
    {"locale", is_text, "a string such as \"en\"", NULL},
    {"timeZone", is_text, "a string such as \"Europe/Berlin\"", NULL},
};
#define MEMBERS (sizeof members / sizeof members[0])

static bool is_known(const struct base_json_value *key)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (same_key(key, members[i].name))
            return true;
    return false;
}

/* Kind and ids, which the line itself says. */
static bool is_fixed(const struct base_json_value *key)
{
    return same_key(key, "kind") || same_key(key, "tenantId") ||
           same_key(key, id_names[ARDA_DIRECTORY_USER]);
}

/* The text of a value without the blanks between its tokens. */
static int add_compact(struct base_buf *out, const struct base_json_value *value)
{
    bool in_string = false;
    int failed = base_buf_reserve(out, value->len);
    for (size_t i = 0; i < value->len && !failed; i++) {
        char c = value->text[i];
        if (c == '"')
            in_string = !in_string;
        if (in_string || !strchr(" \t\r\n", c))
            failed = base_buf_add_byte(out, c);
        if (in_string && c == '\\')
            failed |= base_buf_add_byte(out, value->text[++i]);
    }
    return failed;
}

static int add_known(struct base_buf *out, const struct base_json_value *user, struct base_why *why)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct member *member = &members[i];
        struct base_json_value value = find(user, member->name);
        bool there = value.kind != BASE_JSON_ABSENT;
        if (there && !member->is_right(&value))
            return wrong_value(why, member->name, member->expected, &value);
        if (!there && !member->otherwise)
            continue;
        if (base_buf_printf(out, "%s\"%s\":", out->len > 1 ? "," : "", member->name) < 0 ||
            (there ? add_compact(out, &value) : base_buf_add_text(out, member->otherwise)) < 0)
            return no_memory(why);
    }
    return BASE_OK;
}

static int add_unknown(struct base_buf *out, const struct base_json_value *user,
                       struct base_why *why)
{
    struct base_json_iter iter;
    struct base_json_value key, value;
    base_json_iter_init(&iter, user);
    while (base_json_iter_next(&iter, &key, &value)) {
        if (is_known(&key) || is_fixed(&key))
            continue;
        if (base_buf_add_byte(out, ',') < 0 || base_buf_add(out, key.text, key.len) < 0 ||
            base_buf_add_byte(out, ':') < 0 || add_compact(out, &value) < 0)
            return no_memory(why);
    }
    return BASE_OK;
}

/* Makes a user's object canonical and keeps it as the line's value, which may be where it lies. */
static int keep_user(struct arda_directory_line *line, const struct base_json_value *user,
                     struct base_why *why)
{
    struct base_buf made = BASE_BUF_INIT;
    int failed = base_buf_add_byte(&made, '{') < 0 ? no_memory(why) : add_known(&made, user, why);
    if (!failed)
        failed = add_unknown(&made, user, why);
    if (!failed && base_buf_add_byte(&made, '}') < 0)
        failed = no_memory(why);
    if (failed) {
        base_buf_fini(&made);
        return failed;
    }
    base_buf_fini(&line->value);
    line->value = made;
    return BASE_OK;
}

/* ---- a whole line ---- */

static int take_id(const struct base_json_value *object, const char *name, bool tenant,
                   char out[static ARDA_ID_MAX + 1], struct base_why *why)
{
    struct base_json_value value = find(object, name);
    struct base_buf text = BASE_BUF_INIT;
    if (value.kind == BASE_JSON_ABSENT)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: missing", name);
    int failed = base_json_unescape(&value, &text);
    bool good = !failed && (tenant ? arda_tenant_valid(text.data, text.len)
                                   : arda_id_valid(text.data, text.len));
    if (good) {
        memset(out, 0, ARDA_ID_MAX + 1);
        memcpy(out, text.data, text.len);
    }
    base_buf_fini(&text);
    if (failed == BASE_ERR_NOMEM)
        return no_memory(why);
    return good ? BASE_OK : wrong_value(why, name, tenant ? "the id of a tenant" : "an id", &value);
}

static int take_kind(const struct base_json_value *object, enum arda_directory_kind *kind,
                     struct base_why *why)
{
    struct base_json_value value = find(object, "kind");
    if (value.kind == BASE_JSON_ABSENT)
        return base_why_set(why, BASE_ERR_SYNTAX, "kind: missing");
    for (int i = 0; i < ARDA_DIRECTORY_KINDS; i++)
        if (same_key(&value, kind_names[i])) {
            *kind = (enum arda_directory_kind)i;
            return BASE_OK;
        }
    return wrong_value(why, "kind", "\"user\" or \"loop\"", &value);
}

/* All that a line of a loop may have. */
static int check_loop(const struct base_json_value *object, struct base_why *why)
{
    struct base_json_iter iter;
    struct base_json_value key, value;
    base_json_iter_init(&iter, object);
    while (base_json_iter_next(&iter, &key, &value))
        if (!same_key(&key, "kind") && !same_key(&key, "tenantId") && !same_key(&key, "loopId"))
            return base_why_set(why, BASE_ERR_SYNTAX, "%.*s: unknown member of a loop",
                                shown_len(key.text + 1, key.len - 2), key.text + 1);
    return BASE_OK;
}

int arda_directory_line_parse(const char *text, size_t len, struct arda_directory_line *line,
                              struct base_why *why)
{
    struct base_json_value object;
    int failed = load(text, len, &object, why);
    if (!failed)
        failed = take_kind(&object, &line->kind, why);
    if (!failed)
        failed = take_id(&object, "tenantId", true, line->tenant, why);
    if (!failed)
        failed = take_id(&object, id_names[line->kind], false, line->id, why);
    if (failed)
        return failed;
    line->value.len = 0;
    return line->kind == ARDA_DIRECTORY_USER ? keep_user(line, &object, why)
                                             : check_loop(&object, why);
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
    struct base_json_value user;
    int failed = len ? load(text, len, &user, why) : load("{}", 2, &user, why);
    return failed ? failed : keep_user(line, &user, why);
}

/* Appends a value that was given as text. */
static int add_given(struct base_buf *out, const char *name, const char *value, bool json,
                     struct base_why *why)
{
    struct base_json_error error;
    struct base_json_value ignored;
    bool boolean = strcmp(name, "active") == 0;
    if (boolean && !json && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: expected true or false, got %.*s", name,
                            shown_len(value, strlen(value)), value);
    if (json && base_json_check(value, strlen(value), &ignored, &error) < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: column %zu: %s", name, error.offset + 1,
                            error.text);
    if (!base_utf8_valid(value, strlen(value)))
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: not UTF-8", name);
    int failed = json || boolean ? base_buf_add_text(out, value)
                                 : base_json_quote(out, value, strlen(value));
    return failed ? no_memory(why) : BASE_OK;
}

/* The line's object with one member in place of a former one, or behind the others. */
static int add_changed(struct base_buf *out, const struct base_buf *object, const char *name,
                       struct base_slice value)
{
    struct base_json_value user, key, member;
    struct base_json_iter iter;
    bool placed = false;
    base_json_check(object->data, object->len, &user, NULL);
    base_json_iter_init(&iter, &user);
    int failed = base_buf_add_byte(out, '{');
    while (!failed && base_json_iter_next(&iter, &key, &member)) {
        bool here = same_key(&key, name);
        failed = out->len > 1 ? base_buf_add_byte(out, ',') : BASE_OK;
        failed |= base_buf_add(out, key.text, key.len) | base_buf_add_byte(out, ':');
        failed |= here ? base_buf_add(out, value.data, value.len)
                       : base_buf_add(out, member.text, member.len);
        placed |= here;
    }
    if (!failed && !placed) {
        failed = base_buf_add_byte(out, ',') | base_json_quote(out, name, strlen(name));
        failed |= base_buf_add_byte(out, ':') | base_buf_add(out, value.data, value.len);
    }
    return failed | base_buf_add_byte(out, '}');
}

int arda_directory_line_set_member(struct arda_directory_line *line, const char *name, size_t len,
                                   const char *value, bool json, struct base_why *why)
{
    char key[ARDA_ID_MAX + 1] = "";
    struct base_buf given = BASE_BUF_INIT, changed = BASE_BUF_INIT;
    if (len == 0 || len > ARDA_ID_MAX || !base_utf8_valid(name, len))
        return base_why_set(why, BASE_ERR_SYNTAX, "`%.*s' is no member's name",
                            shown_len(name, len), name);
    memcpy(key, name, len);
    if (strcmp(key, "kind") == 0 || strcmp(key, "tenantId") == 0 ||
        strcmp(key, id_names[ARDA_DIRECTORY_USER]) == 0 ||
        strcmp(key, id_names[ARDA_DIRECTORY_LOOP]) == 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: not to be set", key);
    int failed = add_given(&given, key, value, json, why);
    if (!failed &&
        add_changed(&changed, &line->value, key, (struct base_slice){given.data, given.len}) < 0)
        failed = no_memory(why);
    if (!failed)
        failed = arda_directory_line_set_value(line, changed.data, changed.len, why);
    base_buf_fini(&given);
    base_buf_fini(&changed);
    return failed;
}
