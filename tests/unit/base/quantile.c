/* SPDX-License-Identifier: ISC */
#include "base/quantile.h"

#include "lib/test.h"

static struct base_quantile quantile;

static void is_empty_at_first(void)
{
    CHECK_INT(base_quantile_get(&quantile, 0.5), 0);
    CHECK_INT(base_quantile_get(&quantile, 1), 0);
}

static void small_values_are_exact(void)
{
    memset(&quantile, 0, sizeof quantile);
    for (uint64_t i = 1; i <= 100; i++)
        base_quantile_add(&quantile, i);
    CHECK_INT(base_quantile_get(&quantile, 0), 1);
    CHECK_INT(base_quantile_get(&quantile, 0.5), 50);
    CHECK_INT(base_quantile_get(&quantile, 0.99), 99);
    CHECK_INT(base_quantile_get(&quantile, 1), 100);
    CHECK_INT(quantile.max, 100);
}

/* Each value alone, so that its percentile is itself, and with a larger one behind it. */
static void large_values_are_nearly_exact(void)
{
    for (uint64_t value = 1; value < UINT64_MAX / 3; value = value * 3 / 2 + 1) {
        memset(&quantile, 0, sizeof quantile);
        base_quantile_add(&quantile, value);
        CHECK_INT(base_quantile_get(&quantile, 0.99), value);
        base_quantile_add(&quantile, UINT64_MAX);
        uint64_t got = base_quantile_get(&quantile, 0.5);
        CHECK(got >= value && got - value <= value / 64);
        CHECK(base_quantile_get(&quantile, 1) == UINT64_MAX);
    }
}

/* Neighbours at the borders of classes are not confused. */
static void classes_are_in_order(void)
{
    for (unsigned bit = 6; bit < 64; bit++)
        for (int step = -1; step <= 1; step++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)(int64_t)step;
            memset(&quantile, 0, sizeof quantile);
            base_quantile_add(&quantile, value - 1);
            base_quantile_add(&quantile, value);
            CHECK(base_quantile_get(&quantile, 1) == value);
            CHECK(base_quantile_get(&quantile, 0.5) >= value - 1);
            CHECK(base_quantile_get(&quantile, 0.5) <= value);
        }
}

static void one_in_a_hundred_decides(void)
{
    memset(&quantile, 0, sizeof quantile);
    for (int i = 0; i < 990; i++)
        base_quantile_add(&quantile, 1);
    for (int i = 0; i < 10; i++)
        base_quantile_add(&quantile, 100);
    CHECK_INT(base_quantile_get(&quantile, 0.99), 1);
    base_quantile_add(&quantile, 100);
    CHECK_INT(base_quantile_get(&quantile, 0.99), 100);
}

int main(void)
{
    RUN(is_empty_at_first);
    RUN(small_values_are_exact);
    RUN(large_values_are_nearly_exact);
    RUN(classes_are_in_order);
    RUN(one_in_a_hundred_decides);
    return test_end();
}
