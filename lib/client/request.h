/* SPDX-License-Identifier: ISC
 *
 * request: a request of long-polling. Threads: the loop's only.
 */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include "client/net.h"

#include "base/buf.h"

struct client_request;

/* The answer is one of status 200 and `end` NULL, and then `body` may be written to; or `end` says
 * what was wrong. Both are borrowed for the call, in which the request is freed. */
typedef void (*client_answer_fn)(void *data, struct base_buf *body, const struct client_end *end);

/* GET, or with `packets` POST, which is copied. `done` is called once, from the loop. 0, or
 * BASE_ERR_NOMEM. */
int client_request_start(const struct client_net *net, struct http_curl *curl, const char *url,
                         const struct base_buf *packets, client_answer_fn done, void *data,
                         struct client_request **request);
/* `done` is not called any more. NULL is allowed. Not from `done` of the same request. */
void client_request_cancel(struct client_request *request);

#endif
