/* SPDX-License-Identifier: ISC
 *
 * base64: RFC 4648, the standard alphabet with padding and the URL alphabet without. Threads: any.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <sys/types.h>

enum base_base64_alphabet { BASE_BASE64_STD, BASE_BASE64_URL };

/* Characters that `len` bytes become, without a NUL. */
size_t base_base64_encoded_len(enum base_base64_alphabet alphabet, size_t len);
/* Writes exactly that many; no NUL. */
void base_base64_encode(enum base_base64_alphabet alphabet, const void *bytes, size_t len,
                        char *out);
/* `out` has room for len / 4 * 3 + 3 bytes and may be the same memory as `text`. The number of
 * bytes, or BASE_ERR_SYNTAX: a foreign character, a bad length, bits set in the unused end of the
 * last character, or (standard alphabet) padding that is wrong. Standard input may lack padding. */
ssize_t base_base64_decode(enum base_base64_alphabet alphabet, const char *text, size_t len,
                           void *out);

#endif
