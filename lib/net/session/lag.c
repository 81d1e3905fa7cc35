/* SPDX-License-Identifier: ISC
 *
 * The age of what waits for a slow session is told by a mark: how many bytes waited at a moment.
 * When they have gone, the mark is set anew; when they have not for too long, the session goes.
 */
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"

void net_lag_note(struct net_session *session)
{
    uint64_t now = base_clock_mono_us();
    if (!session->lag) {
        session->lag = base_malloc(sizeof *session->lag);
        if (!session->lag)
            return; /* its bytes are bounded all the same */
        *session->lag = (struct net_queue_lag){now, now, net_queue_bytes(session)};
        net_session_set_due(session);
    } else if (net_lag_due_us(session) <= now) {
        net_session_close(session, NET_REASON_SLOW);
    }
}

void net_lag_sent(struct net_session *session, size_t len)
{
    struct net_queue_lag *lag = session->lag;
    lag->left -= len < lag->left ? len : lag->left;
    if (lag->left > 0)
        return;
    lag->mark_us = base_clock_mono_us();
    lag->left = net_queue_bytes(session);
    net_session_set_due(session);
}

void net_lag_clear(struct net_session *session)
{
    base_free_clear(&session->lag);
    net_session_set_due(session);
}

uint64_t net_lag_due_us(const struct net_session *session)
{
    uint32_t max_ms = session->endpoint->max_queue_age_ms;
    return session->lag && max_ms ? session->lag->mark_us + max_ms * NET_MS : UINT64_MAX;
}

void net_socket_lag(const struct net_socket *socket, struct net_lag *lag)
{
    const struct net_session *session = socket->session;
    *lag = (struct net_lag){net_queue_bytes(session), session->lag ? session->lag->since_us : 0};
}
