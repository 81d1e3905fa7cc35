/* SPDX-License-Identifier: ISC
 *
 * A server with threads of its own: its end.
 */
#include "net/server/server.h"

#include "lib/test.h"

#include <sched.h>
#include <stdatomic.h>
#include <uv.h>

static struct {
    uv_loop_t loop;
    struct net_server *server;
    atomic_int workers; /* that run, worker 0 not counted */
    int tasks_run;
    bool done;
} t;

static void on_worker(void *data, unsigned worker, bool begins)
{
    (void)data;
    if (worker > 0)
        atomic_fetch_add(&t.workers, begins ? 1 : -1);
}

static void on_closed(void *data)
{
    (void)data;
    t.done = true;
}

static void begin(unsigned workers)
{
    struct net_server_options options = {
        .endpoints = &net_endpoint_defaults,
        .endpoint_count = 1,
        .workers = workers,
        .on_worker = on_worker,
    };
    struct base_why why;
    memset(&t, 0, sizeof t);
    uv_loop_init(&t.loop);
    CHECK_INT(net_server_new(&t.loop, &options, &t.server, &why), 0);
    while (atomic_load(&t.workers) + 1 < (int)workers)
        sched_yield();
}

static void end(void)
{
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK(t.done);
    CHECK_INT(uv_loop_close(&t.loop), 0);
}

static void task_at_home(void *arg)
{
    (void)arg;
    t.tasks_run++;
}

static void task(void *arg)
{
    (void)arg;
    t.tasks_run++;
    CHECK_INT(net_server_post_home(t.server, task_at_home, NULL), 0);
}

/* Worker 0 may have something to say to the others until its own end. */
static void a_task_for_a_worker_that_has_ended_is_run(void)
{
    begin(3);
    net_server_close(t.server, 1000, on_closed, NULL);
    while (atomic_load(&t.workers) > 0)
        sched_yield();
    CHECK_INT(net_server_post(t.server, 1, task, NULL), 0);
    CHECK_INT(net_server_post(t.server, 2, task, NULL), 0);
    CHECK_INT(t.tasks_run, 0);
    end();
    CHECK_INT(t.tasks_run, 4);
}

static void one_worker_ends(void)
{
    begin(1);
    net_server_close(t.server, 1000, on_closed, NULL);
    CHECK_INT(net_server_post(t.server, 0, task, NULL), 0);
    end();
    CHECK_INT(t.tasks_run, 2);
}

int main(void)
{
    RUN(a_task_for_a_worker_that_has_ended_is_run);
    RUN(one_worker_ends);
    return test_end();
}
