/* SPDX-License-Identifier: ISC
 *
 * internal: the bus as its own files see it. Nobody else includes this.
 *
 *     bus.c      life, state, the two connections
 *     command.c  the connection for commands: what is asked, and who hears the answer
 *     role.c     whether the server is the right one, a primary
 *     room.c     whether a subscriber may fall behind by an event
 *     fence.c    between a lost connection for commands and the next one
 *     call.c     calls of scripts, and what to do when Redis does not know one
 *     step.c     several commands as one atomic step
 *     publish.c  the atomic step of a publication
 *     once.c     the same as a script, where a mark decides whether it is done
 *     channel.c  channels and subscriptions
 *     reader.c   the connection for subscriptions: messages without an allocation
 */
#ifndef ARDA_BUS_INTERNAL_H
#define ARDA_BUS_INTERNAL_H

#include "arda/bus/command.h"
#include "arda/bus/redis_conn.h"
#include "arda/bus/reply_reader.h"
#include "arda/bus/script.h"
#include "arda/bus/seen.h"
#include "arda/name/keys.h"
#include "base/list.h"
#include "base/map.h"

#include <hiredis/hiredis.h>
#include <uv.h>

/* Who waits for answers on the connection for commands. */
struct bus_waiting {
    enum { WAIT_REPLY, WAIT_STEP, WAIT_PUBLISHED, WAIT_NOBODY } kind;
    unsigned replies_left;
    bool again;                       /* a call that Redis did not know and that was sent again */
    const struct arda_script *script; /* that is called; else NULL */
    size_t kept;                      /* bytes of bus->calls that are this call */
    size_t held;                      /* bytes of bus->held_out, while held back */
    arda_reply_fn on_reply;
    arda_published_fn on_published;
    void *data;
};

struct bus_ring {
    struct bus_waiting *items;
    size_t cap, first, count;
};

/* A call that is being written. */
struct bus_call {
    struct arda_bus *bus;
    const struct arda_script *script;
    struct base_buf *out; /* where its words are to be appended, ... */
    size_t start;
    int failed; /* ... and whether one of them was not */
};

struct bus_channel {
    struct arda_bus *bus;
    struct base_list link;          /* of bus->unsent or bus->refused, else alone */
    struct base_list subscriptions; /* of struct arda_subscription */
    struct arda_seen seen;
    uint64_t asked; /* number of the SUBSCRIBE that its standing depends on */
    bool standing, stood;
    bool global;
    unsigned walks; /* over the subscriptions; then none is freed */
    size_t name_len, tenant_at, tenant_len;
    char name[ARDA_KEY_MAX];
};

struct arda_subscription {
    struct base_list link;
    struct bus_channel *channel;
    struct arda_handlers on;
    bool gone;
};

/* A command on the connection for subscriptions, in the order they were sent. */
struct bus_asked {
    struct base_list link;
    uint64_t number;
    unsigned replies_left;
    size_t count; /* of names: those of a SUBSCRIBE, to know what an error refuses */
    char names[]; /* each with its NUL */
};

/* A connection for commands as Redis knows it. */
struct bus_fence {
    char process[65]; /* run_id of INFO */
    long long client; /* CLIENT ID; 0: not known */
};

struct arda_bus {
    uv_loop_t *loop;
    struct arda_bus_options options; /* url and name are not kept */
    struct arda_redis_url url;
    char *prefix;
    char *name;
    char *name_sub;
    bool shared; /* the one of arda_bus_get */
    bool told_up, told_down;
    bool told_answer; /* the last reason reported was an answer of Redis */
    bool was_up;      /* one of the connections, once */
    char reason[sizeof(((struct base_why *)0)->text)]; /* of the last failure, until it is up */
    bool closing;
    int open_handles; /* of the closing: connections and the timer */
    struct arda_bus_stats stats;

    struct arda_redis_conn *commands;
    struct reply_reader reply_reader;
    struct bus_ring sent;               /* who waits for an answer, in order */
    struct bus_ring held;               /* who waits for that to be sent */
    size_t publications;                /* among both */
    char step_error[128];               /* the first of the step that is being answered */
    struct bus_script *scripts;         /* that were called so far */
    size_t script_count;                /* of them */
    struct base_buf calls;              /* the bytes of calls that are not answered, after ... */
    size_t calls_answered;              /* ... so many that are */
    size_t overtaken;                   /* who are answered before what is held back is sent */
    size_t sent_again;                  /* calls under way that Redis did not know at first */
    struct base_buf held_out;           /* what is held back ... */
    size_t held_len;                    /* ... and so much of it has somebody who waits */
    uint64_t renewed_chunk;             /* of a run's marks; their expiry has been put off ... */
    uint64_t renew_at_us;               /* ... and is to be again then */
    struct bus_fence fence, fence_next; /* of the connection that may have been used, of this one */
    bool fencing;                       /* it stands, and is not to be used yet */

    struct arda_redis_conn *subscriber;
    struct reply_reader push_reader;
    struct base_map channels; /* by name */
    uint64_t channel_changes; /* channels made and freed so far */
    struct base_list unsent;  /* channels that have to be subscribed */
    struct base_list refused; /* channels that Redis did not allow: tried again */
    char refusal[128];        /* the last one's text, until a channel stands */
    struct base_list asked;
    uint64_t asked_number;       /* of the last one */
    struct bus_channel *reading; /* the channel of the message that is being read */
    char push_kind; /* 'm'essage, 's'ubscribe, 'u'nsubscribe, or another first letter */

    bool needs_primary; /* a replica is the wrong server */
    unsigned role_seconds;
    enum arda_redis_role first_role;            /* that was ever known */
    enum arda_redis_role role, subscriber_role; /* of the two connections, as last known */
    struct arda_redis_conn *scout;              /* looks for the primary; NULL: not now */

    uv_timer_t timer; /* of another try for what was refused; of the shutdown */
    void (*on_closed)(void *data);
    void *closed_data;
};

/* bus.c */
void arda_bus_retry_later(struct arda_bus *bus);
/* The connection for commands may be used. */
void arda_bus_tell_up(struct arda_bus *bus);

/* role.c */
void arda_bus_role_init(struct arda_bus *bus);
/* The connections' on_greeted, and on_second of the one for commands. */
int arda_bus_role_commands(void *data, enum arda_redis_role role, struct base_why *why);
int arda_bus_role_subscriber(void *data, enum arda_redis_role role, struct base_why *why);
void arda_bus_role_second(void *data);
/* An error of Redis on the connection for commands: leaves a server that is the wrong one. */
void arda_bus_role_refusal(struct arda_bus *bus, const char *text);
void arda_bus_role_close(struct arda_bus *bus);

/* fence.c */
/* The connection for commands stands; arda_bus_tell_up follows, now or later. */
void arda_bus_fence_start(struct arda_bus *bus);

/* command.c */
int arda_bus_ring_reserve(struct bus_ring *ring, size_t more);
int arda_bus_ring_add(struct bus_ring *ring, const struct bus_waiting *waiting);
struct bus_waiting arda_bus_ring_take(struct bus_ring *ring);
/* Where to append a command; arda_bus_add_waiting follows. */
struct base_buf *arda_bus_out(struct arda_bus *bus);
/* For the command that was appended last. BASE_ERR_NOMEM. */
int arda_bus_add_waiting(struct arda_bus *bus, const struct bus_waiting *waiting);
int arda_bus_commands_bytes(struct arda_bus *bus, const char *bytes, size_t len);
/* Everybody who waits hears BASE_ERR_CLOSED. */
void arda_bus_commands_lost(struct arda_bus *bus);

/* The part of an error that names the cause, where EXEC or a script has wrapped it. */
const char *arda_bus_error_cause(const char *text);
/* The code that belongs to an error of Redis, with its text: BASE_ERR_AGAIN when trying later
 * helps, BASE_ERR_DENIED, BASE_ERR_INTERNAL. */
int arda_bus_error(const struct arda_bus *bus, const char *text, struct base_why *why);

/* call.c */
/* Begins a call with so many keys, and so many words after their number, the keys among them. The
 * caller appends these to `call->out`, notes failures in `call->failed`, and ends it. Returns 0;
 * BASE_ERR_NOMEM; BASE_ERR_INTERNAL without SHA-1. */
int arda_bus_call_begin(struct arda_bus *bus, const struct arda_script *script, unsigned keys,
                        size_t words, struct bus_call *call);
/* BASE_ERR_NOMEM: nothing is called. */
int arda_bus_call_end(struct bus_call *call, const struct bus_waiting *waiting);
/* The first of those who wait has been answered and taken. False: it waits again. */
bool arda_bus_call_answered(struct arda_bus *bus, const struct bus_waiting *waiting,
                            const redisReply *reply);
/* After that, and after its callback. */
void arda_bus_call_passed(struct arda_bus *bus);
/* The connection is up, or lost. */
void arda_bus_calls_up(struct arda_bus *bus);
void arda_bus_calls_lost(struct arda_bus *bus);
void arda_bus_calls_free(struct arda_bus *bus);

/* step.c */
/* Notes the first error among the replies of a step. */
void arda_bus_step_note(struct arda_bus *bus, const redisReply *reply);
/* The last reply has come. */
void arda_bus_step_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                         const redisReply *reply);

/* publish.c */
uint64_t arda_bus_stream_bound(const struct arda_publication *publication);
/* The last reply has come. */
void arda_bus_publish_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                            const redisReply *reply);

/* once.c */
/* Whether the publication has to go through the script. */
bool arda_bus_needs_script(const struct arda_publication *publication);
/* Appends the call. Errors as arda_bus_call_begin. */
int arda_bus_script_send(struct arda_bus *bus, const struct arda_publication *publication,
                         arda_published_fn done, void *data);
void arda_bus_script_reply(struct arda_bus *bus, const struct bus_waiting *waiting,
                           const redisReply *reply);

/* channel.c */
struct bus_channel *arda_bus_find_channel(struct arda_bus *bus, const char *name, size_t len);
void arda_bus_channel_message(struct bus_channel *channel, const char *text, size_t len);
void arda_bus_channel_standing(struct bus_channel *channel, bool standing);
/* Appends SUBSCRIBE commands for what is unsent. */
void arda_bus_channels_flush(struct arda_bus *bus);
/* All channels have to be subscribed (again), or have been lost. */
void arda_bus_channels_up(struct arda_bus *bus);
void arda_bus_channels_down(struct arda_bus *bus);
void arda_bus_channels_retry(struct arda_bus *bus);
void arda_bus_channels_free(struct arda_bus *bus);

/* reader.c */
int arda_bus_reader_start(struct arda_bus *bus);
void arda_bus_reader_stop(struct arda_bus *bus);
int arda_bus_reader_bytes(struct arda_bus *bus, const char *bytes, size_t len);
/* Appends a command with one answer per argument, PING, SUBSCRIBE or UNSUBSCRIBE, and notes it with
 * the next number. BASE_ERR_NOMEM: neither. The caller touches the connection. */
int arda_bus_reader_ask(struct arda_bus *bus, int argc, const char *const *argv);
/* Redis has refused the SUBSCRIBE of these channels. */
void arda_bus_channels_refused(struct arda_bus *bus, const struct bus_asked *asked,
                               const char *text);

#endif
