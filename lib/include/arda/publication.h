/* SPDX-License-Identifier: ISC
 *
 * publication: from the text of an event, and of the envelope around it, to what goes to Redis.
 *
 * An event is completed by splicing (envelope.h), so that what the producer wrote stays as it was
 * written, and wrapped for the stream. What its envelope said of source, correlation and id is
 * kept. Nothing is checked here: that is event.h's. Source: catalog section 10. Threads: any.
 */
#ifndef ARDA_PUBLICATION_H
#define ARDA_PUBLICATION_H

#include "arda/bus.h"
#include "base/api.h"

/* What is to stand in place of what event and envelope say, or where they say nothing. All are
 * bytes of UTF-8 strings; an empty one changes nothing. A zeroed struct publishes as it stands. */
struct arda_overrides {
    struct base_slice event_id;        /* in the event and its envelope, even if there is one */
    struct base_slice tenant;          /* in the event, even if there is one */
    struct base_slice event_timestamp; /* when it happened, in the event */
    struct base_slice source;          /* of the envelope */
    struct base_slice correlation_id;
    struct base_slice timestamp; /* of publication; none: now */

    struct base_slice missing_id;     /* for an event without one; none: a new UUIDv7 */
    struct base_slice missing_tenant; /* an empty tenantId counts as none, too */
    struct base_slice missing_source; /* none: "unknown" */

    bool replayed;      /* marks the envelope */
    bool wrap;          /* the channels carry the envelope, too */
    bool no_stream;     /* as it is for notification.created anyway */
    uint64_t max_len;   /* of the stream; 0: 10000 */
    int64_t dedupe_for; /* ms, as in struct arda_publication */
};

/* The memory of a publication, used again by the next one. Zeroed before the first. The envelope is
 * there whether it is sent or not. */
struct arda_publication_texts {
    struct base_buf strings, message, envelope;
};

/* Makes `publication`, which points into `texts` and holds until these change. `message` may be of
 * either form; it and the overrides are borrowed for the call. `publication->message` is the
 * channels' text; the completed event alone is `*event` (may be NULL). 0; BASE_ERR_NOMEM;
 * BASE_ERR_INTERNAL without a random source. */
ARDA_API int arda_publication_make(const struct arda_message *message,
                                   const struct arda_overrides *overrides,
                                   struct arda_publication_texts *texts,
                                   struct arda_publication *publication, struct base_slice *event);
ARDA_API void arda_publication_texts_fini(struct arda_publication_texts *texts);

#endif
