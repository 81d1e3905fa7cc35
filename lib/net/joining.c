/* SPDX-License-Identifier: ISC
 *
 * Sessions of Socket.IO that have not joined a namespace yet, whose clients nobody knows. They are
 * kept in a list of their worker, the oldest first, and when there is one too many the oldest goes:
 * whoever holds on to many makes room for those who join at once. One whose CONNECT waits for the
 * application's answer is not in the list, since the application knows more of it.
 */
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

struct net_joining {
    struct net_session *session;
    struct base_list link; /* of worker->joining; of nothing while the application is asked */
    uint64_t due_us;       /* 0: any time */
    bool asking;           /* the application looks at the header just now */
    bool joined;           /* ... and has let the client in */
    bool too_long;         /* the header was, and has not been kept */
    bool has_authorization;
    size_t authorization_len;
    char authorization[];
};

/* Of each worker; a connection lands on any of them. 0: any number. */
static size_t share_of(const struct net_worker *worker)
{
    const struct net_server_options *options = &worker->server->options;
    size_t max = options->max_joining;
    return max ? (max + options->workers - 1) / options->workers : 0;
}

static void unlink_joining(struct net_joining *joining)
{
    if (base_list_empty(&joining->link))
        return;
    base_list_remove(&joining->link);
    atomic_fetch_sub_explicit(&joining->session->worker->joining_count, 1, memory_order_relaxed);
}

static void refuse(struct net_session *session)
{
    struct net_worker *worker = session->worker;
    char text[NET_ADDRESS_MAX];
    struct net_refused refused = {.refusal = NET_REFUSED_JOINING,
                                  .limit = worker->server->options.max_joining};
    if (session->peer)
        refused.address = (struct base_slice){session->peer, strlen(session->peer)};
    else if (session->conn)
        refused.address = net_listen_host(session->conn->fd, text);
    net_worker_refused(worker, &refused);
    net_session_doom(session, NET_REASON_LIMIT);
}

static void link_joining(struct net_joining *joining)
{
    struct net_worker *worker = joining->session->worker;
    size_t share = share_of(worker);
    while (share && atomic_load_explicit(&worker->joining_count, memory_order_relaxed) >= share) {
        struct net_joining *oldest = base_container(worker->joining.next, struct net_joining, link);
        unlink_joining(oldest);
        refuse(oldest->session);
    }
    base_list_append(&worker->joining, &joining->link);
    atomic_fetch_add_explicit(&worker->joining_count, 1, memory_order_relaxed);
}

int net_joining_new(struct net_session *session, struct net_http1 *http)
{
    const struct net_endpoint *endpoint = session->endpoint;
    struct base_slice header = net_http1_header(http, "authorization");
    size_t max = endpoint->max_authorization_bytes;
    bool too_long = max && header.len > max;
    if (too_long)
        header.len = 0;
    struct net_joining *joining = base_malloc(sizeof *joining + header.len);
    if (!joining)
        return BASE_ERR_NOMEM;
    *joining = (struct net_joining){.session = session,
                                    .too_long = too_long,
                                    .has_authorization = header.data && !too_long,
                                    .authorization_len = header.len};
    if (endpoint->connect_timeout_ms)
        joining->due_us = base_clock_mono_us() + endpoint->connect_timeout_ms * NET_MS;
    if (header.len)
        memcpy(joining->authorization, header.data, header.len);
    base_list_init(&joining->link);
    session->joining = joining;
    return BASE_OK;
}

void net_joining_ask(struct net_session *session, struct net_connect *connect)
{
    struct net_joining *joining = session->joining;
    if (!joining)
        return;
    unlink_joining(joining);
    joining->asking = true;
    connect->authorization_too_long = joining->too_long;
    if (joining->has_authorization)
        connect->authorization =
            (struct base_slice){joining->authorization, joining->authorization_len};
}

void net_joining_asked(struct net_session *session)
{
    struct net_joining *joining = session->joining;
    if (!joining)
        return;
    joining->asking = false;
    if (joining->joined)
        net_joining_end(session);
    else
        net_joining_again(session);
}

void net_joining_again(struct net_session *session)
{
    struct net_joining *joining = session->joining;
    if (joining && !joining->asking && !session->sockets && !session->dead && !session->doomed &&
        base_list_empty(&joining->link))
        link_joining(joining);
}

void net_joining_end(struct net_session *session)
{
    struct net_joining *joining = session->joining;
    if (!joining)
        return;
    unlink_joining(joining);
    joining->joined = true;
    if (joining->asking && !session->dead)
        return;
    session->joining = NULL;
    base_free(joining);
}

uint64_t net_joining_due_us(const struct net_joining *joining)
{
    return joining && joining->due_us && !joining->joined ? joining->due_us : UINT64_MAX;
}
