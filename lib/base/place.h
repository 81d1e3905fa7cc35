/* SPDX-License-Identifier: ISC
 *
 * place: where in its input a program found something, for messages. Threads: any.
 */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H

#include <stdint.h>

struct base_place {
    const char *file; /* NULL: standard input */
    uint64_t line;    /* 0: none, as with arguments */
};

#define BASE_PLACE_MAX 320

/* "FILE: line N: " as far as it applies, to stand before a message; the result is `out`. */
const char *base_place_text(const struct base_place *place, char out[static BASE_PLACE_MAX]);

#endif
