/* SPDX-License-Identifier: ISC
 *
 * A session without a connection: what it would write is taken from its queue by hand.
 */
#include "net/session/queue.h"
#include "net/session/lag.h"
#include "net/session/transport.h"

#include "base/mem.h"
#include "lib/cuts.h"
#include "lib/test.h"

#define LIMIT 1000000

static struct {
    uintptr_t slots[1];
    struct net_worker worker;
    struct net_sessions sessions;
    struct net_sessions_shared shared;
    struct net_endpoint endpoint;
    struct net_session session;
    struct net_log *log;
    struct net_view *view;
    struct base_buf expected; /* everything to be sent, in order */
    size_t sent;
} t;

static const struct net_engine engine = {0};

static void begin(size_t limit)
{
    memset(&t, 0, sizeof t);
    t.worker.sessions = &t.sessions;
    t.sessions.shared = &t.shared;
    t.sessions.slots = t.slots;
    t.sessions.slot_cap = 1;
    t.worker.deadline_owners = 1;
    t.endpoint.max_queue_bytes = (uint32_t)limit;
    t.endpoint.engine = &engine;
    t.session.worker = &t.worker;
    t.session.endpoint = &t.endpoint;
    t.session.transport = &net_websocket_transport;
    CHECK_INT(net_log_new(1, &t.log), 0);
    t.view = net_log_attach(t.log, 0);
    CHECK(t.view != NULL);
}

static void end(void)
{
    net_queue_clear(&t.session);
    net_log_detach(t.log, t.view);
    net_view_free(t.view);
    net_log_free(t.log);
    base_buf_fini(&t.expected);
}

static void expect(enum net_ws_opcode opcode, const char *bytes, size_t len)
{
    char header[NET_WS_HEADER_MAX];
    base_buf_add(&t.expected, header, net_ws_header(header, opcode, len));
    base_buf_add(&t.expected, bytes, len);
}

static void own(const char *text)
{
    net_session_add(&t.session, NET_WS_TEXT, text, strlen(text));
    expect(NET_WS_TEXT, text, strlen(text));
}

static void broadcast(const char *text)
{
    size_t len = strlen(text);
    struct net_log_news news;
    char *to = net_log_reserve(t.log, len);
    CHECK(to != NULL);
    memcpy(to, text, len);
    net_log_commit(t.log, len);
    net_log_news(t.log, t.view, &news);
    net_view_advance(t.view, &news);
    net_log_posted(t.log);
    if (t.session.cursor.view)
        expect(NET_WS_TEXT, text, len);
}

/* Writes as a socket that takes `room` bytes does. The pieces must be what is expected next. */
static void write_out(size_t room)
{
    struct iovec pieces[NET_IOVECS];
    int count = net_queue_peek(&t.session, pieces);
    size_t taken = 0;
    CHECK(count > 0 || net_queue_empty(&t.session));
    for (int i = 0; i < count && room > 0; i++) {
        size_t len = pieces[i].iov_len < room ? pieces[i].iov_len : room;
        CHECK(pieces[i].iov_len > 0);
        CHECK(t.sent + len <= t.expected.len &&
              memcmp(pieces[i].iov_base, t.expected.data + t.sent, len) == 0);
        t.sent += len;
        taken += len;
        room -= len;
    }
    net_queue_sent(&t.session, taken);
}

static void drain(void)
{
    while (!net_queue_empty(&t.session) && !test_failed_here)
        write_out(SIZE_MAX);
    CHECK_INT(t.sent, t.expected.len);
    CHECK_INT(net_queue_bytes(&t.session), 0);
    CHECK(!net_queue_midway(&t.session));
}

static void keeps_the_order_of_both_sources(void)
{
    for (size_t room = 1; room < 30; room++) {
        begin(LIMIT);
        own("before");
        net_cursor_attach(&t.session.cursor, t.view);
        broadcast("one");
        own("two");
        own("three");
        broadcast("four");
        broadcast("five");
        own("");
        CHECK_INT(net_queue_bytes(&t.session), t.expected.len);
        for (int i = 0; i < 3; i++)
            write_out(room);
        CHECK_INT(net_queue_bytes(&t.session), t.expected.len - t.sent);
        broadcast("six");
        own("seven");
        drain();
        end();
    }
}

static void tells_when_a_frame_is_cut(void)
{
    begin(LIMIT);
    net_cursor_attach(&t.session.cursor, t.view);
    CHECK(net_queue_empty(&t.session) && !net_queue_midway(&t.session));
    own("a");
    broadcast("b");
    static const bool midway[] = {false, true, true, false, true, true, false};
    for (size_t i = 0; i < 7; i++) {
        CHECK(net_queue_midway(&t.session) == midway[i]);
        write_out(1);
    }
    drain();
    end();
}

/* More pieces than fit a write, and slabs that are left behind. */
static void sends_any_mixture(void)
{
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    static char text[6000];
    memset(text, 'x', sizeof text - 1);
    begin(SIZE_MAX);
    t.endpoint.max_queue_bytes = UINT32_MAX;
    net_cursor_attach(&t.session.cursor, t.view);
    for (int i = 0; i < 3000 && !test_failed_here; i++) {
        uint64_t what = cuts_random(&random);
        const char *some = text + sizeof text - 1 - (what >> 8) % (what & 16 ? 20 : 5900);
        switch (what % 3) {
        case 0: own(some); break;
        case 1: broadcast(some); break;
        default: write_out((size_t)(what >> 8) % 9000); break;
        }
        CHECK_INT(net_queue_bytes(&t.session), t.expected.len - t.sent);
    }
    drain();
    end();
}

/* Leaving the log drops what it had, but not the rest of a frame that is on its way. */
static void finishes_a_frame_of_a_log_it_leaves(void)
{
    static const char frames[] = "\x81\x05"
                                 "first\x81\x06"
                                 "second";
    for (size_t cut = 0; cut <= sizeof frames - 1; cut++) {
        begin(LIMIT);
        net_cursor_attach(&t.session.cursor, t.view);
        broadcast("first");
        broadcast("second");
        write_out(cut);
        t.expected.len = cut == 0 ? 0 : cut <= 7 ? 7 : 15;
        net_session_unfollow(&t.session);
        net_session_unfollow(&t.session);
        CHECK(net_queue_midway(&t.session) == (cut != 0 && cut != 7 && cut != 15));
        broadcast("not for us");
        own("own");
        drain();
        end();
    }
}

static void keeps_own_frames_when_it_leaves(void)
{
    begin(LIMIT);
    net_cursor_attach(&t.session.cursor, t.view);
    own("a");
    broadcast("cut");
    own("b");
    write_out(3 + 2);
    broadcast("dropped");
    t.expected.len -= 9;
    net_session_unfollow(&t.session);
    own("c");
    drain();
    end();
}

/* Positions of the old log mean nothing in the next one. */
static void follows_another_log(void)
{
    begin(LIMIT);
    struct net_log *old = t.log;
    struct net_view *old_view = t.view;
    net_cursor_attach(&t.session.cursor, t.view);
    broadcast("sent");
    write_out(SIZE_MAX);
    own("own");
    net_session_unfollow(&t.session);
    CHECK_INT(net_log_new(1, &t.log), 0);
    t.view = net_log_attach(t.log, 0);
    net_cursor_attach(&t.session.cursor, t.view);
    broadcast("of the other");
    drain();
    net_log_detach(old, old_view);
    net_view_free(old_view);
    net_log_free(old);
    end();
}

/* A single frame of any size goes, as long as nothing waits before it. */
static void closes_a_session_past_the_bound(void)
{
    begin(100);
    static char text[200];
    memset(text, 'x', sizeof text - 1);
    own(text);
    CHECK(!t.session.dead);
    drain();
    own("small");
    net_session_add(&t.session, NET_WS_TEXT, text, 90);
    CHECK(!t.session.dead);
    net_session_add(&t.session, NET_WS_TEXT, text, 10);
    CHECK(t.session.doomed && !t.session.dead);
    CHECK(net_queue_bytes(&t.session) > 90); /* for the handler to ask */
    CHECK(!net_session_settle(&t.session) && t.session.dead);
    CHECK_INT(t.sessions.closed[NET_REASON_SLOW], 1);
    CHECK(net_queue_empty(&t.session));
    net_session_add(&t.session, NET_WS_TEXT, text, 10);
    CHECK(net_queue_empty(&t.session));
    end();
}

static void closes_a_session_without_memory(void)
{
    begin(LIMIT);
    base_mem_fail(1, 1);
    net_session_add(&t.session, NET_WS_TEXT, "a", 1);
    base_mem_fail(0, 0);
    CHECK(!net_session_settle(&t.session) && net_queue_empty(&t.session));
    CHECK_INT(t.sessions.closed[NET_REASON_NOMEM], 1);
    end();
    begin(LIMIT);
    net_cursor_attach(&t.session.cursor, t.view);
    broadcast("cut");
    write_out(1);
    base_mem_fail(1, 1);
    net_session_unfollow(&t.session);
    base_mem_fail(0, 0);
    CHECK(!t.session.cursor.view && !net_session_settle(&t.session));
    end();
}

int main(void)
{
    RUN(keeps_the_order_of_both_sources);
    RUN(tells_when_a_frame_is_cut);
    RUN(sends_any_mixture);
    RUN(finishes_a_frame_of_a_log_it_leaves);
    RUN(keeps_own_frames_when_it_leaves);
    RUN(follows_another_log);
    RUN(closes_a_session_past_the_bound);
    RUN(closes_a_session_without_memory);
    return test_end();
}
