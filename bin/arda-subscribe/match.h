/* SPDX-License-Identifier: ISC
 *
 * match: finds the differences between two readings of the events of a tenant, one from the bus and
 * one through a gateway; no I/O, no clock. Threads: one at a time.
 *
 * An event is known by its eventId, without one by its text. Of each reading the events wait, in
 * the order they came, for their counterparts. One that has waited for the grace period is missing
 * on the other side. An optional event, of a time when the other side may not have been there, or
 * of a kind that may or may not be passed on, is matched like others but never missing.
 */
#ifndef SUBSCRIBE_MATCH_H
#define SUBSCRIBE_MATCH_H

#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/map.h"

#include <stdbool.h>
#include <stdint.h>

enum match_side { MATCH_BUS, MATCH_GATEWAY };

enum match_kind {
    MATCH_MISSING,    /* `side` is where it is not */
    MATCH_ORDER,      /* through the gateway it came behind `behind`, on the bus before it */
    MATCH_TEXT,       /* `text` of the bus and `other` of the gateway differ */
    MATCH_NAME,       /* the gateway calls it `name`, which is not its type */
    MATCH_UNEXPECTED, /* the gateway must not pass it on, or it is no event; `text` may be any JSON
                       */
    MATCH_KINDS
};

/* Borrowed for the call. */
struct match_difference {
    enum match_kind kind;
    enum match_side side;
    struct base_slice text;   /* of the event; JSON */
    struct base_slice other;  /* TEXT */
    struct base_slice name;   /* NAME: a JSON string */
    struct base_slice behind; /* ORDER: the eventId as a JSON string, or empty if it has none */
};

typedef void (*match_found_fn)(void *data, const struct match_difference *difference);

struct match_reading {
    struct base_list entries; /* in the order they came */
    struct base_map known;    /* eventId or text to the first entry that waits */
    uint64_t count;           /* that came */
};

struct match {
    struct match_reading readings[2];
    int64_t grace_ms;
    match_found_fn found;
    void *data;
    uint64_t both;     /* events that came both ways */
    uint64_t left_out; /* events of the bus that are not passed on */
    uint64_t differences[MATCH_KINDS];
    uint64_t missing[2];
    uint64_t highest; /* place on the bus of the gateway's latest event in order */
    struct base_buf highest_id;
    size_t bytes; /* that wait */
};

void match_init(struct match *match, int64_t grace_ms, match_found_fn found, void *data);
void match_fini(struct match *match);

/* An event has come, `at_ms` of a clock that does not go back; texts are borrowed. `user` is whom
 * the gateway takes us for, empty while that is not known. BASE_ERR_SYNTAX: not an event;
 * BASE_ERR_NOMEM. It is left out then. */
int match_bus(struct match *match, int64_t at_ms, struct base_slice event, struct base_slice user,
              bool optional);
/* `name` is the name that the gateway has given to it. BASE_ERR_NOMEM. */
int match_gateway(struct match *match, int64_t at_ms, const struct base_json_value *name,
                  struct base_slice event, bool optional);

/* Tells what has waited for too long at `now_ms`. */
void match_expire(struct match *match, int64_t now_ms);
/* When that has to be called next; -1: nothing waits. */
int64_t match_due_ms(const struct match *match);
/* A side is not there any more: all that waits has become optional. */
void match_pause(struct match *match);

/* Events that were decided upon: matched, or told as a difference. */
uint64_t match_decided(const struct match *match);
/* Those that wait and are not optional. */
uint64_t match_undecided(const struct match *match);
uint64_t match_differences(const struct match *match);

#endif
