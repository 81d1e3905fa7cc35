/* SPDX-License-Identifier: ISC
 *
 * when: the positions in a tenant's events that --since and --until name.
 *
 *     start                          before the oldest entry of the stream
 *     end                            behind the newest one, as of the start of the program
 *     2026-02-08T12:00:00Z           a time, RFC 3339 with a zone
 *     1770552000, 1770552000.250     seconds since 1970; from 100000000000 on they are milliseconds
 *     -10m, +1h30m                   that long ago, or from now on
 *     1770552000000-0                a stream id
 *     0195…-…                        the eventId of an event: a UUID
 *
 * A time is compared with the milliseconds of stream ids, which are the clock of Redis at the
 * publication, not with the times that events carry. Threads: any.
 */
#ifndef ARDA_WHEN_H
#define ARDA_WHEN_H

#include "arda/stream_id.h"
#include "base/api.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define ARDA_WHEN_EVENT_MAX 128 /* bytes of an event's id; arda_when_parse takes UUIDs alone */

enum arda_when_kind {
    ARDA_WHEN_NONE = 0, /* a zeroed struct: nothing was named */
    ARDA_WHEN_START,
    ARDA_WHEN_END,
    ARDA_WHEN_TIME,
    ARDA_WHEN_ID,
    ARDA_WHEN_EVENT,
};

struct arda_when {
    enum arda_when_kind kind;
    uint64_t ms;                            /* of TIME, since 1970; earlier ones are 0 */
    struct arda_stream_id id;               /* of ID */
    char event_id[ARDA_WHEN_EVENT_MAX + 1]; /* of EVENT, as it was written */
};

/* `now_ms` is what -10m counts from: base_clock_wall_ms(). 0, or BASE_ERR_INVALID with `why` set to
 * what was expected and the text that was there; `when` is then unchanged. */
ARDA_API int arda_when_parse(const char *text, int64_t now_ms, struct arda_when *when,
                             struct base_why *why);

/* The first id that lies at the position or behind it: of START, TIME and ID, which need no stream
 * to tell. False for the others; arda_stream_find (stream.h) tells those. */
ARDA_API bool arda_when_first(const struct arda_when *when, struct arda_stream_id *first);
/* The last id that --until includes: everything before a TIME, an ID itself. 0-0: nothing. False
 * for the other kinds. */
ARDA_API bool arda_when_last(const struct arda_when *when, struct arda_stream_id *last);

#endif
