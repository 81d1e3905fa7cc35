/* SPDX-License-Identifier: ISC
 *
 * gap: what a reader of events has missed, or may have, and the line that says so (arda-events(5)).
 * Threads: any.
 */
#ifndef ARDA_GAP_H
#define ARDA_GAP_H

#include "arda/stream_id.h"
#include "base/api.h"
#include "base/buf.h"

/* Code, name in the line, text for a person. */
#define ARDA_GAP_MAP(X)                                                                            \
    X(ARDA_GAP_TRIMMED, "trimmed", "the stream was trimmed")                                       \
    X(ARDA_GAP_DELETED, "deleted", "entries of the stream were deleted")                           \
    X(ARDA_GAP_LOST, "stream_lost", "the stream is gone or went back")                             \
    X(ARDA_GAP_AWAY, "redis_away", "Redis was away")                                               \
    X(ARDA_GAP_BUFFER, "buffer_full", "more came than could be kept")

enum arda_gap_cause {
#define ARDA_GAP_ENUM_(code, name, text) code,
    ARDA_GAP_MAP(ARDA_GAP_ENUM_)
#undef ARDA_GAP_ENUM_
};

#define ARDA_GAP_UNKNOWN UINT64_MAX

struct arda_gap {
    struct base_slice tenant;   /* empty: the channel of all tenants */
    struct arda_stream_id from; /* the last position before it; 0-0: not known */
    struct arda_stream_id to;   /* the first behind it; 0-0: not known */
    enum arda_gap_cause cause;
    uint64_t count; /* of missed events, or ARDA_GAP_UNKNOWN: perhaps none */
};

ARDA_API const char *arda_gap_name(enum arda_gap_cause cause);
ARDA_API const char *arda_gap_text(enum arda_gap_cause cause);

/* Appends {"gap":{"tenantId":…,"from":…,"to":…,"cause":…,"count":…}}, without a line end; null
 * stands for what is not known. BASE_ERR_NOMEM: `out` unchanged. */
ARDA_API int arda_gap_write(struct base_buf *out, const struct arda_gap *gap);

#endif
