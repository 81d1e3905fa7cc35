/* SPDX-License-Identifier: ISC
 *
 * gateway: what the files of arda-gateway share (catalog sections 2, 3, 5 and 7).
 *
 *     main.c              options, wiring, signals
 *     auth.c              who a client is: the token of a CONNECT
 *     tenants.c           home loop: the tenants with clients, their subscriptions and logs
 *     forward.c           home loop: an event's way from the bus to the sockets
 *     sockets.c           workers: a client's life, `connected`, `ping`
 *     expiry.c            workers: sockets whose token has expired
 *     revoke.c            the sockets of users whose tokens were revoked
 *     loops.c             workers: `subscribe:loop`; home loop: the look-up
 *     source.c            home loop: events from standard input instead of Redis
 *     unsubscribe.c       workers: the link of an e-mail; home loop: the preference
 *     unsubscribe_page.c  what its reader sees
 *     refusals.c          any thread: who was refused before there was a session, and why
 *     admin.c             home loop: pages for those who look after the gateway
 *     metrics.c           the text of one of them; the table is metrics.h
 *
 * The home loop has the bus and writes the logs; sockets live on workers. The two sides share only
 * what is posted from one to the other, so each struct below belongs to one of them.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "arda/bus.h"
#include "arda/keyring.h"
#include "arda/tenant.h"
#include "base/list.h"
#include "base/map.h"
#include "base/quota.h"
#include "net/io/deadline.h"
#include "net/server/server.h"
#include "relay/relay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct base_opt_list;
struct uv_loop_s;

/* Events that are not forwarded, beside those that the bus drops. Name of the counter, text of the
 * summary. */
#define GATEWAY_DROP_MAP(X)                                                                        \
    X(GATEWAY_DROP_RESERVED, "reserved", "name reserved by Socket.IO or the catalog")              \
    X(GATEWAY_DROP_SECURITY, "security", "security event")                                         \
    X(GATEWAY_DROP_NO_USER, "no_user", "notification without a userId")                            \
    X(GATEWAY_DROP_TOO_BIG, "too_big", "longer than --max-event")                                  \
    X(GATEWAY_DROP_NOMEM, "out_of_memory", "out of memory")

enum gateway_drop {
#define GATEWAY_DROP_ENUM_(code, name, text) code,
    GATEWAY_DROP_MAP(GATEWAY_DROP_ENUM_)
#undef GATEWAY_DROP_ENUM_
        GATEWAY_DROP_COUNT
};

const char *gateway_drop_name(enum gateway_drop drop);
const char *gateway_drop_text(enum gateway_drop drop);

/* Why a client is not let in. Name of the counter. */
#define GATEWAY_AUTH_MAP(X)                                                                        \
    X(GATEWAY_AUTH_MISSING, "missing")                                                             \
    X(GATEWAY_AUTH_INVALID, "invalid")

enum gateway_auth {
#define GATEWAY_AUTH_ENUM_(code, name) code,
    GATEWAY_AUTH_MAP(GATEWAY_AUTH_ENUM_)
#undef GATEWAY_AUTH_ENUM_
        GATEWAY_AUTH_COUNT
};

const char *gateway_auth_name(enum gateway_auth auth);
/* Why a socket is told to leave for good. Name of the counter, text of logs. */
#define GATEWAY_CUT_MAP(X)                                                                         \
    X(GATEWAY_CUT_EXPIRED, "expired", "the token has expired")                                     \
    X(GATEWAY_CUT_REVOKED, "revoked", "the token was revoked")

enum gateway_cut {
#define GATEWAY_CUT_ENUM_(code, name, text) code,
    GATEWAY_CUT_MAP(GATEWAY_CUT_ENUM_)
#undef GATEWAY_CUT_ENUM_
        GATEWAY_CUT_COUNT
};

const char *gateway_cut_name(enum gateway_cut cut);
const char *gateway_cut_text(enum gateway_cut cut);

/* What became of a request to unsubscribe. Name of the counter. */
#define GATEWAY_UNSUBSCRIBE_MAP(X)                                                                 \
    X(GATEWAY_UNSUBSCRIBE_SHOWN, "shown")                                                          \
    X(GATEWAY_UNSUBSCRIBE_DONE, "done")                                                            \
    X(GATEWAY_UNSUBSCRIBE_EXPIRED, "expired")                                                      \
    X(GATEWAY_UNSUBSCRIBE_REFUSED, "refused")                                                      \
    X(GATEWAY_UNSUBSCRIBE_FAILED, "failed")

enum gateway_unsubscribe {
#define GATEWAY_UNSUBSCRIBE_ENUM_(code, name) code,
    GATEWAY_UNSUBSCRIBE_MAP(GATEWAY_UNSUBSCRIBE_ENUM_)
#undef GATEWAY_UNSUBSCRIBE_ENUM_
        GATEWAY_UNSUBSCRIBE_COUNT
};

const char *gateway_unsubscribe_name(enum gateway_unsubscribe outcome);

struct gateway {
    struct uv_loop_s *loop;
    struct net_server *server;
    struct arda_bus *bus;  /* NULL with --stdin */
    struct source *source; /* NULL without */
    struct admin *admin;   /* NULL without --admin */
    struct relay *relay;   /* NULL without --advertise */
    int64_t started_ms;    /* wall clock */
    bool stopping;
    const char *path; /* of the endpoint, without a final slash */
    int status;       /* to exit with */
    struct gateway_worker *workers;
    unsigned worker_count;
    bool notify_tenant; /* notification.created goes to the whole tenant */
    bool ends_expired;  /* a socket ends with its token */
    size_t max_event;   /* bytes of a message */
    bool room_checked;  /* for that, in Redis */
    bool revocation;    /* events end the sockets of a user */
    struct arda_keyring_options key_options;
    pthread_rwlock_t key_lock; /* of the keys, which SIGHUP replaces */
    struct arda_keyring *keys;
    const char *unsubscribe_file;
    char *unsubscribe_paths[2];              /* of the pages */
    struct arda_token_key *unsubscribe_key;  /* under key_lock, too; NULL: nobody can unsubscribe */
    struct uv_timer_s *expiry_timer;         /* NULL unless ends_expired */
    struct arda_subscription *global_events; /* NULL unless revocation, and with --stdin */
    struct base_quota users;                 /* sockets of each "tenant/user" */
    struct base_map tenants;                 /* home loop: id to struct home_tenant */
    uint64_t forwarded;                      /* home loop */
    uint64_t dropped[GATEWAY_DROP_COUNT];
    atomic_ullong cut[GATEWAY_CUT_COUNT]; /* sockets; any thread */
    atomic_ullong unsubscribes[GATEWAY_UNSUBSCRIBE_COUNT];
};

/* Ends the program in order, with this status. Home loop. */
void gateway_end(struct gateway *gateway, int status);

/* ---- who ---- */

/* Of the header that may hold a token. */
#define GATEWAY_AUTHORIZATION_MAX (ARDA_TOKEN_MAX_BYTES + sizeof "Bearer " - 1)

/* Checks what a CONNECT carries. 0; BASE_ERR_NOTFOUND without a token; BASE_ERR_DENIED for one
 * that is not good, with the reason for the log. Any thread. */
int gateway_authenticate(struct gateway *gateway, const struct net_connect *connect,
                         struct arda_claims *claims, struct base_why *why);
/* Reads the keys (again). A failure leaves the present ones in force. */
int gateway_load_keys(struct gateway *gateway, struct base_why *why);

/* ---- home loop ---- */

struct home_tenant {
    struct gateway *gateway;
    struct arda_subscription *subscription; /* NULL with --stdin */
    struct net_log *log;
    struct base_list waiting; /* of workers that wait for the subscription to stand */
    unsigned workers;         /* that have a view, or wait for one */
    bool standing;
    size_t id_len;
    char id[ARDA_ID_MAX + 1];
};

/* What a worker asks the home loop for about a tenant; allocated by the worker, so that the home
 * loop needs no memory to keep it and to answer. */
struct tenant_request {
    struct base_list link; /* of home_tenant->waiting */
    struct gateway *gateway;
    struct net_view *view;
    unsigned worker;
    char id[ARDA_ID_MAX + 1];
};

/* A worker's first client of a tenant has come: the worker is answered with
 * sockets_tenant_ready when events would reach it, or when Redis is away. Takes the request over.
 */
void tenants_acquire(struct tenant_request *request);
/* Its last one has gone. */
void tenants_release(struct gateway *gateway, const char *id, struct net_view *view);
/* Redis has gone away: nobody waits for it any longer. */
void tenants_bus_down(struct gateway *gateway);
void tenants_fini(struct gateway *gateway);

/* Sends an event to the clients of its tenant, or to those of one user. */
void forward_message(struct home_tenant *tenant, const struct arda_message *message);
/* The `userId` of an event, however it is written, with NUL to the end; false when it has none that
 * could be anybody's. */
bool forward_read_user(const struct arda_message *message, char user[static ARDA_ID_MAX + 1]);

/* Looks for revocations on the global channel, too. */
int revoke_start(struct gateway *gateway, struct base_why *why);
/* Cuts the sockets of the user that the event names, if it is one that revokes tokens: those in its
 * tenant, or, without one, in all tenants. */
void revoke_message(struct gateway *gateway, const struct arda_message *message);

/* Looks each second, as the wall clock has it, for sockets whose token has expired. */
int expiry_start(struct gateway *gateway);
void expiry_stop(struct gateway *gateway);

/* Whether the loop is the tenant's, told to `done` with 1, 0 or an error. */
void loops_look_up(struct gateway *gateway, const char *tenant, const char *loop,
                   void (*done)(void *data, int result), void *data);

/* ---- workers ---- */

struct gateway_worker {
    struct gateway *gateway;
    unsigned index;
    struct base_map tenants;                            /* id to struct worker_tenant */
    _Atomic uint64_t auth_failures[GATEWAY_AUTH_COUNT]; /* read by the home loop */
    struct net_deadlines expiries; /* of clients, by the wall clock; empty unless ends_expired */
    size_t expiring;               /* clients that may have one */
};

struct worker_tenant {
    struct gateway_worker *worker;
    struct net_view *view;    /* NULL until the home loop has answered */
    struct base_list waiting; /* of struct client */
    struct base_map users;    /* userId to struct user */
    size_t clients;
    bool refused; /* there is no view; out of the worker's map, goes with its last client */
    char id[ARDA_ID_MAX + 1];
};

struct user {
    struct base_list clients; /* those that have been let in */
    size_t refs;              /* of clients, let in or not, and of one who cuts them */
    char id[ARDA_ID_MAX + 1];
};

/* A socket that has shown a good token. */
struct client {
    struct net_socket *socket; /* NULL once it has gone, in on_disconnect or sockets_cut */
    struct worker_tenant *tenant;
    struct user *user;
    struct base_list link;        /* of user->clients or tenant->waiting */
    struct base_map *loops;       /* loopId to its state; NULL before the first */
    unsigned look_ups;            /* on their way; the struct stays until they are back */
    bool admitted;                /* link is of user->clients */
    struct net_deadline expiry[]; /* one if ends_expired, else none */
};

extern const struct net_namespace sockets_namespace;

/* The answer to tenants_acquire; `view` NULL when memory was short. */
void sockets_tenant_ready(struct gateway_worker *worker, const char *id, struct net_view *view);
/* Sends an event to the sockets of one user. */
void sockets_emit_user(struct gateway_worker *worker, const char *tenant, const char *user,
                       struct base_slice name, struct base_slice event);
/* Ends a socket for good: 41, after which official clients stay away; one that has not been let in
 * yet is refused. The client is gone after the call. */
void sockets_cut(struct client *client, enum gateway_cut why);
/* Cuts all sockets of a user of the tenant; with an empty tenant, of that user in all tenants. */
void sockets_cut_user(struct gateway_worker *worker, const char *tenant, const char *user);
void sockets_error(struct client *client, const char *message);
/* Frees a client that has gone when nothing refers to it any more. */
void sockets_drop_client(struct client *client);
void sockets_fini(struct gateway_worker *worker);

/* Room for a client's deadline; before expiry_set. 0, or BASE_ERR_NOMEM. */
int expiry_reserve(struct gateway_worker *worker);
/* The client's token ends at `expires_ms`; 0: never. */
void expiry_set(struct client *client, int64_t expires_ms);
void expiry_clear(struct client *client);

void loops_subscribe(struct client *client, const struct net_event *event);
void loops_unsubscribe(struct client *client, const struct net_event *event);
void loops_free(struct client *client);

/* ---- refusals ---- */

/* For the server's options. The first of each kind since the start is logged, others with -v and
 * at a bounded rate. Any thread. */
void refusals_log(void *data, const struct net_refused *refused);

/* ---- the links of e-mails ---- */

/* Before the server. `file` (borrowed) as for arda_unsubscribe_key_load; without a secret nobody
 * can unsubscribe. */
int unsubscribe_prepare(struct gateway *gateway, const char *file, struct base_why *why);
/* Reads the secret again. A failure leaves the present one in force. */
int unsubscribe_load_key(struct gateway *gateway, struct base_why *why);
/* For the server's options, beside gateway->path; NULL without a secret. 0, or BASE_ERR_NOMEM. */
int unsubscribe_site(struct gateway *gateway, const struct net_site **site, struct base_why *why);
void unsubscribe_fini(struct gateway *gateway);

/* ---- standard input ---- */

int source_start(struct gateway *gateway, struct base_why *why);
void source_stop(struct gateway *gateway);
bool source_has_loop(const struct source *source, const char *tenant, const char *loop);
/* The lines that were events, and those that were neither; as of a bus. */
void source_get_stats(const struct source *source, struct arda_bus_stats *stats);

/* ---- --admin ---- */

/* Serves the pages, on a loopback address under `hosts` (borrowed) only; `bound` as in
 * net_server_listen, whose errors these are, and BASE_ERR_NOMEM. */
int admin_start(struct gateway *gateway, const char *host, uint16_t port,
                const struct base_opt_list *hosts, char bound[static NET_ADDRESS_MAX],
                struct base_why *why);
/* After the server's end. */
void admin_stop(struct gateway *gateway);

#endif
