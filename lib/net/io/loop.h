/* SPDX-License-Identifier: ISC
 *
 * loop: what a worker needs of the operating system, and the only file of lib/net with libuv.
 *
 * Descriptors are raw and stand in one epoll set of which libuv sees a single handle, so another
 * back end fits in here. They are edge-triggered: whoever is told must read or write until EAGAIN.
 * Threads: the loop's own, except net_loop_post.
 */
#ifndef NET_IO_LOOP_H
#define NET_IO_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;
struct net_loop;

#define NET_READABLE 1u
#define NET_WRITABLE 2u
#define NET_HANGUP   4u /* the peer has closed its side, or the connection is broken */

struct net_loop_handlers {
    void (*on_ready)(void *data, void *tag, unsigned events);
    void (*on_due)(void *data);  /* the time set by net_loop_wake_at has come */
    void (*on_turn)(void *data); /* once a turn, after everything else and before it blocks */
    void *data;
};

/* On `home`, or on a loop of its own if that is NULL. */
int net_loop_new(struct uv_loop_s *home, const struct net_loop_handlers *handlers,
                 struct net_loop **loop);
/* Runs a loop of its own until net_loop_close has finished. */
void net_loop_run(struct net_loop *loop);
/* Closes the handles, then calls `done` (may be NULL). Tasks that are still posted are run first;
 * what is posted later waits for net_loop_run_rest. */
void net_loop_close(struct net_loop *loop, void (*done)(void *data), void *data);
/* Runs what was posted to a loop that is closed, once its thread has ended; false: nothing was. */
bool net_loop_run_rest(struct net_loop *loop);
/* Of a loop that is closed, and to which nobody posts any more; NULL is allowed. */
void net_loop_free(struct net_loop *loop);

/* Edge-triggered for connections; `listener` makes it level-triggered and readable only. */
int net_loop_watch(struct net_loop *loop, int fd, void *tag, bool listener);
void net_loop_unwatch(struct net_loop *loop, int fd);

void net_loop_wake_at(struct net_loop *loop, uint64_t due_us); /* base_clock_mono_us */
void net_loop_wake_never(struct net_loop *loop);
/* Another turn without blocking. */
void net_loop_again(struct net_loop *loop);

/* Any thread. In order per posting thread. 0, or BASE_ERR_NOMEM. */
int net_loop_post(struct net_loop *loop, void (*task)(void *arg), void *arg);

#endif
