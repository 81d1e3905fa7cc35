/* SPDX-License-Identifier: ISC */
#include "base/backoff.h"

#include "lib/test.h"

#include <stdbool.h>

static bool between(uint32_t got, uint32_t least, uint32_t most)
{
    return got >= least && got <= most;
}

static void pauses_grow_up_to_a_bound(void)
{
    for (int i = 0; i < 200; i++) {
        struct base_backoff backoff = {.first_ms = 50, .most_ms = 1000};
        CHECK(between(base_backoff_pause(&backoff), 25, 50));
        CHECK(between(base_backoff_pause(&backoff), 50, 100));
        CHECK(between(base_backoff_pause(&backoff), 100, 200));
        CHECK(between(base_backoff_pause(&backoff), 200, 400));
        CHECK(between(base_backoff_pause(&backoff), 400, 800));
        CHECK(between(base_backoff_pause(&backoff), 500, 1000));
        CHECK(between(base_backoff_pause(&backoff), 500, 1000));
    }
}

static void a_good_try_begins_again(void)
{
    struct base_backoff backoff = {.first_ms = 100, .most_ms = 60000};
    for (int i = 0; i < 5; i++)
        base_backoff_pause(&backoff);
    base_backoff_reset(&backoff);
    CHECK(between(base_backoff_pause(&backoff), 50, 100));
}

static void pauses_differ(void)
{
    bool differ = false;
    struct base_backoff first = {.first_ms = 1000000, .most_ms = 1000000};
    uint32_t pause = base_backoff_pause(&first);
    for (int i = 0; i < 20; i++)
        differ |= base_backoff_pause(&first) != pause;
    CHECK(differ);
}

static void bounds_do_not_overflow(void)
{
    struct base_backoff backoff = {.first_ms = UINT32_MAX / 2 + 1, .most_ms = UINT32_MAX};
    for (int i = 0; i < 5; i++)
        CHECK(base_backoff_pause(&backoff) >= UINT32_MAX / 4);
}

int main(void)
{
    RUN(pauses_grow_up_to_a_bound);
    RUN(a_good_try_begins_again);
    RUN(pauses_differ);
    RUN(bounds_do_not_overflow);
    return test_end();
}
