/* SPDX-License-Identifier: ISC
 *
 * intake: taking events from the tenants' streams as a member of the consumer group that all
 * notification daemons share.
 *
 * An entry that was taken is pending for its daemon until it is acknowledged, which the
 * notification step does (notify_step.h), or arda_intake_ack, or arda_intake_bury. A daemon is
 * alive while it has asked for anything within ARDA_INTAKE_DEAD_MS; what is pending for others is
 * given to whoever asks next. All times are the clock of Redis. Names in Redis: arda-events(5).
 *
 * Functions give 0 and call back once, later; or BASE_ERR_UNAVAILABLE while Redis is away,
 * BASE_ERR_NOMEM, BASE_ERR_LIMIT, and then never call back. Results they call back with: 0;
 * BASE_ERR_CLOSED, the answer was lost; BASE_ERR_AGAIN, Redis cannot just now; BASE_ERR_DENIED or
 * BASE_ERR_INTERNAL, with the reason in `why`. Threads: the loop's.
 */
#ifndef ARDA_NOTIFY_INTAKE_H
#define ARDA_NOTIFY_INTAKE_H

#include "arda/stream_id.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct arda_bus;

#define ARDA_INTAKE_DEAD_MS     2000
#define ARDA_INTAKE_MAX_STREAMS 64
#define ARDA_INTAKE_MAX_ENTRIES 256
#define ARDA_INTAKE_MAX_ACKS    256
#define ARDA_INTAKE_START_MAX   (ARDA_STREAM_ID_LEN + 1)

typedef void (*arda_intake_done_fn)(void *data, int result, const struct base_why *why);

/* ---- the beginning ---- */

/* `start` is the id behind which groups begin, borrowed for the call. */
typedef void (*arda_intake_start_fn)(void *data, int result, const char *start,
                                     const struct base_why *why);

/* Records where groups of streams begin: `since` (NULL: now, unless it has been recorded before).
 */
int arda_intake_start(struct arda_bus *bus, const char *since, arda_intake_start_fn done,
                      void *data);

/* ---- taking ---- */

struct arda_intake_stream {
    const char *tenant;
    /* What is pending for this daemon is in nobody's hands, and to be given again. */
    bool orphans;
};

struct arda_intake_request {
    const char *consumer; /* name of the daemon in the group */
    const char *start;    /* of arda_intake_start: recorded again should it have been lost */
    const struct arda_intake_stream *streams;
    size_t stream_count; /* at most ARDA_INTAKE_MAX_STREAMS; 0: only a sign of life */
    uint32_t entries;    /* of each stream, 1 to ARDA_INTAKE_MAX_ENTRIES */
};

struct arda_intake_field {
    struct base_slice name;
    struct base_slice value;
};

struct arda_intake_entry {
    const char *id;
    struct base_slice envelope;             /* data NULL: it has no such field */
    const struct arda_intake_field *fields; /* all of them */
    size_t field_count;
};

/* What one stream gave. */
struct arda_intake_batch {
    size_t stream; /* its number in the request */
    bool exists;
    bool more;         /* there is more to take */
    const char *error; /* the stream cannot be read: what Redis says; else NULL */
    uint64_t missed;   /* so many entries, at most, had been trimmed before anybody took them */
    uint64_t gone;     /* pending ones that had been trimmed before they were handled */
    size_t taken_over; /* of the entries: these many at first were pending for a daemon that died */
    const struct arda_intake_entry *entries;
    size_t entry_count;
};

struct arda_intake_handlers {
    /* Once for each stream, in the order of the request, before `done`. All is borrowed. */
    void (*on_batch)(void *data, const struct arda_intake_batch *batch);
    /* `others`: other daemons that are alive. `dead_ms`: not 0 if there are traces of dead ones:
     * what arda_intake_forget takes when all streams have been asked. */
    void (*done)(void *data, int result, uint32_t others, uint64_t dead_ms,
                 const struct base_why *why);
};

/* One round trip. Makes the group of a stream that has none: where it was, less an hour, or from
 * the start on. The request is borrowed for the call. */
int arda_intake_take(struct arda_bus *bus, const struct arda_intake_request *request,
                     const struct arda_intake_handlers *handlers, void *data);

/* Forgets the daemons that were dead at that time. */
int arda_intake_forget(struct arda_bus *bus, uint64_t dead_ms);
/* The consumer is dead from now on. */
int arda_intake_leave(struct arda_bus *bus, const char *consumer, arda_intake_done_fn done,
                      void *data);

/* ---- what is no notification ---- */

/* At most ARDA_INTAKE_MAX_ACKS ids. */
int arda_intake_ack(struct arda_bus *bus, const char *tenant, const char *const *ids, size_t count,
                    arda_intake_done_fn done, void *data);
/* Puts an entry among the dead letters, with the reason, and acknowledges it, in one step. */
int arda_intake_bury(struct arda_bus *bus, const char *tenant, const char *reason, const char *id,
                     const struct arda_intake_field *fields, size_t field_count,
                     arda_intake_done_fn done, void *data);

/* ---- looking around ---- */

/* `handled`: the event has become its notifications completely. */
typedef void (*arda_intake_handled_fn)(void *data, int result, bool handled);
int arda_intake_handled(struct arda_bus *bus, const char *tenant, const char *event_key,
                        arda_intake_handled_fn done, void *data);

struct arda_intake_scan {
    /* A tenant that has a stream; borrowed, perhaps more than once. */
    void (*on_tenant)(void *data, const char *tenant, size_t len);
    arda_intake_done_fn done;
    void *data;
};
/* Looks through all names of this Redis. `scan` is copied. */
int arda_intake_scan(struct arda_bus *bus, const struct arda_intake_scan *scan);

/* ---- dead letters ---- */

struct arda_dead_letter {
    const char *id; /* among the dead letters */
    struct base_slice reason;
    struct base_slice tenant;
    struct base_slice stream_id;
    struct base_slice envelope; /* data NULL: there was none */
};

typedef void (*arda_dead_page_fn)(void *data, int result, const struct arda_dead_letter *letters,
                                  size_t count, const struct base_why *why);
/* At most `max` letters behind the id `after` ("0-0": from the first); fewer: there are no more. */
int arda_dead_read(struct arda_bus *bus, const char *after, uint32_t max, arda_dead_page_fn done,
                   void *data);
int arda_dead_remove(struct arda_bus *bus, const char *id, arda_intake_done_fn done, void *data);

#endif
