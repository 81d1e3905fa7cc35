/* SPDX-License-Identifier: ISC */
#include "net/session/log.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/codec/ws.h"

#include <string.h>

/* A slab that fills faster than this is followed by one twice its size, a slower one by one half
 * its size: quiet logs stay small. */
#define SLAB_BUSY_US 100000u

static struct net_slab *slab_new(unsigned workers, uint64_t start, size_t cap)
{
    struct net_slab *slab = base_malloc(sizeof *slab + workers * sizeof slab->cursors[0] + cap);
    if (!slab)
        return NULL;
    *slab = (struct net_slab){.start = start, .cap = (uint32_t)cap};
    atomic_init(&slab->refs, 1);
    memset(slab->cursors, 0, workers * sizeof slab->cursors[0]);
    slab->bytes = (char *)&slab->cursors[workers];
    return slab;
}

static void slab_ref(struct net_slab *slab)
{
    atomic_fetch_add_explicit(&slab->refs, 1, memory_order_relaxed);
}

static void slab_unref(struct net_slab *slab)
{
    if (atomic_fetch_sub_explicit(&slab->refs, 1, memory_order_acq_rel) == 1)
        base_free(slab);
}

int net_log_new(unsigned workers, struct net_log **out)
{
    struct net_log *log = base_calloc(1, sizeof *log);
    if (!log)
        return BASE_ERR_NOMEM;
    log->workers = workers;
    log->views = base_calloc(workers, sizeof(struct net_view *));
    log->tail = slab_new(workers, 0, NET_SLAB_MIN_BYTES);
    if (!log->views || !log->tail) {
        base_free(log->views);
        base_free(log->tail);
        base_free(log);
        return BASE_ERR_NOMEM;
    }
    log->unposted = log->tail;
    log->slab_born_us = base_clock_mono_us();
    *out = log;
    return BASE_OK;
}

int net_log_add_twin(struct net_log *log)
{
    base_assert(!log->twin);
    return net_log_new(log->workers, &log->twin);
}

void net_log_free(struct net_log *log)
{
    if (!log)
        return;
    net_log_free(log->twin);
    for (unsigned i = 0; i < log->workers; i++)
        base_assert(!log->views[i]);
    net_log_posted(log);
    slab_unref(log->tail);
    base_free(log->views);
    base_free(log);
}

static size_t next_slab_bytes(struct net_log *log, size_t need)
{
    uint64_t now = base_clock_mono_us();
    bool busy = now - log->slab_born_us < SLAB_BUSY_US;
    size_t bytes = busy ? (size_t)log->tail->cap * 2 : log->tail->cap / 2;
    log->slab_born_us = now;
    if (bytes > NET_SLAB_MAX_BYTES)
        bytes = NET_SLAB_MAX_BYTES;
    if (bytes < NET_SLAB_MIN_BYTES)
        bytes = NET_SLAB_MIN_BYTES;
    return need > bytes ? need : bytes;
}

static char *reserve(struct net_log *log, size_t payload_len, char bits)
{
    char header[NET_WS_HEADER_MAX];
    size_t header_len = net_ws_header(header, NET_WS_TEXT, payload_len);
    header[0] |= bits;
    size_t need = header_len + payload_len;
    if (need > UINT32_MAX)
        return NULL;
    struct net_slab *tail = log->tail;
    if (need > tail->cap - tail->used) {
        struct net_slab *slab =
            slab_new(log->workers, tail->start + tail->used, next_slab_bytes(log, need));
        if (!slab)
            return NULL;
        tail->next = slab;
        log->tail = tail = slab;
    }
    memcpy(tail->bytes + tail->used, header, header_len);
    return tail->bytes + tail->used + header_len;
}

char *net_log_reserve(struct net_log *log, size_t payload_len)
{
    return reserve(log, payload_len, 0);
}

char *net_log_reserve_compressed(struct net_log *log, size_t payload_len)
{
    return reserve(log, payload_len, NET_WS_COMPRESSED);
}

void net_log_commit(struct net_log *log, size_t payload_len)
{
    char header[NET_WS_HEADER_MAX];
    log->tail->used += (uint32_t)(net_ws_header(header, NET_WS_TEXT, payload_len) + payload_len);
}

uint64_t net_log_end(const struct net_log *log)
{
    return log->tail->start + log->tail->used;
}

bool net_log_is_followed(const struct net_log *log)
{
    return atomic_load_explicit(&log->followers, memory_order_relaxed) > 0;
}

struct net_view *net_log_attach(struct net_log *log, unsigned worker)
{
    base_assert(worker < log->workers && !log->views[worker]);
    struct net_view *view = base_calloc(1, sizeof *view);
    if (!view)
        return NULL;
    if (log->twin) {
        view->twin = net_log_attach(log->twin, worker);
        if (!view->twin) {
            base_free(view);
            return NULL;
        }
    }
    view->log = log;
    view->worker = worker;
    view->posted = view->head = view->tail = log->tail;
    view->end = net_log_end(log);
    base_list_init(&view->followers);
    slab_ref(log->tail);
    log->views[worker] = view;
    return view;
}

void net_log_detach(struct net_log *log, struct net_view *view)
{
    base_assert(log->views[view->worker] == view);
    log->views[view->worker] = NULL;
    if (log->twin)
        net_log_detach(log->twin, view->twin);
}

void net_log_news(struct net_log *log, struct net_view *view, struct net_log_news *news)
{
    while (view->posted != log->tail) {
        view->posted = view->posted->next;
        slab_ref(view->posted);
    }
    *news = (struct net_log_news){view, log->tail, net_log_end(log)};
}

void net_log_posted(struct net_log *log)
{
    while (log->unposted != log->tail) {
        struct net_slab *slab = log->unposted;
        log->unposted = slab->next;
        slab_unref(slab);
    }
}

/* Frees the slabs before the first one in which a cursor stands. */
static void view_trim(struct net_view *view)
{
    while (view->head != view->tail && view->head->cursors[view->worker] == 0) {
        struct net_slab *slab = view->head;
        view->head = slab->next;
        slab_unref(slab);
    }
}

void net_view_advance(struct net_view *view, const struct net_log_news *news)
{
    view->tail = news->tail;
    view->end = news->end;
    view_trim(view);
}

void net_view_free(struct net_view *view)
{
    if (!view)
        return;
    base_assert(base_list_empty(&view->followers));
    net_view_free(view->twin);
    view_trim(view);
    slab_unref(view->tail);
    base_free(view);
}

void net_cursor_attach(struct net_cursor *cursor, struct net_view *view)
{
    base_assert(!cursor->view);
    cursor->view = view;
    cursor->slab = view->tail;
    cursor->pos = view->end;
    cursor->frame_left = 0;
    view->tail->cursors[view->worker]++;
    base_list_append(&view->followers, &cursor->link);
    atomic_fetch_add_explicit(&view->log->followers, 1, memory_order_relaxed);
}

void net_cursor_detach(struct net_cursor *cursor)
{
    if (!cursor->view)
        return;
    struct net_view *view = cursor->view;
    cursor->slab->cursors[view->worker]--;
    base_list_remove(&cursor->link);
    atomic_fetch_sub_explicit(&view->log->followers, 1, memory_order_relaxed);
    cursor->view = NULL;
    cursor->slab = NULL;
    view_trim(view);
}

uint64_t net_cursor_behind(const struct net_cursor *cursor)
{
    return cursor->view ? cursor->view->end - cursor->pos : 0;
}

/* Where the readable bytes of the cursor's slab end. */
static uint64_t slab_end(const struct net_cursor *cursor)
{
    const struct net_slab *slab = cursor->slab;
    return slab == cursor->view->tail ? cursor->view->end : slab->start + slab->used;
}

static void step_slab(struct net_cursor *cursor)
{
    struct net_view *view = cursor->view;
    while (cursor->slab != view->tail && cursor->pos == cursor->slab->start + cursor->slab->used) {
        cursor->slab->cursors[view->worker]--;
        cursor->slab = cursor->slab->next;
        cursor->slab->cursors[view->worker]++;
    }
}

struct base_slice net_cursor_peek(struct net_cursor *cursor, uint64_t limit)
{
    step_slab(cursor);
    uint64_t end = slab_end(cursor);
    if (end > limit)
        end = limit;
    const char *bytes = cursor->slab->bytes + (cursor->pos - cursor->slab->start);
    return (struct base_slice){bytes, end > cursor->pos ? (size_t)(end - cursor->pos) : 0};
}

/* Walks the frames in the `len` bytes at the cursor, to know how much of the last one is left. */
static void count_frame_left(struct net_cursor *cursor, uint64_t len)
{
    const char *at = cursor->slab->bytes + (cursor->pos - cursor->slab->start);
    if (len < cursor->frame_left) {
        cursor->frame_left -= (uint32_t)len;
        return;
    }
    uint64_t done = cursor->frame_left;
    cursor->frame_left = 0;
    while (done < len) {
        size_t payload_len;
        uint64_t frame = net_ws_header_read(at + done, &payload_len);
        frame += payload_len;
        if (done + frame > len)
            cursor->frame_left = (uint32_t)(done + frame - len);
        done += frame;
    }
}

void net_cursor_move(struct net_cursor *cursor, uint64_t len)
{
    while (len > 0) {
        uint64_t here = slab_end(cursor) - cursor->pos;
        uint64_t step = len < here ? len : here;
        /* The end of what a slab holds is always a frame's border. */
        if (step < here)
            count_frame_left(cursor, step);
        else
            cursor->frame_left = 0;
        cursor->pos += step;
        len -= step;
        step_slab(cursor);
    }
    view_trim(cursor->view);
}
