/* SPDX-License-Identifier: ISC
 *
 * subscribe: the program as its files see it.
 *
 *     main.c     options, signals, the beginning and the end
 *     plan.c     what the options mean together, or why they cannot
 *     feeds.c    the tenants that are followed, and what comes of them; the tenants of --all
 *     global.c   --global
 *     event.c    an event's way to the output; gaps
 *     output.c   which events, and in what form
 *     endings.c  --timeout, --idle, --until, and the checks every few seconds
 *     list.c     --tenants
 *     through.c  --via, --compare: via.c, compare.c and what they need
 *     writer.c   standard output
 */
#ifndef SUBSCRIBE_H
#define SUBSCRIBE_H

#include "arda-subscribe/options.h"
#include "arda-subscribe/output.h"
#include "arda-subscribe/writer.h"

#include "arda/bus.h"
#include "arda/stream/cursor_file.h"
#include "arda/tail.h"
#include "arda/tenant.h"
#include "base/map.h"

struct settings {
    SUBSCRIBE_OPTIONS(BASE_OPT_MEMBER)
};

/* ---- plan ---- */

struct plan {
    struct arda_tail_start start; /* of every tenant, cursors apart */
    bool follow;                  /* it does not end with the past */
};

/* 0, or BASE_ERR_INVALID with the reason. */
int plan_make(const struct settings *settings, int operand_count, struct plan *plan,
              struct base_why *why);

/* ---- the program ---- */

struct feed {
    struct subscriber *subscriber;
    struct arda_tail *tail;
    bool live;
    bool over;
    char tenant[ARDA_ID_MAX + 1];
};

struct subscriber {
    struct settings settings;
    struct plan plan;
    uv_loop_t loop;
    uv_check_t check; /* writes what a turn has brought */
    uv_timer_t timeout, idle, every, until, grace;
    uv_signal_t signals[3];
    struct output output;
    struct base_buf line; /* that is being made */
    struct writer writer;
    struct arda_bus *bus;
    struct arda_cursor_file *cursor; /* NULL: none */
    struct arda_subscription *global;
    struct arda_tails *tails;
    struct base_map feeds; /* by tenant */
    size_t feeds_to_come_live, feeds_to_end;
    bool all_listed;     /* --all: the tenants of the start are known */
    bool listing;        /* --all: the directory is being asked */
    struct arda_when t0; /* --all: the clock of Redis at the start */
    uint64_t dropped;    /* events without room to wait in, since the last gap */
    int64_t printed;
    bool gap_seen;
    bool up; /* both connections of the bus stand */
    bool ending;
    bool closed; /* the handles */
    int status;
    int signal; /* that ended it */
};

/* main.c. Ends the program when what has come is written. The first call counts. */
void subscriber_end(struct subscriber *subscriber, int status);
/* The same, without waiting for a reader that does not read. */
void subscriber_end_now(struct subscriber *subscriber, int status);
/* The end that a command was made for: 0, or 1 when nothing was printed. */
void subscriber_finish(struct subscriber *subscriber);
/* subscriber_end with the status of an error, which is said. */
void subscriber_fail(struct subscriber *subscriber, int result, const struct base_why *why);

/* feeds.c */
int feeds_start(struct subscriber *subscriber, char **tenants, int count);
void feeds_stop(struct subscriber *subscriber);
/* Every few seconds with --all: looks for new tenants. */
void feeds_look_around(struct subscriber *subscriber);

/* global.c */
int global_start(struct subscriber *subscriber);

/* event.c. One event: filters, format, output, cursor, count. `tail` is NULL for the global
 * channel; `id` is 0-0 when the event has none. */
void output_event(struct subscriber *subscriber, struct arda_tail *tail,
                  const struct arda_message *message, struct arda_stream_id id);
/* Whether the filters let it through. */
bool output_wants(const struct subscriber *subscriber, const struct arda_message *message);
/* The tail's position has moved without a line. */
void output_moved(struct subscriber *subscriber, struct arda_tail *tail);
void output_gap(struct subscriber *subscriber, const struct arda_gap *gap);
/* Filters and format: 0, or as output_init. */
int output_prepare(struct subscriber *subscriber, struct base_why *why);
int output_start(struct subscriber *subscriber);

/* endings.c */
void endings_start(struct subscriber *subscriber);
void endings_stop(struct subscriber *subscriber);
/* Something was printed, or the past is over: --idle counts anew. */
void endings_touch(struct subscriber *subscriber);

/* list.c: --tenants. Asks when Redis is reached, and anew when it is back. */
void list_ask(struct subscriber *subscriber);
void list_free(void);

/* through.c: --via and --compare. Runs until they end; an exit status. */
bool through_is_asked_for(const struct subscriber *subscriber);
int through_run(struct subscriber *subscriber, char **operands, int count);

#endif
