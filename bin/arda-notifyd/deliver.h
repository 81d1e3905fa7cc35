/* SPDX-License-Identifier: ISC
 *
 * deliver: drains the deliveries that are due.
 *
 *     deliver.c          claims, bounds what is in flight, settles
 *     deliver_webhook.c  one attempt by webhook
 *     deliver_mail.c     one attempt by e-mail
 *     deliver_hold.c     quiet hours and digests: whether an e-mail goes out now
 *     deliver_alert.c    tells a tenant that its endpoint was disabled
 *
 * A channel makes one attempt and knows neither records nor schedules; deliver.c knows no
 * transport.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include "arda/delivery.h"

struct notifyd;

enum deliver_outcome {
    DELIVER_DONE,      /* sent or delivered, as the channel goes */
    DELIVER_RETRY,     /* the schedule says when */
    DELIVER_SLOW_DOWN, /* the same, and the endpoint is to be spared */
    DELIVER_GONE,      /* failed, and the endpoint wants no more */
    DELIVER_FAILED,    /* for good */
    DELIVER_BOUNCED,   /* for good: refused for its recipient */
};

struct deliver_result {
    enum deliver_outcome outcome;
    bool attempted;   /* false: nobody was asked */
    int answer;       /* status of HTTP or SMTP; 0: none */
    const char *text; /* one line of UTF-8 for a person; borrowed for the call */
    int64_t duration_ms;
    int64_t retry_after_ms; /* asked for by the receiver; 0: nothing */
};

/* A claimed delivery that is being attempted. */
struct deliver_job {
    struct base_list link;
    struct notifyd *nd;
    struct arda_delivery *delivery;
    void *attempt; /* the channel's own */
};

/* The end of an attempt, once for each job that was begun; frees the job. Not from within the
 * channel's begin. */
void deliver_done(struct deliver_job *job, const struct deliver_result *result);

/* ---- a channel ---- */

/* Begins the attempt. 0: deliver_done will be called from the loop. BASE_ERR_*: it could not even
 * begin (memory), and will not be called. */
int deliver_webhook_begin(struct deliver_job *job);
int deliver_mail_begin(struct deliver_job *job);
/* Breaks off; deliver_done is not called. */
void deliver_webhook_cancel(struct deliver_job *job);
void deliver_mail_cancel(struct deliver_job *job);

/* Reads its options and makes what its attempts share. 0 or BASE_ERR_CONFIG, BASE_ERR_INVALID,
 * BASE_ERR_NOMEM with a reason that begins with the option's name. */
int deliver_webhook_init(struct notifyd *nd, struct base_why *why);
int deliver_mail_init(struct notifyd *nd, struct base_why *why);
/* Closes handles; nothing is in flight any more. */
void deliver_webhook_close(struct notifyd *nd);
void deliver_mail_close(struct notifyd *nd);
/* Behind the loop's end. */
void deliver_webhook_fini(struct notifyd *nd);
void deliver_mail_fini(struct notifyd *nd);

/* ---- quiet hours and digests ---- */

/* When a claimed e-mail is to go out: 0 for now, else the moment; `digest` is then whether it is to
 * go into a digest, by the schedule of its directory entry. Never for a delivery that was held for
 * a digest, whose quiet hours still count. */
int64_t deliver_hold_until(const struct arda_delivery *delivery, int64_t now_ms, bool *digest);

#endif
