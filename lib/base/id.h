/* SPDX-License-Identifier: ISC
 *
 * id: making and recognising identifiers.
 *
 * UUIDs are those of RFC 9562; new ones are version 7, strictly increasing within a process even
 * when the clock stands still or steps back. Threads: any.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE_UUID_LEN 36 /* characters, without the NUL */
#define BASE_TOKEN_LEN                                                                             \
    20 /* base64url characters of 15 random bytes: the form of engine.io's sids */

/* 0, or BASE_ERR_INTERNAL without a random source. */
int base_id_uuid7(char out[static BASE_UUID_LEN + 1]);
/* A UUID of version 8 that follows from a key and some bytes, and from which neither can be told.
 * 0, or BASE_ERR_INTERNAL. */
int base_id_derive(const char *key, size_t key_len, const char *bytes, size_t len,
                   char out[static BASE_UUID_LEN + 1]);
/* The text of 16 bytes, whose version and variant are the caller's. */
void base_id_format_uuid(const unsigned char bytes[static 16], char out[static BASE_UUID_LEN + 1]);
/* An unguessable token. 0, or BASE_ERR_INTERNAL. */
int base_id_token(char out[static BASE_TOKEN_LEN + 1]);

/* 8-4-4-4-12 hexadecimal digits of either case, any version. */
bool base_id_is_uuid(const char *text, size_t len);
/* The milliseconds since 1970 that a UUID of version 7 carries; false for any other text. */
bool base_id_uuid7_ms(const char *text, uint64_t *ms);

#endif
