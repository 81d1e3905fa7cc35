/* SPDX-License-Identifier: ISC
 *
 * envelope: the wrapping of an event (catalog section 10), and completing an event for publication
 * by splicing text, so that what the producer wrote stays as it was written. Threads: any.
 */
#ifndef ARDA_ENVELOPE_H
#define ARDA_ENVELOPE_H

#include "arda/message.h"

/* Texts go out as JSON strings, values and the event as they stand. */
struct arda_envelope {
    struct base_slice id;
    struct base_json_value schema_version; /* a NUMBER, else 1 is written */
    struct base_slice source;
    struct base_slice correlation_id; /* empty: left out */
    struct base_slice timestamp;
    bool replayed;
    struct base_slice event;
};

/* Appends it as JSON, members in the order of the catalog. BASE_ERR_NOMEM: `out` unchanged. */
int arda_envelope_write(struct base_buf *out, const struct arda_envelope *envelope);

/* What publication adds to an event that lacks it. */
struct arda_completion {
    struct base_slice timestamp;
    struct base_slice event_id;
};

/* Appends `event`, an object the scanner has yielded, with `timestamp`, `eventId` and
 * `schemaVersion` put before its closing brace as far as it has no such members. BASE_ERR_NOMEM:
 * `out` unchanged. */
int arda_event_complete(struct base_buf *out, const struct base_json_value *event,
                        const struct arda_completion *completion);

#endif
