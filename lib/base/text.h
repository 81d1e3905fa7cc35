/* SPDX-License-Identifier: ISC
 *
 * text: values on the way to a line, or to a person's terminal. Threads: any.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* All functions that add return 0 or BASE_ERR_NOMEM; then `out` may hold a part. */

/* JSON as it stands, but line ends, which can only be between tokens, become blanks. */
int base_text_flat(struct base_buf *out, struct base_slice json);

/* Bytes for a terminal: control characters (C0, DEL, C1), line and paragraph separators and the
 * marks that turn the direction of writing become escapes as in JSON, such as \n or \u001b
 * (base/terminal.h); a byte that is no UTF-8 becomes \ufffd. */
int base_text_clean(struct base_buf *out, const char *bytes, size_t len);

/* The same for JSON that is no string, or a beginning of it: line ends and tabs, which can only be
 * between tokens, become blanks. */
int base_text_json(struct base_buf *out, const char *json, size_t len);

/* A value for a person, cleaned: a string without its quotes and escapes, anything else on one line
 * as it stands, nothing for ABSENT. A string with a lone surrogate keeps its escapes. */
int base_text_value(struct base_buf *out, const struct base_json_value *value);

/* A time of RFC 3339 for a person: local time, such as 2026-02-08 13:00:00. What is no time is
 * cleaned. */
int base_text_time(struct base_buf *out, const char *bytes, size_t len);

/* What somebody else has written, any bytes, as one line for a person: cleaned, '?' for what is no
 * UTF-8, one blank for any white space and none at the ends. Writes as many whole characters as fit
 * into `size` bytes with a NUL; nothing when memory is short. */
void base_text_excerpt(char *text, size_t size, const char *bytes, size_t len);

/* Whether base_text_clean would leave the text, which has to be UTF-8, as it is. */
bool base_text_is_clean(const char *bytes, size_t len);

#define BASE_TEXT_AGE_MAX 32

/* How long something has lasted, by its greatest unit alone, such as "40 s", "5 min", "3 h" or
 * "12 d"; a time of less than nothing is "0 s". Gives `out`. */
const char *base_text_age(int64_t ms, char out[static BASE_TEXT_AGE_MAX]);

#endif
