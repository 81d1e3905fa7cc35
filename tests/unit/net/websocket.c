/* SPDX-License-Identifier: ISC
 *
 * What can be seen of the transport without a loop.
 */
#include "net/internal.h"

#include "lib/test.h"

/* An idle connection must not hold the block in which its last message was put together. */
static void holds_nothing_behind_the_last_event(void)
{
    static char pong[] = "\x8a\x83\0\0\0\0abc";
    struct net_endpoint endpoint = {.max_payload_bytes = 1000};
    struct net_session session = {.endpoint = &endpoint};
    struct net_conn conn = {.session = &session, .state = NET_CONN_WS};
    CHECK_INT(net_websocket_take(&conn, pong, 7), 7);
    CHECK(conn.ws.partial != NULL);
    CHECK_INT(net_websocket_take(&conn, pong + 7, 2), 2);
    CHECK(conn.ws.partial == NULL);
    net_ws_fini(&conn.ws);
}

int main(void)
{
    RUN(holds_nothing_behind_the_last_event);
    return test_end();
}
