/* SPDX-License-Identifier: ISC
 *
 * deliver: drains the deliveries that are due.
 *
 *     deliver.c          claims, bounds what is in flight, begins attempts
 *     deliver_settle.c   writes their ends down, however long that takes
 *     deliver_webhook.c  one attempt by webhook
 *     deliver_mail.c     one attempt by e-mail, with deliver_mail_values.c
 *     deliver_hold.c     quiet hours and digests: whether an e-mail goes out now
 *     deliver_alert.c    tells a tenant that its endpoint was disabled
 *     deliver_attend.c   says what is taken here, and warns of what nobody takes
 *
 * A channel makes one attempt and knows neither records nor schedules; deliver.c knows no
 * transport.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include "arda/delivery/delivery.h"
#include "arda/delivery/retry_schedule.h"
#include "base/map.h"

#include <uv.h>

struct notifyd;

/* Name in metrics. */
#define DELIVER_OUTCOME_MAP(X)                                                                     \
    X(DELIVER_DONE, "done")           /* sent or delivered, as the channel goes */                 \
    X(DELIVER_RETRY, "retry")         /* the schedule says when */                                 \
    X(DELIVER_SLOW_DOWN, "slow_down") /* the same, and the endpoint is to be spared */             \
    X(DELIVER_GONE, "gone")           /* failed, and the endpoint wants no more */                 \
    X(DELIVER_FAILED, "failed")       /* for good */                                               \
    X(DELIVER_BOUNCED, "bounced")     /* for good: refused for its recipient */

enum deliver_outcome {
#define DELIVER_OUTCOME_ENUM_(outcome, name) outcome,
    DELIVER_OUTCOME_MAP(DELIVER_OUTCOME_ENUM_)
#undef DELIVER_OUTCOME_ENUM_
        DELIVER_OUTCOMES
};

const char *deliver_outcome_name(int outcome);

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
    /* Of deliver_done_soon. */
    struct deliver_result result;
    char text[ARDA_DELIVERY_ERROR_MAX + 1];
};

/* What the daemon knows of deliveries. */
struct deliver {
    bool on;           /* deliveries are made here */
    unsigned channels; /* that can be delivered here, as bits; others are left to other daemons */
    const char *why_left[ARDA_NOTIFY_CHANNELS]; /* static storage */
    struct arda_retry_schedule schedule;
    int64_t lease_ms;          /* longer than an attempt can take; inits may raise it */
    uv_timer_t timer;          /* the next claim */
    struct base_list jobs;     /* of struct deliver_job */
    struct base_list finished; /* of the same: deliver_done_soon */
    struct base_list waiting;  /* of ends that Redis is still to be told */
    size_t in_flight;          /* claimed, and not settled */
    size_t jobs_of[ARDA_NOTIFY_CHANNELS];
    struct base_map lanes; /* of struct lane: what is in flight of each */
    bool wanted, claiming; /* a claim makes sense, or is on its way */
    unsigned told;         /* ends that are on their way */
    uint64_t seen;         /* deliveries that the step had recorded at the last claim */
    uint64_t outcomes[ARDA_NOTIFY_CHANNELS][DELIVER_OUTCOMES];
    uint64_t late, taken_over, held, disabled;
    uint64_t counted_us, alerted_us, retried_us, attended_us; /* when that was last done */
    uint64_t warned_us[ARDA_NOTIFY_CHANNELS];
    bool counting, alerting;
    unsigned alerts; /* on their way */
    struct arda_delivery_counts counts;
    struct deliver_webhook *webhook;
    struct deliver_mail *mail;
};

/* ---- deliver.c ---- */

/* Reads options; 0, or as deliver_webhook_init. */
int deliver_init(struct notifyd *nd, struct base_why *why);
/* At the end of each turn: claims what there is room for. */
void deliver_turn(struct notifyd *nd);
/* Redis is there. */
void deliver_up(struct notifyd *nd);
/* Nothing is on its way. */
bool deliver_is_idle(const struct notifyd *nd);
/* Breaks off what is in flight and gives it back, while there is a bus to hear the answers of.
 * False: nothing was in flight. */
bool deliver_break_off(struct notifyd *nd);
void deliver_close(struct notifyd *nd);
void deliver_fini(struct notifyd *nd);
/* The delivery is not ours any more, and freed. */
void deliver_left(struct notifyd *nd, struct arda_delivery *delivery);

/* ---- deliver_settle.c; all take the delivery ---- */

/* `settlement` without delivery and times of now. Its text is copied. */
void deliver_settle(struct notifyd *nd, struct arda_delivery *delivery,
                    const struct arda_delivery_settlement *settlement);
void deliver_release(struct notifyd *nd, struct arda_delivery *delivery, int64_t due_ms);
void deliver_hold(struct notifyd *nd, struct arda_delivery *delivery, int64_t until_ms,
                  bool digest);
/* Tells Redis again what it could not be told. */
void deliver_settle_again(struct notifyd *nd);
void deliver_settle_fini(struct notifyd *nd);

/* ---- deliver_alert.c ---- */

/* Tells the tenants whose endpoint was disabled, by whichever daemon. */
void deliver_alert(struct notifyd *nd);

/* ---- deliver_attend.c ---- */

/* Logs which channels are left, once. */
void deliver_attend_init(struct notifyd *nd);
/* Says now and then which channels are taken here; counts what waits, where that is to be known. */
void deliver_attend(struct notifyd *nd);

/* ---- the end of an attempt ---- */

/* The end of an attempt, once for each job that was begun; frees the job. Not from within the
 * channel's begin. */
void deliver_done(struct deliver_job *job, const struct deliver_result *result);
/* The same at the end of this turn, so from within begin, too; the text is copied. */
void deliver_done_soon(struct deliver_job *job, const struct deliver_result *result);

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
/* Reads files again; where they cannot be used, what was read before stays. */
void deliver_webhook_reload(struct notifyd *nd);
void deliver_mail_reload(struct notifyd *nd);
/* 1 while the relay works, or has not been asked yet; 0 since it failed; negative: there is none.
 */
int deliver_mail_relay(const struct notifyd *nd);
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
