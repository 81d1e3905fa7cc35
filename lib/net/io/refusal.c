/* SPDX-License-Identifier: ISC
 *
 * What is refused before there is a session: it is counted, and reported to the application
 * with its cause and whose it was, for its log.
 */
#include "net/io/refusal.h"

#include "net/io/address.h"

void net_refusal_count(struct net_worker *worker, const struct net_refused *refused)
{
    const struct net_server_options *options = &worker->shared->options;
    atomic_fetch_add_explicit(&worker->refused[refused->refusal], 1, memory_order_relaxed);
    if (options->on_refusal)
        options->on_refusal(options->data, refused);
}

void net_refusal_of_fd(struct net_worker *worker, int fd, struct net_refused refused)
{
    char text[NET_ADDRESS_MAX];
    if (worker->shared->options.on_refusal)
        refused.address = net_address_host(fd, text);
    net_refusal_count(worker, &refused);
}

void net_refusal_of_conn(struct net_conn *conn, struct net_http1 *http, struct net_refused refused)
{
    const struct net_server_options *options = &conn->worker->shared->options;
    char text[NET_ADDRESS_MAX];
    if (conn->of_site)
        return; /* whoever watches the server does not count */
    /* At the other end of a relayed connection is a server of ours. */
    if (options->on_refusal && !conn->relayed) {
        refused.address = net_address_host(conn->fd, text);
        if (http)
            refused.address =
                net_proxy_client(options->proxies, options->proxy_count, refused.address,
                                 net_http1_header(http, "x-forwarded-for"));
    }
    net_refusal_count(conn->worker, &refused);
}
