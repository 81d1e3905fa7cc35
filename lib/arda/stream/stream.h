/* SPDX-License-Identifier: ISC
 *
 * stream: reading the durable log of a tenant, PREFIX:stream:TENANT (arda-events(5)), page by page
 * on the evented bus. Needs Redis 5; what is said of trimming needs Redis 7.
 *
 * Functions give 0 and call back once, later, from the loop; or BASE_ERR_UNAVAILABLE while Redis is
 * away, BASE_ERR_NOMEM, BASE_ERR_INVALID for a tenant id that is none, and then never call back.
 * Nothing can be taken back: `data` must live until the answer, which a shutdown of the bus brings
 * as well. Results they call back with: 0; BASE_ERR_CLOSED, the answer was lost and the question
 * may be asked again; BASE_ERR_AGAIN, Redis cannot just now; BASE_ERR_DENIED, BASE_ERR_SYNTAX (the
 * key is no stream, or the answer makes no sense) or BASE_ERR_INTERNAL, with the reason in `why`.
 * A stream that does not exist is an empty one. Threads: the loop's.
 */
#ifndef ARDA_STREAM_STREAM_H
#define ARDA_STREAM_STREAM_H

#include "arda/stream_id.h"
#include "arda/tenant.h"
#include "arda/when.h"
#include "base/buf.h"

struct arda_bus;

/* ---- pages ---- */

/* The fields that arda-events(5) names; empty where the entry has none of that name. */
struct arda_stream_entry {
    struct arda_stream_id id;
    struct base_slice envelope; /* JSON: an event in its envelope, or bare */
    struct base_slice type;
    struct base_slice source;
    struct base_slice timestamp;
};

struct arda_stream_page {
    const struct arda_stream_entry *entries; /* borrowed for the call, like their texts */
    size_t count;                            /* fewer than asked for: there are no more */
    size_t bytes;                            /* of the texts, for choosing the next page's size */
};

typedef void (*arda_stream_page_fn)(void *data, int result, const struct arda_stream_page *page,
                                    const struct base_why *why);

struct arda_stream_range {
    struct base_slice tenant;
    struct arda_stream_id first; /* both included */
    struct arda_stream_id last;
    size_t max_entries; /* of the page, at least 1 */
    bool backwards;     /* the newest first */
};

/* One page of the range. The next one begins behind the last id of this one. */
int arda_stream_read(struct arda_bus *bus, const struct arda_stream_range *range,
                     arda_stream_page_fn done, void *data);

/* How many entries to ask for next, so that a page has about a megabyte: `page` is the one that
 * came, or NULL for the first. At least 1, at most 1000. */
size_t arda_stream_page_size(const struct arda_stream_page *page, size_t asked);

/* ---- what a stream is ---- */

struct arda_stream_info {
    uint64_t length;
    struct arda_stream_id first; /* the oldest entry that is still there; 0-0: none */
    struct arda_stream_id last;  /* the newest that there ever was; 0-0: none */
    bool exists;
    /* From Redis 7 on, else false and 0. */
    bool counts;
    uint64_t added;                     /* entries ever; those that are gone are added - length */
    struct arda_stream_id last_deleted; /* the newest that XDEL has removed; trimming is no XDEL */
};

typedef void (*arda_stream_info_fn)(void *data, int result, const struct arda_stream_info *info,
                                    const struct base_why *why);

int arda_stream_info(struct arda_bus *bus, struct base_slice tenant, arda_stream_info_fn done,
                     void *data);

/* Finds every tenant that has a stream; one may come twice. A walk over all keys: for tools. */
int arda_stream_scan(struct arda_bus *bus, void (*on_tenant)(void *data, struct base_slice tenant),
                     void (*done)(void *data, int result, const struct base_why *why), void *data);

/* ---- positions ---- */

enum arda_stream_edge {
    ARDA_STREAM_SINCE, /* the first id that is included */
    ARDA_STREAM_UNTIL, /* the last id that is included; 0-0: none */
};

typedef void (*arda_stream_id_fn)(void *data, int result, struct arda_stream_id id,
                                  const struct base_why *why);

/* The id that a position means in this stream. `end` is the newest entry: since is behind it, until
 * includes it. An eventId is searched for among the entries, beginning at the time that a UUIDv7
 * tells; BASE_ERR_NOTFOUND when none has it. `when` is copied and must not be NONE. */
int arda_stream_find(struct arda_bus *bus, struct base_slice tenant, const struct arda_when *when,
                     enum arda_stream_edge edge, arda_stream_id_fn done, void *data);

/* ---- the clock ---- */

typedef void (*arda_stream_time_fn)(void *data, int result, uint64_t ms,
                                    const struct base_why *why);

/* The clock by which entries get their ids, in milliseconds since 1970. */
int arda_stream_time(struct arda_bus *bus, arda_stream_time_fn done, void *data);

#endif
