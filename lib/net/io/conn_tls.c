/* SPDX-License-Identifier: ISC
 *
 * What a connection over TLS does in place of recv, send and shutdown.
 */
#include "net/io/internal.h"

#include "base/log.h"
#include "net/io/address.h"
#include "net/io/refusal.h"

#include <errno.h>

/* Once for a connection: that it is lost may be noticed twice. */
static void refuse(struct net_conn *conn, const char *why)
{
    if (!conn->refused)
        net_refusal_of_conn(conn, NULL,
                            (struct net_refused){.refusal = NET_REFUSED_TLS, .why = why});
    conn->refused = true;
}

static void broken(struct net_conn *conn, const struct base_why *why)
{
    static struct base_log_limit limit;
    if (!net_tls_established(net_conn_tls(conn))) {
        refuse(conn, why->text);
    } else if (base_log_enabled(BASE_LOG_DEBUG)) {
        char address[NET_ADDRESS_MAX];
        net_address_peer(conn->fd, address);
        base_log_limited(&limit, BASE_LOG_DEBUG, "tls: %s: %s", address, why->text);
    }
    net_conn_kill(conn, false);
}

size_t net_conn_tls_write(struct net_conn *conn, const struct iovec *pieces, int count)
{
    struct base_why why;
    ssize_t sent = net_tls_writev(net_conn_tls(conn), pieces, count, &why);
    if (sent < 0) {
        broken(conn, &why);
        return 0;
    }
    conn->blocked = net_tls_unsent(net_conn_tls(conn));
    return (size_t)sent;
}

bool net_conn_tls_flush(struct net_conn *conn)
{
    if (net_tls_flush(net_conn_tls(conn)) < 0) {
        net_conn_kill(conn, false);
        return false;
    }
    conn->blocked = net_tls_unsent(net_conn_tls(conn));
    return !conn->blocked;
}

bool net_conn_tls_shut_down(struct net_conn *conn)
{
    net_tls_end(net_conn_tls(conn));
    conn->blocked = net_tls_unsent(net_conn_tls(conn));
    return !conn->blocked;
}

void net_conn_tls_kill(struct net_conn *conn, bool reset)
{
    if (!net_tls_established(net_conn_tls(conn)))
        refuse(conn, NULL);
    else if (!reset)
        net_tls_end(net_conn_tls(conn));
}

/* The connection goes on without TLS, for an answer that the client can read. */
static void go_on_plain(struct net_conn *conn, const struct base_why *why)
{
    const struct net_conn_role *role = net_conn_role(conn);
    net_tls_conn_free(net_conn_tls(conn));
    conn->secure = false;
    refuse(conn, why->text);
    if (role->plain)
        role->plain(conn);
    else
        net_conn_kill(conn, false);
}

ssize_t net_conn_tls_read(struct net_conn *conn)
{
    struct base_why why;
    ssize_t got = net_tls_read(net_conn_tls(conn), conn->worker->read_bytes, NET_READ_BYTES, &why);
    /* The handshake writes while we read. */
    if (net_tls_unsent(net_conn_tls(conn)))
        conn->blocked = true;
    if (got >= 0)
        return got;
    if (got == BASE_ERR_SYNTAX)
        go_on_plain(conn, &why);
    else if (got != BASE_ERR_AGAIN && got != BASE_ERR_LIMIT)
        broken(conn, &why);
    errno = got == BASE_ERR_SYNTAX || got == BASE_ERR_LIMIT ? EINTR : EAGAIN;
    return -1;
}
