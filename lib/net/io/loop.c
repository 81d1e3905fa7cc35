/* SPDX-License-Identifier: ISC
 *
 * One epoll set for all descriptors, watched by libuv as a single handle; what other threads post
 * is in a list behind a mutex, and an async handle wakes the loop for it.
 */
#include "net/io/loop.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#define EVENTS_PER_WAIT 256
#define WAITS_PER_TURN  8

struct task {
    struct task *next;
    void (*run)(void *arg);
    void *arg;
};

struct net_loop {
    struct net_loop_handlers on;
    uv_loop_t *uv;
    uv_loop_t own; /* used when there is no home */
    bool has_home;
    int epoll_fd;
    int open_handles;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_async_t async;
    pthread_mutex_t lock; /* of the three below */
    bool closed;          /* nobody is to be woken any more */
    struct task *first_task;
    struct task **last_task;
    uint64_t wake_us; /* 0: never */
    void (*on_closed)(void *data);
    void *closed_data;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct net_loop *loop = poll->data;
    struct epoll_event ready[EVENTS_PER_WAIT];
    for (int wait = 0; wait < WAITS_PER_TURN; wait++) {
        int count = epoll_wait(loop->epoll_fd, ready, EVENTS_PER_WAIT, 0);
        for (int i = 0; i < count; i++) {
            uint32_t what = ready[i].events;
            unsigned mask = (what & EPOLLIN ? NET_READABLE : 0) |
                            (what & EPOLLOUT ? NET_WRITABLE : 0) |
                            (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? NET_HANGUP : 0);
            loop->on.on_ready(loop->on.data, ready[i].data.ptr, mask);
        }
        if (count < EVENTS_PER_WAIT)
            break;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct net_loop *loop = timer->data;
    loop->wake_us = 0;
    loop->on.on_due(loop->on.data);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct net_loop *loop = prepare->data;
    loop->on.on_turn(loop->on.data);
}

static void on_check(uv_check_t *check)
{
    struct net_loop *loop = check->data;
    loop->on.on_turn(loop->on.data);
}

static bool run_tasks(struct net_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct task *task = loop->first_task;
    bool any = task != NULL;
    loop->first_task = NULL;
    loop->last_task = &loop->first_task;
    pthread_mutex_unlock(&loop->lock);
    while (task) {
        struct task *next = task->next;
        task->run(task->arg);
        base_free(task);
        task = next;
    }
    return any;
}

static void on_async(uv_async_t *async)
{
    run_tasks(async->data);
}

static int start_handles(struct net_loop *loop)
{
    int failed = uv_poll_init(loop->uv, &loop->poll, loop->epoll_fd);
    if (failed)
        return failed;
    loop->open_handles = 5;
    /* None of these can fail but the async handle, which needs a descriptor. */
    uv_timer_init(loop->uv, &loop->timer);
    uv_prepare_init(loop->uv, &loop->prepare);
    uv_check_init(loop->uv, &loop->check);
    loop->poll.data = loop->timer.data = loop->prepare.data = loop->check.data = loop;
    loop->async.data = loop;
    failed = uv_async_init(loop->uv, &loop->async, on_async);
    if (failed) {
        loop->open_handles = 4;
        return failed;
    }
    uv_poll_start(&loop->poll, UV_READABLE, on_poll);
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_start(&loop->check, on_check);
    return 0;
}

static void dispose(struct net_loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->epoll_fd = -1;
    if (loop->on_closed)
        loop->on_closed(loop->closed_data);
}

static void on_closed(uv_handle_t *handle)
{
    struct net_loop *loop = handle->data;
    if (--loop->open_handles == 0)
        dispose(loop);
}

static void close_handles(struct net_loop *loop, bool with_async)
{
    uv_close((uv_handle_t *)&loop->poll, on_closed);
    uv_close((uv_handle_t *)&loop->timer, on_closed);
    uv_close((uv_handle_t *)&loop->prepare, on_closed);
    uv_close((uv_handle_t *)&loop->check, on_closed);
    if (with_async)
        uv_close((uv_handle_t *)&loop->async, on_closed);
}

static int fail_early(struct net_loop *loop, int code)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (!loop->has_home)
        uv_loop_close(&loop->own);
    pthread_mutex_destroy(&loop->lock);
    base_free(loop);
    return code;
}

int net_loop_new(struct uv_loop_s *home, const struct net_loop_handlers *handlers,
                 struct net_loop **out)
{
    struct net_loop *loop = base_calloc(1, sizeof *loop);
    if (!loop)
        return BASE_ERR_NOMEM;
    loop->on = *handlers;
    loop->has_home = home != NULL;
    loop->last_task = &loop->first_task;
    loop->epoll_fd = -1;
    pthread_mutex_init(&loop->lock, NULL);
    if (home) {
        loop->uv = home;
    } else {
        if (uv_loop_init(&loop->own)) {
            pthread_mutex_destroy(&loop->lock);
            base_free(loop);
            return BASE_ERR_INTERNAL;
        }
        loop->uv = &loop->own;
    }
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return fail_early(loop, BASE_ERR_INTERNAL);
    if (start_handles(loop)) {
        if (loop->open_handles == 0)
            return fail_early(loop, BASE_ERR_INTERNAL);
        close_handles(loop, false);
        if (!home) {
            uv_run(&loop->own, UV_RUN_DEFAULT);
            uv_loop_close(&loop->own);
            base_free(loop);
        }
        return BASE_ERR_INTERNAL;
    }
    *out = loop;
    return BASE_OK;
}

void net_loop_run(struct net_loop *loop)
{
    uv_run(loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->own);
}

void net_loop_close(struct net_loop *loop, void (*done)(void *data), void *data)
{
    pthread_mutex_lock(&loop->lock);
    loop->closed = true;
    pthread_mutex_unlock(&loop->lock);
    run_tasks(loop);
    loop->on_closed = done;
    loop->closed_data = data;
    close_handles(loop, true);
}

bool net_loop_run_rest(struct net_loop *loop)
{
    return run_tasks(loop);
}

void net_loop_free(struct net_loop *loop)
{
    if (!loop)
        return;
    pthread_mutex_destroy(&loop->lock);
    base_free(loop);
}

int net_loop_watch(struct net_loop *loop, int fd, void *tag, bool listener)
{
    struct epoll_event event = {.data.ptr = tag};
    event.events = listener ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return BASE_OK;
    return errno == ENOMEM ? BASE_ERR_NOMEM : BASE_ERR_LIMIT;
}

void net_loop_unwatch(struct net_loop *loop, int fd)
{
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void net_loop_wake_at(struct net_loop *loop, uint64_t due_us)
{
    if (loop->wake_us && loop->wake_us <= due_us && loop->wake_us + 500 > due_us)
        return;
    loop->wake_us = due_us;
    uint64_t now = base_clock_mono_us();
    uv_update_time(loop->uv);
    uv_timer_start(&loop->timer, on_timer, due_us > now ? (due_us - now + 999) / 1000 : 0, 0);
}

void net_loop_wake_never(struct net_loop *loop)
{
    if (!loop->wake_us)
        return;
    loop->wake_us = 0;
    uv_timer_stop(&loop->timer);
}

void net_loop_again(struct net_loop *loop)
{
    uv_async_send(&loop->async);
}

int net_loop_post(struct net_loop *loop, void (*run)(void *arg), void *arg)
{
    struct task *task = base_malloc(sizeof *task);
    if (!task)
        return BASE_ERR_NOMEM;
    *task = (struct task){NULL, run, arg};
    pthread_mutex_lock(&loop->lock);
    bool wake = loop->first_task == NULL && !loop->closed;
    *loop->last_task = task;
    loop->last_task = &task->next;
    if (wake) /* under the lock: the handle is closed by who has taken it */
        uv_async_send(&loop->async);
    pthread_mutex_unlock(&loop->lock);
    return BASE_OK;
}
