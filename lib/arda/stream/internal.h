/* SPDX-License-Identifier: ISC
 *
 * internal: tails as their own files see them. Nobody else includes this.
 *
 *     tail.c          life, the queue of those that ask, steps and states
 *     tail_begin.c    from the start that is wished to a position
 *     tail_read.c     pages, what they bring, and how far they lead
 *     tail_live.c     the subscription: doorbell, direct events, dead or lost
 *     tail_pending.c  messages that wait for a read to tell whether the stream has them
 *     tail_gap.c      what has gone between the last position and what is still there
 *
 * A tail has at most one question to Redis on its way, `asking`. What it does next is in `step`;
 * whatever changes that calls tail_ask_next. One count of references keeps it until the answer and
 * the handlers are done with it.
 */
#ifndef ARDA_STREAM_INTERNAL_H
#define ARDA_STREAM_INTERNAL_H

#include "arda/bus/seen.h"
#include "arda/stream/stream.h"
#include "arda/tail.h"
#include "base/list.h"
#include "base/map.h"

enum tail_step {
    TAIL_INFO,      /* ask what the stream is, to begin or to look for a gap; then TAIL_SINCE... */
    TAIL_SINCE,     /* find where to begin */
    TAIL_LAST,      /* walk back over the newest events */
    TAIL_UNTIL,     /* find where to end */
    TAIL_SUBSCRIBE, /* wait for the subscription; nothing to ask */
    TAIL_HEARD, /* a direct tail: find the last event that came before it stopped being direct */
    TAIL_CHECK, /* ask what the stream is, since the last entry is not there any more */
    TAIL_READ,  /* ask for a page */
    TAIL_TIME,  /* ask for the clock */
    TAIL_HEAD,  /* a direct tail: ask for the newest entry */
    TAIL_WAIT,  /* nothing to ask until something happens */
    TAIL_ENDED,
};

struct arda_tails {
    struct arda_bus *bus;
    struct arda_tail_handlers on;
    struct base_list all;
    struct base_list queue; /* tails with a question to ask */
    unsigned in_flight;
    bool paused;
    bool freed;
    size_t waiting_msgs; /* of all tails */
    size_t waiting_bytes;
};

struct arda_tail {
    struct base_list link;
    struct base_list queued; /* in tails->queue, or alone */
    struct arda_tails *tails;
    struct arda_tail_start start;
    void *data;
    unsigned refs;
    enum tail_step step;
    bool asking;
    bool closed;
    bool live; /* on_live was called */

    /* Where it is. */
    struct arda_stream_id position; /* the last entry given or passed */
    struct arda_stream_id expected; /* an entry that the next page has to begin with; 0-0: none */
    bool exact;                     /* the position is that of an entry that was there */
    bool absent;                    /* the last page did not begin with what was expected */
    bool skipped;                   /* `expected` is the first entry that there was, and no page
                                       has begun with it yet */
    uint64_t number;                /* of entries ever up to it; valid if `counted` */
    bool counted;
    struct arda_stream_id deleted_told; /* the last deletion that a gap has told */
    struct arda_stream_id until;        /* valid if has_until */
    bool has_until;
    bool time_over;  /* Redis' clock has passed it */
    bool last_read;  /* the read on its way was asked for after that */
    uint64_t wanted; /* of TAIL_LAST: events still to be found */

    /* Reading. */
    size_t page_msgs; /* asked for at once */
    uint64_t arrived; /* messages so far */
    uint64_t mark;    /* those that had arrived when the read on its way was asked for */
    bool rung;        /* something may be there that no read was asked for since */
    bool wants_time;  /* the clock is to be asked for when there is nothing to read */

    /* The channel. */
    struct arda_subscription *subscription;
    bool standing;
    bool away;                  /* it was lost, which has to be told */
    bool direct;                /* now */
    bool blind;                 /* the stream cannot be read: a direct tail stays one */
    uint64_t heard, unheard;    /* messages, and entries without one, since the last check */
    unsigned silent_checks;     /* in a row that found entries and no message */
    unsigned patience;          /* of them before it is subscribed anew */
    struct arda_stream_id head; /* a direct tail: the newest entry at the last check */
    bool head_open;             /* and whether its message has still to come */
    char head_id[ARDA_WHEN_EVENT_MAX + 1];
    char heard_id[ARDA_WHEN_EVENT_MAX + 1]; /* a direct tail: of the last event; "": it had none */
    struct arda_seen seen;

    /* Messages that wait for a read. */
    struct base_list waiting;   /* struct waiting, in the order they came */
    struct base_map waiting_by; /* the same by id */
    size_t waiting_msgs;
    bool overflowed; /* some are not even known by id */
    struct {
        uint64_t hash;
        uint64_t until_us;
    } nameless[16]; /* events without id that a page had and whose message has not come */
    unsigned nameless_next;

    size_t tenant_len;
    char tenant[ARDA_ID_MAX + 1];
};

/* tail.c */
void arda_tail_ref(struct arda_tail *tail);
void arda_tail_unref(struct arda_tail *tail);
bool arda_tail_is_over(
    const struct arda_tail *tail); /* ended or closed: nothing more is to be done */
void arda_tail_enter(struct arda_tail *tail, enum tail_step step);
/* Reports the end and stays silent from then on. */
void arda_tail_end(struct arda_tail *tail, int result, const struct base_why *why);
void arda_tail_moved(struct arda_tail *tail);
void arda_tail_tell_live(struct arda_tail *tail);
/* For handlers of answers, first and last: true when the answer is one to go on with. */
bool arda_tail_answered(struct arda_tail *tail, int result, const struct base_why *why);
void arda_tail_done_with_answer(struct arda_tail *tail);

/* tail_begin.c: asks what the steps TAIL_INFO to TAIL_UNTIL need. */
int arda_tail_begin_ask(struct arda_tail *tail);

/* tail_read.c */
int arda_tail_read_ask(struct arda_tail *tail); /* TAIL_READ, TAIL_TIME */
/* Something may be in the stream. */
void arda_tail_ring(struct arda_tail *tail);

/* tail_live.c */
void arda_tail_subscribe(struct arda_tail *tail);
int arda_tail_live_ask(struct arda_tail *tail); /* TAIL_HEARD, TAIL_HEAD */
/* A direct tail follows the stream from the last position that is known to have come. */
void arda_tail_stop_direct(struct arda_tail *tail);
/* Everything was read: a tail that is to be direct is so again, if it can. */
void arda_tail_caught_up(struct arda_tail *tail);
/* Reads, or ends when everything up to `until` was read. */
void arda_tail_read_on(struct arda_tail *tail);
void arda_tail_check_channel(struct arda_tail *tail);

/* tail_gap.c */
int arda_tail_gap_ask(struct arda_tail *tail); /* TAIL_CHECK */
/* Announces what has gone behind the position, and moves it to where reading goes on. */
void arda_tail_look_for_gap(struct arda_tail *tail, const struct arda_stream_info *info);
void arda_tail_tell_gap(struct arda_tail *tail, enum arda_gap_cause cause, struct arda_stream_id to,
                        uint64_t count);

/* tail_pending.c */
void arda_tail_wait_for_read(struct arda_tail *tail, const struct arda_message *message);
/* The stream has this event: its message need not wait any more. False when none had come. */
bool arda_tail_was_waiting(struct arda_tail *tail, const struct arda_message *message);
/* Gives those that had arrived when the last read was asked for: the stream does not have them. */
void arda_tail_give_waiting(struct arda_tail *tail);
void arda_tail_forget_waiting(struct arda_tail *tail);
/* Whether there are some that a read has still to decide on. */
bool arda_tail_has_waiting(const struct arda_tail *tail);
/* An event without an id: whether a page had one of the same text a moment ago. */
bool arda_tail_had_nameless(struct arda_tail *tail, const struct arda_message *message);
/* The event's id as text that lives until the next call with `spare`; empty: none. */
struct base_slice arda_tail_id_of(const struct arda_message *message, struct base_buf *spare);

#endif
