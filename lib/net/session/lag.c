/* SPDX-License-Identifier: ISC
 *
 * The age of what waits for a slow session is told by a mark: how many bytes waited at some time.
 * When they have gone, the mark is set again; when they have not for too long, the session is too
 * slow, and the caller ends it.
 */
#include "net/session/lag.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/session/queue.h"

enum net_lag_verdict net_lag_note(struct net_session *session)
{
    uint64_t now = base_clock_mono_us();
    if (session->lag)
        return net_lag_due_us(session) <= now ? NET_LAG_TOO_OLD : NET_LAG_GOES_ON;
    session->lag = base_malloc(sizeof *session->lag);
    if (!session->lag)
        return NET_LAG_GOES_ON; /* its bytes are bounded all the same */
    *session->lag = (struct net_queue_lag){now, now, net_queue_bytes(session)};
    return NET_LAG_BEGINS;
}

bool net_lag_sent(struct net_session *session, size_t len)
{
    struct net_queue_lag *lag = session->lag;
    lag->left -= len < lag->left ? len : lag->left;
    if (lag->left > 0)
        return false;
    lag->mark_us = base_clock_mono_us();
    lag->left = net_queue_bytes(session);
    return true;
}

void net_lag_clear(struct net_session *session)
{
    base_free_clear(&session->lag);
}

uint64_t net_lag_due_us(const struct net_session *session)
{
    uint32_t max_ms = session->endpoint->max_queue_age_ms;
    return session->lag && max_ms ? session->lag->mark_us + max_ms * NET_MS : UINT64_MAX;
}
