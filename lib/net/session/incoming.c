/* SPDX-License-Identifier: ISC
 *
 * A packet whose attachments come one by one, each in a message of its own. The bound for a
 * message holds for all of it together, and so does one time.
 */
#include "net/session/incoming.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/codec/sio.h"

#include <string.h>

struct net_incoming {
    size_t count; /* that have come */
    size_t wanted;
    size_t bytes_left; /* that the rest of them may have */
    uint64_t due_us;
    struct base_slice items[NET_SIO_MAX_ATTACHMENTS]; /* ours */
    size_t text_len;
    char text[];
};

int net_incoming_begin(struct net_session *session, struct base_slice text, size_t wanted)
{
    const struct net_server_options *options = &session->worker->shared->options;
    struct net_incoming *incoming = base_calloc(1, sizeof *incoming + text.len);
    if (!incoming)
        return BASE_ERR_NOMEM;
    incoming->wanted = wanted;
    incoming->bytes_left = session->endpoint->max_payload_bytes - text.len;
    incoming->due_us = base_clock_mono_us() + options->request_timeout_ms * NET_MS;
    incoming->text_len = text.len;
    memcpy(incoming->text, text.data, text.len);
    session->incoming = incoming;
    return BASE_OK;
}

int net_incoming_add(struct net_incoming *incoming, struct base_slice bytes)
{
    if (bytes.len > incoming->bytes_left)
        return BASE_ERR_LIMIT;
    char *copy = base_memdup(bytes.data, bytes.len);
    if (!copy)
        return BASE_ERR_NOMEM;
    incoming->bytes_left -= bytes.len;
    incoming->items[incoming->count++] = (struct base_slice){copy, bytes.len};
    return incoming->count == incoming->wanted;
}

struct base_slice net_incoming_text(const struct net_incoming *incoming)
{
    return (struct base_slice){incoming->text, incoming->text_len};
}

struct net_attachments net_incoming_attachments(struct net_incoming *incoming)
{
    return (struct net_attachments){incoming->items, incoming->count};
}

uint64_t net_incoming_due_us(const struct net_incoming *incoming)
{
    return incoming ? incoming->due_us : UINT64_MAX;
}

void net_incoming_free(struct net_incoming *incoming)
{
    if (!incoming)
        return;
    for (size_t i = 0; i < incoming->count; i++)
        base_free((void *)(uintptr_t)incoming->items[i].data);
    base_free(incoming);
}
