/* SPDX-License-Identifier: ISC */
#include "arda/bus/seen.h"

#include "base/mem.h"
#include "lib/test.h"

static bool add(struct arda_seen *seen, int i)
{
    char id[32];
    return arda_seen_add(seen, id, (size_t)sprintf(id, "id-%d", i));
}

static void the_second_time_counts_as_seen(void)
{
    struct arda_seen seen = {.max = 64};
    CHECK(!arda_seen_add(&seen, "a", 1));
    CHECK(arda_seen_add(&seen, "a", 1));
    CHECK(!arda_seen_add(&seen, "ab", 2));
    CHECK(!arda_seen_add(&seen, "", 0));
    CHECK(arda_seen_add(&seen, "", 0));
    CHECK_INT(seen.count, 3);
    arda_seen_fini(&seen);
    CHECK_INT(seen.max, 64);
    CHECK(!arda_seen_add(&seen, "a", 1));
    arda_seen_fini(&seen);
}

/* Checking adds what is missing, so the check goes from the newest to the oldest. */
static void keeps_the_newest_of_its_bound(void)
{
    enum { BOUND = 256, ADDED = 5000 };
    struct arda_seen seen = {.max = BOUND};
    for (int i = 0; i < ADDED; i++)
        CHECK(!add(&seen, i));
    CHECK_INT(seen.count, BOUND);
    CHECK_INT(seen.cap, BOUND);
    for (int i = ADDED - 1; i >= ADDED - BOUND; i--)
        CHECK(add(&seen, i));
    CHECK(!add(&seen, ADDED - BOUND - 1));
    CHECK(add(&seen, ADDED - 1));
    CHECK(!add(&seen, ADDED - BOUND)); /* the oldest made room */
    arda_seen_fini(&seen);
}

static void growing_forgets_nothing(void)
{
    enum { BOUND = 4096 };
    struct arda_seen seen = {.max = BOUND};
    for (int i = 0; i < BOUND; i++) {
        CHECK(!add(&seen, i));
        CHECK(add(&seen, i / 2));
    }
    for (int i = 0; i < BOUND; i++)
        CHECK(add(&seen, i));
    arda_seen_fini(&seen);
}

/* An id that cannot be remembered is not taken for a duplicate, and nothing old is lost early. */
static void without_memory_it_remembers_less(void)
{
    for (long n = 1; n <= 6; n++) {
        struct arda_seen seen = {.max = 256};
        base_mem_fail(n, 1000);
        for (int i = 0; i < 256; i++)
            CHECK(!add(&seen, i));
        base_mem_fail(0, 0);
        for (int i = 255; i > 255 - (int)seen.count; i--)
            CHECK(add(&seen, i));
        CHECK(seen.count == seen.cap);
        CHECK(!add(&seen, 1000)); /* with memory again it grows on */
        CHECK(add(&seen, 1000));
        arda_seen_fini(&seen);
    }
}

int main(void)
{
    RUN(the_second_time_counts_as_seen);
    RUN(keeps_the_newest_of_its_bound);
    RUN(growing_forgets_nothing);
    RUN(without_memory_it_remembers_less);
    return test_end();
}
