/* SPDX-License-Identifier: ISC
 *
 * From records to events with a due time: read, filtered, put in order, scheduled, queued. Reading
 * pauses while the queue is long enough.
 */
#include "arda-replay/replay.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define AHEAD_EVENTS  2048 /* queued before reading pauses ... */
#define AHEAD_BYTES   (16 << 20)
#define REORDER_MOST  65536
#define REORDER_BYTES (64 << 20)

/* ---- beginning ---- */

int intake_start(struct replay *replay)
{
    const struct settings *settings = &replay->settings;
    struct arda_filter_options options = {.type = {settings->type.items, settings->type.count}};
    struct base_why why;
    int failed = arda_filter_new(&options, &replay->filter, &why);
    if (failed) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        return base_exit_status(failed);
    }
    base_list_init(&replay->queue);
    replay->reorder = (struct base_reorder){.window_ms = settings->reorder_window,
                                            .max_items = REORDER_MOST,
                                            .max_bytes = REORDER_BYTES};
    replay->timeline = (struct base_timeline){.speed = replay->wishes.speed,
                                              .rate = replay->wishes.rate,
                                              .max_pause_ms = settings->max_gap};
    replay->last_time_ms = BASE_TIMELINE_NO_TIME;
    int64_t time_ms, ago_ms;
    if (checkpoint_time(replay, &time_ms, &ago_ms))
        base_timeline_resume(&replay->timeline, time_ms);
    return BASE_EXIT_OK;
}

/* ---- scheduling ---- */

static struct event *event_of(struct base_reorder_item *item)
{
    return base_container(item, struct event, order);
}

void event_free(struct event *event)
{
    base_free(event);
}

static void schedule(struct replay *replay, struct event *event)
{
    bool behind;
    if (replay->scheduled_round && replay->scheduled_round != event->at.round)
        base_timeline_again(&replay->timeline);
    replay->scheduled_round = event->at.round;
    event->due_us = base_timeline_next(&replay->timeline, event->time_ms, &behind);
    event->mark_ms = replay->timeline.begun ? replay->timeline.latest_ms : BASE_TIMELINE_NO_TIME;
    replay->counts.behind += behind;
    replay->counts.untimed += event->time_ms == BASE_TIMELINE_NO_TIME;
    if (replay->plan) {
        plan_event(replay, event);
        event_free(event);
        return;
    }
    base_list_append(&replay->queue, &event->link);
    replay->queued++;
    replay->queued_bytes += event->order.bytes;
}

static bool is_full(const struct replay *replay)
{
    return replay->queued >= AHEAD_EVENTS || replay->queued_bytes >= AHEAD_BYTES;
}

static bool has_room(const struct replay *replay)
{
    return replay->queued < AHEAD_EVENTS / 2 && replay->queued_bytes < AHEAD_BYTES / 2;
}

static void schedule_ripe(struct replay *replay)
{
    struct base_reorder_item *item;
    while ((item = base_reorder_next(&replay->reorder)) != NULL)
        schedule(replay, event_of(item));
    if (!replay->paused && is_full(replay)) {
        replay->paused = true;
        replay->source->pause(replay);
    }
    pace_go_on(replay);
}

void intake_room(struct replay *replay)
{
    if (!replay->paused || !has_room(replay) || replay->ending)
        return;
    replay->paused = false;
    replay->source->resume(replay);
}

/* ---- reading ---- */

static bool take_ticket(struct replay *replay, const struct arda_ledger_position *position,
                        uint64_t *ticket)
{
    if (arda_ledger_take(&replay->ledger, position, ticket) == 0)
        return true;
    replay_out_of_memory(replay);
    return false;
}

static void leave_out(struct replay *replay, struct event *event)
{
    arda_ledger_skip(&replay->ledger, event->ticket);
    event_free(event);
    checkpoint_change(replay, false);
}

const char *event_place(const struct replay *replay, const struct event *event,
                        char out[static BASE_PLACE_MAX])
{
    if (!replay->settings.from_stream)
        return base_place_text(&event->place, out);
    char id[ARDA_STREAM_ID_LEN + 1];
    arda_stream_id_format((struct arda_stream_id){event->at.major, event->at.minor}, id);
    snprintf(out, BASE_PLACE_MAX, "%s: entry %s: ", event->place.file, id);
    return out;
}

static void complain(struct replay *replay, const struct event *event, const char *text)
{
    char where[BASE_PLACE_MAX];
    base_log(BASE_LOG_ERROR, "%s%s", event_place(replay, event, where), text);
    replay->counts.bad_lines++;
}

static void complain_of_form(struct replay *replay, const struct event *event, enum arda_drop drop,
                             const struct base_json_error *error)
{
    char text[256];
    if (!lines_may_complain(replay)) {
        replay->counts.bad_lines++;
        return;
    }
    if (drop == ARDA_DROP_NOT_JSON)
        snprintf(text, sizeof text, "column %zu: %s", error->offset + 1, error->text);
    else
        snprintf(text, sizeof text, "%s", arda_drop_text(drop));
    complain(replay, event, text);
}

/* A line of any form, or the entry of a stream. */
static enum arda_drop parse(struct replay *replay, struct event *event, size_t len,
                            struct base_json_error *error)
{
    if (!replay->settings.from_stream)
        return arda_record_parse(event->text, len, &event->record, error);
    const char *tenant = replay->settings.from_stream;
    struct arda_message message;
    enum arda_drop drop =
        arda_message_parse(event->text, len, tenant, strlen(tenant), &message, error);
    struct arda_stream_id position = {event->at.major, event->at.minor};
    event->record = arda_record_of(&message, position, (struct base_slice){NULL, 0});
    return drop;
}

/* 1: it is to be replayed; 0: it is not; or BASE_ERR_NOMEM. */
static int look(struct replay *replay, struct event *event, size_t len)
{
    struct base_json_error error = {0};
    char tenant[ARDA_ID_MAX + 1];
    enum arda_drop drop = parse(replay, event, len, &error);
    if (drop != ARDA_DROP_NONE) {
        complain_of_form(replay, event, drop, &error);
        return 0;
    }
    if (event->record.form == ARDA_RECORD_GAP) {
        replay->counts.gaps++;
        return 0;
    }
    int wanted = arda_filter_match(replay->filter, &event->record.message);
    if (wanted != 1) {
        replay->counts.filtered += wanted == 0;
        return wanted;
    }
    int tenant_len = rewrite_tenant(replay, &event->record.message, tenant);
    if (tenant_len < 0 || (tenant_len == 0 && replay->settings.shadow)) {
        complain(replay, event,
                 tenant_len ? "tenantId: with --shadow it is longer than 64 characters"
                            : "no tenantId, so there is no shadow of it");
        return 0;
    }
    bool failed = false;
    if (!replay->plan && !replay->settings.print && tenant_len > 0)
        event->tenant = tenants_get(replay, tenant, (size_t)tenant_len, &failed);
    return failed ? BASE_ERR_NOMEM : 1;
}

static void read_time(struct replay *replay, struct event *event)
{
    static struct base_log_limit limit;
    char where[BASE_PLACE_MAX];
    if (arda_record_time(&event->record, &event->time_ms) < 0) {
        event->time_ms = BASE_TIMELINE_NO_TIME;
        base_log_limited(&limit, BASE_LOG_WARNING,
                         "%sno time; it follows the one before it at once",
                         event_place(replay, event, where));
    } else {
        replay->last_time_ms = event->time_ms;
    }
    event->order.time_ms = replay->last_time_ms;
}

static struct event *new_event(const struct base_place *place, struct base_slice text)
{
    struct event *event = base_malloc(sizeof *event + text.len);
    if (!event)
        return NULL;
    memset(event, 0, sizeof *event);
    event->place = *place;
    event->order.bytes = sizeof *event + text.len;
    if (text.len > 0)
        memcpy(event->text, text.data, text.len);
    return event;
}

void intake_record(struct replay *replay, uint64_t major, uint64_t minor,
                   const struct base_place *place, struct base_slice text)
{
    struct arda_ledger_position at = {replay->round, major, minor};
    if (checkpoint_has(replay, &at)) {
        replay->round_events++;
        return;
    }
    struct event *event = new_event(place, text);
    if (!event) {
        replay_out_of_memory(replay);
        return;
    }
    event->at = at;
    if (!take_ticket(replay, &at, &event->ticket)) {
        event_free(event);
        return;
    }
    int wanted = look(replay, event, text.len);
    if (wanted == 1) {
        read_time(replay, event);
        wanted = base_reorder_add(&replay->reorder, &event->order);
        if (wanted == 0) {
            replay->round_events++;
            schedule_ripe(replay);
            return;
        }
    }
    leave_out(replay, event);
    if (wanted < 0)
        replay_out_of_memory(replay);
}

void intake_bad(struct replay *replay, uint64_t major, uint64_t minor)
{
    struct arda_ledger_position at = {replay->round, major, minor};
    uint64_t ticket;
    if (checkpoint_has(replay, &at) || !take_ticket(replay, &at, &ticket))
        return;
    replay->counts.bad_lines++;
    arda_ledger_skip(&replay->ledger, ticket);
}

static void on_next_round(uv_timer_t *timer)
{
    struct replay *replay = timer->data;
    replay->round++;
    replay->round_events = 0;
    replay->last_time_ms = BASE_TIMELINE_NO_TIME;
    int failed = replay->source->open(replay);
    if (failed)
        replay_end(replay, failed);
}

void intake_end(struct replay *replay)
{
    base_reorder_flush(&replay->reorder);
    schedule_ripe(replay);
    if (replay->ending)
        return;
    bool again = replay->settings.repeat == 0 || (int64_t)replay->round < replay->settings.repeat;
    /* A round without events would only be followed by others. */
    if (again && replay->round_events > 0)
        uv_timer_start(&replay->next_round, on_next_round, 0, 0);
    else
        replay->read_all = true;
    replay_end_when_done(replay);
}

void intake_fini(struct replay *replay)
{
    base_reorder_flush(&replay->reorder);
    struct base_reorder_item *item;
    while ((item = base_reorder_next(&replay->reorder)) != NULL)
        event_free(event_of(item));
    base_reorder_fini(&replay->reorder);
    if (replay->queue.next) {
        BASE_LIST_FOREACH_SAFE (link, &replay->queue)
            event_free(base_container(link, struct event, link));
    }
    arda_filter_free(replay->filter);
    arda_ledger_fini(&replay->ledger);
}
