/* SPDX-License-Identifier: ISC
 *
 * The subscription. Happy path of a tail that follows: on_standing, then on_message rings for each
 * message. Of a direct one: on_standing, then on_message gives each event; at each check the newest
 * entry of the stream is asked for, whose message has come or has to come before the next check.
 * Failures: the subscription is lost (then the stream is read from the last position once it stands
 * again); entries come without messages (it is subscribed anew).
 */
#include "arda/stream/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>

#define PATIENCE_MAX 64

/* ---- messages ---- */

static void give_direct(struct arda_tail *tail, const struct arda_message *message)
{
    struct base_buf spare = BASE_BUF_INIT;
    struct base_slice id = arda_tail_id_of(message, &spare);
    bool given = id.len > 0 && arda_seen_add(&tail->seen, id.data, id.len);
    if (id.len > 0 && id.len <= ARDA_WHEN_EVENT_MAX) {
        memcpy(tail->heard_id, id.data, id.len);
        tail->heard_id[id.len] = '\0';
        if (tail->head_open && strcmp(tail->head_id, tail->heard_id) == 0) {
            tail->head_open = false;
            tail->position = tail->expected = tail->head;
        }
    }
    base_buf_fini(&spare);
    if (given || arda_tail_had_nameless(tail, message))
        return;
    const struct arda_tail_event event = {message, {0, 0}};
    tail->tails->on.on_event(tail->tails->on.data, tail, &event);
}

static bool is_known(struct arda_tail *tail, const struct arda_message *message)
{
    struct base_buf spare = BASE_BUF_INIT;
    struct base_slice id = arda_tail_id_of(message, &spare);
    bool known = id.len > 0 ? arda_seen_has(&tail->seen, id.data, id.len)
                            : arda_tail_had_nameless(tail, message);
    base_buf_fini(&spare);
    return known;
}

static void on_message(void *data, const struct arda_message *message)
{
    struct arda_tail *tail = data;
    if (arda_tail_is_over(tail))
        return;
    arda_tail_ref(tail);
    tail->heard++;
    if (tail->direct && tail->tails->paused && !tail->blind)
        arda_tail_stop_direct(tail);
    if (tail->direct) {
        give_direct(tail, message);
    } else {
        if (!is_known(tail, message))
            arda_tail_wait_for_read(tail, message);
        arda_tail_ring(tail);
    }
    arda_tail_unref(tail);
}

void arda_tail_offer(struct arda_tail *tail, const struct arda_message *message)
{
    if (!arda_tail_is_over(tail) && !tail->direct && !is_known(tail, message))
        arda_tail_wait_for_read(tail, message);
}

/* ---- the subscription ---- */

static void on_standing(void *data, bool standing)
{
    struct arda_tail *tail = data;
    if (arda_tail_is_over(tail))
        return;
    arda_tail_ref(tail);
    tail->standing = standing;
    if (!standing) {
        tail->away = true;
        if (tail->direct && !tail->blind)
            arda_tail_stop_direct(tail);
    } else if (tail->step == TAIL_SUBSCRIBE) {
        tail->away = false; /* if it was lost before it stood, nothing was */
        tail->direct = tail->start.direct;
        arda_tail_enter(tail, tail->direct ? TAIL_WAIT : TAIL_READ);
        if (tail->direct)
            arda_tail_tell_live(tail);
    } else if (tail->blind) {
        if (tail->away)
            arda_tail_tell_gap(tail, ARDA_GAP_AWAY, (struct arda_stream_id){0, 0},
                               ARDA_GAP_UNKNOWN);
        tail->away = false;
    } else if (tail->away) {
        if (tail->step != TAIL_HEARD)
            arda_tail_enter(tail, TAIL_CHECK);
    } else {
        arda_tail_ring(tail);
    }
    arda_tail_unref(tail);
}

void arda_tail_subscribe(struct arda_tail *tail)
{
    const struct arda_handlers handlers = {on_message, on_standing, tail};
    tail->step = TAIL_SUBSCRIBE;
    int failed = arda_bus_subscribe_tenant(tail->tails->bus, tail->tenant, tail->tenant_len,
                                           &handlers, &tail->subscription);
    if (failed) {
        struct base_why why;
        base_why_set(&why, failed, "%s: %s", tail->tenant, base_err_text(failed));
        arda_tail_end(tail, failed, &why);
    }
}

/* It says that it stands, and brings nothing. */
static void subscribe_anew(struct arda_tail *tail)
{
    const struct arda_handlers handlers = {on_message, on_standing, tail};
    base_log(BASE_LOG_WARNING,
             "%s: the stream has events that did not come on the channel; subscribing again",
             tail->tenant);
    arda_bus_unsubscribe(tail->subscription);
    tail->subscription = NULL;
    tail->standing = false;
    if (tail->direct)
        arda_tail_stop_direct(tail);
    if (arda_bus_subscribe_tenant(tail->tails->bus, tail->tenant, tail->tenant_len, &handlers,
                                  &tail->subscription) < 0) {
        struct base_why why;
        base_why_set(&why, BASE_ERR_NOMEM, "out of memory");
        arda_tail_end(tail, BASE_ERR_NOMEM, &why);
    }
}

/* ---- checks ---- */

static void check_silence(struct arda_tail *tail)
{
    bool silent = tail->unheard > 0 && tail->heard == 0;
    tail->silent_checks = silent ? tail->silent_checks + 1 : 0;
    if (tail->heard > 0)
        tail->patience = 1;
    tail->heard = tail->unheard = 0;
    if (tail->silent_checks < tail->patience || !silent)
        return;
    /* Somebody may append to the stream and never publish: then it is not asked for so often. */
    tail->silent_checks = 0;
    tail->patience = tail->patience < PATIENCE_MAX ? tail->patience * 2 : PATIENCE_MAX;
    subscribe_anew(tail);
}

void arda_tail_check_channel(struct arda_tail *tail)
{
    if (!tail->start.follow || tail->blind)
        return;
    if (tail->has_until && base_clock_wall_ms() >= 0 &&
        (uint64_t)base_clock_wall_ms() >= tail->until.ms) {
        tail->wants_time = true;
        if (tail->step == TAIL_WAIT)
            arda_tail_enter(tail, TAIL_TIME);
    }
    if (!tail->standing || !tail->live)
        return;
    bool missed = tail->direct && tail->head_open;
    if (!missed)
        check_silence(tail);
    if (arda_tail_is_over(tail))
        return;
    if (missed)
        arda_tail_stop_direct(tail);
    else if (tail->direct && tail->step == TAIL_WAIT)
        arda_tail_enter(tail, TAIL_HEAD);
    else
        arda_tail_ring(tail);
}

/* ---- direct ---- */

void arda_tail_stop_direct(struct arda_tail *tail)
{
    tail->direct = false;
    tail->head_open = false;
    tail->counted = false; /* what came was not counted */
    arda_tail_enter(tail, tail->heard_id[0] ? TAIL_HEARD : TAIL_CHECK);
}

void arda_tail_caught_up(struct arda_tail *tail)
{
    tail->direct = tail->start.direct && tail->standing && !tail->tails->paused;
    if (tail->direct)
        tail->heard_id[0] = '\0';
}

/* The last event that came before: everything behind it is still to be given. When the stream does
 * not have it, reading begins at the last position that is known, and what was given is skipped. */
static void on_heard(void *data, int result, struct arda_stream_id id, const struct base_why *why)
{
    struct arda_tail *tail = data;
    bool found = result == BASE_OK;
    if (arda_tail_answered(tail, result == BASE_ERR_NOTFOUND ? BASE_OK : result, why) &&
        tail->step == TAIL_HEARD) {
        if (found) {
            tail->position = id;
            tail->exact = true;
        }
        arda_tail_enter(tail, TAIL_CHECK);
    }
    arda_tail_done_with_answer(tail);
}

static void take_head(struct arda_tail *tail, const struct arda_stream_entry *entry)
{
    struct arda_message message;
    struct base_buf spare = BASE_BUF_INIT;
    if (arda_stream_id_compare(entry->id, tail->position) == 0)
        return;
    bool good =
        entry->envelope.data && !arda_message_parse(entry->envelope.data, entry->envelope.len,
                                                    tail->tenant, tail->tenant_len, &message, NULL);
    struct base_slice id = good ? arda_tail_id_of(&message, &spare) : (struct base_slice){NULL, 0};
    bool usable = id.len > 0 && id.len <= ARDA_WHEN_EVENT_MAX;
    bool came = usable ? arda_seen_has(&tail->seen, id.data, id.len) : tail->heard > 0;
    if (came) {
        tail->position = tail->expected = entry->id;
        tail->exact = true;
    } else if (usable) {
        tail->head = entry->id;
        tail->head_open = true;
        memcpy(tail->head_id, id.data, id.len);
        tail->head_id[id.len] = '\0';
    } else {
        arda_tail_stop_direct(tail);
    }
    base_buf_fini(&spare);
}

static void on_head(void *data, int result, const struct arda_stream_page *page,
                    const struct base_why *why)
{
    struct arda_tail *tail = data;
    if (arda_tail_answered(tail, result, why) && tail->step == TAIL_HEAD) {
        tail->step = TAIL_WAIT;
        if (page->count > 0)
            take_head(tail, &page->entries[0]);
    }
    arda_tail_done_with_answer(tail);
}

int arda_tail_live_ask(struct arda_tail *tail)
{
    struct arda_bus *bus = tail->tails->bus;
    if (tail->step == TAIL_HEARD) {
        struct arda_when when = {.kind = ARDA_WHEN_EVENT};
        memcpy(when.event_id, tail->heard_id, sizeof when.event_id);
        return arda_stream_find(bus, arda_tail_tenant(tail), &when, ARDA_STREAM_SINCE, on_heard,
                                tail);
    }
    const struct arda_stream_range range = {
        arda_tail_tenant(tail), {0, 0}, ARDA_STREAM_ID_LAST, 1, true};
    return arda_stream_read(bus, &range, on_head, tail);
}
