/* SPDX-License-Identifier: ISC
 *
 * deliver: drains the deliveries of all tenants that are due, by e-mail and webhook; any number of
 * processes share them under leases (delivery/delivery.h).
 *
 *     failed = deliver_new(&options, &deliver, &why);
 *     ...deliver_turn at the end of each turn of the loop, deliver_up when Redis is there...
 *     deliver_stop(deliver);  ...until deliver_is_idle...  deliver_close(deliver);
 *     ...the loop's end...  deliver_free(deliver);
 *
 * NULL stands for none wherever one is asked for. Threads: the loop's.
 */
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include "arda/delivery/delivery.h"
#include "arda/name/outcome.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arda_bus;
struct base_opt_list;
struct deliver;
struct uv_loop_s;

/* NULL or empty texts: not given. */
struct deliver_webhook_options {
    const struct base_opt_list *allow; /* of inner networks: CIDR[,CIDR...] */
    const char *ca;                    /* PEM file of authorities that are trusted, too */
    const char *proxy;                 /* http://[USER:PASS@]HOST:PORT */
    int64_t timeout_ms;                /* of an attempt */
};

struct deliver_mail_options {
    const char *relay; /* smtp[s]://...; without one no e-mail is claimed */
    bool tls_optional; /* STARTTLS is used where the relay offers it, else it has to */
    const char *ca;    /* PEM file of those that may have signed its certificate */
    int64_t timeout_ms;
    uint32_t connections;
    const char *from;       /* ADDRESS or NAME <ADDRESS>; else arda@ and the name of the computer */
    const char *templates;  /* a folder */
    const char *public_url; /* where links lead; else the origin of APP_URL */
    const char *unsubscribe_secret_file; /* else as arda_unsubscribe_key_load */
};

/* What the process does for it. */
struct deliver_host {
    /* Something has ended: perhaps all has (deliver_is_idle). */
    void (*changed)(void *data);
    /* There is something to do: calls deliver_turn. */
    void (*turn)(void *data);
    /* A tenant's endpoint was disabled at `since_ms`, and its users are to be notified; texts are
     * borrowed for the call. deliver_alerted follows, now or later. */
    void (*alert)(void *data, const char *tenant, int64_t since_ms, const char *why);
    void *data;
};

/* All texts, and what is pointed to, live as long as the struct. */
struct deliver_options {
    struct uv_loop_s *loop;
    struct arda_bus *bus;
    const char *name;     /* of this process among those that share the deliveries */
    bool runs;            /* false: nothing is claimed, counted or warned of */
    bool on;              /* deliveries are made here; else they are left to others */
    uint32_t max;         /* under way at a time */
    uint32_t per_lane;    /* of these, of one tenant by one channel */
    const char *schedule; /* of retries, see arda_retry_schedule_parse */
    int64_t retain_ms;    /* records of what has ended; 0: for ever */
    struct deliver_webhook_options webhook;
    struct deliver_mail_options mail;
    struct deliver_host host;
};

struct deliver_stats {
    uint64_t outcomes[ARDA_NOTIFY_CHANNELS][ARDA_OUTCOMES];
    uint64_t late;       /* attempts that ended after another process had taken over */
    uint64_t taken_over; /* deliveries of a process that did not finish them in time */
    uint64_t held;       /* e-mails that were put off, or into a digest */
    uint64_t disabled;   /* endpoints */
    size_t under_way[ARDA_NOTIFY_CHANNELS];
    int relay;                          /* 1 while it works, or has not been asked yet; 0 since it
                                           failed; negative: there is none */
    struct arda_delivery_counts counts; /* of all processes, as last known */
};

/* 0; BASE_ERR_CONFIG, BASE_ERR_INVALID, BASE_ERR_NOMEM with a reason that begins with the option's
 * name. `*deliver` is to be closed and freed then, too, unless it is NULL. */
int deliver_new(const struct deliver_options *options, struct deliver **deliver,
                struct base_why *why);
/* At the end of each turn: claims what there is room for. */
void deliver_turn(struct deliver *deliver);
/* Redis is there. */
void deliver_up(struct deliver *deliver);
/* Deliveries have been recorded: looks for them in the next turn. */
void deliver_wake(struct deliver *deliver);
/* Counts what waits, for deliver_get_stats, even where nothing is left to others. */
void deliver_watch(struct deliver *deliver);
/* See struct deliver_host; `done`: they have been notified, else it is tried again. */
void deliver_alerted(struct deliver *deliver, const char *tenant, int64_t since_ms, bool done);
/* Reads files again; where they cannot be used, what was read before stays. */
void deliver_reload(struct deliver *deliver);
/* Claims nothing more. */
void deliver_stop(struct deliver *deliver);
/* Nothing is on its way. */
bool deliver_is_idle(const struct deliver *deliver);
/* Breaks off what is in flight and gives it back, while there is a bus to receive the answers of.
 * False: nothing was in flight. */
bool deliver_break_off(struct deliver *deliver);
void deliver_close(struct deliver *deliver);
/* After the loop's end. */
void deliver_free(struct deliver *deliver);
void deliver_get_stats(const struct deliver *deliver, struct deliver_stats *stats);

#endif
