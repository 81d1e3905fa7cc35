/* SPDX-License-Identifier: ISC */
#include "base/mem.h"

#include "lib/test.h"

static void copies_end_in_nul(void)
{
    char *copy = base_memdup("ab\0cd", 4);
    CHECK(copy && memcmp(copy, "ab\0c", 5) == 0);
    base_free(copy);
    copy = base_memdup(NULL, 0);
    CHECK(copy && *copy == '\0');
    base_free(copy);
    copy = base_strdup("text");
    CHECK(copy && strcmp(copy, "text") == 0);
    base_free_clear(&copy);
    CHECK(copy == NULL);
    base_free(NULL);
}

static void nothing_is_memory_too(void)
{
    void *block = base_malloc(0), *zeroed = base_calloc(0, 8), *other = base_calloc(8, 0);
    CHECK(block && zeroed && other);
    base_free(block);
    base_free(zeroed);
    base_free(other);
}

static void calloc_zeroes(void)
{
    static const unsigned char zeros[64];
    void *block = base_calloc(8, 8);
    CHECK(block && memcmp(block, zeros, sizeof zeros) == 0);
    base_free(block);
}

/* A letter per allocation: what came, or `-`. */
static const char *try_five(long countdown, long repeat, char out[static 6])
{
    void *blocks[5];
    base_mem_fail(countdown, repeat);
    blocks[0] = base_malloc(1);
    blocks[1] = base_calloc(1, 1);
    blocks[2] = base_realloc(NULL, 1);
    blocks[3] = base_memdup("x", 1);
    blocks[4] = base_strdup("x");
    CHECK_INT(base_mem_tries(), 5);
    base_mem_fail(0, 0);
    for (int i = 0; i < 5; i++) {
        out[i] = blocks[i] ? "mcrds"[i] : '-';
        base_free(blocks[i]);
    }
    out[5] = '\0';
    return out;
}

static void fails_what_it_was_told_to(void)
{
    char out[6];
    CHECK_STR(try_five(0, 0, out), "mcrds");
    CHECK_STR(try_five(1, 1, out), "-crds");
    CHECK_STR(try_five(3, 1, out), "mc-ds");
    CHECK_STR(try_five(2, 3, out), "m---s");
    CHECK_STR(try_five(5, 9, out), "mcrd-");
    CHECK_STR(try_five(6, 1, out), "mcrds");
}

static void a_failed_realloc_leaves_the_block(void)
{
    char *block = base_strdup("kept");
    base_mem_fail(1, 1);
    CHECK(base_realloc(block, 1000) == NULL);
    base_mem_fail(0, 0);
    CHECK_STR(block, "kept");
    base_free(block);
}

int main(void)
{
    RUN(copies_end_in_nul);
    RUN(nothing_is_memory_too);
    RUN(calloc_zeroes);
    RUN(fails_what_it_was_told_to);
    RUN(a_failed_realloc_leaves_the_block);
    return test_end();
}
