/* SPDX-License-Identifier: ISC
 *
 * fuzz: what the fuzz targets have in common. A broken invariant aborts, which the fuzzer reports
 * with the input.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "lib/cuts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(cond) ((cond) ? (void)0 : fuzz_failed(#cond, __FILE__, __LINE__))

static inline void fuzz_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, cond);
    abort();
}

/* Cuts that follow from the input alone, so that a finding can be run again. */
static inline struct cuts fuzz_cuts(int run, const uint8_t *data, size_t size)
{
    uint64_t seed = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * UINT64_C(1099511628211);
    return cuts_of(run, seed);
}

/* Events of the whole input, and of its pieces, which are freed. */
static inline void fuzz_same(char *one, char *other)
{
    if (strcmp(one, other) != 0) {
        fprintf(stderr, "whole:\n%s\nin pieces:\n%s\n", one, other);
        abort();
    }
    free(other);
}

#endif
