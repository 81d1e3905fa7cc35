/* SPDX-License-Identifier: ISC
 *
 * client: a client of Socket.IO, revision 5, in the namespace `/`: it connects with a token,
 * reads, and connects again after a loss, with growing and jittered pauses. Threads: the loop's
 * only.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/engine.h"
#include "client/record.h"

struct client;

/* Texts are borrowed for the client's life. */
struct client_options {
    const char *url;
    enum client_transport transport;
    const char *token_file; /* read for each attempt; NULL: `token` */
    const char *token;      /* NULL: connect without one */
    const char *cacert;     /* NULL: the system's certificates */
    int64_t attempt_ms;     /* for an attempt, up to the answer to the token; 0: no bound */
    bool reconnect;
};

struct client_handlers {
    /* Borrowed for the call, in which the client may be stopped. */
    void (*on_record)(void *data, const struct client_record *record);
    /* Once, and the client is freed behind it: the exit status, or BASE_EXIT_OK when it was
     * stopped. The reason has been logged. */
    void (*on_end)(void *data, int status);
    void *data;
};

/* No handler is called before it returns. 0; BASE_ERR_SYNTAX for a URL that is none,
 * BASE_ERR_CONFIG for a token that cannot be read, BASE_ERR_NOMEM. */
int client_new(struct uv_loop_s *loop, const struct client_options *options,
               const struct client_handlers *handlers, struct client **client,
               struct base_why *why);
/* Leaves the server, at most for a second; on_end follows, on_record does not. */
void client_stop(struct client *client);

#endif
