/* SPDX-License-Identifier: ISC
 *
 * What session ids say to whom, among servers of which each has a number.
 */
#include "net/server/internal.h"
#include "net/session/transport.h"

#include "lib/test.h"

#include <sys/socket.h>
#include <unistd.h>

#define SESSIONS 64

static const struct net_relay relay = {.id_seed = {1, 2}}, other_relay = {.id_seed = {1, 3}};

static struct {
    struct net_server server;
    struct net_turn turn;
    struct net_shared other_shared; /* of another seed */
    struct net_worker other;
    struct net_endpoint endpoint;
    struct net_conn conn;
    struct net_http1 *http;
    struct net_session *sessions[SESSIONS];
    int peer;
} t;

static void begin(uint16_t id)
{
    static const char request[] = "GET /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\n";
    int ends[2];
    size_t used;
    memset(&t, 0, sizeof t);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    t.peer = ends[1];
    t.server.shared.options.relay = &relay;
    t.other_shared.options.relay = &other_relay;
    t.other.shared = &t.other_shared;
    net_server_set_id(&t.server, id);
    t.turn.server = &t.server;
    t.turn.worker.shared = &t.server.shared;
    t.turn.worker.sessions = &t.turn.sessions;
    t.turn.worker.turn = &t.turn;
    t.turn.worker.index = 3;
    t.turn.sessions.worker = &t.turn.worker;
    t.turn.sessions.shared = &t.server.sessions;
    base_list_init(&t.turn.sessions.joining);
    t.conn.worker = &t.turn.worker;
    t.conn.fd = ends[0];
    t.endpoint = net_endpoint_defaults;
    t.endpoint.engine = &net_socket_engine;
    t.conn.http.endpoint = &t.endpoint;
    t.http = net_http1_new();
    CHECK_INT(net_http1_feed(t.http, 0, request, sizeof request - 1, &used), NET_HTTP1_HEAD);
    for (int i = 0; i < SESSIONS; i++)
        CHECK_INT(net_session_open(&t.conn, t.http, &net_polling_transport, &t.sessions[i]), 0);
}

static void end(void)
{
    for (int i = 0; i < SESSIONS; i++) {
        net_session_close(t.sessions[i], NET_REASON_SERVER);
        net_session_free(t.sessions[i]);
    }
    t.turn.sessions.dead = NULL;
    net_turn_fini(&t.turn);
    net_http1_free(t.http);
    close(t.conn.fd);
    close(t.peer);
}

static struct base_slice sid_of(int session)
{
    return (struct base_slice){t.sessions[session]->sid, NET_SID_LEN};
}

static uint16_t server_in(const struct net_worker *worker, struct base_slice sid)
{
    uint16_t id = 0;
    CHECK(net_session_server(worker, sid, &id));
    return id;
}

/* The characters in which the two bytes are: 72 bits are twelve characters. */
static int look_alike(int session)
{
    return memcmp(sid_of(session).data + 12, sid_of(0).data + 12, 2) == 0;
}

static void names_its_server_and_worker_and_is_found(void)
{
    begin(0xbeef);
    for (int i = 0; i < SESSIONS; i++) {
        unsigned worker = 0;
        CHECK_INT(server_in(&t.turn.worker, sid_of(i)), 0xbeef);
        CHECK(net_session_worker(sid_of(i), &worker));
        CHECK_INT(worker, 3);
        CHECK(net_session_find(&t.turn.worker, sid_of(i)) == t.sessions[i]);
    }
    end();
}

static void is_not_found_after_any_change(void)
{
    begin(7);
    for (size_t at = 0; at < NET_SID_LEN; at++) {
        char sid[NET_SID_LEN];
        memcpy(sid, sid_of(5).data, sizeof sid);
        sid[at] = sid[at] == 'A' ? 'B' : 'A';
        CHECK(!net_session_find(&t.turn.worker, (struct base_slice){sid, sizeof sid}));
    }
    end();
}

static void hides_the_number_from_who_does_not_have_the_seed(void)
{
    int alike = 0, guessed = 0;
    begin(1);
    for (int i = 1; i < SESSIONS; i++) {
        alike += look_alike(i);
        guessed += server_in(&t.other, sid_of(i)) == 1;
    }
    CHECK(alike < 8);
    CHECK(guessed < 8);
    end();
}

static void is_random_all_over_without_a_number(void)
{
    int same = 0;
    begin(0);
    for (int i = 1; i < SESSIONS; i++) {
        same += server_in(&t.turn.worker, sid_of(i)) == server_in(&t.turn.worker, sid_of(0));
        CHECK(net_session_find(&t.turn.worker, sid_of(i)) == t.sessions[i]);
    }
    CHECK(same < 8);
    end();
}

static void is_no_id_when_malformed(void)
{
    static const char *const bad[] = {"", "AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA",
                                      "AAAAAAAAAAAAAAAAAAA=", "AAAAAAAAA AAAAAAAAAA"};
    uint16_t id;
    begin(9);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(
            !net_session_server(&t.turn.worker, (struct base_slice){bad[i], strlen(bad[i])}, &id));
    end();
}

int main(void)
{
    RUN(names_its_server_and_worker_and_is_found);
    RUN(is_not_found_after_any_change);
    RUN(hides_the_number_from_who_does_not_have_the_seed);
    RUN(is_random_all_over_without_a_number);
    RUN(is_no_id_when_malformed);
    return test_end();
}
