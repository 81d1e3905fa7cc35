/* SPDX-License-Identifier: ISC
 *
 * internal: deliveries as the files of this folder see them.
 *
 *     deliver.c   claims, bounds what is in flight, begins attempts
 *     settle.c    records their ends, however long that takes
 *     webhook.c   one attempt by webhook
 *     mail.c      one attempt by e-mail, with mail_values.c and mail_digest.c
 *     hold.c      quiet hours and digests: whether an e-mail goes out now
 *     disabled.c  endpoints that were disabled: has their tenants notified
 *     attend.c    records what is taken here, and warns of what nobody takes
 *
 * A channel makes one attempt and knows neither records nor schedules; deliver.c knows no
 * transport.
 */
#ifndef DELIVER_INTERNAL_H
#define DELIVER_INTERNAL_H

#include "arda/bus.h"
#include "arda/delivery/retry_schedule.h"
#include "base/list.h"
#include "base/map.h"
#include "deliver/deliver.h"

#include <uv.h>

struct deliver_result {
    enum arda_outcome outcome;
    bool attempted;   /* false: nobody was asked */
    int answer;       /* status of HTTP or SMTP; 0: none */
    const char *text; /* one line of UTF-8 for a person; borrowed for the call */
    int64_t duration_ms;
    int64_t retry_after_ms; /* asked for by the receiver; 0: nothing */
};

/* A claimed delivery that is being attempted. */
struct deliver_job {
    struct base_list link;
    struct deliver *deliver;
    struct arda_delivery *delivery;
    void *attempt; /* the channel's own */
    /* Of deliver_done_soon. */
    struct deliver_result result;
    char text[ARDA_DELIVERY_ERROR_MAX + 1];
};

/* ---- a channel ---- */

/* What deliver.c asks of one. */
struct deliver_channel {
    enum arda_notify_channel channel;
    enum arda_delivery_status taken; /* of a delivery that its receiver has taken */
    /* Reads its options, makes what its attempts share, and raises deliver->lease_ms beyond the
     * time of one. Sets its bit in deliver->channels, or why it is left. Errors as deliver_new. */
    int (*open)(struct deliver *deliver, struct base_why *why);
    /* Begins an attempt. 0: deliver_done will be called from the loop. BASE_ERR_*: it could not
     * even begin (memory), and will not be called. */
    int (*begin)(struct deliver_job *job);
    /* Breaks off; deliver_done is not called. */
    void (*cancel)(struct deliver_job *job);
    void (*reload)(struct deliver *deliver);
    /* Closes handles; nothing is in flight any more. Also after an open that has failed. */
    void (*close)(struct deliver *deliver);
    /* After the loop's end. */
    void (*free)(struct deliver *deliver);
};

extern const struct deliver_channel deliver_webhook, deliver_mail;

/* ---- the state ---- */

struct deliver {
    struct deliver_options options;
    struct uv_loop_s *loop;
    struct arda_bus *bus;
    struct deliver_host host;
    bool on; /* deliveries are made here */
    bool stopping, closed;
    bool watched;      /* somebody wants to know what waits */
    unsigned channels; /* that can be delivered here, as bits; others are left */
    const char *why_left[ARDA_NOTIFY_CHANNELS]; /* static storage */
    struct arda_retry_schedule schedule;
    int64_t lease_ms;          /* longer than an attempt can take */
    uv_timer_t timer;          /* the next claim */
    struct base_list jobs;     /* of struct deliver_job */
    struct base_list finished; /* of the same: deliver_done_soon */
    struct base_list waiting;  /* of ends that Redis is still to be told */
    size_t in_flight;          /* claimed, and not settled */
    struct base_map lanes;     /* of struct lane: what is in flight of each */
    bool wanted, claiming;     /* a claim makes sense, or is on its way */
    unsigned told;             /* ends that are on their way */
    uint64_t counted_us, alerted_us, retried_us, attended_us; /* when that was last done */
    uint64_t warned_us[ARDA_NOTIFY_CHANNELS];
    bool counting, alerting;
    unsigned alerts; /* on their way */
    struct deliver_stats stats;
    struct deliver_webhook_state *webhook;
    struct deliver_mail_state *mail;
};

static inline void deliver_changed(struct deliver *deliver)
{
    deliver->host.changed(deliver->host.data);
}

/* ---- deliver.c ---- */

/* The delivery is not ours any more, and freed. */
void deliver_left(struct deliver *deliver, struct arda_delivery *delivery);
/* The end of an attempt, once for each job that was begun; frees the job. Not from within the
 * channel's begin. */
void deliver_done(struct deliver_job *job, const struct deliver_result *result);
/* The same at the end of this turn, so from within begin, too; the text is copied. */
void deliver_done_soon(struct deliver_job *job, const struct deliver_result *result);

/* ---- settle.c; all take the delivery ---- */

/* `settlement` without delivery and times of now. Its text is copied. */
void deliver_settle(struct deliver *deliver, struct arda_delivery *delivery,
                    const struct arda_delivery_settlement *settlement);
void deliver_release(struct deliver *deliver, struct arda_delivery *delivery, int64_t due_ms);
void deliver_hold(struct deliver *deliver, struct arda_delivery *delivery, int64_t until_ms,
                  bool digest);
/* Tells Redis again what it could not be told. */
void deliver_settle_again(struct deliver *deliver);
void deliver_settle_fini(struct deliver *deliver);

/* ---- disabled.c ---- */

/* Has the tenants notified whose endpoint was disabled, by whichever process. */
void deliver_disabled(struct deliver *deliver);

/* ---- attend.c ---- */

/* Logs which channels are left, once. */
void deliver_attend_init(const struct deliver *deliver);
/* Records now and then which channels are taken here; counts what waits, where that is wanted. */
void deliver_attend(struct deliver *deliver);

/* ---- hold.c ---- */

/* When a claimed e-mail is to go out: 0 for now, else the time; `digest` is then whether it is to
 * go into a digest, by the schedule of its directory entry. Never for a delivery that was held for
 * a digest, whose quiet hours still count. */
int64_t deliver_hold_until(const struct arda_delivery *delivery, int64_t now_ms, bool *digest);

#endif
