/* SPDX-License-Identifier: ISC
 *
 * The members of an entry, which are kept as a JSON object. They go through the scanner, since
 * members of users that are not known have to keep their text: another parser would write 1.10 anew
 * and refuse a number that is too large for it.
 */
#include "arda/directory/kind.h"

#include "base/utf8.h"

#include <string.h>

#define MAX_MEMBERS 100 /* of an object; all pairs are compared */

static bool same_key(const struct base_json_value *key, const char *name)
{
    return base_json_equals(key, name, strlen(name));
}

/* ---- objects ---- */

/* Whether another key behind `key` means the same. */
static int stands_twice(const struct base_json_value *key, struct base_json_iter rest,
                        struct base_why *why)
{
    struct base_json_value other, value;
    struct base_buf decoded = BASE_BUF_INIT;
    int failed = base_json_unescape(key, &decoded);
    if (failed == BASE_ERR_NOMEM)
        arda_directory_no_memory(why);
    else if (failed) /* a lone surrogate, which is no text */
        base_why_set(why, failed, "%.*s: no name for a member",
                     arda_directory_shown(key->text, key->len), key->text);
    while (!failed && base_json_iter_next(&rest, &other, &value))
        if (base_json_equals(&other, decoded.data, decoded.len))
            failed = base_why_set(why, BASE_ERR_SYNTAX, "%.*s: stands twice",
                                  arda_directory_shown(key->text, key->len), key->text);
    base_buf_fini(&decoded);
    return failed;
}

int arda_directory_object(const char *text, size_t len, struct base_json_value *object,
                          struct base_why *why)
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

struct base_json_value arda_directory_find(const struct base_json_value *object, const char *name)
{
    struct base_json_member member = {.key = name, .key_len = strlen(name)};
    base_json_pick(object->text, object->len, &member, 1, NULL, NULL);
    return member.value;
}

/* ---- members ---- */

static int wrong_member(const struct directory_member *member, const struct base_json_value *value,
                        struct base_why *why)
{
    if (member->secret && base_json_equals(value, ARDA_DIRECTORY_MASK, strlen(ARDA_DIRECTORY_MASK)))
        return base_why_set(why, BASE_ERR_SYNTAX,
                            "%s: masked; a dump with --secrets has the secret", member->name);
    if (member->hidden)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: expected %s", member->name,
                            member->expected);
    return arda_directory_wrong_value(why, member->name, member->expected,
                                      (struct base_slice){value->text, value->len});
}

int arda_directory_check_member(const struct directory_member *member,
                                const struct base_json_value *value, struct base_why *why)
{
    struct base_buf text = BASE_BUF_INIT;
    bool right = value->kind == BASE_JSON_STRING;
    if (member->value == DIRECTORY_BOOLEAN)
        right = value->kind == BASE_JSON_TRUE || value->kind == BASE_JSON_FALSE;
    if (right && member->is_right) {
        int failed = base_json_unescape(value, &text);
        if (failed == BASE_ERR_NOMEM)
            return arda_directory_no_memory(why);
        right = !failed && (member->is_right(text.len ? text.data : "", text.len) ||
                            (member->erasable && text.len == 0));
        base_buf_fini(&text);
    }
    return right ? BASE_OK : wrong_member(member, value, why);
}

int arda_directory_check_input(const struct directory_member *member,
                               const struct base_json_value *value, struct base_why *why)
{
    struct base_buf text = BASE_BUF_INIT;
    struct base_why reason;
    int failed = arda_directory_check_member(member, value, why);
    if (failed || !member->check)
        return failed;
    if (base_json_unescape(value, &text) < 0) /* it was text just now */
        return arda_directory_no_memory(why);
    failed = member->check((struct base_slice){text.data, text.len}, &reason);
    base_buf_fini(&text);
    if (failed == BASE_ERR_NOMEM)
        return arda_directory_no_memory(why);
    return failed ? base_why_set(why, BASE_ERR_SYNTAX, "%s: %.*s %s", member->name,
                                 arda_directory_shown(value->text, value->len), value->text,
                                 reason.text)
                  : BASE_OK;
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

/* A string as Redis will give it back: it holds the text, not how that was escaped. */
static int add_plain(struct base_buf *out, const struct base_json_value *value)
{
    struct base_buf text = BASE_BUF_INIT;
    if (value->kind != BASE_JSON_STRING)
        return add_compact(out, value);
    int failed = base_json_unescape(value, &text);
    if (!failed)
        failed = base_json_quote(out, text.len ? text.data : "", text.len);
    base_buf_fini(&text);
    return failed;
}

static int add_known(struct base_buf *out, const struct directory_kind *kind,
                     const struct base_json_value *object, enum directory_source source,
                     struct base_why *why)
{
    for (const struct directory_member *member = kind->members; member->name; member++) {
        struct base_json_value value = arda_directory_find(object, member->name);
        bool there = value.kind != BASE_JSON_ABSENT &&
                     !(member->erasable && base_json_equals(&value, "", 0));
        struct directory_member lenient = *member;
        if (member->lenient && source == DIRECTORY_OF_REDIS)
            lenient.is_right = NULL;
        int failed = !there ? BASE_OK
                     : source == DIRECTORY_OF_REDIS
                         ? arda_directory_check_member(&lenient, &value, why)
                         : arda_directory_check_input(member, &value, why);
        if (failed)
            return failed;
        if (!there && member->required)
            return base_why_set(why, BASE_ERR_SYNTAX, "%s: missing", member->name);
        if (!there && !member->otherwise)
            continue;
        failed = base_buf_printf(out, "%s\"%s\":", out->len > 1 ? "," : "", member->name);
        if (!failed && there)
            failed = kind->open ? add_compact(out, &value) : add_plain(out, &value);
        else if (!failed)
            failed = base_buf_add_text(out, member->otherwise);
        if (failed)
            return arda_directory_no_memory(why);
    }
    return BASE_OK;
}

static bool is_known(const struct directory_kind *kind, const struct base_json_value *key)
{
    for (const struct directory_member *member = kind->members; member->name; member++)
        if (same_key(key, member->name))
            return true;
    return false;
}

/* Kind and ids, which the line itself says. */
static bool is_fixed(const struct directory_kind *kind, const struct base_json_value *key)
{
    for (const struct directory_part *part = kind->parts; part->name; part++)
        if (same_key(key, part->name))
            return true;
    return same_key(key, "kind") || same_key(key, "tenantId");
}

/* Those that are not known: kept, or the first one is an error. */
static int add_unknown(struct base_buf *out, const struct directory_kind *kind,
                       const struct base_json_value *object, struct base_why *why)
{
    struct base_json_iter iter;
    struct base_json_value key, value;
    base_json_iter_init(&iter, object);
    while (base_json_iter_next(&iter, &key, &value)) {
        if (is_known(kind, &key) || is_fixed(kind, &key))
            continue;
        if (!kind->open)
            return base_why_set(why, BASE_ERR_SYNTAX, "%.*s: unknown member of %s",
                                arda_directory_shown(key.text + 1, key.len - 2), key.text + 1,
                                kind->called);
        if (base_buf_add_byte(out, ',') < 0 || base_buf_add(out, key.text, key.len) < 0 ||
            base_buf_add_byte(out, ':') < 0 || add_compact(out, &value) < 0)
            return arda_directory_no_memory(why);
    }
    return BASE_OK;
}

/* Hours that end when they begin would be none, or all. */
static int check_hours(const struct base_buf *made, struct base_why *why)
{
    struct base_json_value object = {BASE_JSON_OBJECT, made->data, made->len};
    struct base_json_value from = arda_directory_find(&object, "from");
    struct base_json_value to = arda_directory_find(&object, "to");
    if (from.len != to.len || memcmp(from.text, to.text, to.len) != 0)
        return BASE_OK;
    return base_why_set(why, BASE_ERR_SYNTAX, "to: the same as from");
}

int arda_directory_keep(struct arda_directory_line *line, const struct base_json_value *object,
                        enum directory_source source, struct base_why *why)
{
    const struct directory_kind *kind = &arda_directory_kinds[line->kind];
    struct base_buf made = BASE_BUF_INIT;
    int failed = base_buf_add_byte(&made, '{') < 0 ? arda_directory_no_memory(why)
                                                   : add_known(&made, kind, object, source, why);
    if (!failed)
        failed = add_unknown(&made, kind, object, why);
    if (!failed && base_buf_add_byte(&made, '}') < 0)
        failed = arda_directory_no_memory(why);
    if (!failed && line->kind == ARDA_DIRECTORY_QUIET)
        failed = check_hours(&made, why);
    if (failed) {
        base_buf_fini(&made);
        return failed;
    }
    if (!directory_has_members(kind))
        made.len = 0;
    base_buf_fini(&line->value);
    line->value = made;
    return BASE_OK;
}

int arda_directory_line_set_value(struct arda_directory_line *line, const char *text, size_t len,
                                  struct base_why *why)
{
    struct base_json_value object;
    int failed = len ? arda_directory_object(text, len, &object, why)
                     : arda_directory_object("{}", 2, &object, why);
    return failed ? failed : arda_directory_keep(line, &object, DIRECTORY_OF_REDIS, why);
}

struct base_json_value arda_directory_line_member(const struct arda_directory_line *line,
                                                  const char *name)
{
    struct base_json_value object = {BASE_JSON_OBJECT, line->value.data, line->value.len};
    return line->value.len ? arda_directory_find(&object, name) : (struct base_json_value){0};
}
