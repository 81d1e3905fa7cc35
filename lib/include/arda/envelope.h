/* SPDX-License-Identifier: ISC
 *
 * envelope: the wrapping of an event (catalog section 10), and putting members into an event by
 * splicing text, so that what the producer wrote stays as it was written. Threads: any.
 */
#ifndef ARDA_ENVELOPE_H
#define ARDA_ENVELOPE_H

#include "arda/message.h"
#include "base/api.h"

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
ARDA_API int arda_envelope_write(struct base_buf *out, const struct arda_envelope *envelope);

/* A member to put into an event. */
struct arda_member {
    const char *key;
    struct base_slice value; /* of a string; or with `literal`, JSON as it stands */
    bool literal;
    bool replace; /* a member of that name gives way; otherwise it stays, and this is left out */
};

#define ARDA_MEMBERS_MAX 16 /* in one call */

/* Appends `event`, an object the scanner has yielded, with these members: what gives way is
 * exchanged where it stands, what is missing is put before the closing brace, in this order, and
 * everything else stays as it was written. BASE_ERR_NOMEM: `out` unchanged. */
ARDA_API int arda_event_put(struct base_buf *out, const struct base_json_value *event,
                            const struct arda_member *members, size_t count);

#endif
