/* SPDX-License-Identifier: ISC
 *
 * --global: the channel of all tenants. It has no stream to compare it with or to read again from,
 * so every loss of the subscription is a gap of unknown size.
 */
#include "arda-subscribe/subscribe.h"

#include "base/exit.h"
#include "base/log.h"

static bool was_standing;

static void on_message(void *data, const struct arda_message *message)
{
    output_event(data, NULL, message, (struct arda_stream_id){0, 0});
}

static void on_standing(void *data, bool standing)
{
    const struct arda_gap gap = {.cause = ARDA_GAP_AWAY, .count = ARDA_GAP_UNKNOWN};
    base_log(BASE_LOG_DEBUG, "%s the channel of all tenants", standing ? "subscribed to" : "lost");
    if (standing && was_standing)
        output_gap(data, &gap);
    was_standing = true;
    if (standing)
        endings_touch(data);
}

int global_start(struct subscriber *subscriber)
{
    const struct arda_handlers handlers = {on_message, on_standing, subscriber};
    int failed = arda_bus_subscribe_global(subscriber->bus, &handlers, &subscriber->global);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", base_err_text(failed));
    return base_exit_status(failed);
}
