/* SPDX-License-Identifier: ISC
 *
 * net/eio: the packets of a payload, written and read again, are the same packets.
 */
#include "net/codec/eio.h"

#include "base/err.h"
#include "lib/fuzz.h"
#include "lib/trace.h"

/* The packets of a body, which is written anew into `again` if that is not NULL. */
static char *packets(const char *bytes, size_t size, struct base_buf *again)
{
    char *body = trace_copy(bytes, size);
    struct net_eio_packet packet;
    struct trace trace;
    size_t at = 0, before = 0;
    int got;
    trace_begin(&trace);
    while ((got = net_eio_payload_next(body, size, &at, &packet)) == 1) {
        FUZZ_CHECK(at > before && at <= size + 1);
        FUZZ_CHECK(packet.data >= body && packet.data + packet.len <= body + size);
        FUZZ_CHECK(packet.type >= NET_EIO_OPEN && packet.type <= NET_EIO_NOOP);
        FUZZ_CHECK(!packet.binary || packet.type == NET_EIO_MESSAGE);
        before = at;
        fprintf(trace.out, "%c%d", packet.type, packet.binary);
        trace_bytes(&trace, packet.data, packet.len);
        if (again)
            FUZZ_CHECK(net_eio_payload_add(again, packet.type, packet.binary, packet.data,
                                           packet.len) == 0);
    }
    FUZZ_CHECK(got == 0 || got == BASE_ERR_SYNTAX);
    FUZZ_CHECK(again || got == 0);
    free(body);
    return trace_end(&trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_buf again = BASE_BUF_INIT;
    char *first = packets((const char *)data, size, &again);
    if (again.len)
        fuzz_same(first, packets(again.data, again.len, NULL));
    free(first);
    base_buf_fini(&again);
    return 0;
}
