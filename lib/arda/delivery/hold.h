/* SPDX-License-Identifier: ISC
 *
 * hold: when an e-mail goes out that a digest or quiet hours put off, by the wall clock of the
 * person's time zone. Moments are milliseconds since 1970 UTC, of the years 1 to 9998. A time that
 * the clock skips is the first moment behind the gap; of one that it shows twice, the first one
 * counts (zone.h). Threads: any.
 */
#ifndef ARDA_DELIVERY_HOLD_H
#define ARDA_DELIVERY_HOLD_H

#include "base/buf.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stdint.h>

/* How long a digest whose moment has passed unnoticed collects what else has waited. */
#define ARDA_HOLD_COLLECT_MS 1000

struct arda_schedule {
    bool hourly;
    int minute; /* of the day, if it is not */
};

/* "hourly" or "daily@HH:MM", as the directory has it. 0 or BASE_ERR_SYNTAX. */
int arda_hold_schedule_parse(struct base_slice text, struct arda_schedule *schedule);
/* The first moment behind `after_ms`: hourly whenever the clock shows a full hour; daily at that
 * time of each day. */
int64_t arda_hold_schedule_next(const struct arda_schedule *schedule, const struct base_zone *zone,
                                int64_t after_ms);

/* Minutes of the day, which differ; those that end before they begin end on the next day. */
struct arda_quiet {
    int from, to;
};

/* "HH:MM-HH:MM", as the directory has it. 0 or BASE_ERR_SYNTAX. */
int arda_hold_quiet_parse(struct base_slice text, struct arda_quiet *quiet);
/* When the quiet hours end that `at_ms` lies in: the first moment that lies in none. `at_ms` itself
 * when it is in none. The beginning belongs to them, the end does not. */
int64_t arda_hold_quiet_end(const struct arda_quiet *quiet, const struct base_zone *zone,
                            int64_t at_ms);

struct arda_hold {
    struct base_slice digest, quiet; /* entries of the directory that apply; empty: none */
    const struct base_zone *zone;
    int64_t created_ms;
    bool collects; /* the digest counts: it did not before, and nothing was attempted yet */
};

/* When it is to go out: 0 for now, else a moment behind `now_ms`, which lies in no quiet hours;
 * `digest` is whether in a digest. Its moment is the first one of the schedule behind the creation;
 * when that was missed, it is now, and a digest all the same. Entries that make no sense are
 * none. */
int64_t arda_hold_until(const struct arda_hold *hold, int64_t now_ms, bool *digest);

#endif
