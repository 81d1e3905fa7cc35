/* SPDX-License-Identifier: ISC
 *
 * Sessions of Socket.IO that have not joined a namespace yet, whose clients nobody knows. They are
 * kept in a list of their worker, the oldest first, and when there is one too many on all workers
 * together the oldest goes of the worker that has most: whoever holds on to many makes room for
 * those who join at once. Nobody goes before the bound is reached, however connections are spread.
 * One whose CONNECT waits for the application's answer is not in the list, since the application
 * knows more of it; one whose CONNECT was refused keeps its place.
 */
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

struct net_joining {
    struct net_session *session;
    struct base_list link; /* of worker->joining; of nothing while a CONNECT waits for its answer */
    uint64_t due_us;       /* 0: any time */
    bool asking;           /* the application looks at the header just now */
    bool joined;           /* ... and has let the client in */
    bool too_long;         /* the header was, and has not been kept */
    bool has_authorization;
    size_t authorization_len;
    char authorization[];
};

static void unlink_joining(struct net_joining *joining)
{
    struct net_worker *worker = joining->session->worker;
    if (base_list_empty(&joining->link))
        return;
    base_list_remove(&joining->link);
    atomic_fetch_sub_explicit(&worker->joining_count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&worker->server->joining, 1, memory_order_relaxed);
}

static void refuse(struct net_session *session)
{
    struct net_worker *worker = session->worker;
    const struct net_conn *conn = net_session_conn(session);
    char text[NET_ADDRESS_MAX];
    struct net_refused refused = {.refusal = NET_REFUSED_JOINING,
                                  .limit = worker->server->options.max_joining};
    if (session->peer)
        refused.address = (struct base_slice){session->peer, strlen(session->peer)};
    else if (conn)
        refused.address = net_listen_host(conn->fd, text);
    net_worker_refused(worker, &refused);
    net_session_doom(session, NET_REASON_LIMIT);
}

/* Whether there is one too many, which counts as gone from then on: no two workers end one for it.
 */
static bool claim_surplus(struct net_server *server)
{
    size_t max = server->options.max_joining;
    size_t count = atomic_load_explicit(&server->joining, memory_order_relaxed);
    while (max && count > max)
        if (atomic_compare_exchange_weak_explicit(&server->joining, &count, count - 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

/* Of one that `claim_surplus` has counted as gone. */
static void end_oldest(struct net_worker *worker)
{
    struct net_joining *oldest = base_container(worker->joining.next, struct net_joining, link);
    base_list_remove(&oldest->link);
    atomic_fetch_sub_explicit(&worker->joining_count, 1, memory_order_relaxed);
    refuse(oldest->session);
}

/* On the worker that had most when it was asked. */
static void make_room(void *arg)
{
    struct net_worker *worker = arg;
    atomic_store_explicit(&worker->asked_for_room, false, memory_order_relaxed);
    while (!base_list_empty(&worker->joining) && claim_surplus(worker->server))
        end_oldest(worker);
}

/* Where a newcomer of `own` does not count, for whom the others make room. */
static struct net_worker *fullest(struct net_worker *own)
{
    struct net_server *server = own->server;
    struct net_worker *most = own;
    size_t most_count = atomic_load_explicit(&own->joining_count, memory_order_relaxed) - 1;
    for (unsigned i = 0; i < server->options.workers; i++) {
        struct net_worker *worker = &server->workers[i];
        size_t count = atomic_load_explicit(&worker->joining_count, memory_order_relaxed);
        if (worker == own || count <= most_count)
            continue;
        most = worker;
        most_count = count;
    }
    return most;
}

/* Where memory is short for asking another worker, the next newcomer asks again. */
static void find_room(struct net_worker *worker)
{
    struct net_worker *most = fullest(worker);
    if (most == worker && claim_surplus(worker->server))
        end_oldest(worker);
    else if (most != worker &&
             !atomic_exchange_explicit(&most->asked_for_room, true, memory_order_relaxed) &&
             net_loop_post(most->loop, make_room, most) < 0)
        atomic_store_explicit(&most->asked_for_room, false, memory_order_relaxed);
}

static void link_joining(struct net_joining *joining)
{
    struct net_worker *worker = joining->session->worker;
    struct net_server *server = worker->server;
    size_t max = server->options.max_joining;
    base_list_append(&worker->joining, &joining->link);
    atomic_fetch_add_explicit(&worker->joining_count, 1, memory_order_relaxed);
    size_t count = atomic_fetch_add_explicit(&server->joining, 1, memory_order_relaxed) + 1;
    if (max && count > max)
        find_room(worker);
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
    else if (session->sockets)
        unlink_joining(joining);
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
