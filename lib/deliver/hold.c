/* SPDX-License-Identifier: ISC
 *
 * The rules are those of delivery/hold.h; here the person's time zone is loaded for them.
 */
#include "deliver/internal.h"

#include "arda/delivery/hold.h"
#include "arda/directory.h"
#include "base/json.h"

/* The zone that the person's entry names. Of one that is not known here, or could not be read, and
 * of none it is UTC: a mail at an odd hour is better than none. */
static struct base_zone *load_zone(struct base_slice person)
{
    struct base_json_member member = BASE_JSON_WANT("timeZone");
    struct base_zone *zone = NULL;
    struct base_buf name = BASE_BUF_INIT;
    const char *folder = arda_directory_zones();
    if (folder && base_json_pick(person.data, person.len, &member, 1, NULL, NULL) == BASE_OK &&
        base_json_unescape(&member.value, &name) == BASE_OK)
        (void)base_zone_load(folder, name.data, name.len, &zone);
    base_buf_fini(&name);
    return zone;
}

/* Quiet hours count whenever a mail is about to go out, a digest or a further try, too. A digest
 * takes what is new: neither what was tried already nor what was held before. */
int64_t deliver_hold_until(const struct arda_delivery *delivery, int64_t now_ms, bool *digest)
{
    *digest = false;
    if (delivery->digest.len == 0 && delivery->quiet.len == 0)
        return 0;
    struct base_zone *zone = load_zone(delivery->person);
    const struct arda_hold hold = {
        .digest = delivery->digest,
        .quiet = delivery->quiet,
        .zone = zone,
        .created_ms = delivery->created_ms,
        .collects = !delivery->held && delivery->attempts == 0 && delivery->item_count == 0,
    };
    int64_t until_ms = arda_hold_until(&hold, now_ms, digest);
    base_zone_free(zone);
    return until_ms;
}
