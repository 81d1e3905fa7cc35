/* SPDX-License-Identifier: ISC
 *
 * Who is at the other end of a session: its address, as far as a proxy of ours tells it or the
 * connection will not tell it later, and how many sessions that address has.
 */
#include "net/session/internal.h"

#include "base/block.h"
#include "base/mem.h"
#include "net/io/address.h"
#include "net/io/refusal.h"

#include <string.h>

/* What counts as one address; lies in `bytes` or in `peer`. */
static struct base_slice address_key(struct base_slice peer, uint8_t bytes[static 16])
{
    if (!base_block_address(peer, bytes))
        return peer;
    return (struct base_slice){(const char *)bytes, base_block_owner_len(bytes)};
}

static int count_address(struct net_sessions_shared *shared, struct base_slice peer)
{
    uint8_t bytes[16];
    struct base_slice key = address_key(peer, bytes);
    return base_quota_take(&shared->addresses, key.data, key.len);
}

int net_session_peer_note(struct net_session *session, struct net_conn *conn,
                          struct net_http1 *http)
{
    const struct net_server_options *options = &conn->worker->shared->options;
    struct net_sessions_shared *shared = conn->worker->sessions->shared;
    char text[NET_ADDRESS_MAX];
    struct base_slice host = net_address_host(conn->fd, text);
    struct base_slice client = net_proxy_client(options->proxies, options->proxy_count, host,
                                                net_http1_header(http, "x-forwarded-for"));
    bool direct = net_http1_request(http)->websocket && client.data == host.data;
    if (direct && !shared->addresses.max)
        return BASE_OK;
    session->peer = base_memdup(client.data, client.len);
    int failed = session->peer ? count_address(shared, client) : BASE_ERR_NOMEM;
    if (failed == BASE_ERR_LIMIT)
        net_refusal_of_conn(
            conn, http,
            (struct net_refused){.refusal = NET_REFUSED_ADDRESS, .limit = shared->addresses.max});
    if (failed)
        base_free_clear(&session->peer);
    return failed;
}

void net_session_peer_forget(struct net_session *session)
{
    struct net_sessions_shared *shared = session->worker->sessions->shared;
    if (session->peer && shared->addresses.max) {
        uint8_t bytes[16];
        struct base_slice key =
            address_key((struct base_slice){session->peer, strlen(session->peer)}, bytes);
        base_quota_give(&shared->addresses, key.data, key.len);
    }
    base_free_clear(&session->peer);
}

void net_session_peer_keep(struct net_session *session)
{
    const struct net_conn *conn = net_session_conn(session);
    char peer[NET_ADDRESS_MAX];
    if (!conn || session->peer)
        return;
    net_address_peer(conn->fd, peer);
    session->peer = base_strdup(peer);
}
