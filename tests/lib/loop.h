/* SPDX-License-Identifier: ISC
 *
 * loop: a uv loop for a test program, run until something has happened.
 *
 *     test_loop_init();
 *     RUN_UNTIL(ear.messages == 2);
 *     test_loop_fini();
 */
#ifndef TEST_LOOP_H
#define TEST_LOOP_H

#include "lib/test.h"

#include <stdbool.h>
#include <uv.h>

#define TEST_DEADLINE_MS 20000
#define TEST_TICK_MS     5 /* for conditions that no handle of the loop brings about */

static uv_loop_t test_loop;
static uv_timer_t test_tick;
static uint64_t test_deadline_ms;

static inline void test_on_tick(uv_timer_t *tick)
{
    (void)tick;
}

static inline void test_loop_init(void)
{
    CHECK_INT(uv_loop_init(&test_loop), 0);
    CHECK_INT(uv_timer_init(&test_loop, &test_tick), 0);
}

static inline void test_loop_begin(void)
{
    uv_update_time(&test_loop);
    test_deadline_ms = uv_now(&test_loop) + TEST_DEADLINE_MS;
    uv_timer_start(&test_tick, test_on_tick, TEST_TICK_MS, TEST_TICK_MS);
}

/* One turn of the loop. False when the deadline has passed. */
static inline bool test_loop_turn(void)
{
    uv_run(&test_loop, UV_RUN_ONCE);
    return uv_now(&test_loop) < test_deadline_ms;
}

static inline void test_loop_end(void)
{
    uv_timer_stop(&test_tick);
}

/* Turns the loop until `cond` holds; a check fails when it never does. It is not asked again, since
 * what another process says may change at any moment. */
#define RUN_UNTIL(cond)                                                                            \
    do {                                                                                           \
        bool held_;                                                                                \
        test_loop_begin();                                                                         \
        while (!(held_ = (cond)) && test_loop_turn()) {                                            \
        }                                                                                          \
        test_loop_end();                                                                           \
        if (!held_)                                                                                \
            test_fail(__FILE__, __LINE__, "in time: " #cond);                                      \
    } while (0)

/* Fails when a handle was left open. */
static inline void test_loop_fini(void)
{
    uv_close((uv_handle_t *)&test_tick, NULL);
    uv_run(&test_loop, UV_RUN_NOWAIT);
    CHECK_INT(uv_run(&test_loop, UV_RUN_NOWAIT), 0);
    CHECK_INT(uv_loop_close(&test_loop), 0);
}

#endif
