/* SPDX-License-Identifier: ISC */
#include "arda/stream/internal.h"

#include "base/mem.h"

#include <string.h>

#define ASKING_MAX 4
#define REMEMBERED 16384

/* ---- references ---- */

void arda_tail_ref(struct arda_tail *tail)
{
    tail->refs++;
}

static void free_group(struct arda_tails *tails)
{
    if (tails->freed && base_list_empty(&tails->all))
        base_free(tails);
}

void arda_tail_unref(struct arda_tail *tail)
{
    if (--tail->refs > 0)
        return;
    struct arda_tails *tails = tail->tails;
    base_list_remove(&tail->link);
    base_list_remove(&tail->queued);
    arda_tail_forget_waiting(tail);
    base_map_fini(&tail->waiting_by);
    arda_seen_fini(&tail->seen);
    base_free(tail);
    free_group(tails);
}

bool arda_tail_is_over(const struct arda_tail *tail)
{
    return tail->closed || tail->step == TAIL_ENDED;
}

/* ---- the queue of those that ask ---- */

static int ask(struct arda_tail *tail)
{
    switch (tail->step) {
    case TAIL_INFO:
    case TAIL_SINCE:
    case TAIL_LAST:
    case TAIL_UNTIL: return arda_tail_begin_ask(tail);
    case TAIL_CHECK: return arda_tail_gap_ask(tail);
    case TAIL_READ:
    case TAIL_TIME: return arda_tail_read_ask(tail);
    default: return arda_tail_live_ask(tail);
    }
}

static bool has_question(const struct arda_tail *tail)
{
    return tail->step < TAIL_WAIT && tail->step != TAIL_SUBSCRIBE;
}

static void out_of_memory(struct arda_tail *tail)
{
    struct base_why why;
    base_why_set(&why, BASE_ERR_NOMEM, "out of memory");
    arda_tail_end(tail, BASE_ERR_NOMEM, &why);
}

static void pump(struct arda_tails *tails)
{
    while (!tails->paused && tails->in_flight < ASKING_MAX && !base_list_empty(&tails->queue)) {
        struct arda_tail *tail = base_container(tails->queue.next, struct arda_tail, queued);
        if (!has_question(tail)) {
            base_list_remove(&tail->queued);
            continue;
        }
        int failed = ask(tail);
        if (failed == BASE_ERR_UNAVAILABLE)
            return; /* it is asked when Redis is back: arda_tails_wake */
        base_list_remove(&tail->queued);
        if (failed) {
            out_of_memory(tail);
            return; /* the group may be gone */
        }
        tail->asking = true;
        tails->in_flight++;
        arda_tail_ref(tail);
    }
}

void arda_tail_enter(struct arda_tail *tail, enum tail_step step)
{
    if (tail->step == TAIL_ENDED)
        return;
    tail->step = step;
    if (tail->asking || tail->closed || !has_question(tail))
        return;
    if (base_list_empty(&tail->queued))
        base_list_append(&tail->tails->queue, &tail->queued);
    pump(tail->tails);
}

/* Whether asking again later may help. */
static bool is_passing(int result)
{
    return result == BASE_ERR_CLOSED || result == BASE_ERR_AGAIN || result == BASE_ERR_UNAVAILABLE;
}

bool arda_tail_answered(struct arda_tail *tail, int result, const struct base_why *why)
{
    tail->tails->in_flight--;
    if (arda_tail_is_over(tail))
        return false;
    if (!result)
        return true;
    if (is_passing(result)) {
        /* First of the queue; the next wake-up asks. */
        base_list_remove(&tail->queued);
        base_list_append(&tail->tails->queue, &tail->queued);
    } else if (tail->start.direct && !tail->blind && result != BASE_ERR_NOMEM) {
        tail->blind = true;
        tail->direct = true;
        if (tail->subscription)
            tail->step = TAIL_WAIT;
        else
            arda_tail_subscribe(tail);
        arda_tail_give_waiting(tail);
    } else {
        struct base_why named = *why;
        base_why_prefix(&named, "%s", tail->tenant);
        arda_tail_end(tail, result, &named);
    }
    return false;
}

/* Whatever was entered meanwhile is asked now. */
void arda_tail_done_with_answer(struct arda_tail *tail)
{
    struct arda_tails *tails = tail->tails;
    bool retry = !base_list_empty(&tail->queued);
    tail->asking = false;
    if (!retry && !arda_tail_is_over(tail))
        arda_tail_enter(tail, tail->step);
    if (!retry && !tails->freed)
        pump(tails);
    arda_tail_unref(tail);
}

/* ---- telling ---- */

void arda_tail_moved(struct arda_tail *tail)
{
    struct arda_tails *tails = tail->tails;
    if (tails->on.on_moved && !tail->start.direct && !tail->closed)
        tails->on.on_moved(tails->on.data, tail);
}

void arda_tail_tell_live(struct arda_tail *tail)
{
    if (tail->live || arda_tail_is_over(tail))
        return;
    tail->live = true;
    if (tail->tails->on.on_live)
        tail->tails->on.on_live(tail->tails->on.data, tail);
}

static void unsubscribe(struct arda_tail *tail)
{
    if (tail->subscription)
        arda_bus_unsubscribe(tail->subscription);
    tail->subscription = NULL;
}

void arda_tail_end(struct arda_tail *tail, int result, const struct base_why *why)
{
    if (arda_tail_is_over(tail))
        return;
    tail->step = TAIL_ENDED;
    base_list_remove(&tail->queued);
    unsubscribe(tail);
    arda_tail_ref(tail);
    tail->tails->on.on_end(tail->tails->on.data, tail, result, why);
    arda_tail_unref(tail);
}

/* ---- life ---- */

struct arda_tails *arda_tails_new(struct arda_bus *bus, const struct arda_tail_handlers *handlers)
{
    struct arda_tails *tails = base_calloc(1, sizeof *tails);
    if (!tails)
        return NULL;
    tails->bus = bus;
    tails->on = *handlers;
    base_list_init(&tails->all);
    base_list_init(&tails->queue);
    return tails;
}

void arda_tails_free(struct arda_tails *tails)
{
    if (!tails || tails->freed)
        return;
    tails->freed = true;
    if (base_list_empty(&tails->all)) {
        base_free(tails);
        return;
    }
    /* The last one takes the group with it. */
    for (struct base_list *link = tails->all.next, *next; link; link = next) {
        struct arda_tail *tail = base_container(link, struct arda_tail, link);
        next = link->next == &tails->all ? NULL : link->next;
        if (!tail->closed)
            arda_tail_close(tail);
    }
}

int arda_tails_add(struct arda_tails *tails, struct base_slice tenant,
                   const struct arda_tail_start *start, void *data, struct arda_tail **out)
{
    if (!arda_tenant_valid(tenant.data, tenant.len))
        return BASE_ERR_INVALID;
    struct arda_tail *tail = base_calloc(1, sizeof *tail);
    if (!tail)
        return BASE_ERR_NOMEM;
    tail->tails = tails;
    tail->start = *start;
    tail->data = data;
    tail->refs = 1;
    tail->seen.max = REMEMBERED;
    tail->patience = 1;
    tail->page_msgs = arda_stream_page_size(NULL, 0);
    tail->tenant_len = tenant.len;
    memcpy(tail->tenant, tenant.data, tenant.len);
    base_list_init(&tail->queued);
    base_list_init(&tail->waiting);
    base_list_append(&tails->all, &tail->link);
    *out = tail;
    arda_tail_enter(tail, TAIL_INFO);
    return BASE_OK;
}

void arda_tail_close(struct arda_tail *tail)
{
    base_assert(!tail->closed);
    tail->closed = true;
    base_list_remove(&tail->queued);
    unsubscribe(tail);
    arda_tail_unref(tail);
}

/* ---- pause and wake ---- */

void arda_tails_pause(struct arda_tails *tails)
{
    tails->paused = true;
}

void arda_tails_resume(struct arda_tails *tails)
{
    tails->paused = false;
    pump(tails);
}

/* Out of memory, the handler of a tail's end may close any tail and free the group: each tail is
 * kept until the next one has been found. False when the group is gone. */
static bool check_all(struct arda_tails *tails)
{
    struct base_list *link = tails->all.next;
    bool freed = tails->freed;
    while (link != &tails->all && !freed) {
        struct arda_tail *tail = base_container(link, struct arda_tail, link);
        arda_tail_ref(tail);
        if (!arda_tail_is_over(tail))
            arda_tail_check_channel(tail);
        link = link->next;
        freed = tails->freed;
        arda_tail_unref(tail);
    }
    return !freed;
}

void arda_tails_wake(struct arda_tails *tails, bool check)
{
    if (!check || tails->paused || check_all(tails))
        pump(tails);
}

/* ---- facts ---- */

struct base_slice arda_tail_tenant(const struct arda_tail *tail)
{
    return (struct base_slice){tail->tenant, tail->tenant_len};
}

void *arda_tail_data(const struct arda_tail *tail)
{
    return tail->data;
}

struct arda_stream_id arda_tail_position(const struct arda_tail *tail)
{
    return tail->position;
}

uint64_t arda_tail_number(const struct arda_tail *tail)
{
    return tail->counted ? tail->number : 0;
}
