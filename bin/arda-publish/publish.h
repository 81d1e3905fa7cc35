/* SPDX-License-Identifier: ISC
 *
 * publish: what the parts of arda-publish share.
 *
 * The way of a line: reading.c reads it, prepare.c makes an event of it, checks it and lets
 * downgrade.c add its older form, and sending.c puts it into the outbox, which sends it, sends it
 * again after a loss, and forgets it once Redis has confirmed it. What is left in the end goes to
 * unsent.c. main.c begins and ends. One thread, one loop.
 */
#ifndef ARDA_PUBLISH_H
#define ARDA_PUBLISH_H

#include "arda-publish/options.h"

#include "app/input.h"
#include "app/outbox.h"
#include "app/output.h"
#include "arda/event.h"
#include "arda/publication.h"
#include "base/id.h"
#include "base/map.h"

#include <uv.h>

#define PROGRAM "arda-publish"

struct settings {
    PUBLISH_OPTIONS(BASE_OPT_MEMBER)
};

/* An event ready to go. */
struct outgoing {
    struct app_outbox_item item;
    struct arda_publication_texts texts, also_texts;
    struct arda_publication publication; /* points into the texts, and to `also` */
    struct arda_publication also;        /* its older form, if there is one */
    char run[BASE_UUID_LEN + 1];         /* that has numbered it; empty: it is marked by its id */
    unsigned times_sent;
    size_t bytes;
};

/* Reads lines at most as fast as --rate says. */
struct pace {
    uv_timer_t timer;
    uint64_t next_ns; /* when the next event is due */
    uint64_t rest;    /* of the division, so that errors do not add up */
};

struct publisher {
    struct settings settings;
    uv_loop_t loop;
    uv_signal_t signals[3];
    char **operands;
    int operand_count;
    bool ending;
    bool refused; /* by Redis, at the first connection */
    int status;
    int signal;
    bool reader_gone; /* of standard output */

    /* prepare.c */
    char run[BASE_UUID_LEN + 1];
    struct base_map ordinals; /* of lines, by the id of the first such line */
    struct base_buf scratch;
    struct downgrade **downgrades;
    size_t downgrade_count;

    /* reading.c */
    struct app_input *input;
    int next_operand;
    struct base_place place;
    struct pace pace;
    uint64_t bad_lines;
    bool read_all;
    bool paused;
    bool left_unread; /* of an input without an end */
    bool draining;    /* what is read goes to --unsent */

    /* sending.c */
    struct arda_bus *bus;
    struct app_outbox *outbox;
    size_t held_bytes;
    uint64_t numbered; /* the last event with a number of the run */
    struct app_output *output;
    uv_timer_t patience; /* with a reader that does not read, in the end */
    bool finishing;      /* only standard output is left */

    struct unsent *unsent;
};

/* ---- main.c ---- */

/* Ends early, or because everything is done. The first status that is not 0 stays. */
void publisher_end(struct publisher *publisher, int status);
void publisher_out_of_memory(struct publisher *publisher);
/* Everything may be read and confirmed by now. */
void publisher_end_when_done(struct publisher *publisher);

/* ---- reading.c ---- */

/* Begins with the operands, or standard input. */
void reading_start(struct publisher *publisher);
/* There may be room again. */
void reading_go_on(struct publisher *publisher);
/* Stops, for good or, if what is left can be read to its end, until reading_drain. */
void reading_stop(struct publisher *publisher);
void reading_close(struct publisher *publisher);
/* Says where reading has ended. */
void reading_report(const struct publisher *publisher);
/* Hands what is left in files to --unsent; publisher_end_when_done follows. */
void reading_drain(struct publisher *publisher);

/* ---- prepare.c ---- */

/* Completes and checks a line and fills `event`, whose buffers may hold a former one. Says what is
 * wrong. 0, BASE_ERR_SYNTAX, BASE_ERR_NOMEM, BASE_ERR_INTERNAL without a random source. */
int prepare(struct publisher *publisher, struct base_slice line, struct outgoing *event);

/* arda_event_check, which says each thing with its place; `prefix` stands before the member. */
size_t prepare_check(const struct publisher *publisher, const struct base_place *place,
                     const char *prefix, const struct arda_event_type *type,
                     struct base_slice event);

/* ---- sending.c ---- */

/* Makes the outbox. 0 or BASE_ERR_NOMEM. */
int sending_init(struct publisher *publisher);
/* Connects, unless it is a dry run. 0 or an exit status, with the cause said. */
int sending_start(struct publisher *publisher);
/* Takes an event that was filled; `event` came from sending_blank. */
struct outgoing *sending_blank(struct publisher *publisher);
void sending_take(struct publisher *publisher, struct outgoing *event);
void sending_drop(struct outgoing *event);
bool sending_is_full(const struct publisher *publisher);
bool sending_has_room(const struct publisher *publisher);
/* Everything that was taken is confirmed, and printed. */
bool sending_is_idle(const struct publisher *publisher);
/* Sends nothing more; `done` is called when nothing is on its way any more. */
void sending_stop(struct publisher *publisher, void (*done)(void *data));
/* Lets the reader of standard output have the rest, for a while. */
void sending_finish_output(struct publisher *publisher);

/* ---- downgrade.c ---- */

/* Reads a map into the publisher's. 0, or an exit status, with the cause said. */
int downgrade_load(struct publisher *publisher, const char *path);
void downgrade_free(struct downgrade *map);
/* The map of a type, or NULL. */
struct downgrade *downgrade_find(const struct publisher *publisher, struct base_slice type);
/* Adds the older form to `event`, whose text is complete and right, unless its time has passed.
 * `overrides` are those the event was made with. As prepare. */
int downgrade_add(struct publisher *publisher, struct downgrade *map, struct base_slice text,
                  const struct arda_overrides *overrides, struct outgoing *event);

/* ---- unsent.c ---- */

/* Makes sure that the file can be written. 0, or an exit status, with the cause said. */
int unsent_open(const char *path, struct unsent **out);
void unsent_add(struct unsent *unsent, const struct outgoing *event);
uint64_t unsent_lines(const struct unsent *unsent);
/* Puts the file in its place if there is a line in it. 0, or an exit status, with the cause said.
 * NULL is allowed. */
int unsent_close(struct unsent *unsent);

/* ---- arguments.c ---- */

/* Whether the operands are an event, TYPE NAME=VALUE..., and not files. */
bool arguments_are_event(char **operands, int count);
/* Appends them as JSON. BASE_ERR_SYNTAX (said), BASE_ERR_NOMEM. */
int arguments_to_json(char **operands, int count, struct base_buf *out);

/* ---- help.c, schema.c ---- */

/* The help of an event type, or of all ("types"). */
bool help_topic(const char *topic);
/* Prints the JSON Schema of a type. False when there is no such type. */
bool schema_print(const char *type, bool loose_ids);

#endif
