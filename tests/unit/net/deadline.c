/* SPDX-License-Identifier: ISC */
#include "net/io/deadline.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/cuts.h"
#include "lib/test.h"

#define OWNERS 200

static struct net_deadlines all;
static struct net_deadline nodes[OWNERS];

static void begin(void)
{
    memset(nodes, 0, sizeof nodes);
    CHECK_INT(net_deadlines_reserve(&all, OWNERS), 0);
}

static void takes_in_order_what_is_due(void)
{
    uint64_t due;
    begin();
    CHECK(!net_deadlines_next(&all, &due));
    CHECK(net_deadlines_take(&all, UINT64_MAX) == NULL);
    net_deadline_set(&all, &nodes[0], 30);
    net_deadline_set(&all, &nodes[1], 10);
    net_deadline_set(&all, &nodes[2], 20);
    CHECK(net_deadlines_next(&all, &due) && due == 10);
    CHECK(net_deadlines_take(&all, 9) == NULL);
    CHECK(net_deadlines_take(&all, 20) == &nodes[1]);
    CHECK(net_deadlines_take(&all, 20) == &nodes[2]);
    CHECK(net_deadlines_take(&all, 20) == NULL);
    CHECK(net_deadlines_next(&all, &due) && due == 30);
    CHECK(net_deadlines_take(&all, UINT64_MAX) == &nodes[0]);
    CHECK(!net_deadlines_next(&all, &due));
    net_deadlines_fini(&all);
}

static void moves_and_clears(void)
{
    begin();
    net_deadline_set(&all, &nodes[0], 30);
    net_deadline_set(&all, &nodes[1], 10);
    net_deadline_set(&all, &nodes[0], 5);
    net_deadline_set(&all, &nodes[1], 40);
    net_deadline_set(&all, &nodes[2], 1);
    net_deadline_clear(&all, &nodes[2]);
    net_deadline_clear(&all, &nodes[2]);
    net_deadline_clear(&all, &nodes[3]);
    CHECK(net_deadlines_take(&all, 100) == &nodes[0]);
    net_deadline_clear(&all, &nodes[0]);
    CHECK(net_deadlines_take(&all, 100) == &nodes[1]);
    CHECK(net_deadlines_take(&all, 100) == NULL);
    net_deadlines_fini(&all);
}

/* Every node knows its place, and no child is due before its parent. */
static bool is_sound(void)
{
    struct net_deadline **at = (struct net_deadline **)all.heap.items;
    for (size_t i = 1; i <= all.heap.count; i++)
        if (at[i - 1]->place != i || (i > 1 && at[i - 1]->due_us < at[i / 2 - 1]->due_us))
            return false;
    return true;
}

static struct net_deadline *earliest(uint64_t now)
{
    struct net_deadline *first = NULL;
    for (size_t i = 0; i < OWNERS; i++)
        if (nodes[i].place && nodes[i].due_us <= now && (!first || nodes[i].due_us < first->due_us))
            first = &nodes[i];
    return first;
}

static void agrees_with_a_search_of_all(void)
{
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    begin();
    for (int i = 0; i < 20000 && !test_failed_here; i++) {
        struct net_deadline *node = &nodes[cuts_random(&random) % OWNERS];
        uint64_t value = cuts_random(&random) % 1000;
        switch (cuts_random(&random) % 4) {
        case 0: net_deadline_clear(&all, node); break;
        case 1: {
            struct net_deadline *want = earliest(value);
            uint64_t due = want ? want->due_us : 0;
            struct net_deadline *got = net_deadlines_take(&all, value);
            CHECK(!got == !want && (!got || (got->due_us == due && !got->place)));
            break;
        }
        default: net_deadline_set(&all, node, value); break;
        }
        CHECK(is_sound());
    }
    net_deadlines_fini(&all);
}

static void keeps_what_it_has_without_memory(void)
{
    memset(nodes, 0, sizeof nodes);
    base_mem_fail(1, 1);
    CHECK_INT(net_deadlines_reserve(&all, 1), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    CHECK_INT(net_deadlines_reserve(&all, 1), 0);
    net_deadline_set(&all, &nodes[0], 1);
    base_mem_fail(1, 1);
    CHECK_INT(net_deadlines_reserve(&all, 1 << 20), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    CHECK(net_deadlines_take(&all, 1) == &nodes[0]);
    net_deadlines_fini(&all);
}

/* Setting never allocates once there is room. */
static void needs_no_memory_to_set(void)
{
    begin();
    base_mem_fail(1, OWNERS);
    for (size_t i = 0; i < OWNERS; i++)
        net_deadline_set(&all, &nodes[i], OWNERS - i);
    CHECK_INT(base_mem_tries(), 0);
    base_mem_fail(0, 0);
    CHECK_INT(all.heap.count, OWNERS);
    net_deadlines_fini(&all);
}

int main(void)
{
    RUN(takes_in_order_what_is_due);
    RUN(moves_and_clears);
    RUN(agrees_with_a_search_of_all);
    RUN(keeps_what_it_has_without_memory);
    RUN(needs_no_memory_to_set);
    return test_end();
}
