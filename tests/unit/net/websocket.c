/* SPDX-License-Identifier: ISC
 *
 * What can be seen of the transport without a loop: a connection whose other end is the test.
 */
#include "net/server/internal.h"
#include "net/session/queue.h"
#include "net/session/transport.h"

#include "base/mem.h"
#include "lib/cuts.h"
#include "lib/test.h"
#include "lib/trace.h"

#include <sys/socket.h>
#include <unistd.h>

#define MAX 1000

static struct {
    uintptr_t slots[1];
    struct net_shared shared;
    struct net_sessions_shared sessions_shared;
    struct net_worker worker;
    struct net_sessions sessions;
    struct net_endpoint endpoint;
    struct net_session session;
    struct net_conn conn;
    struct trace trace;
    int peer;
} t;

static void on_message(void *data, struct net_session *session, bool binary,
                       struct base_slice message)
{
    (void)data;
    (void)session;
    fputs(binary ? "binary" : "text", t.trace.out);
    trace_bytes(&t.trace, message.data, message.len);
    fputc('\n', t.trace.out);
}

static const struct net_engine engine = {.on_message = on_message};

static void begin(void)
{
    int ends[2];
    memset(&t, 0, sizeof t);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    t.peer = ends[1];
    t.shared.options.request_timeout_ms = 30000;
    t.worker.shared = &t.shared;
    t.worker.sessions = &t.sessions;
    t.sessions.shared = &t.sessions_shared;
    t.worker.roles = net_roles;
    t.sessions.slots = t.slots;
    t.sessions.slot_cap = 1;
    t.worker.deadline_owners = 2;
    CHECK_INT(net_deadlines_reserve(&t.worker.deadlines, 2), 0);
    t.endpoint.max_payload_bytes = MAX;
    t.endpoint.max_queue_bytes = 100000;
    t.endpoint.engine = &engine;
    t.session.worker = t.conn.worker = &t.worker;
    t.session.endpoint = &t.endpoint;
    t.session.transport = &net_websocket_transport;
    t.session.conn = &t.conn;
    t.session.deflates = true;
    t.conn.session = &t.session;
    t.conn.state = NET_CONN_WS;
    t.conn.fd = ends[0];
    net_ws_allow_compressed(&t.conn.ws);
    trace_begin(&t.trace);
}

/* What the application has been told, to be freed. Everything the transport held is released. */
static char *end(void)
{
    net_queue_clear(&t.session);
    net_ws_fini(&t.conn.ws);
    net_deadlines_fini(&t.worker.deadlines);
    net_deflate_free(t.worker.deflate);
    close(t.conn.fd);
    close(t.peer);
    return trace_end(&t.trace);
}

static void take(struct cuts cuts, const char *bytes, size_t len)
{
    for (size_t at = 0, piece; at < len && t.conn.state == NET_CONN_WS; at += piece) {
        piece = cuts_piece(&cuts, len - at);
        char *copy = trace_copy(bytes + at, piece);
        net_conn_take(&t.conn, copy, piece);
        free(copy);
    }
}

/* The code of the close frame that the client has got; 0: none. */
static int close_code(void)
{
    unsigned char frame[4] = {0};
    ssize_t len = recv(t.peer, frame, sizeof frame, MSG_DONTWAIT);
    return len == 4 && frame[0] == (0x80 | NET_WS_CLOSE) ? frame[2] << 8 | frame[3] : 0;
}

/* Appends a masked frame with a mask of zeros. */
static void add_frame(struct base_buf *out, unsigned first, const char *payload, size_t len)
{
    char header[NET_WS_HEADER_MAX];
    size_t header_len = net_ws_header(header, NET_WS_TEXT, len);
    header[0] = (char)first;
    header[1] = (char)(header[1] | 0x80);
    base_buf_add(out, header, header_len);
    base_buf_add(out, "\0\0\0\0", 4);
    base_buf_add(out, payload, len);
}

static void gives(struct base_buf *in, const char *events, int code)
{
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        begin();
        take(cuts, in->data, in->len);
        CHECK_INT(close_code(), code);
        CHECK(t.session.dead == (code != 0));
        char *got = end();
        CHECK_STR(got, events);
        free(got);
    }
    in->len = 0;
}

/* An idle connection must not hold the block in which its last message was put together. */
static void holds_nothing_behind_the_last_event(void)
{
    static char pong[] = "\x8a\x83\0\0\0\0abc";
    begin();
    net_conn_take(&t.conn, pong, 7);
    CHECK(t.conn.ws.partial != NULL);
    net_conn_take(&t.conn, pong + 7, 2);
    CHECK(t.conn.ws.partial == NULL);
    free(end());
}

static void takes_compressed_messages(void)
{
    struct base_buf in = BASE_BUF_INIT;
    char compressed[100];
    struct net_deflate *state = net_deflate_new();
    static const char text[] = "4Hello Hello Hello Hello Hello Hello Hello";
    struct base_slice out;
    CHECK_INT(net_deflate_message(state, (struct base_slice){text, sizeof text - 1}, &out), 0);
    memcpy(compressed, out.data, out.len);
    add_frame(&in, 0xc1, compressed, out.len);
    add_frame(&in, 0x81, "4plain", 6);
    add_frame(&in, 0x41, compressed, 1);
    add_frame(&in, 0x89, "", 0);
    for (size_t i = 1; i < out.len; i++)
        add_frame(&in, 0, compressed + i, 1);
    add_frame(&in, 0x80, "", 0);
    add_frame(&in, 0xc2, compressed, out.len);
    gives(&in,
          "text \"Hello Hello Hello Hello Hello Hello Hello\"\n"
          "text \"plain\"\n"
          "text \"Hello Hello Hello Hello Hello Hello Hello\"\n"
          "binary \"4Hello Hello Hello Hello Hello Hello Hello\"\n",
          0);
    net_deflate_free(state);
    base_buf_fini(&in);
}

static void add_compressed(struct base_buf *in, unsigned first, const char *bytes, size_t len)
{
    struct net_deflate *state = net_deflate_new();
    struct base_slice out;
    CHECK_INT(net_deflate_message(state, (struct base_slice){bytes, len}, &out), 0);
    add_frame(in, first, out.data, out.len);
    net_deflate_free(state);
}

static void refuses_compressed_messages(void)
{
    static char bytes[100000];
    struct base_buf in = BASE_BUF_INIT;
    memset(bytes, '4', sizeof bytes);
    add_compressed(&in, 0xc2, bytes, MAX + 1);
    gives(&in, "", NET_WS_CODE_TOO_BIG);
    add_compressed(&in, 0xc2, bytes, sizeof bytes);
    gives(&in, "", NET_WS_CODE_TOO_BIG);
    add_frame(&in, 0xc1, "\xff\xff\xff", 3);
    add_frame(&in, 0x81, "4behind it", 10);
    gives(&in, "", NET_WS_CODE_DATA);
    memset(bytes + 1, 0xff, 500);
    add_compressed(&in, 0xc1, bytes, 500);
    gives(&in, "", NET_WS_CODE_DATA);
    add_frame(&in, 0x82, "plain", 5);
    add_frame(&in, 0xc9, "", 0);
    gives(&in, "binary \"plain\"\n", NET_WS_CODE_PROTOCOL);
    base_buf_fini(&in);
}

/* What is expanded counts by its length, not by that of what was sent. */
static void counts_what_is_expanded(void)
{
    static char bytes[100000];
    struct base_buf in = BASE_BUF_INIT;
    memset(bytes, '4', sizeof bytes);
    add_compressed(&in, 0xc2, bytes, sizeof bytes);
    for (int burst = 7; burst <= 9; burst++) {
        begin();
        t.endpoint.max_payload_bytes = sizeof bytes;
        t.endpoint.events_per_s = 1;
        t.endpoint.events_burst = (uint32_t)burst;
        take(cuts_of(CUTS_WHOLE, 0), in.data, in.len);
        CHECK_INT(close_code(), 0);
        add_frame(&in, 0x89, "", 0);
        take(cuts_of(CUTS_WHOLE, 0), in.data + in.len - 6, 6);
        CHECK(t.session.dead == (burst == 7));
        in.len -= 6;
        free(end());
    }
    begin();
    t.endpoint.max_payload_bytes = sizeof bytes;
    t.endpoint.events_per_s = 1;
    t.endpoint.events_burst = 5;
    take(cuts_of(CUTS_WHOLE, 0), in.data, in.len);
    CHECK_INT(close_code(), NET_WS_CODE_POLICY);
    char *got = end();
    CHECK_STR(got, "");
    free(got);
    base_buf_fini(&in);
}

static void refuses_them_without_agreement(void)
{
    struct base_buf in = BASE_BUF_INIT;
    add_frame(&in, 0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    begin();
    t.conn.ws = (struct net_ws){0};
    take(cuts_of(CUTS_WHOLE, 0), in.data, in.len);
    CHECK_INT(close_code(), NET_WS_CODE_PROTOCOL);
    free(end());
    base_buf_fini(&in);
}

static void survives_every_failing_allocation(void)
{
    static char bytes[MAX];
    struct base_buf in = BASE_BUF_INIT;
    bool failed = true;
    memset(bytes, '4', sizeof bytes);
    add_compressed(&in, 0xc2, bytes, sizeof bytes);
    for (long n = 1; failed; n++) {
        begin();
        base_mem_fail(n, 1);
        take(cuts_of(CUTS_BYTES, 0), in.data, in.len);
        failed = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        CHECK_INT(close_code(), failed ? NET_WS_CODE_INTERNAL : 0);
        char *got = end();
        CHECK((*got == '\0') == failed);
        free(got);
    }
    base_buf_fini(&in);
}

int main(void)
{
    RUN(holds_nothing_behind_the_last_event);
    RUN(takes_compressed_messages);
    RUN(refuses_compressed_messages);
    RUN(counts_what_is_expanded);
    RUN(refuses_them_without_agreement);
    RUN(survives_every_failing_allocation);
    return test_end();
}
