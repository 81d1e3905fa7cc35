/* SPDX-License-Identifier: ISC
 *
 * net/ws: in pieces the input gives the same events as in one go, with and without compression.
 */
#include "lib/fuzz.h"
#include "lib/ws_trace.h"

#define MAX 1000 /* bytes of a message, as in tests/corpus/ws */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    for (int compressed = 0; compressed < 2; compressed++) {
        char *whole = ws_trace_as(compressed, fuzz_cuts(CUTS_WHOLE, data, size), MAX, bytes, size);
        for (int run = CUTS_BYTES; run <= CUTS_RANDOM; run++)
            fuzz_same(whole, ws_trace_as(compressed, fuzz_cuts(run, data, size), MAX, bytes, size));
        free(whole);
    }
    return 0;
}
