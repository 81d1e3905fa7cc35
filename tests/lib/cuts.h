/* SPDX-License-Identifier: ISC
 *
 * cuts: the ways in which a decoder's input may arrive: whole, byte by byte, at random cuts.
 *
 *     for (struct cuts cuts = {0}; cuts_run(&cuts);)
 *         while (left > 0)
 *             n = cuts_piece(&cuts, left), ...
 *
 * The random ones follow from TEST_SEED; without it from the clock, and the seed is printed.
 */
#ifndef TEST_CUTS_H
#define TEST_CUTS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CUTS_WHOLE  1
#define CUTS_BYTES  2
#define CUTS_RANDOM 3 /* this run and those behind it */
#define CUTS_RUNS   12

struct cuts {
    int run; /* 0: before the first */
    uint64_t state;
};

static inline uint64_t cuts_seed(void)
{
    static uint64_t seed;
    if (seed)
        return seed;
    const char *wanted = getenv("TEST_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = wanted ? strtoull(wanted, NULL, 10) : (uint64_t)now.tv_sec ^ (uint64_t)now.tv_nsec << 20;
    seed |= 1;
    printf("# TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

/* splitmix64 */
static inline uint64_t cuts_random(struct cuts *cuts)
{
    uint64_t z = cuts->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline struct cuts cuts_of(int run, uint64_t seed)
{
    return (struct cuts){run, seed + (uint64_t)run};
}

/* Begins the next run; false behind the last. */
static inline bool cuts_run(struct cuts *cuts)
{
    *cuts = cuts_of(cuts->run + 1, cuts_seed());
    return cuts->run <= CUTS_RUNS;
}

/* How many of the `left` bytes, at least one, come next. Short and long pieces are both frequent.
 */
static inline size_t cuts_piece(struct cuts *cuts, size_t left)
{
    if (cuts->run == CUTS_WHOLE || left <= 1)
        return left;
    if (cuts->run == CUTS_BYTES)
        return 1;
    uint64_t random = cuts_random(cuts);
    size_t most = random & 1 ? left : left < 9 ? left : 9;
    return 1 + (size_t)((random >> 8) % most);
}

#endif
