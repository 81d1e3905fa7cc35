/* SPDX-License-Identifier: ISC
 *
 * net/http1: in pieces the input gives the same events as in one go.
 */
#include "lib/fuzz.h"
#include "lib/http1_trace.h"

#define MAX 100 /* bytes of a body, as in tests/corpus/http1 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    char *whole = http1_trace(fuzz_cuts(CUTS_WHOLE, data, size), MAX, bytes, size);
    for (int run = CUTS_BYTES; run <= CUTS_RANDOM; run++)
        fuzz_same(whole, http1_trace(fuzz_cuts(run, data, size), MAX, bytes, size));
    free(whole);
    return 0;
}
