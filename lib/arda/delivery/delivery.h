/* SPDX-License-Identifier: ISC
 *
 * delivery: what goes out by e-mail and webhook, as records in Redis that several daemons work off.
 *
 * The notification step (notify_step.h) records a delivery as pending and due. Deliveries of one
 * tenant and channel wait in one lane. A daemon claims what is due under a lease: until it ends
 * nobody else gets it, and then anybody does, so a killed daemon's work is taken over. Whoever has
 * made an attempt settles it: the record gets the attempt, and is either due again or final. A
 * delivery may be attempted twice, when a daemon dies between the attempt and its settlement; its
 * id is the same, for the receiver to know it again. Every function is one atomic step; names in
 * Redis: arda-events(5). Threads: the loop's.
 *
 * Functions that return int give 0 and call back later; BASE_ERR_INVALID for an argument that makes
 * no sense; BASE_ERR_UNAVAILABLE while Redis is away; BASE_ERR_NOMEM; and then never call back.
 * Results they call back with: 0; BASE_ERR_CLOSED, the answer was lost; BASE_ERR_AGAIN, Redis
 * cannot just now; BASE_ERR_DENIED or BASE_ERR_INTERNAL, refused, with the reason in `why`.
 */
#ifndef ARDA_DELIVERY_DELIVERY_H
#define ARDA_DELIVERY_DELIVERY_H

#include "arda/notify_channels.h"
#include "arda/notify_ids.h"
#include "arda/tenant.h"
#include "base/err.h"
#include "base/list.h"

#include <stdint.h>

struct arda_bus;

/* Name on the wire. */
#define ARDA_DELIVERY_STATUS_MAP(X)                                                                \
    X(ARDA_DELIVERY_PENDING, "pending")     /* to be attempted, or to be attempted again */        \
    X(ARDA_DELIVERY_SENT, "sent")           /* handed over; more will not be known: e-mail */      \
    X(ARDA_DELIVERY_DELIVERED, "delivered") /* its receiver has confirmed it: webhook */           \
    X(ARDA_DELIVERY_FAILED, "failed")       /* given up */                                         \
    X(ARDA_DELIVERY_BOUNCED, "bounced")     /* refused for its recipient: e-mail */

enum arda_delivery_status {
#define ARDA_DELIVERY_STATUS_ENUM_(status, name) status,
    ARDA_DELIVERY_STATUS_MAP(ARDA_DELIVERY_STATUS_ENUM_)
#undef ARDA_DELIVERY_STATUS_ENUM_
        ARDA_DELIVERY_STATUSES
};

const char *arda_delivery_status_name(enum arda_delivery_status status);
/* BASE_ERR_NOTFOUND for any other name. */
int arda_delivery_status_find(const char *name, size_t len, enum arda_delivery_status *status);

#define ARDA_DELIVERY_LANE_MAX     (ARDA_ID_MAX + 1 + 7) /* "TENANT:webhook", without the NUL */
#define ARDA_DELIVERY_ATTEMPTS_MAX 20                    /* the latest attempts that are kept */
#define ARDA_DELIVERY_ITEMS_MAX    100                   /* notifications of one digest */
#define ARDA_DELIVERY_ATTENDED_MS  20000                 /* how long a sign of attendance counts */
/* The error of what is not wanted any more. */
#define ARDA_DELIVERY_OFF       "it was switched off meanwhile"
#define ARDA_DELIVERY_ERROR_MAX 255 /* bytes of an attempt's text */

/* ---- claiming ---- */

/* A claimed delivery with all that an attempt needs, as it was at the moment of the claim. One
 * allocation; texts end with NUL, and those that Redis does not have are empty. */
struct arda_delivery {
    struct base_list link; /* for its owner */
    enum arda_notify_channel channel;
    enum arda_notify_type type; /* of the notification; of a digest: of its first item */
    uint32_t attempts;          /* that were settled */
    int64_t created_ms;
    bool held;       /* it was held before (arda_delivery_hold): quiet hours and digests are over */
    bool probe;      /* the endpoint's circuit is half open, and this one is to try it */
    bool taken_over; /* another claim of it has ended without an end of the delivery */
    bool off;        /* by a preference since it was recorded; of a digest: of all its items */
    bool unattended; /* of a channel that was not asked for: it is to be given up */
    char tenant[ARDA_ID_MAX + 1];
    char user[ARDA_ID_MAX + 1];
    char id[ARDA_NOTIFY_ID_LEN + 1];
    char lease[ARDA_NOTIFY_ID_LEN + 1]; /* names the claim */
    struct base_slice notification;     /* the row, a JSON object (inbox.h); of a digest empty */
    struct base_slice cause;            /* the event's text; empty when it is no longer kept */
    struct base_slice person;           /* the user's directory object; empty: no such user */
    /* The tenant's endpoint; of webhooks only. */
    bool endpoint_enabled;
    struct base_slice url, secret, previous_secret;
    /* The directory's entries that apply to the user and type, as stored, such as "daily@08:00" and
     * "22:00-07:00"; of e-mails only. */
    struct base_slice digest, quiet;
    /* The rows of a digest, oldest first. */
    struct base_slice *items;
    size_t item_count;
};

void arda_delivery_free(struct arda_delivery *delivery); /* NULL is allowed */

/* What of a lane is in flight here. */
struct arda_delivery_share {
    const char *lane; /* "TENANT:CHANNEL" */
    uint32_t in_flight;
};

#define ARDA_DELIVERY_SHARES_MAX 1000 /* of one claim */

struct arda_delivery_claim {
    int64_t now_ms, lease_ms;
    unsigned channels; /* those asked for, as bits */
    /* Of channels that are not asked for, and that no daemon attends, what has been due for longer
     * than this is given all the same, as unattended; 0: nothing is. */
    int64_t patience_ms;
    uint32_t max;      /* deliveries at most, over all lanes */
    uint32_t per_lane; /* and of one lane, with those that are in flight here already */
    const struct arda_delivery_share *shares;
    size_t share_count;
    const char *lease; /* a UUID that was not used before */
};

struct arda_delivery_claimer {
    /* Before `done`; it is the callee's to free. */
    void (*on_delivery)(void *data, struct arda_delivery *delivery);
    /* `next_ms`: when something is due in a lane whose share is not in flight; negative: nothing
     * is. BASE_ERR_INTERNAL also for a delivery or lane that Redis could not read, such as a key of
     * another type: it is put off for the time of a lease, and the others have been given. */
    void (*done)(void *data, int result, int64_t next_ms, const struct base_why *why);
    void *data;
};

/* Lanes whose oldest delivery has waited longest come first; those of channels that are not asked
 * for are as if they were not there. What this user of Redis may not read (NOPERM) is left as it
 * is, for others, and reported as what could not be read. Lanes of an endpoint whose circuit is
 * open, or that is to be spared, are left out until then; then one at a time is given of them, over
 * all daemons, until the endpoint works again. The share of an endpoint is halved by each failure
 * in a row, so that one that hangs does not take the room of others. The structs are copied, the
 * texts borrowed for the call. BASE_ERR_LIMIT for too many shares. */
int arda_delivery_claim(struct arda_bus *bus, const struct arda_delivery_claim *claim,
                        const struct arda_delivery_claimer *claimer);

/* ---- settling ---- */

/* What an attempt says of the tenant's endpoint. */
enum arda_endpoint_verdict {
    ARDA_ENDPOINT_UNTOUCHED, /* nothing: no webhook, or it was not asked */
    ARDA_ENDPOINT_WELL,      /* it has answered as one that works */
    ARDA_ENDPOINT_FAILING,
    ARDA_ENDPOINT_BUSY, /* it asks for fewer: 429, 502, 504 */
    ARDA_ENDPOINT_GONE, /* 410: it is to be disabled */
};

/* Texts are borrowed for the call. */
struct arda_delivery_settlement {
    /* Its tenant, channel, id, lease and URL count: what is said of an endpoint that meanwhile has
     * another URL is not believed. */
    const struct arda_delivery *delivery;
    int64_t now_ms;
    enum arda_delivery_status status; /* pending: due again at `due_ms` */
    int64_t due_ms;
    bool attempted;   /* false: decided without one, such as without an address; counts as none */
    int answer;       /* status of HTTP or SMTP; 0: none */
    const char *text; /* one line of UTF-8 for a person; the lastError unless it went well */
    int64_t duration_ms;
    enum arda_endpoint_verdict endpoint;
    int64_t spare_ms;  /* how long the endpoint is to be left alone, when it has said so */
    int64_t retain_ms; /* final records of the tenant older than this are removed; 0: none */
};

struct arda_delivery_settled {
    bool late;     /* the lease was not ours any more. A good end is recorded all the same, anything
                      else is not: whoever has the lease decides */
    bool disabled; /* the endpoint has been disabled by this */
};

typedef void (*arda_delivery_settle_fn)(void *data, int result,
                                        const struct arda_delivery_settled *settled,
                                        const struct base_why *why);

int arda_delivery_settle(struct arda_bus *bus, const struct arda_delivery_settlement *settlement,
                         arda_delivery_settle_fn done, void *data);

/* Gives a claim back without an attempt, due at `due_ms`. */
int arda_delivery_release(struct arda_bus *bus, const struct arda_delivery *delivery,
                          int64_t due_ms, arda_delivery_settle_fn done, void *data);

/* ---- who attends to what ---- */

/* Texts are borrowed for the call. */
struct arda_delivery_attendance {
    const char *name;  /* of the daemon */
    unsigned channels; /* that it takes deliveries of, as bits */
    /* Of the others: why it does not, for a person; NULL: it says nothing about them. */
    const char *why_left[ARDA_NOTIFY_CHANNELS];
};

/* To be called several times within ARDA_DELIVERY_ATTENDED_MS. A channel is attended while a daemon
 * that takes its deliveries has called this within that time, by the clock of Redis. Whether it is
 * noted is not reported. */
int arda_delivery_attend(struct arda_bus *bus, const struct arda_delivery_attendance *attendance);

/* ---- endpoints that were disabled, and whose tenants do not know yet ---- */

struct arda_delivery_alerts {
    /* Borrowed for the call. `since_ms`: when it was disabled, which tells this time from others;
     * `why`: for a person. */
    void (*on_alert)(void *data, const char *tenant, int64_t since_ms, const char *why);
    void (*done)(void *data, int result, const struct base_why *why);
    void *data;
};

int arda_delivery_alerts(struct arda_bus *bus, const struct arda_delivery_alerts *alerts);
/* The tenant has been told. Nobody hears whether it is noted. */
int arda_delivery_alerted(struct arda_bus *bus, const char *tenant, int64_t since_ms);

/* ---- how it stands ---- */

struct arda_delivery_counts {
    uint64_t pending;  /* deliveries that wait, are held or in flight */
    uint64_t circuits; /* endpoints with something pending whose circuit is open */
    int64_t oldest_ms; /* since when the oldest one that may go out is due; negative: none is */
    struct {
        uint64_t due;      /* that no daemon attends to */
        int64_t oldest_ms; /* since when the oldest of these is due; negative: there is none */
    } unattended[ARDA_NOTIFY_CHANNELS];
};

/* Of the lanes that are due first, 10,000 at most. */
int arda_delivery_count(struct arda_bus *bus, int64_t now_ms,
                        void (*done)(void *data, int result,
                                     const struct arda_delivery_counts *counts),
                        void *data);

/* ---- holding ---- */

/* Puts off a claimed e-mail until `until_ms`. With a `schedule` (of a digest line) it goes into the
 * user's digest of that schedule, a delivery of its own, which is made with the id `digest_id` if
 * there is none open; its members have its fate. */
int arda_delivery_hold(struct arda_bus *bus, const struct arda_delivery *delivery, int64_t until_ms,
                       const char *schedule, const char *digest_id, int64_t now_ms,
                       arda_delivery_settle_fn done, void *data);

#endif
