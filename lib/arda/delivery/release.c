/* SPDX-License-Identifier: ISC
 *
 * A digest is a delivery like others, with a set of members in place of a notification. While it
 * is open, which is until it is claimed, a key names it to whoever has another member for it; full
 * ones are not added to.
 */
#include "arda/delivery/internal.h"

#include <string.h>

ARDA_SCRIPT(delivery_release);

int arda_delivery_release(struct arda_bus *bus, const struct arda_delivery *delivery,
                          int64_t due_ms, arda_delivery_settle_fn done, void *data)
{
    char due[DELIVERY_MS_LEN], due_iso[BASE_RFC3339_LEN + 1];
    const char *argv[] = {arda_bus_prefix(bus),
                          delivery->tenant,
                          arda_notify_channel_name(delivery->channel),
                          delivery->id,
                          delivery->lease,
                          due,
                          due_iso};
    arda_delivery_ms(due_ms, due);
    base_rfc3339_format(due_ms, due_iso);
    return arda_delivery_change(bus, &arda_delivery_release_script,
                                (int)(sizeof argv / sizeof argv[0]), argv, done, data);
}

ARDA_SCRIPT(delivery_hold);

int arda_delivery_hold(struct arda_bus *bus, const struct arda_delivery *delivery, int64_t until_ms,
                       const char *schedule, const char *digest_id, int64_t now_ms,
                       arda_delivery_settle_fn done, void *data)
{
    char until[DELIVERY_MS_LEN], now[DELIVERY_MS_LEN], items_max[DELIVERY_MS_LEN];
    char until_iso[BASE_RFC3339_LEN + 1], now_iso[BASE_RFC3339_LEN + 1];
    if (delivery->channel != ARDA_NOTIFY_EMAIL ||
        (schedule && (!digest_id || strlen(digest_id) != ARDA_NOTIFY_ID_LEN)))
        return BASE_ERR_INVALID;
    arda_delivery_ms(until_ms, until);
    arda_delivery_ms(now_ms, now);
    arda_delivery_ms(ARDA_DELIVERY_ITEMS_MAX, items_max);
    base_rfc3339_format(until_ms, until_iso);
    base_rfc3339_format(now_ms, now_iso);
    const char *argv[] = {arda_bus_prefix(bus),
                          delivery->tenant,
                          delivery->id,
                          delivery->lease,
                          until,
                          until_iso,
                          now,
                          now_iso,
                          schedule ? schedule : "",
                          schedule ? digest_id : "",
                          items_max};
    return arda_delivery_change(bus, &arda_delivery_hold_script,
                                (int)(sizeof argv / sizeof argv[0]), argv, done, data);
}
