/* SPDX-License-Identifier: ISC
 *
 * log: broadcasts that sockets follow.
 *
 * A log is a run of WebSocket frames, appended by one thread (the home loop's) and read by the
 * workers. The bytes lie in immutable slabs; a frame never spans two. A worker sees a log through a
 * view, and a session through a cursor in the view: sending is writing what lies between cursor and
 * end, nothing is queued, copied or allocated per receiver. Slabs are counted; the last reader of
 * one frees it.
 *
 * A log may have a compressed twin, which holds the same messages in the same order, and whose
 * views a worker is told of together with the log's: a cursor at the end of the one may go on at
 * the end of the other. A frame of the twin is compressed when somebody follows the twin and it
 * becomes shorter, else it is plain, which every follower understands too. So nothing has to be
 * agreed on between the threads before somebody may follow it.
 *
 * Threads: net_log_* on the home loop only; net_view_* and net_cursor_* on the view's worker only.
 * New ends travel from one to the other in batches, once per turn of the home loop (worker.c).
 */
#ifndef NET_SESSION_LOG_H
#define NET_SESSION_LOG_H

#include "base/buf.h"
#include "base/list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_SLAB_MIN_BYTES 4096
#define NET_SLAB_MAX_BYTES (256 * 1024) /* a single longer frame gets a slab of its own */

struct net_slab {
    struct net_slab *next; /* final once a later slab has been published to the reader */
    uint64_t start;        /* position of the first byte in the log */
    char *bytes;
    uint32_t cap;
    uint32_t used; /* written by the home loop; readers may look once `next` is final */
    atomic_uint refs;
    uint32_t cursors[]; /* per worker: cursors that stand here, touched by that worker alone */
};

struct net_log {
    struct net_slab *tail;
    struct net_slab *unposted; /* the first slab that not every view has been told of */
    struct net_view **views;   /* by worker; NULL where nobody follows */
    unsigned workers;
    bool dirty; /* in the list of logs that have grown this turn */
    struct net_log *dirty_next;
    uint64_t slab_born_us; /* when the tail was made: slabs of a busy log grow */
    struct net_log *twin;  /* compressed; NULL without compression, and of the twin itself */
    atomic_uint followers; /* cursors on any worker, as a hint: it may lag behind */
};

struct net_view {
    struct net_log *log; /* home loop only, but for the count of followers */
    unsigned worker;
    struct net_slab *posted; /* home loop only: the tail the worker has been told of */
    struct net_slab *head;   /* the oldest slab that a cursor may stand in */
    struct net_slab *tail;
    uint64_t end;
    struct base_list followers; /* of struct net_cursor */
    bool dirty;
    struct net_view *dirty_next;
    struct net_view *twin; /* the worker's of the log's twin, or NULL */
};

struct net_cursor {
    struct base_list link;
    struct net_view *view; /* NULL: follows nothing */
    struct net_slab *slab;
    uint64_t pos;
    uint32_t frame_left; /* bytes of a frame that a short write has cut; 0 at a frame's border */
};

/* BASE_ERR_NOMEM, or 0. `workers` is how many there are in all. */
int net_log_new(unsigned workers, struct net_log **log);
/* Gives the log, which has no view yet, a twin. BASE_ERR_NOMEM, or 0. */
int net_log_add_twin(struct net_log *log);
/* With its twin. No view may be attached any more. */
void net_log_free(struct net_log *log);

/* Room for a text frame with this payload, whose bytes the caller writes at the result before
 * anything else happens; net_log_commit makes it part of the log. NULL: BASE_ERR_NOMEM. */
char *net_log_reserve(struct net_log *log, size_t payload_len);
/* The same for a payload that is compressed. */
char *net_log_reserve_compressed(struct net_log *log, size_t payload_len);
void net_log_commit(struct net_log *log, size_t payload_len);
/* The end of what is committed. */
uint64_t net_log_end(const struct net_log *log);

/* True when it is worth to compress what is appended. */
bool net_log_is_followed(const struct net_log *log);

/* A view for a worker that has none, at the end of the log; with the one of its twin.
 * NULL: BASE_ERR_NOMEM. */
struct net_view *net_log_attach(struct net_log *log, unsigned worker);
/* No further ends will be posted to the view. The worker frees it with net_view_free once it has
 * handled what was posted before. */
void net_log_detach(struct net_log *log, struct net_view *view);

/* The new end for one view, with a reference on each slab it has not been told of. */
struct net_log_news {
    struct net_view *view;
    struct net_slab *tail;
    uint64_t end;
};
void net_log_news(struct net_log *log, struct net_view *view, struct net_log_news *news);
/* After every view has its news: lets go of what only the log itself still held. */
void net_log_posted(struct net_log *log);

/* On the worker: takes the news over. */
void net_view_advance(struct net_view *view, const struct net_log_news *news);
/* With that of the twin. */
void net_view_free(struct net_view *view);

/* Follows from the view's end on. */
void net_cursor_attach(struct net_cursor *cursor, struct net_view *view);
void net_cursor_detach(struct net_cursor *cursor);
/* Bytes between the cursor and the end. */
uint64_t net_cursor_behind(const struct net_cursor *cursor);
/* The contiguous bytes at the cursor up to `limit` (a position) at most. */
struct base_slice net_cursor_peek(struct net_cursor *cursor, uint64_t limit);
/* Moves on by `len` bytes, which may end inside a frame or cross slabs. */
void net_cursor_move(struct net_cursor *cursor, uint64_t len);

#endif
