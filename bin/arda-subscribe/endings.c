/* SPDX-License-Identifier: ISC
 *
 * What ends the program by time, and what is looked after every few seconds. --idle counts while
 * there could be something to print: the past has been read, Redis is there, and the reader takes
 * what is printed.
 */
#include "arda-subscribe/subscribe.h"

#include "base/clock.h"
#include "base/exit.h"

#define UNTIL_AGAIN_MS 100 /* when Redis' clock is behind ours */
#define TIMER_MAX_MS   86400000

static void on_timeout(uv_timer_t *timer)
{
    subscriber_end_now(timer->data, BASE_EXIT_TIMEOUT);
}

static bool may_be_idle(const struct subscriber *subscriber)
{
    return subscriber->up && subscriber->feeds_to_come_live == 0 &&
           !writer_is_blocked(&subscriber->writer) &&
           (!subscriber->settings.all || subscriber->all_listed);
}

static void on_idle(uv_timer_t *timer)
{
    struct subscriber *subscriber = timer->data;
    if (may_be_idle(subscriber))
        subscriber_finish(subscriber);
    /* Else it counts anew when it may be. */
}

void endings_touch(struct subscriber *subscriber)
{
    if (subscriber->settings.idle > 0 && !subscriber->ending)
        uv_timer_start(&subscriber->idle, on_idle, (uint64_t)subscriber->settings.idle, 0);
}

static void on_check(uv_timer_t *timer)
{
    struct subscriber *subscriber = timer->data;
    if (subscriber->ending)
        return;
    feeds_look_around(subscriber);
    if (subscriber->tails)
        arda_tails_wake(subscriber->tails, true);
}

/* Until the moment of --until, then again until Redis agrees. Long waits are cut in pieces, since
 * the clock may be set. */
static void on_until(uv_timer_t *timer)
{
    struct subscriber *subscriber = timer->data;
    struct arda_stream_id last;
    int64_t now_ms = base_clock_wall_ms();
    if (subscriber->ending || !arda_when_last(&subscriber->plan.start.until, &last))
        return;
    uint64_t now = now_ms > 0 ? (uint64_t)now_ms : 0, wait_ms = UNTIL_AGAIN_MS;
    if (now <= last.ms)
        wait_ms = last.ms - now + 1 > TIMER_MAX_MS ? TIMER_MAX_MS : last.ms - now + 1;
    else
        arda_tails_wake(subscriber->tails, true);
    uv_timer_start(timer, on_until, wait_ms, 0);
}

void endings_start(struct subscriber *subscriber)
{
    const struct settings *settings = &subscriber->settings;
    uv_timer_t *timers[] = {&subscriber->timeout, &subscriber->idle, &subscriber->every,
                            &subscriber->until};
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        uv_timer_init(&subscriber->loop, timers[i]);
        timers[i]->data = subscriber;
    }
    uint64_t every_ms = (uint64_t)settings->check_every;
    if (every_ms > 0)
        uv_timer_start(&subscriber->every, on_check, every_ms, every_ms);
    if (settings->timeout > 0)
        uv_timer_start(&subscriber->timeout, on_timeout, (uint64_t)settings->timeout, 0);
    if (settings->until && subscriber->plan.follow)
        uv_timer_start(&subscriber->until, on_until, 0, 0);
}

void endings_stop(struct subscriber *subscriber)
{
    uv_close((uv_handle_t *)&subscriber->timeout, NULL);
    uv_close((uv_handle_t *)&subscriber->idle, NULL);
    uv_close((uv_handle_t *)&subscriber->every, NULL);
    uv_close((uv_handle_t *)&subscriber->until, NULL);
}
