/* SPDX-License-Identifier: ISC
 *
 * record: an event as it was received, with where it stood, and the lines it is printed as.
 *
 * The lines are those of arda-events(5), section "Lines of events", whose version is
 * ARDA_RECORD_VERSION; tests/data holds examples that fix them byte for byte. Events go out as they
 * were written, but for line ends between their tokens, which become blanks. Threads: any.
 */
#ifndef ARDA_RECORD_H
#define ARDA_RECORD_H

#include "arda/message.h"
#include "arda/stream_id.h"
#include "base/api.h"
#include "base/buf.h"
#include "base/json.h"

#include <stdint.h>

#define ARDA_RECORD_VERSION "1.0.0"

/* In which form a line held it; what comes from Redis is EVENT or ENVELOPE. */
enum arda_record_form {
    ARDA_RECORD_EVENT,    /* the event alone */
    ARDA_RECORD_ENVELOPE, /* an envelope, as on a channel, in a stream or printed */
    ARDA_RECORD_WS,       /* as web clients of protocol version 2 get it */
    ARDA_RECORD_GAP,      /* no event: a line that tells of missing ones */
};

/* All slices and values are borrowed. */
struct arda_record {
    struct arda_message message; /* of GAP: `text` alone */
    enum arda_record_form form;
    struct arda_stream_id position; /* of its entry in the stream; 0-0: unknown */
    struct base_slice channel;      /* "arda:events:acme"; empty: unknown */
    struct base_json_value gap;     /* of GAP: the OBJECT that tells of it; else ABSENT */
};

/* What an envelope says besides the event, as it stands there; ABSENT where it says nothing. */
struct arda_record_meta {
    struct base_json_value schema_version;
    struct base_json_value source;
    struct base_json_value correlation_id;
    struct base_json_value timestamp;
    struct base_json_value replayed;
};

/* A record of a message. `position` and `channel` as above. */
ARDA_API struct arda_record arda_record_of(const struct arda_message *message,
                                           struct arda_stream_id position,
                                           struct base_slice channel);
/* One pass over the envelope, if there is one. */
ARDA_API void arda_record_meta(const struct arda_record *record, struct arda_record_meta *meta);
/* When it was published: the time in the position, else the envelope's, else the event's, in
 * milliseconds since 1970. 0, or BASE_ERR_NOTFOUND when none of them is a time. */
ARDA_API int arda_record_time(const struct arda_record *record, int64_t *ms);

/* ---- writing: each appends one line with its end; after BASE_ERR_NOMEM `out` is unchanged ---- */

/* The event. */
ARDA_API int arda_record_write_json(struct base_buf *out, const struct arda_record *record);
/* {"id","position","channel", then what the envelope has of "schemaVersion", "source",
 * "correlationId", "timestamp", "replayed", then its other members, "event"}. The first three are
 * null where nothing is known. */
ARDA_API int arda_record_write_envelope(struct base_buf *out, const struct arda_record *record);
/* {"type","tenantId","payload","timestamp","eventId"} with the type of arda/ws_type.h. 1, or 0 when
 * the event has none and nothing was written. */
ARDA_API int arda_record_write_ws(struct base_buf *out, const struct arda_record *record);

/* ---- reading ---- */

/* Reads a line that one of the above has written, an envelope or an event as on a channel, or a gap
 * ({"gap":{…}}). The line is borrowed for the record's life. ARDA_DROP_NONE, or why it is no
 * record; `error` (may be NULL) tells where the JSON is broken.
 *
 * An event that does not name its tenant has the one of the line's `channel` or `tenantId`; if it
 * names another, that is ARDA_DROP_FOREIGN_TENANT. */
ARDA_API enum arda_drop arda_record_parse(const char *line, size_t len, struct arda_record *record,
                                          struct base_json_error *error);

#endif
