/* SPDX-License-Identifier: ISC */
#include "arda/replay/ledger.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

static uint64_t take(struct arda_ledger *ledger, uint64_t minor)
{
    struct arda_ledger_position position = {1, 1, minor};
    uint64_t ticket = UINT64_MAX;
    CHECK_INT(arda_ledger_take(ledger, &position, &ticket), 0);
    return ticket;
}

static int runs(const struct arda_ledger *ledger, struct arda_ledger_run *list, int most)
{
    size_t cursor = 0;
    int count = 0;
    while (count < most && arda_ledger_next_run(ledger, &cursor, &list[count]))
        count++;
    return count;
}

static void positions_are_compared(void)
{
    struct arda_ledger_position a = {1, 2, 3}, b = {1, 2, 4}, c = {1, 3, 0}, d = {2, 0, 0};
    CHECK(arda_ledger_compare(&a, &a) == 0);
    CHECK(arda_ledger_compare(&a, &b) < 0 && arda_ledger_compare(&b, &a) > 0);
    CHECK(arda_ledger_compare(&b, &c) < 0 && arda_ledger_compare(&c, &d) < 0);
}

static void done_in_order_leaves_nothing(void)
{
    struct arda_ledger ledger = {0};
    for (uint64_t i = 1; i <= 1000; i++) {
        arda_ledger_done(&ledger, take(&ledger, i), (int64_t)i, i * 10);
        CHECK_INT(ledger.done.minor, i);
        CHECK_INT(ledger.count, 0);
    }
    CHECK_INT(ledger.time_ms, 1000);
    CHECK_INT(ledger.due_us, 10000);
    CHECK(ledger.cap <= 64);
    arda_ledger_fini(&ledger);
}

static void what_is_missing_holds_the_rest(void)
{
    struct arda_ledger ledger = {0};
    struct arda_ledger_run list[4];
    uint64_t ticket[10];
    for (uint64_t i = 0; i < 10; i++)
        ticket[i] = take(&ledger, i);
    CHECK_INT(runs(&ledger, list, 4), 0);
    arda_ledger_skip(&ledger, ticket[2]);
    arda_ledger_done(&ledger, ticket[3], 33, 3);
    arda_ledger_done(&ledger, ticket[9], 99, 9);
    CHECK_INT(ledger.done.round, 0);
    CHECK_INT(runs(&ledger, list, 4), 2);
    CHECK_INT(list[0].first.minor, 2);
    CHECK_INT(list[0].last.minor, 3);
    CHECK_INT(list[1].first.minor, 9);
    CHECK_INT(list[1].last.minor, 9);
    arda_ledger_done(&ledger, ticket[0], 40, 4); /* in time behind 3 */
    CHECK_INT(ledger.done.minor, 0);
    CHECK_INT(ledger.done.round, 1);
    arda_ledger_skip(&ledger, ticket[1]);
    CHECK_INT(ledger.done.minor, 3);
    CHECK_INT(ledger.time_ms, 40);
    CHECK_INT(ledger.due_us, 4);
    for (int i = 4; i < 9; i++)
        arda_ledger_skip(&ledger, ticket[i]);
    CHECK_INT(ledger.done.minor, 9);
    CHECK_INT(ledger.time_ms, 99);
    CHECK_INT(runs(&ledger, list, 4), 0);
    arda_ledger_fini(&ledger);
}

/* The ring grows while it is in use, its beginning not at its start. */
static void grows_around_its_end(void)
{
    struct arda_ledger ledger = {0};
    uint64_t first = 1, next = 1, ticket[2000];
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 37; i++, next++)
            ticket[next] = take(&ledger, next);
        for (int i = 0; i < 13; i++, first++)
            arda_ledger_skip(&ledger, ticket[first]);
        CHECK_INT(ledger.done.minor, first - 1);
        CHECK_INT(ledger.count, next - first);
    }
    while (next > first)
        arda_ledger_skip(&ledger, ticket[--next]);
    CHECK_INT(ledger.done.minor, 40 * 37);
    arda_ledger_fini(&ledger);
}

static void without_memory_nothing_is_taken(void)
{
    struct arda_ledger ledger = {0};
    struct arda_ledger_position position = {1, 1, 1};
    uint64_t ticket;
    base_mem_fail(1, 1);
    CHECK_INT(arda_ledger_take(&ledger, &position, &ticket), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    CHECK_INT(ledger.count, 0);
    arda_ledger_skip(&ledger, take(&ledger, 5));
    CHECK_INT(ledger.done.minor, 5);
    arda_ledger_fini(&ledger);
}

int main(void)
{
    RUN(positions_are_compared);
    RUN(done_in_order_leaves_nothing);
    RUN(what_is_missing_holds_the_rest);
    RUN(grows_around_its_end);
    RUN(without_memory_nothing_is_taken);
    return test_end();
}
