/* SPDX-License-Identifier: ISC
 *
 * Home loop and workers are one thread here: news is handed over by hand. A leak of a slab, or a
 * use after its end, is the sanitizer's to find.
 */
#include "net/session/log.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/cuts.h"
#include "lib/test.h"
#include "net/codec/ws.h"

#define WORKERS 3

static struct net_log *log_new(void)
{
    struct net_log *log = NULL;
    CHECK_INT(net_log_new(WORKERS, &log), 0);
    return log;
}

static bool append(struct net_log *log, const char *payload, size_t len)
{
    char *to = net_log_reserve(log, len);
    if (!to)
        return false;
    memcpy(to, payload, len);
    net_log_commit(log, len);
    return true;
}

static void publish(struct net_log *log)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct net_log_news news;
        if (!log->views[i])
            continue;
        net_log_news(log, log->views[i], &news);
        net_view_advance(log->views[i], &news);
    }
    net_log_posted(log);
}

static void close_view(struct net_log *log, struct net_view *view)
{
    net_log_detach(log, view);
    net_view_free(view);
}

static void yields_frames_behind_the_start(void)
{
    struct net_log *log = log_new();
    struct net_cursor cursor = {0};
    CHECK(append(log, "before", 6));
    struct net_view *view = net_log_attach(log, 1);
    net_cursor_attach(&cursor, view);
    CHECK_INT(net_cursor_behind(&cursor), 0);
    CHECK(append(log, "one", 3));
    CHECK(append(log, "", 0));
    CHECK_INT(net_cursor_behind(&cursor), 0);
    publish(log);
    CHECK_INT(net_cursor_behind(&cursor), 7);
    CHECK_INT(net_log_end(log), 8 + 7);
    struct base_slice bytes = net_cursor_peek(&cursor, UINT64_MAX);
    CHECK(bytes.len == 7 && memcmp(bytes.data, "\x81\x03one\x81\x00", 7) == 0);
    CHECK_INT(net_cursor_peek(&cursor, cursor.pos + 4).len, 4);
    CHECK_INT(net_cursor_peek(&cursor, cursor.pos).len, 0);
    net_cursor_move(&cursor, 7);
    CHECK_INT(net_cursor_behind(&cursor), 0);
    net_cursor_detach(&cursor);
    net_cursor_detach(&cursor);
    CHECK_INT(net_cursor_behind(&cursor), 0);
    close_view(log, view);
    net_log_free(log);
}

static void knows_what_is_left_of_a_frame(void)
{
    static const uint32_t left[] = {0, 4, 3, 2, 1, 0, 1, 0, 2, 1, 0};
    struct net_log *log = log_new();
    struct net_view *view = net_log_attach(log, 0);
    CHECK(append(log, "abc", 3));
    CHECK(append(log, "", 0));
    CHECK(append(log, "d", 1));
    for (uint64_t from = 0; from <= 10; from++)
        for (uint64_t to = from; to <= 10; to++) {
            struct net_cursor cursor = {0};
            net_cursor_attach(&cursor, view);
            publish(log);
            cursor.pos = 0;
            net_cursor_move(&cursor, from);
            CHECK_INT(cursor.frame_left, left[from]);
            net_cursor_move(&cursor, to - from);
            CHECK_INT(cursor.frame_left, left[to]);
            net_cursor_detach(&cursor);
        }
    close_view(log, view);
    net_log_free(log);
}

static void abandons_what_was_not_committed(void)
{
    static char large[NET_SLAB_MIN_BYTES];
    struct net_log *log = log_new();
    struct net_view *view = net_log_attach(log, 0);
    struct net_cursor cursor = {0};
    net_cursor_attach(&cursor, view);
    CHECK(append(log, "a", 1));
    CHECK(net_log_reserve(log, 3) != NULL);
    CHECK(net_log_reserve(log, sizeof large) != NULL);
    CHECK(net_log_reserve(log, sizeof large * 4) != NULL);
    CHECK(append(log, "b", 1));
    publish(log);
    CHECK_INT(net_cursor_behind(&cursor), 6);
    CHECK_INT(net_cursor_peek(&cursor, UINT64_MAX).len, 3);
    net_cursor_move(&cursor, 3);
    struct base_slice bytes = net_cursor_peek(&cursor, UINT64_MAX);
    CHECK_BYTES(bytes.data, bytes.len,
                "\x81\x01"
                "b");
    net_cursor_move(&cursor, 3);
    net_cursor_detach(&cursor);
    close_view(log, view);
    net_log_free(log);
}

/* A cursor that lags keeps the slabs behind it, and only those. */
static void frees_slabs_that_nobody_reads(void)
{
    static char payload[1000];
    struct net_log *log = log_new();
    struct net_view *view = net_log_attach(log, 0);
    struct net_cursor slow = {0}, fast = {0};
    net_cursor_attach(&slow, view);
    net_cursor_attach(&fast, view);
    const struct net_slab *first = view->head;
    for (int i = 0; i < 100; i++) {
        CHECK(append(log, payload, sizeof payload));
        publish(log);
        net_cursor_move(&fast, net_cursor_behind(&fast));
    }
    CHECK(view->head == first && view->tail != first);
    net_cursor_move(&slow, net_cursor_behind(&slow));
    CHECK(view->head == view->tail);
    CHECK_INT(atomic_load(&view->tail->refs), 2);
    net_cursor_detach(&slow);
    net_cursor_detach(&fast);
    close_view(log, view);
    net_log_free(log);
}

/* Appends frames of random sizes to the log and to `sent`, which holds the same bytes. */
static void append_some(struct net_log *log, struct cuts *random, struct base_buf *sent)
{
    static char payload[NET_SLAB_MAX_BYTES + 10];
    for (uint64_t n = cuts_random(random) % 20; n > 0; n--) {
        uint64_t size = cuts_random(random);
        size_t len = size % 100 == 0 ? NET_SLAB_MAX_BYTES + 1
                     : size % 10     ? size % 300
                                     : size % 9000;
        char header[NET_WS_HEADER_MAX];
        memset(payload, 'a' + (int)(size % 26), len);
        CHECK(append(log, payload, len));
        base_buf_add(sent, header, net_ws_header(header, NET_WS_TEXT, len));
        base_buf_add(sent, payload, len);
    }
}

static void read_some(struct net_cursor *cursor, struct cuts *random, const struct base_buf *sent)
{
    uint64_t pieces = cuts_random(random) % 5;
    while (net_cursor_behind(cursor) > 0 && pieces-- > 0) {
        struct base_slice bytes = net_cursor_peek(cursor, UINT64_MAX);
        size_t len = cuts_piece(random, bytes.len);
        CHECK(bytes.len > 0 && cursor->pos + len <= sent->len);
        CHECK(memcmp(bytes.data, sent->data + cursor->pos, len) == 0);
        net_cursor_move(cursor, len);
    }
}

static void gives_every_cursor_the_same_bytes(void)
{
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    struct net_log *log = log_new();
    struct base_buf sent = BASE_BUF_INIT;
    struct net_cursor cursors[12] = {0};
    for (int i = 0; i < 1000 && !test_failed_here; i++) {
        struct net_cursor *cursor = &cursors[cuts_random(&random) % 12];
        unsigned worker = (unsigned)cuts_random(&random) % WORKERS;
        uint64_t what = cuts_random(&random) % 16;
        if (what < 5)
            append_some(log, &random, &sent);
        else if (what < 7)
            publish(log);
        else if (what == 7)
            net_cursor_detach(cursor);
        else if (cursor->view)
            read_some(cursor, &random, &sent);
        else if (log->views[worker] || net_log_attach(log, worker))
            net_cursor_attach(cursor, log->views[worker]);
        struct net_view *view = log->views[worker];
        if (what == 8 && view && base_list_empty(&view->followers))
            close_view(log, view);
    }
    publish(log);
    for (size_t i = 0; i < 12; i++) {
        while (net_cursor_behind(&cursors[i]) > 0 && !test_failed_here)
            read_some(&cursors[i], &random, &sent);
        CHECK(!cursors[i].view || (cursors[i].pos == sent.len && !cursors[i].frame_left));
        net_cursor_detach(&cursors[i]);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        if (log->views[i])
            close_view(log, log->views[i]);
    net_log_free(log);
    base_buf_fini(&sent);
}

static void survives_every_failing_allocation(void)
{
    static char payload[NET_SLAB_MIN_BYTES - 10];
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct net_log *log = NULL;
        struct net_view *view = NULL;
        base_mem_fail(n, 1);
        int made = net_log_new(WORKERS, &log);
        if (made == 0)
            view = net_log_attach(log, 2);
        int appended = 0;
        for (int i = 0; made == 0 && i < 3; i++)
            appended += append(log, payload, sizeof payload);
        failed = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        CHECK_INT(made, n <= 3 ? BASE_ERR_NOMEM : 0);
        CHECK(made < 0 || (view != NULL) == (n != 4));
        CHECK(made < 0 || appended == (n > 4 && failed ? 2 : 3));
        if (view) {
            publish(log);
            close_view(log, view);
        }
        net_log_free(log);
    }
}

int main(void)
{
    RUN(yields_frames_behind_the_start);
    RUN(knows_what_is_left_of_a_frame);
    RUN(abandons_what_was_not_committed);
    RUN(frees_slabs_that_nobody_reads);
    RUN(gives_every_cursor_the_same_bytes);
    RUN(survives_every_failing_allocation);
    return test_end();
}
