/* SPDX-License-Identifier: ISC
 *
 * net/deflate: what a peer has compressed stays within its bound, gives the same again, and comes
 * back when it is compressed here.
 */
#include "net/codec/deflate.h"

#include "base/err.h"
#include "lib/fuzz.h"

#define MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_deflate *state = net_deflate_new();
    struct base_slice message = {(const char *)data, size}, out, again;
    FUZZ_CHECK(state);
    int got = net_deflate_expand(state, message, MAX, &out);
    FUZZ_CHECK(got == 0 || got == BASE_ERR_LIMIT || got == BASE_ERR_SYNTAX);
    if (got == 0) {
        FUZZ_CHECK(out.len <= MAX);
        char *copy = malloc(out.len + 1);
        FUZZ_CHECK(copy);
        memcpy(copy, out.data, out.len);
        size_t len = out.len;
        FUZZ_CHECK(len == 0 || net_deflate_expand(state, message, len - 1, &again) < 0);
        FUZZ_CHECK(net_deflate_expand(state, message, len, &again) == 0);
        FUZZ_CHECK(again.len == len && memcmp(again.data, copy, len) == 0);
        struct base_slice plain = {copy, len};
        if (net_deflate_message(state, plain, &out) == 0) {
            FUZZ_CHECK(out.len < len && net_deflate_expand(state, out, MAX, &again) == 0);
            FUZZ_CHECK(again.len == len && memcmp(again.data, copy, len) == 0);
        }
        free(copy);
    }
    net_deflate_free(state);
    return 0;
}
