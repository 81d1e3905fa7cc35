/* SPDX-License-Identifier: ISC
 *
 * Pages. A page begins with the last entry of the one before, which shows that nothing behind it
 * was trimmed meanwhile; without it the stream is asked what has gone (tail_gap.c).
 */
#include "arda/stream/internal.h"

#include "base/log.h"

#include <string.h>

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why);
static void on_time(void *data, int result, uint64_t ms, const struct base_why *why);

static bool same(struct arda_stream_id a, struct arda_stream_id b)
{
    return arda_stream_id_compare(a, b) == 0;
}

/* ---- asking ---- */

int arda_tail_read_ask(struct arda_tail *tail)
{
    struct arda_bus *bus = tail->tails->bus;
    if (tail->step == TAIL_TIME)
        return arda_stream_time(bus, on_time, tail);
    struct arda_stream_range range = {
        .tenant = arda_tail_tenant(tail),
        .first = arda_stream_id_is_zero(tail->expected) ? arda_stream_id_next(tail->position)
                                                        : tail->expected,
        /* A tail that follows has to see what is behind its end, or it would take the messages of
         * those entries for events without one. */
        .last = tail->start.follow ? ARDA_STREAM_ID_LAST : tail->until,
        /* One more for the last entry of the page before. */
        .max_entries = tail->page_msgs + 1,
    };
    if (arda_stream_id_compare(range.first, range.last) > 0)
        tail->expected = (struct arda_stream_id){0, 0};
    int failed = arda_stream_read(bus, &range, on_page, tail);
    if (!failed) {
        tail->mark = tail->arrived;
        tail->rung = false;
        tail->last_read = tail->time_over;
    }
    return failed;
}

void arda_tail_ring(struct arda_tail *tail)
{
    tail->rung = true;
    if (tail->step == TAIL_WAIT && !tail->direct)
        arda_tail_enter(tail, TAIL_READ);
}

static void finished(struct arda_tail *tail)
{
    struct base_why why = {0};
    arda_tail_end(tail, BASE_OK, &why);
}

/* Whether nothing up to the end can come any more. */
static bool is_over(const struct arda_tail *tail)
{
    return tail->has_until && arda_stream_id_compare(tail->position, tail->until) >= 0;
}

void arda_tail_read_on(struct arda_tail *tail)
{
    if (is_over(tail))
        finished(tail);
    else
        arda_tail_enter(tail, TAIL_READ);
}

/* ---- entries ---- */

static void passed(struct arda_tail *tail, enum arda_drop drop)
{
    static struct base_log_limit limit;
    char id[ARDA_STREAM_ID_LEN + 1];
    if (drop != ARDA_DROP_DUPLICATE) {
        arda_stream_id_format(tail->position, id);
        base_log_limited(&limit, BASE_LOG_WARNING, "stream of %s: entry %s dropped: %s",
                         tail->tenant, id, arda_drop_text(drop));
    }
    arda_tail_moved(tail);
}

/* Whether the event was given before; it is known from now on. */
static bool was_given(struct arda_tail *tail, const struct arda_message *message)
{
    struct base_buf spare = BASE_BUF_INIT;
    struct base_slice id = arda_tail_id_of(message, &spare);
    bool given = id.len > 0 && arda_seen_add(&tail->seen, id.data, id.len);
    base_buf_fini(&spare);
    return given;
}

/* With --until EVENT: whether this is the one that was still to come. */
static bool is_last(const struct arda_tail *tail, const struct arda_message *message)
{
    const struct arda_when *until = &tail->start.until;
    return until->kind == ARDA_WHEN_EVENT && !tail->has_until &&
           base_json_equals(&message->id, until->event_id, strlen(until->event_id));
}

static void give(struct arda_tail *tail, const struct arda_stream_entry *entry)
{
    struct arda_message message;
    const char *text = entry->envelope.data ? entry->envelope.data : "";
    if (tail->has_until && arda_stream_id_compare(entry->id, tail->until) > 0) {
        finished(tail);
        return;
    }
    enum arda_drop drop = arda_message_parse(text, entry->envelope.len, tail->tenant,
                                             tail->tenant_len, &message, NULL);
    tail->position = tail->expected = entry->id;
    tail->exact = true;
    tail->skipped = false;
    tail->number++;
    if (!drop) {
        bool waited = arda_tail_was_waiting(tail, &message);
        tail->unheard += tail->live && !waited;
        if (was_given(tail, &message))
            drop = ARDA_DROP_DUPLICATE;
    }
    if (drop) {
        passed(tail, drop);
        return;
    }
    const struct arda_tail_event event = {&message, entry->id};
    bool last = is_last(tail, &message);
    tail->tails->on.on_event(tail->tails->on.data, tail, &event);
    if (last)
        finished(tail);
}

/* ---- pages ---- */

/* There is nothing more for now. */
static void drained(struct arda_tail *tail)
{
    if (!tail->start.follow || is_over(tail)) {
        finished(tail);
        return;
    }
    arda_tail_give_waiting(tail);
    if (tail->last_read)
        finished(tail);
    arda_tail_tell_live(tail);
    if (arda_tail_is_over(tail))
        return;
    if (tail->rung || arda_tail_has_waiting(tail)) {
        arda_tail_enter(tail, TAIL_READ);
        return;
    }
    arda_tail_caught_up(tail);
    arda_tail_enter(tail, tail->wants_time ? TAIL_TIME : TAIL_WAIT);
}

/* The first entry was trimmed between the answer that told it and this page. To ask again could go
 * on for ever where trimming is faster than an answer, so the page is taken as it is. */
static bool lost_the_first(struct arda_tail *tail, const struct arda_stream_page *page)
{
    if (!tail->skipped || page->count == 0)
        return false;
    tail->skipped = false;
    tail->counted = false;
    arda_tail_tell_gap(tail, ARDA_GAP_TRIMMED, page->entries[0].id, ARDA_GAP_UNKNOWN);
    return true;
}

static void take_page(struct arda_tail *tail, const struct arda_stream_page *page)
{
    size_t from = 0, asked = tail->page_msgs + 1;
    if (!arda_stream_id_is_zero(tail->expected)) {
        bool found = page->count > 0 && same(page->entries[0].id, tail->expected);
        if (!found && !lost_the_first(tail, page)) {
            tail->absent = true;
            arda_tail_enter(tail, TAIL_CHECK);
            return;
        }
        from = found && same(tail->expected, tail->position);
    }
    tail->page_msgs = arda_stream_page_size(page, tail->page_msgs);
    for (size_t i = from; i < page->count && !arda_tail_is_over(tail); i++)
        give(tail, &page->entries[i]);
    if (arda_tail_is_over(tail))
        return;
    if (page->count < asked)
        drained(tail);
    else
        arda_tail_read_on(tail);
}

static void on_page(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    struct arda_tail *tail = data;
    /* The subscription may have been lost or made anew meanwhile: then something else comes first.
     */
    if (arda_tail_answered(tail, result, why) && tail->step == TAIL_READ)
        take_page(tail, page);
    arda_tail_done_with_answer(tail);
}

static void on_time(void *data, int result, uint64_t ms, const struct base_why *why)
{
    struct arda_tail *tail = data;
    if (arda_tail_answered(tail, result, why) && tail->step == TAIL_TIME) {
        tail->wants_time = false;
        tail->time_over = ms > tail->until.ms;
        arda_tail_enter(tail, TAIL_READ); /* the last one, or one too many */
    }
    arda_tail_done_with_answer(tail);
}
