/* SPDX-License-Identifier: ISC
 *
 * From the start that is wished to a position. The stream is asked what it is before anything is
 * subscribed, so that no entry up to its last one can have a message that is still to come.
 */
#include "arda/stream/internal.h"

static void on_info(void *data, int result, const struct arda_stream_info *info,
                    const struct base_why *why);
static void on_since(void *data, int result, struct arda_stream_id id, const struct base_why *why);
static void on_until(void *data, int result, struct arda_stream_id id, const struct base_why *why);
static void on_back(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why);

int arda_tail_begin_ask(struct arda_tail *tail)
{
    struct arda_bus *bus = tail->tails->bus;
    struct base_slice tenant = arda_tail_tenant(tail);
    struct arda_stream_range range = {
        tenant, {0, 0}, arda_stream_id_previous(tail->position), tail->page_msgs, true};
    switch (tail->step) {
    case TAIL_INFO: return arda_stream_info(bus, tenant, on_info, tail);
    case TAIL_SINCE:
        return arda_stream_find(bus, tenant, &tail->start.since, ARDA_STREAM_SINCE, on_since, tail);
    case TAIL_UNTIL:
        return arda_stream_find(bus, tenant, &tail->start.until, ARDA_STREAM_UNTIL, on_until, tail);
    default: return arda_stream_read(bus, &range, on_back, tail);
    }
}

/* ---- ready ---- */

static void ready(struct arda_tail *tail)
{
    arda_tail_moved(tail);
    if (arda_tail_is_over(tail))
        return;
    if (tail->start.follow)
        arda_tail_subscribe(tail);
    else
        arda_tail_read_on(tail);
}

/* Walks back from behind the last entry that may be given. */
static void walk_back(struct arda_tail *tail)
{
    tail->position = tail->has_until ? arda_stream_id_next(tail->until) : ARDA_STREAM_ID_LAST;
    tail->wanted = tail->start.last;
    arda_tail_enter(tail, TAIL_LAST);
}

static void find_since(struct arda_tail *tail)
{
    if (tail->start.has_position)
        ready(tail);
    else if (tail->start.last > 0)
        walk_back(tail);
    else if (tail->start.since.kind == ARDA_WHEN_EVENT)
        arda_tail_enter(tail, TAIL_SINCE);
    else
        ready(tail);
}

/* ---- what the stream is ---- */

static void at_end(struct arda_tail *tail, const struct arda_stream_info *info)
{
    tail->position = info->last;
    tail->exact = true;
    tail->number = info->added;
    tail->counted = info->counts || !info->exists;
    tail->deleted_told = info->last_deleted;
    tail->expected = (struct arda_stream_id){0, 0};
}

static void at_position(struct arda_tail *tail, const struct arda_stream_info *info)
{
    tail->position = tail->start.position;
    tail->number = tail->start.number;
    tail->exact = true;
    tail->counted = tail->number > 0 || arda_stream_id_is_zero(tail->position);
    arda_tail_look_for_gap(tail, info);
    if (arda_stream_id_compare(tail->position, tail->start.position) == 0)
        tail->expected = tail->position;
}

static void at_since(struct arda_tail *tail, const struct arda_stream_info *info)
{
    struct arda_stream_id first;
    if (!arda_when_first(&tail->start.since, &first)) {
        at_end(tail, info); /* and if it is an event, it is still to be found */
        return;
    }
    tail->position = arda_stream_id_previous(first);
    if (tail->start.since.kind == ARDA_WHEN_START) {
        /* What has gone before is nobody's loss. */
        tail->number = info->added - info->length;
        tail->counted = info->counts && arda_stream_id_is_zero(info->last_deleted);
        tail->deleted_told = info->last_deleted;
        tail->expected = info->first;
    } else {
        arda_tail_look_for_gap(tail, info);
    }
}

static void set_until(struct arda_tail *tail, const struct arda_stream_info *info)
{
    bool named = arda_when_last(&tail->start.until, &tail->until);
    tail->has_until = named || !tail->start.follow;
    if (!tail->start.follow && (!named || arda_stream_id_compare(info->last, tail->until) < 0))
        tail->until = info->last;
}

static void take_info(struct arda_tail *tail, const struct arda_stream_info *info)
{
    set_until(tail, info);
    if (tail->start.has_position)
        at_position(tail, info);
    else if (tail->start.last == 0)
        at_since(tail, info);
    if (arda_tail_is_over(tail))
        return;
    if (tail->start.until.kind == ARDA_WHEN_EVENT)
        arda_tail_enter(tail, TAIL_UNTIL);
    else
        find_since(tail);
}

static void on_info(void *data, int result, const struct arda_stream_info *info,
                    const struct base_why *why)
{
    struct arda_tail *tail = data;
    if (arda_tail_answered(tail, result, why))
        take_info(tail, info);
    arda_tail_done_with_answer(tail);
}

/* ---- events by id ---- */

static void on_since(void *data, int result, struct arda_stream_id id, const struct base_why *why)
{
    struct arda_tail *tail = data;
    if (arda_tail_answered(tail, result, why)) {
        tail->position = arda_stream_id_previous(id);
        tail->expected = id;
        tail->exact = tail->counted = false;
        ready(tail);
    }
    arda_tail_done_with_answer(tail);
}

static void on_until(void *data, int result, struct arda_stream_id id, const struct base_why *why)
{
    struct arda_tail *tail = data;
    bool to_come = result == BASE_ERR_NOTFOUND && tail->start.follow;
    if (arda_tail_answered(tail, to_come ? BASE_OK : result, why)) {
        tail->has_until = !to_come; /* else tail_read.c looks out for it */
        tail->until = id;
        find_since(tail);
    }
    arda_tail_done_with_answer(tail);
}

/* ---- the newest ones ---- */

static bool is_wanted(struct arda_tail *tail, const struct arda_stream_entry *entry)
{
    struct arda_message message;
    const struct arda_tail_handlers *on = &tail->tails->on;
    if (!entry->envelope.data || arda_message_parse(entry->envelope.data, entry->envelope.len,
                                                    tail->tenant, tail->tenant_len, &message, NULL))
        return false;
    return !on->is_wanted || on->is_wanted(on->data, &message);
}

static void take_back(struct arda_tail *tail, const struct arda_stream_page *page)
{
    for (size_t i = 0; i < page->count && tail->wanted > 0; i++) {
        tail->position = page->entries[i].id;
        tail->wanted -= is_wanted(tail, &page->entries[i]);
    }
    if (tail->wanted > 0 && page->count == tail->page_msgs) {
        tail->page_msgs = arda_stream_page_size(page, tail->page_msgs);
        return; /* asked again, with the next page */
    }
    if (page->count == 0 && tail->wanted == tail->start.last)
        tail->position = (struct arda_stream_id){0, 1}; /* there is none at all */
    tail->expected = page->count ? tail->position : (struct arda_stream_id){0, 0};
    tail->position = arda_stream_id_previous(tail->position);
    tail->exact = tail->counted = false;
    ready(tail);
}

static void on_back(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    struct arda_tail *tail = data;
    if (arda_tail_answered(tail, result, why))
        take_back(tail, page);
    arda_tail_done_with_answer(tail);
}
