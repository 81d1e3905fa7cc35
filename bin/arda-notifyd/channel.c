/* SPDX-License-Identifier: ISC
 *
 * The global channel. Each message rings for its tenant's stream, where the event is read from.
 * What was heard and is not found there has been taken by another daemon, or is in no stream. With
 * nobody else alive it is processed at once; else after a while in which another would have handled
 * it. That saves work and decides nothing: whoever processes it, and if several do, the step makes
 * one notification of it.
 */
#include "notifyd.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>

#define GRACE_US  500000ull
#define TICK_MS   100
#define MAX_HEARD 20000
#define MAX_BYTES (32u * 1024 * 1024)
#define MAX_SEEN  65536 /* keys of events */
#define MAX_ASKED 256   /* questions at once whether an event has been handled */

/* Whether this event has been heard or taken before; it has been from now on. */
static bool seen_before(struct tenant *tenant, const struct arda_notify_cause *cause)
{
    char name[ARDA_ID_MAX + ARDA_NOTIFY_KEY_MAX + 2];
    size_t tenant_len = strlen(tenant->id), key_len = strlen(cause->key);
    memcpy(name, tenant->id, tenant_len);
    name[tenant_len] = ':';
    memcpy(name + tenant_len + 1, cause->key, key_len);
    return arda_seen_add(&tenant->nd->channel.seen, name, tenant_len + 1 + key_len);
}

static void take_out(struct work *work)
{
    struct channel *channel = &work->tenant->nd->channel;
    base_list_remove(&work->link);
    channel->heard_count--;
    channel->heard_bytes -= work->len;
}

static void process(struct work *work)
{
    take_out(work);
    work->tenant->nd->counters.unlogged++;
    work_add(work);
}

/* ---- hearing ---- */

static void hear(struct tenant *tenant, struct base_slice text)
{
    static struct base_log_limit limit;
    struct notifyd *nd = tenant->nd;
    struct channel *channel = &nd->channel;
    struct work_verdict verdict = work_make(tenant, text, FROM_CHANNEL, NULL);
    if (verdict.result != WORK_MADE)
        return; /* should it be in the stream, it is counted there */
    struct work *work = verdict.work;
    if (seen_before(tenant, &work->cause)) {
        work_free(work);
        return;
    }
    if (channel->heard_count >= MAX_HEARD || channel->heard_bytes >= MAX_BYTES) {
        nd->counters.skipped[SKIP_OVERFLOW]++;
        base_log_limited(&limit, BASE_LOG_ERROR,
                         "too much is waiting: events that are in no stream are lost");
        work_free(work);
        return;
    }
    work->round = tenant->take_number + 1;
    work->heard_us = base_clock_mono_us();
    base_list_append(&tenant->heard, &work->link);
    channel->heard_count++;
    channel->heard_bytes += work->len;
}

static void on_message(void *data, const struct arda_message *message)
{
    struct notifyd *nd = data;
    if (base_json_equals(&message->type, "notification.created", 20))
        return; /* ours, or another's: there are many of them */
    if (message->tenant.len == 0) {
        nd->counters.skipped[SKIP_NO_TENANT]++;
        return;
    }
    struct tenant *tenant = tenants_get(nd, message->tenant.data, message->tenant.len);
    if (!tenant)
        return; /* what is in its stream is found by a sweep */
    hear(tenant, message->text);
    intake_ring(tenant);
}

static void on_standing(void *data, bool standing)
{
    struct notifyd *nd = data;
    nd->channel.standing = standing;
    if (!standing || nd->stopping)
        return;
    base_log(BASE_LOG_INFO, "ready");
    intake_up(nd);
}

/* ---- is it in the stream? ---- */

void channel_taken(struct tenant *tenant, const struct arda_notify_cause *cause)
{
    if (!seen_before(tenant, cause))
        return;
    BASE_LIST_FOREACH_SAFE (link, &tenant->heard) {
        struct work *work = base_container(link, struct work, link);
        if (strcmp(work->cause.key, cause->key) == 0) {
            take_out(work);
            work_free(work);
            return;
        }
    }
}

void channel_settle(struct tenant *tenant, uint64_t round)
{
    struct notifyd *nd = tenant->nd;
    BASE_LIST_FOREACH_SAFE (link, &tenant->heard) {
        struct work *work = base_container(link, struct work, link);
        if (work->round > round)
            return; /* so are those behind it */
        if (nd->intake.others == 0) {
            process(work);
        } else {
            base_list_remove(link);
            base_list_append(&nd->channel.grace, link);
        }
    }
}

/* ---- does another have it? ---- */

static void on_handled(void *data, int result, bool handled)
{
    struct work *work = data;
    struct notifyd *nd = work->tenant->nd;
    nd->channel.asked--;
    if (!result && handled) {
        take_out(work);
        work_free(work);
    } else {
        process(work);
    }
    notifyd_check_end(nd);
}

static void on_timer(uv_timer_t *timer)
{
    struct notifyd *nd = timer->data;
    struct channel *channel = &nd->channel;
    uint64_t now = base_clock_mono_us();
    BASE_LIST_FOREACH_SAFE (link, &channel->grace) {
        struct work *work = base_container(link, struct work, link);
        if (now - work->heard_us < GRACE_US || channel->asked >= MAX_ASKED)
            break;
        if (arda_intake_handled(nd->bus, work->tenant->id, work->cause.key, on_handled, work) < 0)
            break;
        base_list_remove(link); /* its answer has it */
        channel->asked++;
    }
    notifyd_turn(nd);
}

/* ---- begin and end ---- */

void channel_init(struct notifyd *nd)
{
    nd->channel.seen.max = MAX_SEEN;
    base_list_init(&nd->channel.grace);
    uv_timer_init(&nd->loop, &nd->channel.timer);
    nd->channel.timer.data = nd;
    uv_timer_start(&nd->channel.timer, on_timer, TICK_MS, TICK_MS);
}

void channel_start(struct notifyd *nd)
{
    const struct arda_handlers handlers = {on_message, on_standing, nd};
    int failed = arda_bus_subscribe_global(nd->bus, &handlers, &nd->channel.subscription);
    if (failed) {
        base_log(BASE_LOG_ERROR, "the global channel: %s", base_err_text(failed));
        notifyd_stop(nd, base_exit_status(failed));
    }
}

void channel_stop(struct notifyd *nd)
{
    if (nd->channel.subscription)
        arda_bus_unsubscribe(nd->channel.subscription);
    nd->channel.subscription = NULL;
}

void channel_close(struct notifyd *nd)
{
    uv_close((uv_handle_t *)&nd->channel.timer, NULL);
}

void channel_fini(struct notifyd *nd)
{
    BASE_LIST_FOREACH_SAFE (link, &nd->channel.grace)
        work_free(base_container(link, struct work, link));
    arda_seen_fini(&nd->channel.seen);
}
