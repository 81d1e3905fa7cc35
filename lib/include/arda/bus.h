/* SPDX-License-Identifier: ISC
 *
 * bus: the EventBus of the catalog (section 4) on a libuv loop.
 *
 * One bus has two connections to Redis, one for subscriptions and one for commands, both made in
 * the background and made again after a loss with jittered backoff of at most one second. Nothing
 * here blocks. Callbacks run from the loop, not from inside the call that registers them, except
 * where said. Threads: the loop's only.
 */
#ifndef ARDA_BUS_H
#define ARDA_BUS_H

#include "arda/message.h"
#include "base/api.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;
struct arda_bus;
struct arda_subscription;

/* What a bus is for, which decides what it does at a server that is a replica. */
enum arda_bus_use {
    ARDA_BUS_WRITES, /* a replica is the wrong server: it is left at once, also when connecting */
    ARDA_BUS_ASKS,   /* reads, and may write: a replica is left once it has refused a write */
    ARDA_BUS_READS,  /* a replica serves; a server that was a primary at the first connection and
                        has become a replica is left when the name leads to a primary again */
};

struct arda_bus_options {
    const char *url;    /* see redis_url.h; NULL: redis://127.0.0.1:6379 */
    const char *prefix; /* of all keys and channels; NULL: "arda" */
    const char *name;   /* CLIENT SETNAME, for the operator; NULL: none */
    enum arda_bus_use use;
    uint32_t dedupe_ids; /* ids remembered per subscription; 0: 4096 */
    /* Before anything is sent on a new connection for commands, Redis is told to drop the lost one:
     * what was sent on that one and not answered has then happened or never will. Needs INFO,
     * CLIENT ID and CLIENT KILL; without them a warning is logged, and there is no fence. */
    bool fence;
    /* Called when both connections are up (`up`), and when one is lost or cannot be made, with the
     * reason: once per outage, and again when Redis answers with another reason. The code of `why`
     * is BASE_ERR_UNAVAILABLE; or, as long as no connection has ever been up, that of a permanent
     * refusal (arda_bus_is_refusal). The bus tries again in any case. May be NULL. */
    void (*on_state)(void *data, bool up, const struct base_why *why);
    /* The user may not subscribe to a channel that has never been subscribed; `why` names it, with
     * Redis' answer and BASE_ERR_DENIED. The bus tries again every second in any case. NULL: it is
     * logged, at a bounded rate. */
    void (*on_refused)(void *data, const struct base_why *why);
    void *data;
};

/* Copies the options. `*bus` is owned by the caller until arda_bus_shutdown. 0; BASE_ERR_CONFIG for
 * an unusable URL (also rediss://, which this version does not speak) or prefix, BASE_ERR_NOMEM. */
ARDA_API int arda_bus_new(struct uv_loop_s *loop, const struct arda_bus_options *options,
                          struct arda_bus **bus, struct base_why *why);

/* The one shared bus of the process: made by the first call, given again by later ones, whose
 * arguments do not matter; gone after its shutdown. Errors as arda_bus_new. */
ARDA_API int arda_bus_get(struct uv_loop_s *loop, const struct arda_bus_options *options,
                          struct arda_bus **bus, struct base_why *why);

/* Sends what is pending, waits for the answers at most `timeout_ms`, reports what is left with
 * BASE_ERR_CLOSED through its own callback, closes, then calls `done` (may be NULL) and frees the
 * bus. Subscriptions end at once; their handlers are not called again. */
ARDA_API void arda_bus_shutdown(struct arda_bus *bus, uint32_t timeout_ms, void (*done)(void *data),
                                void *data);

/* Whether the very first connection was refused, so that waiting does not help: BASE_ERR_DENIED for
 * the user, the password or a permission, BASE_ERR_CONFIG for the database. */
ARDA_API bool arda_bus_is_refusal(const struct base_why *why);

/* Whether both connections stand now. */
ARDA_API bool arda_bus_is_up(const struct arda_bus *bus);

/* Why the last connection was lost or could not be made; "" while both are up. Valid until the loop
 * runs. */
ARDA_API const char *arda_bus_reason(const struct arda_bus *bus);

/* Redis' answer to the last SUBSCRIBE that it refused; "" if there was none since a channel was
 * subscribed or both connections came up. Valid until the loop runs. */
ARDA_API const char *arda_bus_refusal(const struct arda_bus *bus);

/* Asks Redis how much it buffers for a subscriber, and warns if a message of so many bytes, sent on
 * both channels of its event, does not fit. If it is not permitted to ask, a debug message is
 * logged. To be called while the bus is up. */
ARDA_API void arda_bus_check_room(struct arda_bus *bus, size_t event_bytes);

/* Round trip on the command connection: 0, or BASE_ERR_UNAVAILABLE / BASE_ERR_CLOSED. While it
 * does not stand, `done` is called before this returns. */
ARDA_API void arda_bus_ping(struct arda_bus *bus, void (*done)(void *data, int result), void *data);

/* ---- subscribing ---- */

struct arda_handlers {
    /* `message` and what it points to are borrowed for the call. A handler may unsubscribe any
     * subscription, its own too. */
    void (*on_message)(void *data, const struct arda_message *message);
    /* The subscription stands (true: Redis has confirmed it, what is published from now on
     * arrives) or was lost (false). Called from inside the subscribing call, as its last act, when
     * the channel stands already. May be NULL. */
    void (*on_standing)(void *data, bool standing);
    void *data;
};

/* Any number of subscriptions may be made for one tenant; Redis sees one. Messages that are to be
 * dropped (message.h) are dropped, counted and logged at a bounded rate before any handler. 0;
 * BASE_ERR_INVALID for a tenant id that is none, BASE_ERR_NOMEM. While Redis is away the call
 * succeeds and the subscription is made when it is back. */
ARDA_API int arda_bus_subscribe_tenant(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                                       const struct arda_handlers *handlers,
                                       struct arda_subscription **out);
ARDA_API int arda_bus_subscribe_global(struct arda_bus *bus, const struct arda_handlers *handlers,
                                       struct arda_subscription **out);
/* The handlers are not called again; the subscription is freed. An unsubscribe followed by a
 * subscribe of the same tenant ends subscribed. */
ARDA_API void arda_bus_unsubscribe(struct arda_subscription *subscription);

/* ---- publishing ---- */

/* All texts are borrowed for the call. */
struct arda_publication {
    struct base_slice tenant;   /* empty: global channel alone, no stream */
    struct base_slice message;  /* what travels on the channels */
    struct base_slice event_id; /* for the mark below */
    struct base_slice envelope; /* the stream entry's `envelope`; empty: no stream entry */
    struct base_slice type;     /* the stream entry's `type`, unescaped */
    struct base_slice source;
    struct base_slice correlation_id; /* of the envelope, which has it; the bus does not look */
    struct base_slice timestamp;      /* of the envelope */
    uint64_t max_len;                 /* of the stream, approximate; 0: 10000 */
    /* Not 0: the event is marked in Redis for so long, in the same atomic step, and nothing is
     * published when it is marked already. */
    uint64_t dedupe_for_ms;
    /* How it is marked: by its id, or, for an id that a run has just made, by the id of the run and
     * the number of the event in it, one bit each. Then the mark is asked for only if the event may
     * have been sent before, which is exact with `fence` above. */
    struct base_slice run; /* empty: by its id */
    uint64_t number;
    bool again;
    /* Another form of the same event for the same tenant, sent in the same step; its mark and the
     * bound of its stream do not matter. NULL: none. */
    const struct arda_publication *also;
};

/* `result` ARDA_PUBLISHED: every reply of the atomic step was checked; `stream_id` is the entry's
 * id, or NULL without one. ARDA_DUPLICATE: it was marked, by a step that was done; `stream_id` is
 * the entry of that time, or NULL when a bit marks it. BASE_ERR_CLOSED: sent, but the answer was
 * lost, so it may or may not have happened. BASE_ERR_UNAVAILABLE: not sent. Others: refused, `why`
 * says how; BASE_ERR_AGAIN is worth another try. */
enum arda_published { ARDA_PUBLISHED = 0, ARDA_DUPLICATE = 1 };

typedef void (*arda_published_fn)(void *data, int result, const char *stream_id,
                                  const struct base_why *why);

/* One atomic step: PUBLISH global, PUBLISH tenant, XADD; a MULTI, or a script where a mark decides.
 * Returns 0, BASE_ERR_UNAVAILABLE while the command connection does not stand (nothing is queued,
 * `done` is not called), BASE_ERR_INVALID for a tenant or a marked id that is none, BASE_ERR_NOMEM.
 */
ARDA_API int arda_bus_publish(struct arda_bus *bus, const struct arda_publication *publication,
                              arda_published_fn done, void *data);

/* The run's events up to this number will not be sent again: its marks may go. Nobody hears whether
 * they do; they expire anyway. */
ARDA_API void arda_bus_forget_run(struct arda_bus *bus, struct base_slice run,
                                  uint64_t last_number);

/* Publications that have not been answered; the caller bounds them. */
ARDA_API size_t arda_bus_pending(const struct arda_bus *bus);

/* The first part of all names in Redis; borrowed for the bus's life. */
ARDA_API const char *arda_bus_prefix(const struct arda_bus *bus);

/* ---- counters ---- */

struct arda_bus_stats {
    uint64_t messages; /* that came on subscribed channels */
    uint64_t dropped[ARDA_DROP_COUNT];
    uint64_t published; /* confirmed */
    uint64_t reconnects;
    uint64_t subscribed_channels; /* now */
};

ARDA_API void arda_bus_get_stats(const struct arda_bus *bus, struct arda_bus_stats *stats);

#endif
