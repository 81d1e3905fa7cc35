/* SPDX-License-Identifier: ISC
 *
 * net/negotiate: reads no byte beyond a header; what is taken is taken again behind an offer of
 * something else.
 */
#include "net/codec/negotiate.h"

#include "lib/fuzz.h"
#include "lib/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char other[] = "x; y=\"z\",";
    char *copy = trace_copy((const char *)data, size);
    struct base_slice header = {copy, size};
    const char *taken = net_negotiate_deflate(header);
    net_negotiate_gzip(header);
    char *longer = malloc(sizeof other - 1 + size);
    FUZZ_CHECK(longer);
    memcpy(longer, other, sizeof other - 1);
    memcpy(longer + sizeof other - 1, copy, size);
    header = (struct base_slice){longer, sizeof other - 1 + size};
    FUZZ_CHECK(net_negotiate_deflate(header) == taken);
    free(longer);
    free(copy);
    return 0;
}
