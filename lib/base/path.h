/* SPDX-License-Identifier: ISC
 *
 * path: the way to a value inside JSON, such as "payload.items.0.name".
 *
 * Keys are separated by dots; a backslash takes the character behind it as it is, so that "a\.b" is
 * the member `a.b`. On an array a key of digits is the number of an element, from 0. Of members
 * with the same name the last counts. Threads: any, one at a time for each set of heads.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/buf.h"
#include "base/json.h"

#include <stddef.h>

#define BASE_PATH_MAX 16 /* keys */

struct base_path {
    struct base_slice keys[BASE_PATH_MAX];
    size_t count; /* 1 at least */
    char *text;   /* what the keys point into */
};

/* 0; BASE_ERR_SYNTAX for a key that is empty or a backslash at the end, BASE_ERR_LIMIT for too many
 * keys, both with `*at` (may be NULL) set to the offset of what is wrong; BASE_ERR_NOMEM. After a
 * failure there is nothing to release. */
int base_path_parse(struct base_path *path, const char *text, size_t len, size_t *at);
/* A zeroed path is allowed. */
void base_path_fini(struct base_path *path);

/* Where the keys from number `from` on lead, starting at `value`, which the scanner has yielded.
 * ABSENT when there is no such value. */
struct base_json_value base_path_follow(const struct base_path *path, size_t from,
                                        struct base_json_value value);

/* The first keys of several paths, each once, so that one pass over an object finds all of them.
 * Zeroed: none. */
struct base_heads {
    struct base_json_member *members;
    size_t count;
};

/* Wants one more key, borrowed for the life of the set. Its index in `members`, which is the same
 * for the same key, or BASE_ERR_NOMEM. */
ptrdiff_t base_heads_add(struct base_heads *heads, const char *key, size_t len);
/* Fills the members' values from a text that is known to be an object. No allocation. */
void base_heads_pick(struct base_heads *heads, const char *text, size_t len);
void base_heads_fini(struct base_heads *heads);

#endif
