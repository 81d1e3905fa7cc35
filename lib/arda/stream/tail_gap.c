/* SPDX-License-Identifier: ISC
 *
 * What has gone between the last position and what is still there. Redis counts the entries that a
 * stream has ever had, from version 7 on, so that with the number of the last entry that was read
 * the loss is a subtraction. XDEL makes holes in that count, which is then not believed.
 */
#include "arda/stream/internal.h"

void arda_tail_tell_gap(struct arda_tail *tail, enum arda_gap_cause cause, struct arda_stream_id to,
                        uint64_t count)
{
    const struct arda_tail_handlers *on = &tail->tails->on;
    const struct arda_gap gap = {
        .tenant = arda_tail_tenant(tail),
        .from = tail->exact ? tail->position : arda_stream_id_next(tail->position),
        .to = to,
        .cause = cause,
        .count = count,
    };
    if (!arda_tail_is_over(tail))
        on->on_gap(on->data, tail, &gap);
}

/* Begins anew with whatever is there. */
static void start_over(struct arda_tail *tail, const struct arda_stream_info *info)
{
    if (tail->exact && !arda_stream_id_is_zero(tail->position))
        arda_tail_tell_gap(tail, ARDA_GAP_LOST, info->first, ARDA_GAP_UNKNOWN);
    tail->position = (struct arda_stream_id){0, 0};
    tail->number = info->added - info->length;
    tail->counted = info->counts || !info->exists;
    tail->expected = info->first;
}

/* The stream ends before the position: a copy that was behind has taken its place. What was read is
 * not read again. */
static void step_back(struct arda_tail *tail, const struct arda_stream_info *info)
{
    arda_tail_tell_gap(tail, ARDA_GAP_LOST, info->last, ARDA_GAP_UNKNOWN);
    tail->position = info->last;
    tail->number = info->added;
    tail->counted = info->counts;
}

/* How many entries behind the position have gone, when nothing up to it is there any more. */
static uint64_t lost(const struct arda_tail *tail, const struct arda_stream_info *info)
{
    uint64_t gone = info->added - info->length;
    if (info->counts && tail->counted)
        return gone > tail->number ? gone - tail->number : 0;
    if (arda_stream_id_compare(info->last, tail->position) <= 0)
        return 0;
    if (info->counts)
        return gone > 0 ? ARDA_GAP_UNKNOWN : 0;
    return tail->exact ? ARDA_GAP_UNKNOWN : 0;
}

static void skip_to_first(struct arda_tail *tail, const struct arda_stream_info *info)
{
    bool empty = arda_stream_id_is_zero(info->first);
    uint64_t count = lost(tail, info);
    if (count > 0)
        arda_tail_tell_gap(tail, ARDA_GAP_TRIMMED, info->first, count);
    tail->exact = empty;
    if (!empty)
        tail->position = arda_stream_id_previous(info->first);
    else if (arda_stream_id_compare(info->last, tail->position) > 0)
        tail->position = info->last;
    tail->number = info->added - info->length;
    tail->counted = info->counts;
    tail->expected = info->first;
    tail->skipped = !empty;
}

/* A stream that has had fewer entries than were read, or of which nothing up to the position is
 * there and yet fewer have gone, is another one under the same name. */
static bool is_another(const struct arda_tail *tail, const struct arda_stream_info *info)
{
    uint64_t gone = info->added - info->length;
    bool passed = !arda_stream_id_is_zero(info->first) &&
                  arda_stream_id_compare(info->first, tail->position) > 0;
    return info->counts && tail->counted &&
           (tail->number > info->added || (passed && tail->number > gone));
}

void arda_tail_look_for_gap(struct arda_tail *tail, const struct arda_stream_info *info)
{
    bool deleted = arda_stream_id_compare(info->last_deleted, tail->deleted_told) > 0;
    bool other = is_another(tail, info);
    tail->expected = (struct arda_stream_id){0, 0};
    tail->counted = tail->counted && !deleted;
    if (!info->exists || other) {
        start_over(tail, info);
    } else if (tail->exact && arda_stream_id_compare(info->last, tail->position) < 0) {
        step_back(tail, info);
    } else if (arda_stream_id_is_zero(info->first) ||
               arda_stream_id_compare(info->first, tail->position) > 0) {
        skip_to_first(tail, info);
    } else {
        if (deleted && arda_stream_id_compare(info->last_deleted, tail->position) > 0)
            arda_tail_tell_gap(tail, ARDA_GAP_DELETED, (struct arda_stream_id){0, 0},
                               ARDA_GAP_UNKNOWN);
        if (arda_stream_id_compare(info->last, tail->position) == 0) {
            tail->number = info->added;
            tail->counted = info->counts;
        }
    }
    tail->deleted_told = info->last_deleted;
}

static void on_info(void *data, int result, const struct arda_stream_info *info,
                    const struct base_why *why)
{
    struct arda_tail *tail = data;
    if (arda_tail_answered(tail, result, why) && tail->step == TAIL_CHECK) {
        struct arda_stream_id before = tail->position;
        arda_tail_look_for_gap(tail, info);
        if (tail->away)
            arda_tail_tell_gap(tail, ARDA_GAP_AWAY, info->last, ARDA_GAP_UNKNOWN);
        tail->away = false;
        /* It is there, unless it was deleted, which the next page tells. */
        if (!tail->absent && arda_stream_id_is_zero(tail->expected) && tail->exact)
            tail->expected = tail->position;
        tail->absent = false;
        if (arda_stream_id_compare(before, tail->position) != 0)
            arda_tail_moved(tail);
        if (!arda_tail_is_over(tail))
            arda_tail_read_on(tail);
    }
    arda_tail_done_with_answer(tail);
}

int arda_tail_gap_ask(struct arda_tail *tail)
{
    return arda_stream_info(tail->tails->bus, arda_tail_tenant(tail), on_info, tail);
}
