/* SPDX-License-Identifier: ISC
 *
 * inbox: a user's notifications, as a service or a tool shows and changes them. What is written
 * here is written by the notification step (notify_step.h); names in Redis: arda-events(5).
 * Reading is one atomic step, and so is changing, but of all rows. Threads: the loop's.
 *
 * A row is a JSON object on one line with, in this order, id, tenantId, userId, type, title, body,
 * isRead, readAt, actionUrl, metadata, createdAt, eventId; body, readAt, actionUrl, metadata and
 * eventId may be null.
 *
 * Functions that return int give 0 and call back later; BASE_ERR_INVALID for a tenant, user or id
 * that is none; BASE_ERR_UNAVAILABLE while Redis is away; BASE_ERR_NOMEM; and then never call back.
 * Results they call back with: 0; BASE_ERR_CLOSED, the answer was lost; BASE_ERR_UNAVAILABLE or
 * BASE_ERR_AGAIN, Redis cannot just now; BASE_ERR_DENIED or BASE_ERR_INTERNAL, refused; with the
 * reason in `why`.
 */
#ifndef ARDA_INBOX_H
#define ARDA_INBOX_H

#include "arda/notify_step.h"
#include "base/api.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct arda_bus;

/* Whose; borrowed for the call. */
struct arda_inbox {
    const char *tenant;
    const char *user;
};

/* ---- reading ---- */

#define ARDA_INBOX_LIMIT_MAX 1000

struct arda_inbox_query {
    uint32_t limit;     /* rows at most, 1 to ARDA_INBOX_LIMIT_MAX */
    const char *before; /* rows behind this one, the last id of the page before; NULL: the newest */
    bool unread;        /* only those */
};

/* Both are called before `done`; texts are borrowed for the call. */
struct arda_inbox_reader {
    void (*on_row)(void *data, struct base_slice row, bool is_read);
    /* What stands in Redis under an id is no row. */
    void (*on_bad)(void *data, const char *id);
    /* `more`: there are rows behind the last one. */
    void (*done)(void *data, int result, bool more, const struct base_why *why);
    void *data;
};

/* The newest rows, the newest first; of the same moment, the greatest id first. BASE_ERR_NOTFOUND:
 * there is no row `before`; it may be read meanwhile, but not removed. BASE_ERR_LIMIT at once for
 * a limit that is none. `query` and `reader` are copied, `before` is borrowed for the call. */
ARDA_API int arda_inbox_list(struct arda_bus *bus, const struct arda_inbox *inbox,
                             const struct arda_inbox_query *query,
                             const struct arda_inbox_reader *reader);
/* One row. BASE_ERR_NOTFOUND. */
ARDA_API int arda_inbox_get(struct arda_bus *bus, const struct arda_inbox *inbox, const char *id,
                            const struct arda_inbox_reader *reader);

struct arda_inbox_counts {
    uint64_t all;
    uint64_t unread; /* among them */
};

typedef void (*arda_inbox_count_fn)(void *data, int result, const struct arda_inbox_counts *counts,
                                    const struct base_why *why);

ARDA_API int arda_inbox_count(struct arda_bus *bus, const struct arda_inbox *inbox,
                              arda_inbox_count_fn done, void *data);

/* ---- changing ---- */

enum arda_inbox_change { ARDA_INBOX_READ, ARDA_INBOX_UNREAD, ARDA_INBOX_REMOVE };

#define ARDA_INBOX_IDS_MAX 1000

struct arda_inbox_changer {
    /* An id of which there is no row; borrowed for the call. May be NULL. */
    void (*on_unknown)(void *data, const char *id);
    /* Last. `changed`: rows that were not so before. */
    void (*done)(void *data, int result, uint64_t changed, const struct base_why *why);
    void *data;
};

/* Marks rows as read at `now_ms`, as unread, or removes them: those of `ids`, or all there are for
 * NULL. All are marked in steps of a thousand, so that Redis is not held up; rows that arrive
 * meanwhile may be left as they are. BASE_ERR_NOTFOUND as a result: of all rows there is none.
 * BASE_ERR_LIMIT at once for none or more than ARDA_INBOX_IDS_MAX. `ids` are borrowed for the call,
 * `changer` is copied. */
ARDA_API int arda_inbox_change(struct arda_bus *bus, const struct arda_inbox *inbox,
                               enum arda_inbox_change change, const char *const *ids, size_t count,
                               int64_t now_ms, const struct arda_inbox_changer *changer);

/* ---- adding ---- */

/* Everything it points to is borrowed until `done`. */
struct arda_inbox_addition {
    const char *tenant;
    /* What is added once, however often it is tried: an identifier of the wire, and the eventId of
     * its rows. A UUID of version 7 tells the rows' ids their time. */
    const char *id;
    struct arda_notification notification; /* `type` is one of the catalog's */
    const struct arda_notify_user *users;  /* sorted by the bytes of their ids, each once */
    size_t user_count;
    int64_t version; /* of the directory they were read from; -1: any will do */
    int64_t now_ms;  /* becomes createdAt */
    struct arda_notify_retention retention;
    void (*on_row)(void *data, struct base_slice row); /* as of arda_notify_step */
};

/* Adds a notification for users who are named, through the notification step: rows,
 * notification.created, deliveries. Results and errors are those of arda_notify_step. */
ARDA_API int arda_inbox_add(struct arda_bus *bus, const struct arda_inbox_addition *addition,
                            arda_notify_step_fn done, void *data);

/* ---- watching ---- */

struct arda_inbox_watch;

struct arda_inbox_watcher {
    /* A row that has just come; borrowed for the call. Of a notification.created whose row is
     * not in Redis, since others keep it elsewhere, what the event tells; the rest is null. One
     * without the id of a notification is not told. */
    void (*on_row)(void *data, struct base_slice row);
    /* As of arda_bus_subscribe_tenant; may be NULL. What comes while it does not stand, or
     * while there is no memory for it, is not told, but in the list. */
    void (*on_standing)(void *data, bool standing);
    void *data;
};

/* Tells new rows, in the order in which they were announced, until arda_inbox_unwatch, which is to
 * be called before the bus is shut down. `watcher` is copied. While Redis is away the call
 * succeeds, and rows are told when it is back. */
ARDA_API int arda_inbox_watch(struct arda_bus *bus, const struct arda_inbox *inbox,
                              const struct arda_inbox_watcher *watcher,
                              struct arda_inbox_watch **watch);
/* The watcher is not called again. NULL is allowed. */
ARDA_API void arda_inbox_unwatch(struct arda_inbox_watch *watch);

#endif
