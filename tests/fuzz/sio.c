/* SPDX-License-Identifier: ISC
 *
 * net/sio: what the parser points to lies in the packet, and events and acknowledgements, written
 * and read again, are the same.
 */
#include "net/codec/sio.h"

#include "lib/fuzz.h"
#include "lib/trace.h"

static void check_inside(const char *at, size_t len, const char *text, size_t size)
{
    FUZZ_CHECK(at >= text && at + len <= text + size);
}

static void check_positions(const struct net_sio_packet *packet, const char *text, size_t size)
{
    FUZZ_CHECK(packet->nsp.len > 0 && packet->nsp.data[0] == '/');
    if (packet->nsp.len > 1)
        check_inside(packet->nsp.data, packet->nsp.len, text, size);
    if (packet->data.kind != BASE_JSON_ABSENT)
        check_inside(packet->data.text, packet->data.len, text, size);
    if (packet->name.kind != BASE_JSON_ABSENT)
        check_inside(packet->name.text, packet->name.len, text, size);
    FUZZ_CHECK(packet->attachments <= NET_SIO_MAX_ATTACHMENTS);
}

/* What stands between two positions of an array. */
static struct base_slice between(const char *from, const char *to)
{
    return (struct base_slice){from, (size_t)(to - from)};
}

/* Writes the packet anew; false for a type that is not written by this server in its form. */
static bool write_again(const struct net_sio_packet *packet, struct base_buf *out)
{
    if (packet->data.kind != BASE_JSON_ARRAY)
        return false;
    const char *last = packet->data.text + packet->data.len - 1;
    switch (packet->type) {
    case NET_SIO_EVENT:
    case NET_SIO_BINARY_EVENT: {
        struct base_slice name = {packet->name.text, packet->name.len};
        const char *behind = name.data + name.len;
        while (behind < last && *behind != ',')
            behind++;
        behind += behind < last;
        FUZZ_CHECK(net_sio_format_event(out, packet->nsp, name, between(behind, last),
                                        packet->attachments) == 0);
        return true;
    }
    case NET_SIO_ACK:
    case NET_SIO_BINARY_ACK:
        FUZZ_CHECK(net_sio_format_ack(out, packet->nsp, packet->ack,
                                      between(packet->data.text + 1, last),
                                      packet->attachments) == 0);
        return true;
    default: return false;
    }
}

static void check_again(const struct net_sio_packet *packet, const struct base_buf *out)
{
    struct net_sio_packet again;
    FUZZ_CHECK(out->data[0] == '4');
    FUZZ_CHECK(net_sio_parse(out->data + 1, out->len - 1, &again, NULL) == 0);
    FUZZ_CHECK(again.attachments == packet->attachments && again.nsp.len == packet->nsp.len);
    FUZZ_CHECK(memcmp(again.nsp.data, packet->nsp.data, again.nsp.len) == 0);
    FUZZ_CHECK(again.ack == (packet->name.kind ? 0 : packet->ack));
    FUZZ_CHECK(again.name.kind == packet->name.kind && again.name.len == packet->name.len);
    FUZZ_CHECK(!again.name.len || memcmp(again.name.text, packet->name.text, again.name.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = trace_copy((const char *)data, size);
    struct net_sio_packet packet;
    struct base_buf out = BASE_BUF_INIT;
    const char *reason = NULL;
    int result = net_sio_parse(text, size, &packet, &reason);
    FUZZ_CHECK((result < 0) == (reason != NULL));
    if (result == 0) {
        check_positions(&packet, text, size);
        if (write_again(&packet, &out))
            check_again(&packet, &out);
    }
    /* What a client may send a server may send, too. */
    int from_server = net_sio_parse_server(text, size, &packet, &reason);
    FUZZ_CHECK(result < 0 || from_server == 0);
    if (from_server == 0)
        check_positions(&packet, text, size);
    base_buf_fini(&out);
    free(text);
    return 0;
}
