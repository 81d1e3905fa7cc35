/* SPDX-License-Identifier: ISC
 *
 * notifyd: the daemon's state as its own files see it.
 *
 *     main.c     options, modes, begin and end
 *     tenants.c  the tenants there are, and finding them
 *     people.c   a tenant's users and what they want to hear of
 *     intake.c   from the streams: which to ask when, and what an entry is
 *     channel.c  from the global channel: the doorbell, and events that no stream has
 *     work.c     from an event to its notifications
 *     print.c    standard output
 *     explain.c  what would become of an event
 *     redrive.c  dead letters
 *     dry.c      reading without a trace
 *     admin.c    pages for those who look after the daemon
 *     alert.c    notifies a tenant whose endpoint was disabled
 *
 * An event is read from its tenant's stream; a message on the channel says that there is something
 * to read. What is in work stays in its tenant's queue, in order, until Redis has confirmed the
 * step; whatever happens in between, it is tried again from there, or, should the daemon die, by
 * another one, since the entry is pending until the step has acknowledged it. Everything runs on
 * one loop.
 */
#ifndef NOTIFYD_H
#define NOTIFYD_H

#include "arda-notifyd/options.h"

#include "arda/bus.h"
#include "arda/bus/seen.h"
#include "arda/notify/intake.h"
#include "arda/notify_channels.h"
#include "arda/notify_step.h"
#include "arda/stream/stream.h"
#include "arda/tenant.h"
#include "base/exit.h"
#include "base/list.h"
#include "base/map.h"
#include "deliver/deliver.h"

#include <uv.h>

struct settings {
    NOTIFYD_OPTIONS(BASE_OPT_MEMBER)
};

struct notifyd;
struct net_server;

/* ---- counters ---- */

/* Why an event made nothing: name of the counter, text. */
#define NOTIFYD_SKIP_MAP(X)                                                                        \
    X(SKIP_NO_RULE, "no_rule", "no rule for it")                                                   \
    X(SKIP_ORDER_TYPE, "order_type", "an order type that is not known")                            \
    X(SKIP_NOTIFICATION, "notification", "a notification itself")                                  \
    X(SKIP_NO_TENANT, "no_tenant", "no tenant")                                                    \
    X(SKIP_HANDLED, "handled", "handled before")                                                   \
    X(SKIP_OVERFLOW, "overflow", "in no stream, while too much was waiting")

enum notifyd_skip {
#define SKIP_ENUM_(code, name, text) code,
    NOTIFYD_SKIP_MAP(SKIP_ENUM_)
#undef SKIP_ENUM_
        SKIP_COUNT
};

const char *notifyd_skip_name(enum notifyd_skip skip);
const char *notifyd_skip_text(enum notifyd_skip skip);

struct counters {
    uint64_t entries;  /* taken from streams */
    uint64_t unlogged; /* events that came on the channel alone */
    uint64_t skipped[SKIP_COUNT];
    uint64_t events; /* handled, with or without rows */
    uint64_t rows;
    uint64_t deliveries;
    uint64_t trimmed;
    uint64_t stale;
    uint64_t people_loads;
    uint64_t taken_over;
    uint64_t gaps;
    uint64_t missed; /* entries in gaps, as far as is known */
    uint64_t gone;   /* pending entries that had been trimmed */
    uint64_t dead_letters;
    uint64_t retries;
    uint64_t printed;
};

/* ---- people.c ---- */

/* A tenant's active users at one version of its directory. Shared by the tenant and steps that are
 * on their way. */
struct people {
    unsigned refs;
    int64_t version;
    uint64_t covers; /* it was read after the tenant's works up to this number had come */
    size_t count;    /* of persons */
    struct person {
        const char *id;
        const char *email; /* NULL: none */
        bool active;       /* only --explain asks for others, too */
    } * persons;           /* sorted by the bytes of their ids */
    struct base_buf texts;
    struct arda_notify_preferences *preferences;
    char *webhook;                                     /* URL; NULL: none, or not enabled */
    struct arda_notify_user *users[ARDA_NOTIFY_TYPES]; /* of each type, once asked for */
};

/* `people` is NULL on failure, with the reason. The caller's reference. */
typedef void (*people_fn)(void *data, int result, struct people *people,
                          const struct base_why *why);
int people_load(struct arda_bus *bus, const char *tenant, bool all, people_fn done, void *data);
struct people *people_ref(struct people *people);
void people_unref(struct people *people);
/* The users for a type, with the channels that are on and lead somewhere; NULL: BASE_ERR_NOMEM. */
const struct arda_notify_user *people_users(struct people *people, enum arda_notify_type type);
/* The channels of one user that lead somewhere: e-mail needs an address, a webhook an endpoint. */
unsigned people_channels(const struct people *people, const struct person *person,
                         enum arda_notify_type type, enum arda_notify_source *sources);

/* ---- tenants.c ---- */

struct tenant {
    struct notifyd *nd;
    struct base_list ring;  /* in nd->rung or nd->swept, else alone */
    struct base_list ready; /* in nd->ready: has work that may be sent */
    struct base_list queue; /* of struct work, in the order it came */
    struct base_list heard; /* of struct work: on the channel; in a stream, too? */
    struct people *people;  /* NULL: not read yet, or out of date */
    uint64_t take_number;   /* of the last take that asked for it */
    uint64_t used_us;       /* when the people were last asked for */
    uint64_t wait_us;       /* nothing is sent before then */
    uint64_t works;         /* how many have come: the number of the last one */
    uint64_t load_us;       /* when the people on their way were asked for */
    uint64_t load_works;    /* `works` at that time */
    uint64_t next_load_us;  /* people are not asked for before then */
    uint32_t bad_loads;     /* in a row that Redis has refused, or that made no sense */
    uint64_t listed;        /* number of the last listing of the directory that had it */
    uint32_t in_flight;     /* works of the queue that are sent */
    uint32_t queued;
    uint64_t sweep_number; /* a sweep waits for this take */
    bool taking;           /* a take is on its way */
    bool again;            /* rung since that was sent */
    bool exists;           /* its stream does, as last seen */
    bool suspect;          /* something may be pending for us that we do not know */
    bool loading;          /* the people are on their way */
    bool in_sweep;
    struct arda_stream_id read; /* --dry-run: the last entry that was read */
    char id[];
};

struct tenant *tenants_find(struct notifyd *nd, const char *id, size_t len);
/* The tenant, made if need be; NULL without memory. */
struct tenant *tenants_get(struct notifyd *nd, const char *id, size_t len);
/* Frees it when nothing is known of it any more. */
void tenants_release(struct tenant *tenant);
/* Looks for tenants in the directory, and if `all`, among all names of Redis. */
void tenants_discover(struct notifyd *nd, bool all);
/* Forgets what is known of people, of all tenants or of those that have been idle. */
void tenants_forget_people(struct notifyd *nd, bool all);
void tenants_fini(struct notifyd *nd);

/* ---- work.c ---- */

enum origin { FROM_STREAM, FROM_CHANNEL, FROM_DEAD };

/* An event that is being processed. */
struct work {
    struct base_list link;
    struct tenant *tenant;
    uint64_t number; /* of the tenant's works */
    enum origin origin;
    bool sent;
    char id[ARDA_STREAM_ID_LEN + 1]; /* of the entry or dead letter; empty: none */
    uint64_t round;                  /* heard: what take has to have come back without it */
    uint64_t heard_us;               /* when it was heard */
    struct arda_message message;     /* points into `text` */
    struct arda_notify_cause cause;  /* the same */
    enum arda_notify_type type;      /* of the notification */
    const struct arda_notify_rule *rule;
    struct arda_notification notification; /* points into `room` */
    struct base_buf room;
    struct people *people; /* while it is sent */
    size_t cost;
    size_t len;
    char text[];
};

/* What an event's text is. */
enum work_result {
    WORK_MADE,    /* `work` is set */
    WORK_SKIPPED, /* it makes nothing: `skip` */
    WORK_POISON,  /* `reason` */
    WORK_NOMEM,
};

struct work_verdict {
    enum work_result result;
    enum notifyd_skip skip;
    const char *reason; /* static storage */
    struct work *work;
};

/* Looks at a text that has come for `tenant`, and copies it. */
struct work_verdict work_make(struct tenant *tenant, struct base_slice text, enum origin origin,
                              const char *id);
void work_free(struct work *work);
/* Puts it at the end of its tenant's queue. */
void work_add(struct work *work);
/* Sends what may be sent, of all tenants. */
void work_pump(struct notifyd *nd);
/* Redis is back, or a pause is over. */
void work_resume(struct notifyd *nd);
/* Whether more may be taken in. */
bool work_has_room(const struct notifyd *nd);

/* ---- intake.c ---- */

void intake_init(struct notifyd *nd);
/* Redis is there: records the start, or sweeps. */
void intake_up(struct notifyd *nd);
/* For struct mode: as a member of the consumer group, or without a trace. */
bool intake_begin_as_member(struct notifyd *nd);
bool intake_begin_without_trace(struct notifyd *nd);
void intake_close(struct notifyd *nd);
/* The tenant's stream has to be read soon. */
void intake_ring(struct tenant *tenant);
/* Asks for what has been rung; at the end of each turn of the loop. */
void intake_flush(struct notifyd *nd);
/* The tenant goes. */
void intake_left(struct tenant *tenant);
/* Takes tenants out of the lists, those that were rung first; how many is the result. */
size_t intake_pick(struct notifyd *nd, struct tenant **tenants, size_t most);
/* A stream has been asked, or the sweep would wait for it in vain. */
void intake_taken(struct tenant *tenant);

/* ---- channel.c ---- */

void channel_init(struct notifyd *nd);
void channel_start(struct notifyd *nd);
void channel_stop(struct notifyd *nd);
void channel_close(struct notifyd *nd);
void channel_fini(struct notifyd *nd);
/* The entry has been taken: what was heard of it is no news. */
void channel_taken(struct tenant *tenant, const struct arda_notify_cause *cause);
/* The stream has been read to its end by take number `round`: what was heard before that was sent,
 * and is still there, is not in it for us. */
void channel_settle(struct tenant *tenant, uint64_t round);

/* ---- print.c ---- */

void print_close(struct notifyd *nd);
/* A row as the step tells it. */
void print_row(void *work, struct base_slice row);
/* Lines, each with its end. */
void print_text(struct notifyd *nd, const char *text, size_t len);
/* Writes what can be written now; the rest is written when it is read. */
void print_flush(struct notifyd *nd);
/* Bytes that are not written yet. */
size_t print_waiting(const struct notifyd *nd);
/* Nobody takes what was printed: no more is to be made. */
bool print_is_stuck(const struct notifyd *nd);
bool print_is_empty(const struct notifyd *nd);

/* ---- explain.c ---- */

/* Prints that an event becomes nothing, or what becomes of it for each of `people`. */
void explain_skipped(struct notifyd *nd, struct base_slice text, enum notifyd_skip skip);
void explain_work(struct work *work, const struct people *people);
/* --explain */
int explain_read(struct notifyd *nd);
void explain_up(struct notifyd *nd);
/* Something may have been read. */
void explain_turn(struct notifyd *nd);
void explain_fini(struct notifyd *nd);

/* ---- redrive.c, dry.c ---- */

/* --redrive, with the selection of the command line. False: it makes no sense. */
bool redrive_init(struct notifyd *nd, char **selection, int count);
void redrive_up(struct notifyd *nd);
void redrive_fini(struct notifyd *nd);
/* The letter's event has been processed: `why` NULL; or has not. */
void redrive_done(struct work *work, const char *why);
/* Reads the streams that were rung, without a group. */
void dry_flush(struct notifyd *nd);

/* ---- alert.c ---- */

/* For struct deliver_host; `nd` is a struct notifyd. */
void alert_make(void *nd, const char *tenant, int64_t since_ms, const char *why);

/* ---- admin.c ---- */

/* The address it listens on is logged. */
int admin_start(struct notifyd *nd, const char *address, struct base_why *why);
void admin_stop(struct notifyd *nd);

/* ---- the daemon ---- */

/* What the daemon was started for. NULL and false: it does not do that. */
struct mode {
    enum arda_bus_use use; /* of the bus */
    bool lasts;            /* until a signal: it is logged, serves pages and waits for Redis */
    bool delivers;         /* e-mails and webhooks, and gives signs of life */
    bool takes_letters;    /* operands are ids of dead letters */
    bool dies_of_signals;  /* the shell is to see what ended it */
    bool finishes;         /* at a signal; else it just ends */
    bool refuses_letters;  /* whose people cannot be read */
    int (*read)(struct notifyd *nd);          /* before Redis is asked: 0 or an exit status */
    void (*on_up)(struct notifyd *nd);        /* Redis is there */
    bool (*begin_intake)(struct notifyd *nd); /* false: it could not be asked for the start */
    void (*read_streams)(struct notifyd *nd); /* in place of the consumer group */
    void (*show)(struct work *work, const struct people *people); /* in place of the step */
};

/* modes.c */
extern const struct mode mode_run, mode_dry_run, mode_explain, mode_redrive;

struct notifyd {
    struct settings settings;
    const struct mode *mode;
    uv_loop_t loop;
    uv_check_t check; /* at the end of each turn */
    uv_signal_t signals[3];
    struct arda_bus *bus;
    int64_t started_ms;
    struct arda_notify_retention retention;
    struct counters counters;
    bool stopping, closed;
    bool given_up; /* what was not finished within --drain has been broken off */
    uv_timer_t drain;
    int status; /* to exit with */
    int signal; /* that has ended --redrive early */

    /* tenants.c */
    struct base_map tenants;
    uint64_t listing;
    bool discovering, scanning;

    /* intake.c */
    struct intake {
        char consumer[128];
        char start[ARDA_INTAKE_START_MAX];
        char since[ARDA_INTAKE_START_MAX];   /* empty: none given */
        bool beginning, begun;               /* the start is asked for, or known */
        uint64_t asked_us;                   /* when it was last asked for */
        uv_timer_t timer;                    /* signs of life, sweeps */
        struct base_list rung, swept;        /* of tenants */
        uint64_t sign_us, sweep_us, scan_us; /* when the last one was */
        uint64_t wait_us;                    /* nothing is asked before then */
        unsigned takes;                      /* on their way */
        uint32_t others;
        bool sweeping;
        size_t sweep_left;
        uint64_t dead_ms;       /* as last heard */
        uint64_t sweep_dead_ms; /* to be forgotten at the end of the sweep */
    } intake;

    /* channel.c */
    struct channel {
        struct arda_subscription *subscription;
        bool standing;
        struct arda_seen seen;  /* keys of events that were heard or taken */
        struct base_list grace; /* of works that others may have */
        uv_timer_t timer;
        size_t heard_count, heard_bytes, asked;
    } channel;

    /* work.c */
    struct base_list ready; /* of tenants */
    size_t work_count, work_bytes;
    size_t in_flight, in_flight_cost;
    size_t others_in_flight; /* acks, letters */

    struct print {
        struct app_output *output; /* NULL: nothing was printed */
        bool broken;               /* nothing can be printed any more */
        bool flushing;             /* by a turn */
    } print;
    struct deliver *deliver;
    struct explain *explain;
    struct redrive *redrive;
    struct net_server *server; /* of --admin; NULL: none */
};

/* Ends in order, with this exit status. */
void notifyd_stop(struct notifyd *nd, int status);
/* Sends what there is to send: at the end of each turn of the loop, and of what a timer does. */
void notifyd_turn(struct notifyd *nd);
/* Something has been finished: perhaps that was the last thing to wait for. */
void notifyd_check_end(struct notifyd *nd);

#endif
