/* SPDX-License-Identifier: ISC */
#include "base/map.h"

#include "base/mem.h"
#include "lib/test.h"

#define KEYS 2000

static int values[KEYS];

static size_t make_key(char *key, int i)
{
    return (size_t)sprintf(key, "key-%d", i);
}

static void keeps_what_it_was_given(void)
{
    struct base_map map = {0};
    char key[32];
    for (int i = 0; i < KEYS; i++)
        CHECK_INT(base_map_set(&map, key, make_key(key, i), &values[i]), 0);
    CHECK_INT(map.count, KEYS);
    for (int i = 0; i < KEYS; i++)
        CHECK(base_map_get(&map, key, make_key(key, i)) == &values[i]);
    CHECK(base_map_get(&map, "other", 5) == NULL);
    base_map_fini(&map);
}

static void forgets_what_was_removed_and_nothing_else(void)
{
    struct base_map map = {0};
    char key[32];
    for (int i = 0; i < KEYS; i++)
        CHECK_INT(base_map_set(&map, key, make_key(key, i), &values[i]), 0);
    for (int i = 0; i < KEYS; i += 3)
        CHECK(base_map_remove(&map, key, make_key(key, i)) == &values[i]);
    for (int i = 0; i < KEYS; i++)
        CHECK(base_map_get(&map, key, make_key(key, i)) == (i % 3 ? &values[i] : NULL));
    size_t cursor = 0, seen = 0;
    while (base_map_next(&map, &cursor))
        seen++;
    CHECK_INT(seen, map.count);
    base_map_fini(&map);
}

static void replaces_a_value(void)
{
    struct base_map map = {0};
    CHECK_INT(base_map_set(&map, "", 0, &values[0]), 0);
    CHECK_INT(base_map_set(&map, "", 0, &values[1]), 0);
    CHECK(base_map_get(&map, "", 0) == &values[1]);
    CHECK_INT(map.count, 1);
    base_map_fini(&map);
}

static void survives_every_failing_allocation(void)
{
    char key[32];
    for (long n = 1;; n++) {
        struct base_map map = {0};
        int failed = 0;
        base_mem_fail(n, 1);
        for (int i = 0; i < 40; i++)
            failed += base_map_set(&map, key, make_key(key, i), &values[i]) < 0;
        base_mem_fail(0, 0);
        CHECK_INT((long)map.count, 40 - failed);
        base_map_fini(&map);
        if (!failed)
            break;
    }
}

int main(void)
{
    RUN(keeps_what_it_was_given);
    RUN(forgets_what_was_removed_and_nothing_else);
    RUN(replaces_a_value);
    RUN(survives_every_failing_allocation);
    return test_end();
}
