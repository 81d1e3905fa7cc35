/* SPDX-License-Identifier: ISC
 *
 * number: decimal numbers in a text. Without blanks, a `+`, or an empty number, all of which strtol
 * and scanf accept. Threads: any.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the digits at the beginning of `*text`, which ends with a NUL, and moves it past them.
 * False when there is none or the number is out of range, and then nothing is changed. */
bool base_number_take_u64(const char **text, uint64_t *out);
/* The same, with a `-` before it for a negative one. */
bool base_number_take_i64(const char **text, int64_t *out);

#endif
