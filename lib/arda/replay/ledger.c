/* SPDX-License-Identifier: ISC */
#include "arda/replay/ledger.h"

#include "base/err.h"
#include "base/mem.h"

#define FIRST_ENTRIES 64

struct arda_ledger_entry {
    struct arda_ledger_position position;
    int64_t time_ms;
    uint64_t due_us;
    bool done;
    bool has_time;
};

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int arda_ledger_compare(const struct arda_ledger_position *a, const struct arda_ledger_position *b)
{
    int order = compare(a->round, b->round);
    if (order == 0)
        order = compare(a->major, b->major);
    return order ? order : compare(a->minor, b->minor);
}

static struct arda_ledger_entry *entry_of(const struct arda_ledger *ledger, uint64_t ticket)
{
    base_assert(ticket - ledger->first_ticket < ledger->count);
    return &ledger->ring[ticket % ledger->cap];
}

/* Tickets keep their remainders: the ring doubles, and each entry goes where the new one says. */
static int grow(struct arda_ledger *ledger)
{
    size_t cap = ledger->cap ? ledger->cap * 2 : FIRST_ENTRIES;
    struct arda_ledger_entry *ring = base_malloc(cap * sizeof *ring);
    if (!ring)
        return BASE_ERR_NOMEM;
    for (uint64_t ticket = ledger->first_ticket; ticket < ledger->first_ticket + ledger->count;
         ticket++)
        ring[ticket % cap] = ledger->ring[ticket % ledger->cap];
    base_free(ledger->ring);
    ledger->ring = ring;
    ledger->cap = cap;
    return BASE_OK;
}

void arda_ledger_fini(struct arda_ledger *ledger)
{
    base_free_clear(&ledger->ring);
    ledger->cap = ledger->count = 0;
}

int arda_ledger_take(struct arda_ledger *ledger, const struct arda_ledger_position *position,
                     uint64_t *ticket)
{
    if (ledger->count == ledger->cap && grow(ledger) < 0)
        return BASE_ERR_NOMEM;
    *ticket = ledger->first_ticket + ledger->count++;
    *entry_of(ledger, *ticket) = (struct arda_ledger_entry){.position = *position};
    return BASE_OK;
}

/* The finished part reaches as far as entries are done. */
static void advance(struct arda_ledger *ledger)
{
    while (ledger->count > 0 && entry_of(ledger, ledger->first_ticket)->done) {
        const struct arda_ledger_entry *entry = entry_of(ledger, ledger->first_ticket);
        ledger->done = entry->position;
        if (entry->has_time && (!ledger->has_time || entry->time_ms >= ledger->time_ms)) {
            ledger->time_ms = entry->time_ms;
            ledger->due_us = entry->due_us;
            ledger->has_time = true;
        }
        ledger->first_ticket++;
        ledger->count--;
    }
}

static void finish(struct arda_ledger *ledger, uint64_t ticket)
{
    struct arda_ledger_entry *entry = entry_of(ledger, ticket);
    base_assert(!entry->done);
    entry->done = true;
    advance(ledger);
}

void arda_ledger_skip(struct arda_ledger *ledger, uint64_t ticket)
{
    finish(ledger, ticket);
}

void arda_ledger_done(struct arda_ledger *ledger, uint64_t ticket, int64_t time_ms, uint64_t due_us)
{
    struct arda_ledger_entry *entry = entry_of(ledger, ticket);
    entry->time_ms = time_ms;
    entry->due_us = due_us;
    entry->has_time = true;
    finish(ledger, ticket);
}

bool arda_ledger_next_run(const struct arda_ledger *ledger, size_t *cursor,
                          struct arda_ledger_run *run)
{
    while (*cursor < ledger->count && !entry_of(ledger, ledger->first_ticket + *cursor)->done)
        ++*cursor;
    if (*cursor == ledger->count)
        return false;
    run->first = entry_of(ledger, ledger->first_ticket + *cursor)->position;
    for (; *cursor < ledger->count; ++*cursor) {
        const struct arda_ledger_entry *entry = entry_of(ledger, ledger->first_ticket + *cursor);
        if (!entry->done)
            break;
        run->last = entry->position;
    }
    return true;
}
