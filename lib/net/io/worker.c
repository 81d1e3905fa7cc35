/* SPDX-License-Identifier: ISC
 *
 * A worker: its loop, its thread, and the lists that its turn goes through. What the turn does is
 * for the server, whose handlers it gets.
 */
#include "net/io/worker.h"

#include "base/mem.h"
#include "net/io/conn.h"

#include <stdio.h>

struct net_deflate *net_worker_deflate(struct net_worker *worker)
{
    if (!worker->deflate)
        worker->deflate = net_deflate_new();
    return worker->deflate;
}

void net_worker_again(struct net_conn *conn)
{
    if (conn->in_again)
        return;
    conn->in_again = true;
    conn->next = conn->worker->again;
    conn->worker->again = conn;
}

int net_worker_enter(struct net_worker *worker)
{
    int failed = net_deadlines_reserve(&worker->deadlines, worker->deadline_owners + 1);
    if (!failed)
        worker->deadline_owners++;
    return failed;
}

void net_worker_leave(struct net_worker *worker)
{
    worker->deadline_owners--;
}

int net_worker_init(struct net_worker *worker, struct net_shared *shared, unsigned index,
                    struct uv_loop_s *home, const struct net_loop_handlers *handlers)
{
    worker->shared = shared;
    worker->index = index;
    base_list_init(&worker->conns);
    worker->read_bytes = base_malloc(NET_READ_BYTES);
    if (!worker->read_bytes)
        return BASE_ERR_NOMEM;
    return net_loop_new(home, handlers, &worker->loop);
}

static void *run(void *arg)
{
    struct net_worker *worker = arg;
    const struct net_server_options *options = &worker->shared->options;
    char name[16];
    snprintf(name, sizeof name, "worker %u", worker->index);
    pthread_setname_np(pthread_self(), name); /* for top(1) and debuggers */
    if (options->on_worker)
        options->on_worker(options->data, worker->index, true);
    net_loop_run(worker->loop);
    if (options->on_worker)
        options->on_worker(options->data, worker->index, false);
    return NULL;
}

int net_worker_start(struct net_worker *worker)
{
    return pthread_create(&worker->thread, NULL, run, worker);
}

void net_worker_fini(struct net_worker *worker)
{
    net_deadlines_fini(&worker->deadlines);
    net_http1_free(worker->scratch_http);
    net_deflate_free(worker->deflate);
    base_buf_fini(&worker->head);
    base_buf_fini(&worker->scratch);
    base_free(worker->read_bytes);
    net_loop_free(worker->loop);
}
