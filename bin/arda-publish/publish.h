/* SPDX-License-Identifier: ISC
 *
 * publish: what the parts of arda-publish share.
 *
 * A line goes through prepare (check, complete, wrap) into the outbox, which sends it, sends it
 * again after a loss, and forgets it once Redis has confirmed it. One thread, one loop.
 */
#ifndef ARDA_PUBLISH_H
#define ARDA_PUBLISH_H

#include "arda-publish_options.h"

#include "arda/bus.h"
#include "base/list.h"

#include <uv.h>

struct settings {
    PUBLISH_OPTIONS(BASE_OPT_MEMBER)
};

/* Where an event was written. */
struct place {
    const char *file; /* NULL: standard input */
    uint64_t line;    /* 0: the arguments */
};

/* Writes "FILE: line N: " as far as it applies; the result is `out`. */
#define PLACE_MAX 320
const char *place_text(const struct place *place, char out[static PLACE_MAX]);

/* ---- prepare.c ---- */

/* An event ready to go. */
struct outgoing {
    struct base_list link;
    struct outbox *outbox;
    struct place place;
    uint64_t number; /* in the order of the input */
    struct base_buf strings, message, envelope;
    struct arda_publication publication; /* points into them */
};

/* Completes and checks a line and fills `event`, whose buffers may hold a former one. Says what is
 * wrong. 0, BASE_ERR_SYNTAX, BASE_ERR_NOMEM, BASE_ERR_INTERNAL without a random source. */
int prepare(const struct settings *settings, const struct place *place, struct base_slice line,
            struct outgoing *event);

/* ---- arguments.c ---- */

/* Whether the operands are an event, TYPE NAME=VALUE..., and not files. */
bool arguments_are_event(char **operands, int count);
/* Appends them as JSON. BASE_ERR_SYNTAX (said), BASE_ERR_NOMEM. */
int arguments_to_json(char **operands, int count, struct base_buf *out);

/* ---- outbox.c ---- */

#define OUTBOX_HIGH 4096 /* events held before reading pauses ... */
#define OUTBOX_LOW  2048 /* ... until so few are left */

struct outbox {
    struct arda_bus *bus;
    uv_timer_t retry;         /* after a refusal that may pass */
    uv_timer_t patience;      /* runs from the first trouble to the next confirmation */
    struct base_list waiting; /* to be sent, in order */
    struct base_list sent;    /* sent and not answered */
    struct base_list spare;
    size_t held;       /* waiting or sent */
    uint64_t numbered; /* events so far */
    uint64_t confirmed;
    uint64_t retry_ms;
    uint64_t patience_ms;
    int status; /* of the first event that Redis refused */
    bool ending;
    void (*on_change)(void *data);    /* `held` has shrunk */
    void (*on_impatient)(void *data); /* trouble for longer than `patience_ms` */
    void *data;
};

void outbox_start(struct outbox *outbox, uv_loop_t *loop, uint64_t patience_ms);
/* A blank to fill; put it with outbox_add or outbox_drop. NULL without memory. */
struct outgoing *outbox_blank(struct outbox *outbox);
void outbox_add(struct outbox *outbox, struct outgoing *event);
void outbox_drop(struct outbox *outbox, struct outgoing *event);
/* Redis is there, or away. */
void outbox_on_state(struct outbox *outbox, bool up);
/* Sends nothing more. */
void outbox_end(struct outbox *outbox);
/* Says which events are not confirmed; how many is the result. */
size_t outbox_report(const struct outbox *outbox);
void outbox_fini(struct outbox *outbox);

/* ---- help.c ---- */

/* The help of an event type, or of all ("types"). */
bool help_topic(const char *topic);

#endif
