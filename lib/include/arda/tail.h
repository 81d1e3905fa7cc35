/* SPDX-License-Identifier: ISC
 *
 * tail: the events of tenants, past then live, without a hole or a duplicate at the seam.
 *
 * The stream is the truth and the channel is the doorbell: a tail subscribes, waits until the
 * subscription stands, reads the stream from its start position until there is no more, and reads
 * on whenever something comes on the channel. Each event then has the id of its entry. What a read
 * that was asked for after its arrival has not found in the stream was published on the channel
 * alone, and is given without an id. Of two deliveries of one event id the first counts; the last
 * 16384 ids of each tenant are remembered.
 *
 * A direct tail gives what comes on the channel as it comes, without reading the stream. It
 * compares the head of the stream with what has come from time to time, and follows the stream as
 * above from the last position that is known to have come: after an outage, when the subscription
 * turns out to be dead, and while the receiver is paused.
 *
 * Every page of a stream is asked for from the last entry that was read, which has to be there
 * still; if it is not, something was trimmed, and a gap tells what (gap.h).
 *
 * All tails of a group share four reads in flight, of about a megabyte each, and 8 MB of messages
 * that wait for a read; what comes beyond is known by its id alone, up to 65536 messages, and is a
 * gap when the stream does not have it. Handlers are called from the loop, never from inside the
 * functions below, but for an on_end that says that there is no memory; they may close any tail,
 * and free the group. Threads: the loop's. Source: catalog section 10, design of recovery.
 */
#ifndef ARDA_TAIL_H
#define ARDA_TAIL_H

#include "arda/bus.h"
#include "arda/gap.h"
#include "arda/when.h"
#include "base/api.h"

struct arda_tails;
struct arda_tail;

struct arda_tail_event {
    const struct arda_message *message; /* borrowed for the call, as are its texts */
    struct arda_stream_id id;           /* 0-0: not in the stream, as far as is known */
};

struct arda_tail_handlers {
    void (*on_event)(void *data, struct arda_tail *tail, const struct arda_tail_event *event);
    /* The position has moved without an event: it is known where to begin; a duplicate or an entry
     * that is no event was passed; after a gap. Not called for direct tails. May be NULL. */
    void (*on_moved)(void *data, struct arda_tail *tail);
    /* Comes before the events behind it. */
    void (*on_gap)(void *data, struct arda_tail *tail, const struct arda_gap *gap);
    /* What was there at the start has been given, and the subscription stands: once. */
    void (*on_live)(void *data, struct arda_tail *tail);
    /* Everything up to `until` was given (0), or the tail cannot go on: BASE_ERR_NOTFOUND for an
     * event that is not in the stream, BASE_ERR_DENIED, BASE_ERR_SYNTAX, BASE_ERR_NOMEM,
     * BASE_ERR_INTERNAL, with the reason. Nothing comes from it afterwards; it may be closed. */
    void (*on_end)(void *data, struct arda_tail *tail, int result, const struct base_why *why);
    /* Which events `last` counts; NULL: all. */
    bool (*is_wanted)(void *data, const struct arda_message *message);
    void *data;
};

struct arda_tail_start {
    /* Where to begin: behind `position` if `has_position`; else with the newest `last` events if
     * that is not 0; else at `since`; and with NONE behind the newest entry. */
    bool has_position;
    struct arda_stream_id position; /* of an entry that was read; 0-0: nothing was */
    uint64_t number;                /* arda_tail_number of then; 0: not known */
    uint64_t last;
    struct arda_when since;
    /* Where to end. NONE: where the stream ends at the start, or never with `follow`. With `follow`
     * a time ends the tail when Redis' clock has passed it, an event when it comes. */
    struct arda_when until;
    bool follow; /* subscribe, and go on with what comes */
    bool direct; /* see above; with `follow`, without the other members */
};

/* `handlers` is copied; the bus is borrowed for the group's life. NULL without memory. */
ARDA_API struct arda_tails *arda_tails_new(struct arda_bus *bus,
                                           const struct arda_tail_handlers *handlers);
/* Closes every tail. NULL is allowed. Memory goes when Redis has answered, or with the bus. */
ARDA_API void arda_tails_free(struct arda_tails *tails);

/* `data` is for arda_tail_data. 0, BASE_ERR_INVALID for a tenant id that is none, BASE_ERR_NOMEM.
 */
ARDA_API int arda_tails_add(struct arda_tails *tails, struct base_slice tenant,
                            const struct arda_tail_start *start, void *data,
                            struct arda_tail **tail);
ARDA_API void arda_tail_close(struct arda_tail *tail);
/* A message of the tenant that came another way, from the channel of all tenants: it is given if
 * neither the stream nor the tenant's own channel brings it. */
ARDA_API void arda_tail_offer(struct arda_tail *tail, const struct arda_message *message);

/* No page is asked for until it is resumed; what is on its way still comes, at most four pages. */
ARDA_API void arda_tails_pause(struct arda_tails *tails);
ARDA_API void arda_tails_resume(struct arda_tails *tails);

/* To be called when Redis is reached (again), and every few seconds, the latter with `check`: then
 * heads of streams are compared with what has come, and times of `until` with the clock. */
ARDA_API void arda_tails_wake(struct arda_tails *tails, bool check);

/* Borrowed for the tail's life. */
ARDA_API struct base_slice arda_tail_tenant(const struct arda_tail *tail);
ARDA_API void *arda_tail_data(const struct arda_tail *tail);
/* The last entry that was given or passed; in on_event, that of the event. */
ARDA_API struct arda_stream_id arda_tail_position(const struct arda_tail *tail);
/* How many entries the stream had ever had up to that one, for `number` above: with it the size of
 * a gap is known. 0: not known. */
ARDA_API uint64_t arda_tail_number(const struct arda_tail *tail);

#endif
