/* SPDX-License-Identifier: ISC
 *
 * Setting single members of an entry.
 */
#include "arda/directory/kind.h"

#include "base/utf8.h"

#include <string.h>

static const struct directory_member *find_member(const struct directory_kind *kind,
                                                  const char *name)
{
    for (const struct directory_member *member = kind->members; member->name; member++)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

/* Kind and ids say which entry it is. */
static bool is_fixed(const struct directory_kind *kind, const char *name)
{
    for (const struct directory_part *part = kind->parts; part->name; part++)
        if (strcmp(name, part->name) == 0)
            return true;
    return strcmp(name, "kind") == 0 || strcmp(name, "tenantId") == 0 ||
           strcmp(name, "userId") == 0 || strcmp(name, "loopId") == 0;
}

/* Appends a value that was given as text or JSON, if it is right for the member. */
static int add_given(struct base_buf *out, const struct directory_member *member, const char *name,
                     const struct arda_directory_change *change, struct base_why *why)
{
    struct base_json_error error;
    struct base_json_value value;
    const char *text = change->value;
    size_t len = strlen(text);
    bool plain = change->json || (member && member->value == DIRECTORY_BOOLEAN);
    if (plain && !change->json && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return arda_directory_wrong_value(why, name, member->expected,
                                          (struct base_slice){text, len});
    if (change->json && base_json_check(text, len, &value, &error) < 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: column %zu: %s", name, error.offset + 1,
                            error.text);
    if (!base_utf8_valid(text, len))
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: not UTF-8", name);
    if (plain ? base_buf_add(out, text, len) : base_json_quote(out, text, len))
        return arda_directory_no_memory(why);
    base_json_check(out->data, out->len, &value, NULL);
    return member ? arda_directory_check_input(member, &value, why) : BASE_OK;
}

/* The object with one member in place of a former one, or behind the others. */
static int add_changed(struct base_buf *out, const struct base_buf *object, const char *name,
                       const struct base_buf *given)
{
    struct base_json_value old, key, member;
    struct base_json_iter iter;
    bool placed = false;
    base_json_check(object->data, object->len, &old, NULL);
    base_json_iter_init(&iter, &old);
    int failed = base_buf_add_byte(out, '{');
    while (!failed && base_json_iter_next(&iter, &key, &member)) {
        bool here = base_json_equals(&key, name, strlen(name));
        failed = out->len > 1 ? base_buf_add_byte(out, ',') : BASE_OK;
        failed |= base_buf_add(out, key.text, key.len) | base_buf_add_byte(out, ':');
        failed |= here ? base_buf_add(out, given->data, given->len)
                       : base_buf_add(out, member.text, member.len);
        placed |= here;
    }
    if (!failed && !placed) {
        failed = out->len > 1 ? base_buf_add_byte(out, ',') : BASE_OK;
        failed |= base_json_quote(out, name, strlen(name));
        failed |= base_buf_add_byte(out, ':') | base_buf_add(out, given->data, given->len);
    }
    return failed | base_buf_add_byte(out, '}');
}

static int change_object(const struct directory_kind *kind, struct base_buf *object,
                         const struct arda_directory_change *change, struct base_why *why)
{
    char name[ARDA_ID_MAX + 1] = "";
    struct base_buf given = BASE_BUF_INIT, changed = BASE_BUF_INIT;
    size_t len = change->name.len;
    if (len == 0 || len > ARDA_ID_MAX || !base_utf8_valid(change->name.data, len))
        return base_why_set(why, BASE_ERR_SYNTAX, "`%.*s' is no member's name",
                            arda_directory_shown(change->name.data, len), change->name.data);
    memcpy(name, change->name.data, len);
    if (is_fixed(kind, name))
        return base_why_set(why, BASE_ERR_SYNTAX, "%s: not to be set", name);
    int failed = add_given(&given, find_member(kind, name), name, change, why);
    if (!failed && add_changed(&changed, object, name, &given) < 0)
        failed = arda_directory_no_memory(why);
    base_buf_fini(&given);
    if (failed) {
        base_buf_fini(&changed);
        return failed;
    }
    base_buf_fini(object);
    *object = changed;
    return BASE_OK;
}

int arda_directory_line_change(struct arda_directory_line *line,
                               const struct arda_directory_change *changes, size_t count,
                               struct base_why *why)
{
    const struct directory_kind *kind = &arda_directory_kinds[line->kind];
    struct base_buf object = BASE_BUF_INIT;
    int failed = line->value.len ? base_buf_add(&object, line->value.data, line->value.len)
                                 : base_buf_add_text(&object, "{}");
    if (failed)
        return arda_directory_no_memory(why);
    for (size_t i = 0; i < count && !failed; i++)
        failed = change_object(kind, &object, &changes[i], why);
    if (!failed)
        failed = arda_directory_line_set_value(line, object.data, object.len, why);
    base_buf_fini(&object);
    return failed;
}
