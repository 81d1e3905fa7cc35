/* SPDX-License-Identifier: ISC
 *
 * answer: answers to requests of HTTP (RFC 9112). Threads: the connection's worker.
 */
#ifndef NET_IO_ANSWER_H
#define NET_IO_ANSWER_H

#include "net/io/conn.h"

/* Answers the request of `conn` and goes on with the connection as it allows. */
struct net_answer {
    int status;
    const char *type;    /* Content-Type; NULL without a body */
    const char *headers; /* more, each with its CR LF; NULL: none */
    struct base_slice body;
    bool close; /* whatever the request says */
};
void net_answer(struct net_conn *conn, const struct net_answer *answer);
/* Asks for the body of a request that waits for that, unless its length is known to be too much. */
void net_answer_continue(struct net_conn *conn, const struct net_http1_request *request,
                         size_t max_body_bytes);
/* Appends the CORS headers of the connection's endpoint. */
int net_answer_cors(struct base_buf *out, const struct net_conn *conn);

#endif
