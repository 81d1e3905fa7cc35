/* SPDX-License-Identifier: ISC
 *
 * Sending at the right time. The alarm is a timer of the kernel on an absolute schedule, exact to
 * microseconds; what is due at one of its calls goes out together.
 */
#include "arda-replay/replay.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TURN_EVENTS 256 /* sent before others on the loop have their turn */

static void set_alarm(struct replay *replay, uint64_t at_us)
{
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(at_us / 1000000),
                                           .tv_nsec = (long)(at_us % 1000000) * 1000}};
    if (at_us == 0) /* which would switch it off */
        when.it_value.tv_nsec = 1;
    timerfd_settime(replay->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_alarm(uv_poll_t *poll, int status, int events)
{
    struct replay *replay = poll->data;
    uint64_t times;
    (void)status;
    (void)events;
    if (read(replay->alarm_fd, &times, sizeof times) < 0)
        return;
    pace_go_on(replay);
}

int pace_start(struct replay *replay)
{
    replay->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (replay->alarm_fd < 0) {
        base_log(BASE_LOG_ERROR, "cannot make a timer: %s", strerror(errno));
        return BASE_EXIT_SOFTWARE;
    }
    uv_poll_init(&replay->loop, &replay->alarm, replay->alarm_fd);
    replay->alarm.data = replay;
    uv_poll_start(&replay->alarm, UV_READABLE, on_alarm);
    return BASE_EXIT_OK;
}

static void on_alarm_closed(uv_handle_t *handle)
{
    struct replay *replay = handle->data;
    close(replay->alarm_fd);
}

void pace_end(struct replay *replay)
{
    if (replay->alarm.data)
        uv_close((uv_handle_t *)&replay->alarm, on_alarm_closed);
}

/* The schedule begins with the first event. After a restart it goes on: what is left of the pause
 * in which the replay was stopped is waited for. */
static void start_clock(struct replay *replay, const struct event *first)
{
    int64_t time_ms, ago_ms;
    uint64_t head_us = 0;
    if (checkpoint_time(replay, &time_ms, &ago_ms))
        head_us = (uint64_t)ago_ms * 1000;
    if (head_us > first->due_us)
        head_us = first->due_us;
    replay->start_us = base_clock_mono_us() - head_us;
    replay->is_started = true;
}

static struct event *first_in_queue(struct replay *replay)
{
    return base_container(replay->queue.next, struct event, link);
}

static void send_first(struct replay *replay)
{
    struct event *event = first_in_queue(replay);
    base_list_remove(&event->link);
    replay->queued--;
    replay->queued_bytes -= event->order.bytes;
    if (!replay->began_us)
        replay->began_us = base_clock_mono_us();
    replay->sink->send(replay, event);
}

void pace_go_on(struct replay *replay)
{
    int sent = 0;
    while (!replay->ending && !base_list_empty(&replay->queue)) {
        struct event *event = first_in_queue(replay);
        if (!replay->sink->is_ready(replay, event))
            break;
        if (!replay->is_started)
            start_clock(replay, event);
        uint64_t due_us = replay->start_us + event->due_us;
        uint64_t now_us = base_clock_mono_us();
        if (due_us > now_us || sent++ == TURN_EVENTS) {
            set_alarm(replay, due_us > now_us ? due_us : now_us);
            break;
        }
        send_first(replay);
    }
    if (replay->ending)
        return;
    report_progress(replay);
    intake_room(replay);
    replay_end_when_done(replay);
}
