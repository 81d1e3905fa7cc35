/* SPDX-License-Identifier: ISC
 *
 * gateway: what the files of arda-gateway share (catalog sections 2, 3, 5 and 7).
 *
 *     main.c      options, wiring, signals
 *     auth.c      who a client is: the token of a CONNECT
 *     tenants.c   home loop: the tenants with clients, their subscriptions and logs
 *     forward.c   home loop: an event's way from the bus to the sockets
 *     sockets.c   workers: a client's life, `connected`, `ping`
 *     loops.c     workers: `subscribe:loop`; home loop: the look-up
 *     source.c    home loop: events from standard input instead of Redis
 *
 * The home loop has the bus and writes the logs; sockets live on workers. The two sides share only
 * what is posted from one to the other, so each struct below belongs to one of them.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "arda/bus.h"
#include "arda/tenant.h"
#include "arda/token.h"
#include "base/list.h"
#include "base/map.h"
#include "base/quota.h"
#include "net/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct uv_loop_s;

/* Events that are not forwarded, beside those that the bus drops. Name, text of the summary. */
#define GATEWAY_DROP_MAP(X)                                                                        \
    X(GATEWAY_DROP_RESERVED, "name reserved by Socket.IO or the catalog")                          \
    X(GATEWAY_DROP_SECURITY, "security event")                                                     \
    X(GATEWAY_DROP_NO_USER, "notification without a userId")                                       \
    X(GATEWAY_DROP_NOMEM, "out of memory")

enum gateway_drop {
#define GATEWAY_DROP_ENUM_(code, text) code,
    GATEWAY_DROP_MAP(GATEWAY_DROP_ENUM_)
#undef GATEWAY_DROP_ENUM_
        GATEWAY_DROP_COUNT
};

struct gateway {
    struct uv_loop_s *loop;
    struct net_server *server;
    struct arda_bus *bus;  /* NULL with --stdin */
    struct source *source; /* NULL without */
    struct gateway_worker *workers;
    unsigned worker_count;
    bool notify_tenant; /* notification.created goes to the whole tenant */
    const char *secret_file;
    pthread_rwlock_t key_lock; /* of the key, which SIGHUP replaces */
    struct arda_token_key *key;
    struct base_quota users; /* sockets of each "tenant/user" */
    struct base_map tenants; /* home loop: id to struct home_tenant */
    uint64_t forwarded;      /* home loop */
    uint64_t dropped[GATEWAY_DROP_COUNT];
};

/* ---- who ---- */

/* Checks what a CONNECT carries. 0; BASE_ERR_NOTFOUND without a token; BASE_ERR_DENIED for one
 * that is not good, with the reason for the log. Any thread. */
int gateway_authenticate(struct gateway *gateway, const struct net_connect *connect,
                         struct arda_claims *claims, struct base_why *why);
/* Reads the secret (again). A failure leaves the present key in force. */
int gateway_load_key(struct gateway *gateway, struct base_why *why);

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

/* A worker's first client of a tenant has come: the worker is answered with
 * sockets_tenant_ready when events would reach it, or when Redis is away. */
void tenants_acquire(struct gateway *gateway, const char *id, unsigned worker);
/* Its last one has gone. */
void tenants_release(struct gateway *gateway, const char *id, struct net_view *view);
/* Redis has gone away: nobody waits for it any longer. */
void tenants_bus_down(struct gateway *gateway);
void tenants_fini(struct gateway *gateway);

/* Sends an event to the clients of its tenant, or to those of one user. */
void forward_message(struct home_tenant *tenant, const struct arda_message *message);

/* Whether the loop is the tenant's, told to `done` with 1, 0 or an error. */
void loops_look_up(struct gateway *gateway, const char *tenant, const char *loop,
                   void (*done)(void *data, int result), void *data);

/* ---- workers ---- */

struct gateway_worker {
    struct gateway *gateway;
    unsigned index;
    struct base_map tenants; /* id to struct worker_tenant */
};

struct worker_tenant {
    struct gateway_worker *worker;
    struct net_view *view;    /* NULL until the home loop has answered */
    struct base_list waiting; /* of struct client */
    struct base_map users;    /* userId to struct user */
    size_t clients;
    char id[ARDA_ID_MAX + 1];
};

struct user {
    struct base_list clients; /* those that have been let in */
    size_t refs;              /* of clients, let in or not, and of a walk over the list */
    char id[ARDA_ID_MAX + 1];
};

/* A socket that has shown a good token. */
struct client {
    struct net_socket *socket; /* NULL once it has gone */
    struct worker_tenant *tenant;
    struct user *user;
    struct base_list link;  /* of user->clients or tenant->waiting */
    struct base_map *loops; /* loopId to its state; NULL before the first */
    unsigned look_ups;      /* on their way; the struct stays until they are back */
};

extern const struct net_namespace sockets_namespace;

/* The answer to tenants_acquire; `view` NULL when memory was short. */
void sockets_tenant_ready(struct gateway_worker *worker, const char *id, struct net_view *view);
/* Sends an event to the sockets of one user. */
void sockets_emit_user(struct gateway_worker *worker, const char *tenant, const char *user,
                       struct base_slice name, struct base_slice event);
void sockets_error(struct client *client, const char *message);
/* Frees a client that has gone when nothing refers to it any more. */
void sockets_drop_client(struct client *client);
void sockets_fini(struct gateway_worker *worker);

void loops_subscribe(struct client *client, const struct net_event *event);
void loops_unsubscribe(struct client *client, const struct net_event *event);
void loops_free(struct client *client);

/* ---- standard input ---- */

int source_start(struct gateway *gateway, struct base_why *why);
void source_stop(struct gateway *gateway);
bool source_has_loop(const struct source *source, const char *tenant, const char *loop);

#endif
