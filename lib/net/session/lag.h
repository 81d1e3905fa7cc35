/* SPDX-License-Identifier: ISC
 *
 * lag: since when a session is behind, and whether that is too long. Threads: the session's worker.
 */
#ifndef NET_SESSION_LAG_H
#define NET_SESSION_LAG_H

#include "net/session/session.h"

/* Of a session that cannot be sent to just now. */
struct net_queue_lag {
    uint64_t since_us;
    uint64_t mark_us; /* when `left` was all that waited */
    uint64_t left;
};

enum net_lag_verdict {
    NET_LAG_BEGINS, /* from now on net_lag_due_us tells */
    NET_LAG_GOES_ON,
    NET_LAG_TOO_OLD,
};

/* Something waits. Without memory its age is not known, only its size. */
enum net_lag_verdict net_lag_note(struct net_session *session);
/* Some of it has gone. True when net_lag_due_us has changed. */
bool net_lag_sent(struct net_session *session, size_t len);
void net_lag_clear(struct net_session *session);
/* When what waits will be too old; UINT64_MAX: never. */
uint64_t net_lag_due_us(const struct net_session *session);

#endif
