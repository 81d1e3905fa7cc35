/* SPDX-License-Identifier: ISC
 *
 * worker: a thread with its loop, and what the connections on it share: deadlines, buffers that are
 * used while one of them is dealt with, and the lists of what the turn has to do.
 *
 * What ends is marked and put on a list of the dead; its memory is released at the end of the turn,
 * so every caller up the stack may still look at it. Threads: a worker's own, unless a comment says
 * otherwise.
 */
#ifndef NET_IO_WORKER_H
#define NET_IO_WORKER_H

#include "base/buf.h"
#include "base/list.h"
#include "net/codec/deflate.h"
#include "net/codec/http1.h"
#include "net/io/deadline.h"
#include "net/io/loop.h"
#include "net/options.h"

#include <pthread.h>
#include <stdatomic.h>

struct net_conn;
struct net_conn_role;
struct net_sessions; /* of the layers above, which keep them here */
struct net_turn;

#define NET_READ_BYTES (64 * 1024)
#define NET_MS         UINT64_C(1000) /* microseconds */

/* The kinds of deadlines; the session's is NET_DEADLINE_SESSION. */
#define NET_DEADLINE_CONN 0u

/* What all workers of a server share; does not change while they run, but for the atomics. */
struct net_shared {
    struct net_server_options options;
    uint32_t max_answer_age_ms; /* the longest of what waits for their sessions; 0: any */
    struct net_worker **workers;
    atomic_uint starved; /* listeners of which that is so */
};

struct net_worker {
    struct net_shared *shared;
    struct net_sessions *sessions;
    struct net_turn *turn;
    struct net_loop *loop;
    unsigned index;
    bool closing; /* no new sessions */
    bool ended;
    pthread_t thread;

    const struct net_conn_role *const *roles; /* of connections, by state */
    struct base_list conns;
    struct net_conn *again; /* to be read in this turn, without an event */
    struct net_conn *dead_conns;

    struct net_deadlines deadlines;
    size_t deadline_owners;

    struct net_http1 *scratch_http; /* of the connection being read, while it is not midway */
    char *read_bytes;
    struct base_buf head;        /* for building the head of an answer */
    struct base_buf scratch;     /* for building packets and bodies */
    struct net_deflate *deflate; /* NULL until something is to be compressed or expanded */

    /* Read by the home loop for net_server_get_stats. */
    _Atomic uint64_t conn_count, request_errors;
    _Atomic uint64_t refused[NET_REFUSAL_COUNT];
};

/* On `home`, or with a loop of its own for NULL. 0, BASE_ERR_NOMEM, BASE_ERR_INTERNAL. */
int net_worker_init(struct net_worker *worker, struct net_shared *shared, unsigned index,
                    struct uv_loop_s *home, const struct net_loop_handlers *handlers);
/* The thread of a worker with a loop of its own; runs until that is closed. 0, or an errno. */
int net_worker_start(struct net_worker *worker);
/* For a worker that has no connection left. Its loop has to be closed before. */
void net_worker_fini(struct net_worker *worker);
/* NULL without memory. */
struct net_deflate *net_worker_deflate(struct net_worker *worker);
/* The connection is to be looked at in this turn (role->again), and read if there is something. */
void net_worker_again(struct net_conn *conn);
/* One more thing with a deadline lives on the worker, or one less. */
int net_worker_enter(struct net_worker *worker);
void net_worker_leave(struct net_worker *worker);

#endif
