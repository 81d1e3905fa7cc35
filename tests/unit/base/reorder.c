/* SPDX-License-Identifier: ISC */
#include "base/reorder.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/test.h"

#define ITEMS 500

static struct base_reorder_item items[ITEMS];

static void add(struct base_reorder *reorder, int which, int64_t time_ms)
{
    items[which] = (struct base_reorder_item){.time_ms = time_ms, .bytes = 10};
    CHECK_INT(base_reorder_add(reorder, &items[which]), 0);
}

/* The number of the next one, or -1. */
static int next(struct base_reorder *reorder)
{
    struct base_reorder_item *item = base_reorder_next(reorder);
    return item ? (int)(item - items) : -1;
}

static struct base_reorder with_window(int64_t window_ms)
{
    return (struct base_reorder){.window_ms = window_ms, .max_items = 1000, .max_bytes = 100000};
}

static void without_a_window_nothing_is_held(void)
{
    struct base_reorder reorder = with_window(0);
    add(&reorder, 0, 50);
    CHECK_INT(next(&reorder), 0);
    add(&reorder, 1, 40);
    CHECK_INT(next(&reorder), 1);
    CHECK_INT(next(&reorder), -1);
    base_reorder_fini(&reorder);
}

static void holds_as_long_as_the_window(void)
{
    struct base_reorder reorder = with_window(100);
    add(&reorder, 0, 1000);
    add(&reorder, 1, 950);
    add(&reorder, 2, 1049);
    CHECK_INT(next(&reorder), -1);
    add(&reorder, 3, 1050);
    CHECK_INT(next(&reorder), 1);
    CHECK_INT(next(&reorder), -1);
    base_reorder_flush(&reorder);
    CHECK_INT(next(&reorder), 0);
    CHECK_INT(next(&reorder), 2);
    CHECK_INT(next(&reorder), 3);
    CHECK_INT(next(&reorder), -1);
    add(&reorder, 4, 2000); /* it holds again */
    CHECK_INT(next(&reorder), -1);
    base_reorder_fini(&reorder);
}

static void equal_times_keep_their_order(void)
{
    struct base_reorder reorder = with_window(10);
    for (int i = 0; i < 100; i++)
        add(&reorder, i, i % 3);
    base_reorder_flush(&reorder);
    int last = -1;
    for (int i = 0; i < 100; i++) {
        int got = next(&reorder);
        CHECK(got >= 0);
        CHECK(got % 3 > last % 3 || got > last);
        last = got;
    }
    CHECK_INT(next(&reorder), -1);
    base_reorder_fini(&reorder);
}

static void shuffled_times_come_out_in_order(void)
{
    struct base_reorder reorder = with_window(1000);
    int64_t last = -1;
    for (int i = 0; i < ITEMS; i++)
        add(&reorder, i, (int64_t)i * 7919 % 997);
    base_reorder_flush(&reorder);
    for (int i = 0; i < ITEMS; i++) {
        int got = next(&reorder);
        CHECK(got >= 0 && items[got].time_ms >= last);
        last = got >= 0 ? items[got].time_ms : last;
    }
    CHECK_INT(next(&reorder), -1);
    base_reorder_fini(&reorder);
}

static void bounds_end_the_waiting(void)
{
    struct base_reorder few = {.window_ms = 1000, .max_items = 2, .max_bytes = 1000};
    add(&few, 0, 30);
    add(&few, 1, 20);
    CHECK_INT(next(&few), -1);
    add(&few, 2, 10);
    CHECK_INT(next(&few), 2);
    CHECK_INT(next(&few), -1);
    base_reorder_fini(&few);
    struct base_reorder small = {.window_ms = 1000, .max_items = 100, .max_bytes = 25};
    add(&small, 0, 30);
    add(&small, 1, 20);
    CHECK_INT(next(&small), -1);
    add(&small, 2, 10);
    CHECK_INT(next(&small), 2);
    CHECK_INT(next(&small), -1);
    base_reorder_fini(&small);
}

static void far_apart_times_do_not_overflow(void)
{
    struct base_reorder reorder = with_window(1000);
    add(&reorder, 0, INT64_MIN + 1);
    add(&reorder, 1, INT64_MAX);
    CHECK_INT(next(&reorder), 0);
    CHECK_INT(next(&reorder), -1);
    base_reorder_fini(&reorder);
}

static void without_memory_it_stays_as_it_is(void)
{
    struct base_reorder reorder = with_window(0);
    base_mem_fail(1, 1);
    CHECK_INT(base_reorder_add(&reorder, &items[0]), BASE_ERR_NOMEM);
    base_mem_fail(0, 0);
    CHECK_INT(next(&reorder), -1);
    add(&reorder, 1, 5);
    CHECK_INT(next(&reorder), 1);
    base_reorder_fini(&reorder);
}

int main(void)
{
    RUN(without_a_window_nothing_is_held);
    RUN(holds_as_long_as_the_window);
    RUN(equal_times_keep_their_order);
    RUN(shuffled_times_come_out_in_order);
    RUN(bounds_end_the_waiting);
    RUN(far_apart_times_do_not_overflow);
    RUN(without_memory_it_stays_as_it_is);
    return test_end();
}
