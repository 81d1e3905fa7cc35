/* SPDX-License-Identifier: ISC
 *
 * A log with its compressed twin, and sessions without connections that follow the one or the
 * other: whatever form a session gets, it gets every event once and in order.
 */
#include "net/server/internal.h"
#include "net/session/queue.h"

#include "base/mem.h"
#include "lib/cuts.h"
#include "lib/test.h"

#include <uv.h>

#define LIMIT    (64u * 1024 * 1024)
#define SESSIONS 8

struct follower {
    struct net_session session;
    struct base_buf wire;     /* what has been written */
    struct base_buf expected; /* each message with its length before it */
};

static struct {
    struct net_endpoint endpoint;
    struct net_server server;
    struct net_turn turn;
    struct net_log *log;
    struct net_view *view;
    uv_loop_t loop;
    struct follower followers[SESSIONS];
} t;

static void on_turn(void *data)
{
    (void)data;
}

static void begin(bool compression)
{
    memset(&t, 0, sizeof t);
    t.endpoint.max_queue_bytes = LIMIT;
    t.endpoint.compression = compression;
    t.server.shared.options.workers = 1;
    t.server.shared.options.endpoint_count = 1;
    t.server.endpoints = &t.endpoint;
    t.server.turns = &t.turn;
    t.turn.server = &t.server;
    t.turn.worker.sessions = &t.turn.sessions;
    t.turn.worker.turn = &t.turn;
    t.turn.worker.deadline_owners = SESSIONS;
    t.server.home_thread = pthread_self();
    uv_loop_init(&t.loop);
    const struct net_loop_handlers handlers = {.on_turn = on_turn};
    CHECK_INT(net_loop_new(&t.loop, &handlers, &t.turn.worker.loop), 0);
    for (int i = 0; i < SESSIONS; i++) {
        t.followers[i].session.worker = &t.turn.worker;
        t.followers[i].session.endpoint = &t.endpoint;
    }
    CHECK_INT(net_server_log_new(&t.server, &t.log), 0);
    t.view = net_server_log_attach(&t.server, t.log, 0);
    CHECK(t.view && !t.view->twin == !compression);
}

static void end(void)
{
    for (int i = 0; i < SESSIONS; i++) {
        net_queue_clear(&t.followers[i].session);
        base_buf_fini(&t.followers[i].wire);
        base_buf_fini(&t.followers[i].expected);
    }
    net_server_log_detach(&t.server, t.view);
    net_server_log_free(&t.server, t.log);
    net_deflate_free(t.turn.worker.deflate);
    net_loop_close(t.turn.worker.loop, NULL, NULL); /* runs what detaching has posted */
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&t.loop), 0);
    net_loop_free(t.turn.worker.loop);
    CHECK(!t.turn.sessions.dirty_views && !t.server.dirty_logs);
}

static void expect(struct follower *follower, const char *bytes, size_t len)
{
    base_buf_add(&follower->expected, &len, sizeof len);
    base_buf_add(&follower->expected, bytes, len);
}

static int broadcast(const char *json, size_t len)
{
    struct base_slice name = {"\"x\"", 3}, arguments = {json, len};
    int failed = net_server_log_event(&t.server, t.log, name, arguments);
    struct base_buf packet = BASE_BUF_INIT;
    base_buf_add_text(&packet, len ? "42[\"x\"," : "42[\"x\"");
    base_buf_add(&packet, json, len);
    base_buf_add_text(&packet, "]");
    for (int i = 0; !failed && i < SESSIONS; i++)
        if (t.followers[i].session.cursor.view)
            expect(&t.followers[i], packet.data, packet.len);
    base_buf_fini(&packet);
    return failed;
}

static void own(struct follower *follower, const char *text, size_t len)
{
    net_session_add(&follower->session, NET_WS_TEXT, text, len);
    expect(follower, text, len);
}

/* As a WebSocket's flush, with a socket that takes `room` bytes. */
static void write_out(struct follower *follower, size_t room)
{
    struct iovec pieces[NET_IOVECS];
    int count;
    while (room > 0 && (count = net_queue_peek(&follower->session, pieces)) > 0) {
        size_t taken = 0;
        for (int i = 0; i < count && room > 0; i++) {
            size_t len = pieces[i].iov_len < room ? pieces[i].iov_len : room;
            base_buf_add(&follower->wire, pieces[i].iov_base, len);
            taken += len;
            room -= len;
        }
        net_queue_sent(&follower->session, taken);
    }
    if (room > 0 && follower->session.deflates)
        net_queue_catch_up(&follower->session);
}

/* Reads the wire as a client does and compares; how many messages were compressed. */
static size_t check_wire(struct follower *follower)
{
    struct net_deflate *state = net_deflate_new();
    size_t compressed = 0, at = 0;
    for (size_t want = 0; want < follower->expected.len && !test_failed_here;) {
        size_t len, payload_len, header_len;
        memcpy(&len, follower->expected.data + want, sizeof len);
        want += sizeof len;
        CHECK(at < follower->wire.len);
        if (at >= follower->wire.len)
            break;
        const char *frame = follower->wire.data + at;
        header_len = net_ws_header_read(frame, &payload_len);
        struct base_slice message = {frame + header_len, payload_len};
        at += header_len + payload_len;
        CHECK(at <= follower->wire.len);
        if (frame[0] & NET_WS_COMPRESSED) {
            compressed++;
            CHECK_INT(net_deflate_expand(state, message, LIMIT, &message), 0);
        }
        CHECK_INT(message.len, len);
        CHECK(message.len == len && memcmp(message.data, follower->expected.data + want, len) == 0);
        want += len;
    }
    CHECK_INT(at, follower->wire.len);
    net_deflate_free(state);
    return compressed;
}

static struct follower *drain(int i)
{
    write_out(&t.followers[i], SIZE_MAX);
    return &t.followers[i];
}

static const char *text_of(size_t len)
{
    static char text[20000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "0123456789abcdefghijklmnopqrstuvw"[i * i % 31];
    return text + sizeof text - len;
}

static void gives_each_session_its_form(void)
{
    begin(true);
    t.followers[1].session.deflates = true;
    net_queue_follow(&t.followers[0].session, t.view);
    CHECK_INT(broadcast(text_of(5000), 5000), 0);
    CHECK(!t.turn.worker.deflate); /* nobody wants it */
    net_queue_follow(&t.followers[1].session, t.view);
    CHECK_INT(broadcast(text_of(5000), 5000), 0);
    CHECK_INT(broadcast("small", 5), 0);
    own(&t.followers[0], text_of(3000), 3000);
    own(&t.followers[1], text_of(3000), 3000);
    own(&t.followers[1], "2", 1);
    CHECK_INT(broadcast("{}", 2), 0);
    CHECK_INT(check_wire(drain(0)), 0);
    CHECK_INT(check_wire(drain(1)), 2);
    CHECK(t.followers[1].wire.len < t.followers[0].wire.len / 2);
    net_session_unfollow(&t.followers[1].session);
    CHECK(!net_log_is_followed(t.log->twin));
    end();
}

static void has_no_twin_without_compression(void)
{
    begin(false);
    t.followers[0].session.deflates = true; /* even then */
    net_queue_follow(&t.followers[0].session, t.view);
    CHECK_INT(broadcast(text_of(5000), 5000), 0);
    CHECK(!t.log->twin);
    CHECK_INT(check_wire(drain(0)), 0);
    end();
}

/* A session that has polled and comes to a compressed WebSocket with something still to send, at
 * every point of it. */
static void changes_form_where_everything_is_sent(void)
{
    for (size_t cut = 0; cut < 630; cut += 1 + cut / 50) {
        begin(true);
        struct follower *one = &t.followers[0];
        net_queue_follow(&one->session, t.view);
        CHECK_INT(broadcast(text_of(300), 300), 0);
        own(one, "own", 3);
        CHECK_INT(broadcast(text_of(300), 300), 0);
        one->session.deflates = true;
        write_out(one, cut);
        CHECK_INT(broadcast(text_of(400), 400), 0);
        own(one, "behind", 6);
        drain(0);
        CHECK(one->session.cursor.view == t.view->twin);
        CHECK_INT(broadcast(text_of(500), 500), 0);
        own(one, text_of(2000), 2000);
        CHECK_INT(broadcast(text_of(600), 600), 0);
        CHECK_INT(check_wire(drain(0)), 3);
        end();
    }
}

static void keeps_own_frames_in_place(void)
{
    begin(true);
    struct follower *one = &t.followers[0];
    net_queue_follow(&one->session, t.view);
    CHECK_INT(broadcast("1", 1), 0);
    write_out(one, SIZE_MAX);
    own(one, "2", 1);
    one->session.deflates = true;
    net_queue_catch_up(&one->session); /* with something of its own to send */
    CHECK(one->session.cursor.view == t.view->twin);
    CHECK_INT(broadcast("3", 1), 0);
    own(one, "4", 1);
    CHECK_INT(check_wire(drain(0)), 0);
    end();
}

static void step(struct cuts *random)
{
    struct follower *one = &t.followers[cuts_random(random) % SESSIONS];
    uint64_t what = cuts_random(random);
    size_t len = (size_t)(what >> 8) % (what & 64 ? 300 : 9000);
    switch (what % 8) {
    case 0:
    case 1:
    case 2: CHECK_INT(broadcast(text_of(len), len), 0); break;
    case 3: own(one, text_of(len), len); break;
    case 4:
        if (!one->session.cursor.view)
            net_queue_follow(&one->session, t.view);
        break;
    case 5: one->session.deflates |= (what & 128) != 0; break;
    default: write_out(one, len); break;
    }
}

static void sends_any_mixture(void)
{
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    for (int run = 0; run < 8 && !test_failed_here; run++) {
        begin(true);
        for (int i = 0; i < 600 && !test_failed_here; i++)
            step(&random);
        for (int i = 0; i < SESSIONS; i++)
            check_wire(drain(i));
        end();
    }
}

/* An event is in both forms or in neither, and one that cannot be compressed goes as it is. */
static void survives_every_failing_allocation(void)
{
    bool failed = true;
    for (long n = 1; failed; n++) {
        begin(true);
        t.followers[1].session.deflates = true;
        net_queue_follow(&t.followers[0].session, t.view);
        net_queue_follow(&t.followers[1].session, t.view);
        base_mem_fail(n, 1);
        for (int i = 0; i < 4; i++) {
            int added = net_server_log_event(&t.server, t.log, (struct base_slice){"\"x\"", 3},
                                             (struct base_slice){text_of(3000), 3000});
            CHECK(added == 0 || added == BASE_ERR_NOMEM);
        }
        failed = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        size_t events[2] = {0, 0};
        for (int i = 0; i < 2; i++) {
            struct base_buf *wire = &drain(i)->wire;
            size_t payload_len;
            for (size_t at = 0; at < wire->len; at += payload_len, events[i]++)
                at += net_ws_header_read(wire->data + at, &payload_len);
        }
        CHECK_INT(events[0], events[1]);
        CHECK(events[0] >= 3 && (failed || events[0] == 4));
        end();
    }
}

static void makes_logs_whole_or_not_at_all(void)
{
    begin(true);
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct net_log *log = NULL;
        struct net_view *view = NULL;
        base_mem_fail(n, 1);
        int made = net_server_log_new(&t.server, &log);
        if (made == 0)
            view = net_server_log_attach(&t.server, log, 0);
        failed = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        CHECK(made == 0 || made == BASE_ERR_NOMEM);
        CHECK(made < 0 ? !log : log->twin != NULL);
        CHECK(!view || view->twin);
        CHECK((view == NULL) == failed);
        if (view)
            net_server_log_detach(&t.server, view);
        if (log)
            net_server_log_free(&t.server, log);
    }
    end();
}

int main(void)
{
    RUN(gives_each_session_its_form);
    RUN(has_no_twin_without_compression);
    RUN(changes_form_where_everything_is_sent);
    RUN(keeps_own_frames_in_place);
    RUN(sends_any_mixture);
    RUN(survives_every_failing_allocation);
    RUN(makes_logs_whole_or_not_at_all);
    return test_end();
}
