/* SPDX-License-Identifier: ISC
 *
 * read: the records of deliveries (delivery.h), for tools and pages that show them, and
 * what has been remembered of a tenant's endpoint. Nothing is changed here. Threads: the loop's.
 *
 * Functions that return int give 0 and call back later; BASE_ERR_INVALID for a tenant or id that is
 * none; BASE_ERR_LIMIT for a limit that is none; BASE_ERR_UNAVAILABLE while Redis is away;
 * BASE_ERR_NOMEM; and then never call back. Results they call back with: 0; BASE_ERR_CLOSED, the
 * answer was lost; BASE_ERR_AGAIN, Redis cannot just now; BASE_ERR_NOMEM; BASE_ERR_DENIED or
 * BASE_ERR_INTERNAL, refused, with the reason in `why`. Each answer is of one instant.
 */
#ifndef ARDA_DELIVERY_READ_H
#define ARDA_DELIVERY_READ_H

#include "arda/delivery/delivery.h"
#include "base/buf.h"

/* ---- records ---- */

/* A record as Redis has it; texts are borrowed for the call, and empty where there is none. Times
 * are RFC 3339. */
struct arda_delivery_record {
    struct base_slice id, tenant, notification_id, user;
    struct base_slice type; /* of the notification, as it stands there; of a digest: of its first */
    enum arda_notify_channel channel;
    enum arda_delivery_status status;
    uint64_t attempt_count; /* since it was made, or since it was redriven */
    struct base_slice last_attempt_at, last_error, delivered_at;
    struct base_slice next_attempt_at; /* of one that waits in its lane */
    struct base_slice obstacle;        /* why one that is due does not go out, for a person */
    struct base_slice leased_until;    /* an attempt is under way, until then at most */
    struct base_slice held_until;      /* quiet hours or a digest */
    struct base_slice created_at, updated_at;
    struct base_slice digest_id;    /* it is a member of this digest */
    uint64_t items;                 /* of a digest: its members; else 0 */
    struct base_slice attempts;     /* a JSON array of objects, the oldest first */
    struct base_slice notification; /* the row, a JSON object; of a digest empty */
    struct base_slice cause;        /* the key of the event (notify_ids.h) */
};

/* Appends it as an object on one line, without a line end: members and their order as
 * arda-events(5) tells. What is no JSON in Redis is written as null. BASE_ERR_NOMEM: `out`
 * unchanged. */
int arda_delivery_record_write(struct base_buf *out, const struct arda_delivery_record *record);

/* An attempt of the array, for a person. */
struct arda_delivery_attempt {
    struct base_slice at;        /* RFC 3339 */
    int status;                  /* of HTTP or SMTP; 0: none */
    struct base_json_value text; /* a STRING, or ABSENT */
    int64_t duration_ms;
};

/* Walks them: `attempts` is the record's, `data` is given to the visitor. What is no attempt is
 * left out. */
void arda_delivery_attempts(struct base_slice attempts,
                            void (*visit)(void *data, const struct arda_delivery_attempt *attempt),
                            void *data);

/* All are called before `done`. */
struct arda_delivery_reader {
    void (*on_record)(void *data, const struct arda_delivery_record *record);
    /* What stands in Redis under an id is no record. */
    void (*on_bad)(void *data, const char *id);
    /* `more`: there may be others behind the position that arda_delivery_list has moved. */
    void (*done)(void *data, int result, bool more, const struct base_why *why);
    void *data;
};

/* One record. BASE_ERR_NOTFOUND. `reader` is copied. */
int arda_delivery_get(struct arda_bus *bus, const char *tenant, const char *id,
                      const struct arda_delivery_reader *reader);

/* ---- lists ---- */

#define ARDA_DELIVERY_LIMIT_MAX          1000
#define ARDA_DELIVERY_STATUS_BIT(status) (1u << (status))

/* What a record must be; texts are borrowed for the call, NULL for any. */
struct arda_delivery_filter {
    unsigned statuses;               /* as bits; 0: any */
    int channel;                     /* enum arda_notify_channel; negative: any */
    const char *user, *type, *event; /* `event`: the key, such as the eventId */
    const char *notification;
    int64_t since_ms, until_ms; /* made at or after, and before; negative: whenever */
};

/* Where a list goes on; a zeroed struct is its beginning. */
struct arda_delivery_position {
    char id[ARDA_ID_MAX + 1]; /* of the last record that was looked at */
    char score[32];
};

/* At most `limit` records of a tenant that pass the filter, the newest first; of one moment, the
 * greatest id first. A call looks at no more than some thousand records, so it may yield none and
 * say that there are more. `position` must live until `done`, and is then behind what was looked
 * at; records that are made or removed meanwhile do no harm. */
int arda_delivery_list(struct arda_bus *bus, const char *tenant,
                       const struct arda_delivery_filter *filter, uint32_t limit,
                       struct arda_delivery_position *position,
                       const struct arda_delivery_reader *reader);

struct arda_delivery_tally {
    uint64_t by_status[ARDA_DELIVERY_STATUSES];
    uint64_t unattended; /* of those that are pending: due, and no daemon takes them */
};

/* `tally` has what this call has counted, `more` is as of arda_delivery_reader. */
typedef void (*arda_delivery_tally_fn)(void *data, int result,
                                       const struct arda_delivery_tally *tally, bool more,
                                       const struct base_why *why);

/* Counts instead of listing, in the same manner. */
int arda_delivery_tally(struct arda_bus *bus, const char *tenant,
                        const struct arda_delivery_filter *filter,
                        struct arda_delivery_position *position, arda_delivery_tally_fn done,
                        void *data);

/* ---- what an explanation needs besides ---- */

/* Times are milliseconds since 1970, 0: none. Texts are borrowed for the call, and may be empty. */
struct arda_delivery_facts {
    bool shadow;             /* nothing goes out for the tenant */
    bool handled;            /* the event has become its notifications, within the last day */
    struct base_slice cause; /* the event's text, as long as it is kept */
    struct base_slice row;   /* the notification's row in the user's inbox */
    /* The endpoint. */
    uint64_t failures; /* in a row */
    int64_t failing_since_ms;
    int64_t open_until_ms; /* its circuit is open; in the past: half open */
    int64_t pause_ms;      /* it was asked to be spared, and gets one at a time */
    int64_t spare_until_ms;
    int64_t disabled_at_ms;
    struct base_slice disabled_why;
};

typedef void (*arda_delivery_facts_fn)(void *data, int result,
                                       const struct arda_delivery_facts *facts,
                                       const struct base_why *why);

/* `event`, a key, and `user` and `notification` may be NULL; texts are borrowed for the call. */
int arda_delivery_facts(struct arda_bus *bus, const char *tenant, const char *event,
                        const char *user, const char *notification, arda_delivery_facts_fn done,
                        void *data);

#endif
