/* SPDX-License-Identifier: ISC
 *
 * stream_id: the ids of stream entries, MS-SEQ: milliseconds since 1970 by the clock of Redis, and
 * a number among the entries of one millisecond. Ids of a stream only grow. Threads: any.
 */
#ifndef ARDA_STREAM_ID_H
#define ARDA_STREAM_ID_H

#include "base/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARDA_STREAM_ID_LEN 41 /* characters at most, without the NUL */

/* 0-0 stands before every entry and is the id of none. */
struct arda_stream_id {
    uint64_t ms;
    uint64_t seq;
};

#define ARDA_STREAM_ID_LAST ((struct arda_stream_id){UINT64_MAX, UINT64_MAX})

/* Whole text or nothing, digits only, no leading zeros. */
ARDA_API bool arda_stream_id_parse(const char *text, size_t len, struct arda_stream_id *id);
/* The length is the result. */
ARDA_API size_t arda_stream_id_format(struct arda_stream_id id,
                                      char out[static ARDA_STREAM_ID_LEN + 1]);

/* Negative, 0 or positive as `a` is before, at or behind `b`. */
ARDA_API int arda_stream_id_compare(struct arda_stream_id a, struct arda_stream_id b);
ARDA_API bool arda_stream_id_is_zero(struct arda_stream_id id);
/* The neighbour; the last id has no next one and 0-0 none before it: they stay as they are. */
ARDA_API struct arda_stream_id arda_stream_id_next(struct arda_stream_id id);
ARDA_API struct arda_stream_id arda_stream_id_previous(struct arda_stream_id id);

#endif
