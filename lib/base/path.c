/* SPDX-License-Identifier: ISC */
#include "base/path.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

static int refuse(struct base_path *path, int code, size_t offset, size_t *at)
{
    base_path_fini(path);
    if (at)
        *at = offset;
    return code;
}

int base_path_parse(struct base_path *path, const char *text, size_t len, size_t *at)
{
    *path = (struct base_path){.text = base_memdup(text, len)};
    if (!path->text)
        return BASE_ERR_NOMEM;
    char *to = path->text; /* taking backslashes out makes it shorter */
    size_t i = 0;
    do {
        struct base_slice *key = &path->keys[path->count];
        size_t from = i;
        if (path->count == BASE_PATH_MAX)
            return refuse(path, BASE_ERR_LIMIT, from, at);
        key->data = to;
        for (; i < len && text[i] != '.'; i++) {
            if (text[i] == '\\' && ++i == len)
                return refuse(path, BASE_ERR_SYNTAX, i - 1, at);
            *to++ = text[i];
        }
        key->len = (size_t)(to - key->data);
        if (key->len == 0)
            return refuse(path, BASE_ERR_SYNTAX, from, at);
        path->count++;
    } while (i++ < len);
    return BASE_OK;
}

void base_path_fini(struct base_path *path)
{
    base_free_clear(&path->text);
    path->count = 0;
}

/* ---- following ---- */

/* A number of an element; false when it is none, or larger than any array. */
static bool as_index(struct base_slice key, size_t *index)
{
    *index = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] < '0' || key.data[i] > '9' || key.len > 9)
            return false;
        *index = *index * 10 + (size_t)(key.data[i] - '0');
    }
    return key.len > 0;
}

static struct base_json_value element(struct base_json_value array, struct base_slice key)
{
    struct base_json_value value = {BASE_JSON_ABSENT, NULL, 0};
    struct base_json_iter iter;
    size_t index;
    if (!as_index(key, &index))
        return value;
    base_json_iter_init(&iter, &array);
    do {
        if (!base_json_iter_next(&iter, NULL, &value))
            return (struct base_json_value){BASE_JSON_ABSENT, NULL, 0};
    } while (index-- > 0);
    return value;
}

static struct base_json_value member(struct base_json_value object, struct base_slice key)
{
    struct base_json_value found = {BASE_JSON_ABSENT, NULL, 0}, name, value;
    struct base_json_iter iter;
    base_json_iter_init(&iter, &object);
    while (base_json_iter_next(&iter, &name, &value))
        if (base_json_equals(&name, key.data, key.len))
            found = value;
    return found;
}

struct base_json_value base_path_follow(const struct base_path *path, size_t from,
                                        struct base_json_value value)
{
    for (size_t i = from; i < path->count; i++) {
        if (value.kind == BASE_JSON_OBJECT)
            value = member(value, path->keys[i]);
        else if (value.kind == BASE_JSON_ARRAY)
            value = element(value, path->keys[i]);
        else
            return (struct base_json_value){BASE_JSON_ABSENT, NULL, 0};
    }
    return value;
}

/* ---- heads ---- */

ptrdiff_t base_heads_add(struct base_heads *heads, const char *key, size_t len)
{
    for (size_t i = 0; i < heads->count; i++)
        if (heads->members[i].key_len == len && memcmp(heads->members[i].key, key, len) == 0)
            return (ptrdiff_t)i;
    size_t bytes = (heads->count + 1) * sizeof *heads->members;
    struct base_json_member *members =
        heads->members ? base_realloc(heads->members, bytes) : base_malloc(bytes);
    if (!members)
        return BASE_ERR_NOMEM;
    heads->members = members;
    members[heads->count] = (struct base_json_member){.key = key, .key_len = len};
    return (ptrdiff_t)heads->count++;
}

void base_heads_pick(struct base_heads *heads, const char *text, size_t len)
{
    if (heads->count > 0)
        base_assert(base_json_pick(text, len, heads->members, heads->count, NULL, NULL) == 0);
}

void base_heads_fini(struct base_heads *heads)
{
    base_free_clear(&heads->members);
    heads->count = 0;
}
