/* SPDX-License-Identifier: ISC
 *
 * notify_step: one event becomes its notifications, exactly once, whoever tries how often.
 *
 * A step writes the rows of all users, publishes a notification.created for each, records the
 * pending deliveries, and acknowledges the stream's entry, in one round trip. Many users are done
 * in chunks, each atomic; how far an event has come stands in Redis, and another caller goes on
 * from there. Ids are derived (notify_ids.h), so what is done twice is there once. Names in Redis:
 * arda-events(5). Threads: the loop's.
 */
#ifndef ARDA_NOTIFY_STEP_H
#define ARDA_NOTIFY_STEP_H

#include "arda/notify_ids.h"
#include "arda/notify_rules.h"
#include "base/api.h"
#include "base/err.h"

struct arda_bus;

#define ARDA_NOTIFY_GROUP     "notifyd" /* the consumer group of the tenants' streams */
#define ARDA_NOTIFY_HANDLED_S 86400   /* how long an event is known as handled, and how far it is */
#define ARDA_NOTIFY_CAUSE_S   2592000 /* how long the text of a delivery's event is kept */
#define ARDA_NOTIFY_CHUNK     500     /* users of a chunk unless told otherwise, and at most */

struct arda_notify_user {
    const char *id;    /* an identifier of the wire */
    unsigned channels; /* as bits; none: nothing is done for the user */
};

/* Old rows of a user go when a new one comes. */
struct arda_notify_retention {
    int64_t age_ms; /* rows older than this; 0: none */
    uint32_t count; /* rows beyond this many; 0: none */
};

/* Everything it points to is borrowed until `done`. */
struct arda_notify_step {
    const char *tenant;
    struct arda_notify_cause cause;        /* `key` names the event to all callers */
    const char *stream_id;                 /* of the entry to acknowledge; NULL: none */
    struct base_slice event;               /* its text, kept for deliveries; empty: none */
    struct arda_notification notification; /* `type` is one of the catalog's */
    const struct arda_notify_user *users;  /* sorted by the bytes of their ids, each once */
    size_t user_count;
    /* Of the tenant's directory (PREFIX:version:TENANT; 0: it has none) when the users were read;
     * -1: any will do. */
    int64_t version;
    int64_t now_ms; /* becomes createdAt of what is new */
    uint32_t chunk; /* users of one; 0: ARDA_NOTIFY_CHUNK */
    struct arda_notify_retention retention;
    /* Told each row that was not there before, as arda-inbox(1) prints it, unless the answer was
     * lost; `data` is that of the call. NULL: not interested. */
    void (*on_row)(void *data, struct base_slice row);
};

enum arda_notify_outcome {
    ARDA_NOTIFY_DONE,   /* by this call, at least its last part */
    ARDA_NOTIFY_BEFORE, /* it had been done before; the entry is acknowledged again */
    ARDA_NOTIFY_STALE,  /* the directory has another version: read it again and call again. What was
                           done already stays, and is not done again */
};

struct arda_notify_result {
    enum arda_notify_outcome outcome;
    uint64_t rows;       /* that are new, by this call */
    uint64_t deliveries; /* the same */
    uint64_t trimmed;    /* rows that retention has removed */
};

/* `result` 0: `outcome` says what happened. BASE_ERR_CLOSED, BASE_ERR_UNAVAILABLE or
 * BASE_ERR_AGAIN: call again later. Others: `why` says what Redis has against it. */
typedef void (*arda_notify_step_fn)(void *data, int result,
                                    const struct arda_notify_result *outcome,
                                    const struct base_why *why);

/* Copies the struct. Returns 0; BASE_ERR_UNAVAILABLE while Redis is away; BASE_ERR_INVALID for a
 * tenant, user or type that is none, users out of order, or a text that is not UTF-8;
 * BASE_ERR_NOMEM; and then `done` is not called. */
ARDA_API int arda_notify_step(struct arda_bus *bus, const struct arda_notify_step *step,
                              arda_notify_step_fn done, void *data);

#endif
