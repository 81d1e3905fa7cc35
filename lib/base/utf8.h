/* SPDX-License-Identifier: ISC
 *
 * utf8: validity as RFC 3629 has it (no overlong forms, no surrogates, nothing over U+10FFFF),
 * also over pieces of a text. Threads: any.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state between pieces fits a byte; BASE_UTF8_START begins, and is also where a text may end.
 */
#define BASE_UTF8_START  0
#define BASE_UTF8_REJECT 255

/* The state after `len` more bytes; BASE_UTF8_REJECT at the first byte that cannot be. */
uint8_t base_utf8_feed(uint8_t state, const char *bytes, size_t len);
bool base_utf8_valid(const char *bytes, size_t len);

/* The bytes of the character at `bytes`, and the character itself; 0 when there is none. */
size_t base_utf8_next(const char *bytes, size_t len, uint32_t *code);

/* The length of the longest beginning of `text` that has at most `max` bytes and does not end
 * inside a character. `text` has more than `max` bytes. */
size_t base_utf8_cut(const char *text, size_t max);

#endif
