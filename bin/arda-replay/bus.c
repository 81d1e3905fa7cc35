/* SPDX-License-Identifier: ISC
 *
 * The bus: the sink that publishes, and the way of all questions to Redis. Everything goes through
 * one outbox, which outlives an absence of Redis.
 */
#include "arda-replay/replay.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"

#include <string.h>

#define HELD_MOST 4096 /* events that are not confirmed */
#define GRACE_MS  1000 /* for answers that are on their way when it ends early */

static struct request *as_request(struct app_outbox_item *item)
{
    return base_container(item, struct request, item);
}

/* ---- the outbox ---- */

static int send_request(void *data, struct app_outbox_item *item)
{
    (void)data;
    return as_request(item)->send(as_request(item));
}

static void drop_event(struct request *request)
{
    if (request->event)
        event_free(request->event);
    request->event = NULL;
}

static void fini_request(struct app_outbox_item *item)
{
    drop_event(as_request(item));
    arda_publication_texts_fini(&as_request(item)->texts);
}

static void on_change(void *data)
{
    pace_go_on(data);
}

static void on_impatient(void *data)
{
    const struct replay *replay = data;
    app_outbox_log_giving_up(replay->outbox, arda_bus_reason(replay->bus));
    replay_end(data, BASE_EXIT_TEMPFAIL);
}

struct request *bus_request(struct replay *replay, int (*send)(struct request *request))
{
    struct app_outbox_item *item = app_outbox_blank(replay->outbox);
    if (!item) {
        replay_out_of_memory(replay);
        return NULL;
    }
    struct request *request = as_request(item);
    request->replay = replay;
    request->send = send;
    request->tenant = NULL;
    request->sent_us = 0;
    item->place = (struct base_place){NULL, 0};
    return request;
}

static bool may_pass(int result)
{
    return result == BASE_ERR_CLOSED || result == BASE_ERR_UNAVAILABLE || result == BASE_ERR_AGAIN;
}

bool bus_answer(struct request *request, int result, const struct base_why *why)
{
    struct replay *replay = request->replay;
    app_outbox_answer(&request->item, result, why);
    if (result && !may_pass(result))
        replay_end(replay, base_exit_status(result));
    return result == BASE_OK && !replay->ending;
}

/* ---- opening and closing ---- */

static void on_state(void *data, bool up, const struct base_why *why)
{
    struct replay *replay = data;
    if (replay->ending)
        return;
    if (!up && arda_bus_is_refusal(why)) {
        base_log(BASE_LOG_ERROR, "%s", why->text);
        replay->refused = true;
        replay_end(replay, base_exit_status(why->code));
        return;
    }
    if (up)
        base_log(BASE_LOG_DEBUG, "redis: connected");
    else
        base_log(BASE_LOG_WARNING, "%s; trying again", why->text);
    replay->is_up |= up;
    app_outbox_on_state(replay->outbox, up);
    pace_go_on(replay);
}

int bus_open(struct replay *replay)
{
    struct base_why why;
    if (replay->bus)
        return BASE_EXIT_OK;
    struct app_outbox_options outbox = {.item_size = sizeof(struct request),
                                        .patience_ms = (uint64_t)replay->settings.retry_for,
                                        .send = send_request,
                                        .fini = fini_request,
                                        .on_change = on_change,
                                        .on_impatient = on_impatient,
                                        .data = replay};
    replay->outbox = app_outbox_new(&replay->loop, &outbox);
    if (!replay->outbox) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    struct arda_bus_options options = {.url = replay->settings.redis,
                                       .prefix = replay->settings.prefix,
                                       .name = PROGRAM,
                                       .on_state = on_state,
                                       .data = replay};
    int failed = arda_bus_get(&replay->loop, &options, &replay->bus, &why);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    return base_exit_status(failed);
}

static void on_gone(void *data)
{
    struct replay *replay = data;
    if (app_outbox_report(replay->outbox) > 0 && !replay->refused)
        replay->status = BASE_EXIT_TEMPFAIL;
}

void bus_close(struct replay *replay)
{
    if (replay->outbox)
        app_outbox_end(replay->outbox);
    if (replay->bus)
        arda_bus_shutdown(replay->bus, GRACE_MS, on_gone, replay);
}

/* ---- events ---- */

/* Of an event that was sent twice since the first answer was lost, the bus says that it has it. */
static void on_published(void *data, int result, const char *stream_id, const struct base_why *why)
{
    struct request *request = data;
    struct replay *replay = request->replay;
    (void)stream_id;
    if (result == ARDA_DUPLICATE && request->times_sent < 2)
        replay->counts.duplicates++;
    if (result == ARDA_PUBLISHED || result == ARDA_DUPLICATE) {
        bool is_new = result == ARDA_PUBLISHED || request->times_sent > 1;
        replay_settled(replay, request->event, is_new ? request->sent_us : 0);
        drop_event(request);
        result = BASE_OK;
    } else if (!may_pass(result)) {
        drop_event(request); /* not entered in the ledger: another run may try */
    }
    app_outbox_answer(&request->item, result, why);
}

static int send_event(struct request *request)
{
    int failed =
        arda_bus_publish(request->replay->bus, &request->publication, on_published, request);
    if (failed)
        return failed;
    request->times_sent++;
    if (!request->sent_us)
        request->sent_us = base_clock_mono_us();
    return BASE_OK;
}

static bool is_ready(struct replay *replay, const struct event *event)
{
    return replay->is_up && app_outbox_held(replay->outbox) < HELD_MOST &&
           (!event->tenant || tenant_is_ready(event->tenant));
}

static void send_one(struct replay *replay, struct event *event)
{
    struct request *request = bus_request(replay, send_event);
    if (!request) {
        event_free(event);
        return;
    }
    int failed = rewrite(replay, event, &request->texts, &request->publication);
    bool seen =
        !failed && event->tenant && tenant_has_seen(event->tenant, request->publication.event_id);
    if (!failed && !seen) {
        request->event = event;
        request->item.place = event->place;
        request->times_sent = 0;
        app_outbox_add(replay->outbox, &request->item);
        return;
    }
    app_outbox_drop(&request->item);
    if (failed == BASE_ERR_SYNTAX || failed == BASE_ERR_LIMIT) {
        replay_refused(replay, event,
                       failed == BASE_ERR_LIMIT ? request->publication.message.len : 0);
    } else if (failed) {
        base_log(BASE_LOG_ERROR, "%s", base_err_text(failed));
        replay_end(replay, base_exit_status(failed));
    } else {
        replay->counts.duplicates++;
        replay_settled(replay, event, 0);
    }
    event_free(event);
}

static bool is_idle(const struct replay *replay)
{
    return app_outbox_held(replay->outbox) == 0;
}

const struct sink bus_sink = {bus_open, is_ready, send_one, is_idle};
