/* SPDX-License-Identifier: ISC
 *
 * The tenants that are followed: one tail each. With --all they are those of the directory, asked
 * for at the start and every few seconds, and those whose events come on the channel of all.
 */
#include "arda-subscribe/subscribe.h"

#include "arda/directory.h"
#include "arda/stream/stream.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

static void start_all(struct subscriber *subscriber);

/* ---- what tails tell ---- */

static void on_event(void *data, struct arda_tail *tail, const struct arda_tail_event *event)
{
    output_event(data, tail, event->message, event->id);
}

static void on_moved(void *data, struct arda_tail *tail)
{
    output_moved(data, tail);
}

static void on_gap(void *data, struct arda_tail *tail, const struct arda_gap *gap)
{
    (void)tail;
    output_gap(data, gap);
}

static void on_known(void *data, int result)
{
    struct feed *feed = data;
    if (result == 0 && !feed->subscriber->ending)
        base_log(BASE_LOG_INFO, "tenant %s is not in the directory; is the id right?",
                 feed->tenant);
}

static void on_live(void *data, struct arda_tail *tail)
{
    struct subscriber *subscriber = data;
    struct feed *feed = arda_tail_data(tail);
    base_log(BASE_LOG_DEBUG, "subscribed to %s", feed->tenant);
    feed->live = true;
    if (subscriber->feeds_to_come_live > 0 && --subscriber->feeds_to_come_live == 0)
        endings_touch(subscriber);
    if (!subscriber->settings.all)
        arda_directory_has_tenant(subscriber->bus, feed->tenant, strlen(feed->tenant), on_known,
                                  feed);
}

static void finish_if_over(struct subscriber *subscriber)
{
    if (subscriber->feeds_to_end == 0 && (!subscriber->settings.all || subscriber->all_listed))
        subscriber_finish(subscriber);
}

static void on_end(void *data, struct arda_tail *tail, int result, const struct base_why *why)
{
    struct subscriber *subscriber = data;
    struct feed *feed = arda_tail_data(tail);
    feed->over = true;
    subscriber->feeds_to_end--;
    if (result)
        subscriber_fail(subscriber, result, why);
    else
        finish_if_over(subscriber);
}

static bool is_wanted(void *data, const struct arda_message *message)
{
    return output_wants(data, message);
}

/* ---- tenants ---- */

static struct feed *add(struct subscriber *subscriber, struct base_slice tenant,
                        const struct arda_tail_start *model)
{
    struct arda_tail_start start = *model;
    struct feed *feed = base_calloc(1, sizeof *feed);
    if (!feed)
        return NULL;
    feed->subscriber = subscriber;
    memcpy(feed->tenant, tenant.data, tenant.len);
    if (subscriber->cursor &&
        arda_cursor_file_get(subscriber->cursor, tenant, &start.position, &start.number))
        start.has_position = true;
    if (base_map_set(&subscriber->feeds, tenant.data, tenant.len, feed) < 0 ||
        arda_tails_add(subscriber->tails, tenant, &start, feed, &feed->tail) < 0) {
        base_map_remove(&subscriber->feeds, tenant.data, tenant.len);
        base_free(feed);
        return NULL;
    }
    subscriber->feeds_to_end++;
    if (model->follow)
        subscriber->feeds_to_come_live++;
    return feed;
}

static void out_of_memory(struct subscriber *subscriber)
{
    struct base_why why;
    subscriber_fail(subscriber, base_why_set(&why, BASE_ERR_NOMEM, "out of memory"), &why);
}

/* A tenant that has appeared: what it has published since the start is not to be missed. */
static struct feed *add_new(struct subscriber *subscriber, struct base_slice tenant)
{
    struct arda_tail_start start = subscriber->plan.start;
    if (subscriber->all_listed && start.since.kind == ARDA_WHEN_NONE && start.last == 0)
        start.since = subscriber->t0;
    struct feed *feed = add(subscriber, tenant, &start);
    if (!feed)
        out_of_memory(subscriber);
    return feed;
}

static void on_tenant(void *data, const char *tenant, size_t len)
{
    struct subscriber *subscriber = data;
    struct base_slice id = {tenant, len};
    if (subscriber->ending || base_map_get(&subscriber->feeds, tenant, len))
        return;
    if (arda_tenant_valid(tenant, len))
        add_new(subscriber, id);
    else if (!subscriber->all_listed)
        base_log(BASE_LOG_WARNING, "directory: `%s' is not the id of a tenant", tenant);
}

static void on_listed(void *data, int result, const struct base_why *why)
{
    struct subscriber *subscriber = data;
    subscriber->listing = false;
    if (subscriber->ending || result == BASE_ERR_CLOSED || result == BASE_ERR_AGAIN)
        return; /* asked again soon */
    if (result) {
        subscriber_fail(subscriber, result, why);
        return;
    }
    subscriber->all_listed = true;
    if (!subscriber->plan.follow)
        finish_if_over(subscriber);
    else if (subscriber->feeds_to_come_live == 0)
        endings_touch(subscriber);
}

static void on_time(void *data, int result, uint64_t ms, const struct base_why *why)
{
    struct subscriber *subscriber = data;
    subscriber->listing = false;
    if (subscriber->ending || result == BASE_ERR_CLOSED || result == BASE_ERR_AGAIN)
        return;
    if (result) {
        subscriber_fail(subscriber, result, why);
        return;
    }
    subscriber->t0 = (struct arda_when){.kind = ARDA_WHEN_TIME, .ms = ms};
    start_all(subscriber);
}

/* ---- the channel of all tenants ---- */

static void on_message(void *data, const struct arda_message *message)
{
    struct subscriber *subscriber = data;
    struct base_slice tenant = message->tenant;
    if (subscriber->ending || tenant.len == 0 || !subscriber->all_listed)
        return;
    struct feed *feed = base_map_get(&subscriber->feeds, tenant.data, tenant.len);
    if (!feed)
        feed = add_new(subscriber, tenant);
    if (feed && !feed->live)
        arda_tail_offer(feed->tail, message);
}

/* First the clock, then the channel, then the directory: a tenant that appears meanwhile is seen
 * by one of the two, and its events since then are read. */
static void start_all(struct subscriber *subscriber)
{
    const struct arda_handlers handlers = {on_message, NULL, subscriber};
    int failed = BASE_OK;
    if (subscriber->listing)
        return;
    if (subscriber->t0.kind == ARDA_WHEN_NONE) {
        failed = arda_stream_time(subscriber->bus, on_time, subscriber);
    } else {
        if (subscriber->plan.follow && !subscriber->global)
            failed = arda_bus_subscribe_global(subscriber->bus, &handlers, &subscriber->global);
        if (!failed)
            failed = arda_directory_tenants(subscriber->bus, on_tenant, on_listed, subscriber);
    }
    subscriber->listing = !failed;
    if (failed == BASE_ERR_NOMEM)
        out_of_memory(subscriber);
}

void feeds_look_around(struct subscriber *subscriber)
{
    if (subscriber->settings.all && subscriber->tails &&
        (subscriber->plan.follow || !subscriber->all_listed))
        start_all(subscriber);
}

/* ---- begin and end ---- */

int feeds_start(struct subscriber *subscriber, char **tenants, int count)
{
    const struct arda_tail_handlers handlers = {on_event, on_moved,  on_gap,    on_live,
                                                on_end,   is_wanted, subscriber};
    subscriber->tails = arda_tails_new(subscriber->bus, &handlers);
    if (!subscriber->tails)
        return BASE_EXIT_SOFTWARE;
    for (int i = 0; i < count; i++) {
        struct base_slice tenant = {tenants[i], strlen(tenants[i])};
        if (!base_map_get(&subscriber->feeds, tenant.data, tenant.len) &&
            !add(subscriber, tenant, &subscriber->plan.start))
            return BASE_EXIT_SOFTWARE;
    }
    return BASE_EXIT_OK;
}

void feeds_stop(struct subscriber *subscriber)
{
    arda_tails_free(subscriber->tails);
    subscriber->tails = NULL;
}
