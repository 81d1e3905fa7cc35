/* SPDX-License-Identifier: ISC
 *
 * The scanner against jansson. Jansson is stricter in three points, where its refusal says nothing:
 * escapes of lone surrogates, numbers beyond a double, NUL in a key. It nests deeper than
 * BASE_JSON_MAX_DEPTH, where ours says nothing, and overlooks a NUL byte behind a number or a word,
 * so texts with one are ours alone to refuse. In all else both must agree, value by value.
 */
#include "base/json.h"
#include "base/err.h"
#include "base/utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define JANSSON_FLAGS (JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool refuses_more(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
    case json_error_null_byte_in_key: return true;
    default: return strncmp(error->text, "invalid Unicode '\\u", 19) == 0;
    }
}

/* The deepest level of a text that is JSON. */
static size_t depth_of(const char *text, size_t len)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            in_string = !in_string;
        else if (in_string)
            i += text[i] == '\\';
        else if (text[i] == '[' || text[i] == '{')
            deepest = ++depth > deepest ? depth : deepest;
        else if (text[i] == ']' || text[i] == '}')
            depth--;
    }
    return deepest;
}

static void compare(const struct base_json_value *ours, const json_t *theirs);

static void compare_strings(const struct base_json_value *ours, const char *bytes, size_t len)
{
    struct base_buf text = BASE_BUF_INIT, quoted = BASE_BUF_INIT;
    struct base_json_value again;
    struct base_slice plain;
    base_assert(base_json_unescape(ours, &text) == 0);
    base_assert(text.len == len && (len == 0 || memcmp(text.data, bytes, len) == 0));
    base_assert(base_json_equals(ours, bytes, len));
    base_assert(!base_json_plain(ours, &plain) ||
                (plain.len == len && memcmp(plain.data, bytes, len) == 0));
    base_assert(base_json_quote(&quoted, bytes, len) == 0);
    base_assert(base_json_check(quoted.data, quoted.len, &again, NULL) == 0);
    base_assert(base_json_equals(&again, bytes, len));
    base_buf_fini(&text);
    base_buf_fini(&quoted);
}

static void compare_arrays(const struct base_json_value *ours, const json_t *theirs)
{
    struct base_json_iter iter;
    struct base_json_value value;
    size_t count = 0;
    base_json_iter_init(&iter, ours);
    while (base_json_iter_next(&iter, NULL, &value))
        compare(&value, json_array_get(theirs, count++));
    base_assert(count == json_array_size(theirs));
}

/* What our iteration yields last for a key is what jansson kept, and what picking finds. */
static void compare_member(const struct base_json_value *ours, const char *key,
                           const json_t *theirs)
{
    struct base_json_member member = {key, strlen(key), {BASE_JSON_ABSENT, NULL, 0}};
    struct base_json_value name, value, last = {BASE_JSON_ABSENT, NULL, 0}, object;
    struct base_json_iter iter;
    base_json_iter_init(&iter, ours);
    while (base_json_iter_next(&iter, &name, &value))
        if (base_json_equals(&name, key, member.key_len))
            last = value;
    base_assert(base_json_pick(ours->text, ours->len, &member, 1, &object, NULL) == 0);
    base_assert(object.text == ours->text && object.len == ours->len);
    base_assert(member.value.kind == last.kind && member.value.text == last.text);
    base_assert(member.value.len == last.len);
    compare(&last, theirs);
}

static void compare_objects(const struct base_json_value *ours, json_t *theirs)
{
    struct base_json_iter iter;
    struct base_json_value name, value;
    const char *key;
    json_t *member;
    base_json_iter_init(&iter, ours);
    while (base_json_iter_next(&iter, &name, &value)) {
        struct base_buf text = BASE_BUF_INIT;
        base_assert(base_json_unescape(&name, &text) == 0);
        base_assert(json_object_get(theirs, base_buf_cstr(&text)) != NULL);
        base_buf_fini(&text);
    }
    json_object_foreach(theirs, key, member) compare_member(ours, key, member);
}

static void compare(const struct base_json_value *ours, const json_t *theirs)
{
    double number;
    base_assert(theirs != NULL);
    switch (json_typeof(theirs)) {
    case JSON_NULL: base_assert(ours->kind == BASE_JSON_NULL); break;
    case JSON_FALSE: base_assert(ours->kind == BASE_JSON_FALSE); break;
    case JSON_TRUE: base_assert(ours->kind == BASE_JSON_TRUE); break;
    case JSON_STRING:
        base_assert(ours->kind == BASE_JSON_STRING);
        compare_strings(ours, json_string_value(theirs), json_string_length(theirs));
        break;
    case JSON_ARRAY:
        base_assert(ours->kind == BASE_JSON_ARRAY);
        compare_arrays(ours, theirs);
        break;
    case JSON_OBJECT:
        base_assert(ours->kind == BASE_JSON_OBJECT);
        compare_objects(ours, (json_t *)(uintptr_t)theirs);
        break;
    default:
        base_assert(base_json_double(ours, &number) == 0);
        base_assert(number == json_number_value(theirs));
    }
}

/* What can be said of any text that is accepted, also of those that jansson refuses. */
static void walk(const struct base_json_value *value)
{
    struct base_json_value again, key, child;
    struct base_json_iter iter;
    double number;
    base_assert(base_json_check(value->text, value->len, &again, NULL) == 0);
    base_assert(again.kind == value->kind && again.len == value->len);
    if (value->kind == BASE_JSON_NUMBER)
        base_assert(base_json_double(value, &number) == 0 && number == number);
    if (value->kind == BASE_JSON_STRING) {
        struct base_buf text = BASE_BUF_INIT;
        int result = base_json_unescape(value, &text);
        base_assert(result == 0 ? base_utf8_valid(text.data, text.len) &&
                                      base_json_equals(value, text.data, text.len)
                                : result == BASE_ERR_SYNTAX && text.len == 0);
        base_buf_fini(&text);
    }
    if (value->kind != BASE_JSON_ARRAY && value->kind != BASE_JSON_OBJECT)
        return;
    base_json_iter_init(&iter, value);
    while (base_json_iter_next(&iter, &key, &child)) {
        if (value->kind == BASE_JSON_OBJECT)
            walk(&key);
        walk(&child);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const char *text = (const char *)data;
    struct base_json_value ours;
    struct base_json_error where = {size + 1, NULL};
    json_error_t error;
    int result = base_json_check(text, size, &ours, &where);
    json_t *theirs =
        memchr(text, '\0', size) ? NULL : json_loadb(text, size, JANSSON_FLAGS, &error);
    if (result == 0) {
        base_assert(base_utf8_valid(text, size) && !memchr(text, '\0', size));
        base_assert(depth_of(text, size) <= BASE_JSON_MAX_DEPTH);
        walk(&ours);
        if (theirs)
            compare(&ours, theirs);
        else
            base_assert(refuses_more(&error));
    } else {
        base_assert(where.offset <= size && where.text);
        base_assert(!theirs ||
                    (result == BASE_ERR_LIMIT && depth_of(text, size) > BASE_JSON_MAX_DEPTH));
    }
    json_decref(theirs);
    return 0;
}
