/* SPDX-License-Identifier: ISC
 *
 * Sessions of Socket.IO that have not joined a namespace yet, whose clients nobody knows. They are
 * kept in a list of their worker, the oldest first, and when there is one too many on all workers
 * together the oldest goes of the worker that has most: whoever holds on to many makes room for
 * those who join at once. Nobody goes before the bound is reached, however connections are spread.
 * One whose CONNECT waits for the application's answer is not in the list, since the application
 * knows more of it; one whose CONNECT was refused keeps its place.
 */
#include "net/session/joining.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/io/address.h"
#include "net/io/refusal.h"

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
    struct net_sessions *sessions = joining->session->worker->sessions;
    if (base_list_empty(&joining->link))
        return;
    base_list_remove(&joining->link);
    atomic_fetch_sub_explicit(&sessions->joining_count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&sessions->shared->joining, 1, memory_order_relaxed);
}

static size_t max_joining(const struct net_sessions *sessions)
{
    return sessions->worker->shared->options.max_joining;
}

static void refuse(struct net_session *session)
{
    struct net_worker *worker = session->worker;
    const struct net_conn *conn = net_session_conn(session);
    char text[NET_ADDRESS_MAX];
    struct net_refused refused = {.refusal = NET_REFUSED_JOINING,
                                  .limit = max_joining(worker->sessions)};
    if (session->peer)
        refused.address = (struct base_slice){session->peer, strlen(session->peer)};
    else if (conn)
        refused.address = net_address_host(conn->fd, text);
    net_refusal_count(worker, &refused);
    net_session_doom(session, NET_REASON_LIMIT);
}

/* Whether there is one too many, which counts as gone from then on: no two workers end one for it.
 */
static bool claim_surplus(struct net_sessions *sessions)
{
    atomic_size_t *joining = &sessions->shared->joining;
    size_t max = max_joining(sessions);
    size_t count = atomic_load_explicit(joining, memory_order_relaxed);
    while (max && count > max)
        if (atomic_compare_exchange_weak_explicit(joining, &count, count - 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* Of one that `claim_surplus` has counted as gone. */
static void end_oldest(struct net_sessions *sessions)
{
    struct net_joining *oldest = base_container(sessions->joining.next, struct net_joining, link);
    base_list_remove(&oldest->link);
    atomic_fetch_sub_explicit(&sessions->joining_count, 1, memory_order_relaxed);
    refuse(oldest->session);
}

/* On the worker that had most when it was asked. */
static void make_room(void *arg)
{
    struct net_sessions *sessions = arg;
    atomic_store_explicit(&sessions->asked_for_room, false, memory_order_relaxed);
    while (!base_list_empty(&sessions->joining) && claim_surplus(sessions))
        end_oldest(sessions);
}

/* Where a newcomer of `own` does not count, for whom the others make room. */
static struct net_sessions *fullest(struct net_sessions *own)
{
    const struct net_shared *shared = own->worker->shared;
    struct net_sessions *most = own;
    size_t most_count = atomic_load_explicit(&own->joining_count, memory_order_relaxed) - 1;
    for (unsigned i = 0; i < shared->options.workers; i++) {
        struct net_sessions *sessions = shared->workers[i]->sessions;
        size_t count = atomic_load_explicit(&sessions->joining_count, memory_order_relaxed);
        if (sessions == own || count <= most_count)
            continue;
        most = sessions;
        most_count = count;
    }
    return most;
}

/* Where memory is short for asking another worker, the next newcomer asks again. */
static void find_room(struct net_sessions *sessions)
{
    struct net_sessions *most = fullest(sessions);
    if (most == sessions && claim_surplus(sessions))
        end_oldest(sessions);
    else if (most != sessions &&
             !atomic_exchange_explicit(&most->asked_for_room, true, memory_order_relaxed) &&
             net_loop_post(most->worker->loop, make_room, most) < 0)
        atomic_store_explicit(&most->asked_for_room, false, memory_order_relaxed);
}

static void link_joining(struct net_joining *joining)
{
    struct net_sessions *sessions = joining->session->worker->sessions;
    size_t max = max_joining(sessions);
    base_list_append(&sessions->joining, &joining->link);
    atomic_fetch_add_explicit(&sessions->joining_count, 1, memory_order_relaxed);
    size_t count =
        atomic_fetch_add_explicit(&sessions->shared->joining, 1, memory_order_relaxed) + 1;
    if (max && count > max)
        find_room(sessions);
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
