/* SPDX-License-Identifier: ISC
 *
 * json: a strict scanner that yields positions and copies nothing.
 *
 * Accepts exactly RFC 8259 in UTF-8 without a byte order mark: numbers of any size are numbers,
 * lone surrogate escapes (\ud800) and \u0000 are legal, keys too; of duplicated keys the last
 * counts. Refused: bare control characters, bad escapes, overlong or surrogate UTF-8, trailing
 * bytes, NaN, nesting deeper than BASE_JSON_MAX_DEPTH. No recursion, no allocation.
 *
 * All positions point into the caller's text and live as long as it does. Threads: any.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/api.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define BASE_JSON_MAX_DEPTH 1000

enum base_json_kind {
    BASE_JSON_ABSENT = 0, /* a wanted member that is not there */
    BASE_JSON_NULL,
    BASE_JSON_FALSE,
    BASE_JSON_TRUE,
    BASE_JSON_NUMBER,
    BASE_JSON_STRING,
    BASE_JSON_ARRAY,
    BASE_JSON_OBJECT,
};

/* One value as it stands in the text, strings with their quotes. */
struct base_json_value {
    enum base_json_kind kind;
    const char *text;
    size_t len;
};

struct base_json_error {
    size_t offset;    /* of the first byte that is wrong, from the start of the text */
    const char *text; /* such as "expected ',' or '}'"; static storage */
};

/* Checks that the whole text is one value with blanks around it at most. `value` (may be NULL)
 * receives it without the blanks, also when only what follows it is wrong; else it is left alone.
 * 0; BASE_ERR_SYNTAX, or BASE_ERR_LIMIT for the depth, with `error` (may be NULL) filled. */
ARDA_API int base_json_check(const char *text, size_t len, struct base_json_value *value,
                             struct base_json_error *error);

/* A top-level member to look for. */
struct base_json_member {
    const char *key; /* as decoded UTF-8 */
    size_t key_len;
    struct base_json_value value; /* out; BASE_JSON_ABSENT if it is not there */
};

#define BASE_JSON_WANT(key)                                                                        \
    {                                                                                              \
        key, sizeof(key) - 1,                                                                      \
        {                                                                                          \
            BASE_JSON_ABSENT, NULL, 0                                                              \
        }                                                                                          \
    }

/* Checks the whole text as base_json_check does, in the same single pass picks the wanted members
 * of the outermost object, and sets `object` (may be NULL) to its span. A text that is valid but
 * no object gives BASE_ERR_INVALID. */
ARDA_API int base_json_pick(const char *text, size_t len, struct base_json_member *members,
                            size_t count, struct base_json_value *object,
                            struct base_json_error *error);

/* Walks the elements of a checked array, or the members of a checked object. */
struct base_json_iter {
    const char *at;
    const char *end;
};

/* `value` must be an array or object that a function above has yielded. */
ARDA_API void base_json_iter_init(struct base_json_iter *iter, const struct base_json_value *value);
/* `key` is set for objects (a STRING) and left alone for arrays; NULL is allowed. */
ARDA_API bool base_json_iter_next(struct base_json_iter *iter, struct base_json_value *key,
                                  struct base_json_value *value);

/* Whether a STRING value (any other kind: false), unescaped, equals these bytes. */
ARDA_API bool base_json_equals(const struct base_json_value *string, const char *bytes, size_t len);
/* Appends the unescaped bytes of a STRING. BASE_ERR_SYNTAX for a lone surrogate escape, which has
 * no UTF-8 form, BASE_ERR_INVALID for another kind, BASE_ERR_NOMEM. `out` is then unchanged. */
ARDA_API int base_json_unescape(const struct base_json_value *string, struct base_buf *out);
/* The bytes between the quotes of a STRING without escapes: borrowed, no copy. False if there is
 * an escape or it is no string. */
ARDA_API bool base_json_plain(const struct base_json_value *string, struct base_slice *out);
/* Copies the unescaped bytes of a STRING and a NUL into `out`, which has room for `size` bytes; how
 * many they are. -1: another kind, longer, a NUL among them, or a lone surrogate escape; then `out`
 * has no meaning. Allocates nothing: for ids and times, which are short. */
ARDA_API ssize_t base_json_copy(const struct base_json_value *string, char *out, size_t size);
/* A NUMBER as a double; ±HUGE_VAL for 1e400. BASE_ERR_INVALID for another kind. */
ARDA_API int base_json_double(const struct base_json_value *number, double *out);

/* Appends `bytes`, which must be UTF-8, as a JSON string with its quotes: only `"`, `\`, control
 * characters and U+2028/9 are escaped. BASE_ERR_NOMEM. */
ARDA_API int base_json_quote(struct base_buf *out, const char *bytes, size_t len);

#endif
