/* SPDX-License-Identifier: ISC
 *
 * The end of a worker. Sessions that have nothing left to send end at once, the others when time is
 * up. Worker 0 waits for the others, which tell it of their end, and serves its site until then.
 */
#include "net/server/internal.h"

#include "base/clock.h"

bool net_drain_has_conns(const struct net_worker *worker)
{
    BASE_LIST_FOREACH (link, &worker->conns)
        if (!base_container(link, struct net_conn, link)->of_site)
            return true;
    return false;
}

static void close_conns(struct net_worker *worker, bool also_busy)
{
    BASE_LIST_FOREACH_SAFE (link, &worker->conns) {
        struct net_conn *conn = base_container(link, struct net_conn, link);
        if (also_busy || (net_conn_idle(conn) && !conn->of_site))
            net_conn_kill(conn, false);
    }
}

bool net_drain(struct net_turn *turn)
{
    struct net_worker *worker = &turn->worker;
    struct net_server *server = turn->server;
    bool time_is_up = base_clock_mono_us() >= turn->drain_until_us;
    net_session_close_all(&turn->sessions, time_is_up);
    close_conns(worker, time_is_up);
    if (net_drain_has_conns(worker))
        return false;
    net_session_close_all(&turn->sessions, true); /* those that poll have no way to come any more */
    if (worker->index == 0 && server->workers_left > 1)
        return false;
    if (worker->index == 0)
        net_listen_close(&server->site_listener);
    close_conns(worker, true);
    return true;
}
