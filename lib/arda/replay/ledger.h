/* SPDX-License-Identifier: ISC
 *
 * ledger: which items of an ordered input are done, when they are not done in order.
 *
 * Items are taken in input order and done in any. What is known of the finished part is the
 * position up to which all are done, and the runs of those done beyond it. Memory is that of the
 * items between the first that is not done and the last that was taken. A zeroed struct is empty.
 * Threads: one at a time.
 */
#ifndef ARDA_REPLAY_LEDGER_H
#define ARDA_REPLAY_LEDGER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where an item stands in the input; compared member by member. */
struct arda_ledger_position {
    uint64_t round; /* how often the input has been begun; 0: before everything */
    uint64_t major; /* the number of the file, or the milliseconds of a stream id */
    uint64_t minor; /* the number of the line, or the rest of the id */
};

/* Negative, 0 or positive. */
int arda_ledger_compare(const struct arda_ledger_position *a, const struct arda_ledger_position *b);

struct arda_ledger_run {
    struct arda_ledger_position first, last; /* all that was taken from the one to the other */
};

struct arda_ledger {
    struct arda_ledger_entry *ring;
    size_t cap, count;
    uint64_t first_ticket;            /* of the first entry */
    struct arda_ledger_position done; /* all up to here */
    int64_t time_ms;                  /* the latest time among those up to `done` */
    uint64_t due_us;                  /* when that one was due */
    bool has_time;
};

void arda_ledger_fini(struct arda_ledger *ledger);
/* `position` must be behind those taken before. 0 and a ticket, or BASE_ERR_NOMEM. */
int arda_ledger_take(struct arda_ledger *ledger, const struct arda_ledger_position *position,
                     uint64_t *ticket);
/* It is done, and had no time, or nobody cares. Once for each ticket. */
void arda_ledger_skip(struct arda_ledger *ledger, uint64_t ticket);
/* It is done; it was recorded at `time_ms` and due at `due_us`. Once for each ticket. */
void arda_ledger_done(struct arda_ledger *ledger, uint64_t ticket, int64_t time_ms,
                      uint64_t due_us);

/* The runs beyond `done`: start with *cursor = 0; false behind the last. */
bool arda_ledger_next_run(const struct arda_ledger *ledger, size_t *cursor,
                          struct arda_ledger_run *run);

#endif
