/* SPDX-License-Identifier: ISC
 *
 * via_request: a request of long-polling. Threads: the loop's only.
 */
#ifndef SUBSCRIBE_VIA_REQUEST_H
#define SUBSCRIBE_VIA_REQUEST_H

#include "via_net.h"

#include "base/buf.h"

struct via_request;

/* The answer is one of status 200 and `end` NULL, and then `body` may be written to; or `end` says
 * what was wrong. Both are borrowed for the call, in which the request is freed. */
typedef void (*via_answer_fn)(void *data, struct base_buf *body, const struct via_end *end);

/* GET, or with `packets` POST, which is copied. `done` is called once, from the loop. 0, or
 * BASE_ERR_NOMEM. */
int via_request_start(const struct via_net *net, struct http_curl *curl, const char *url,
                      const struct base_buf *packets, via_answer_fn done, void *data,
                      struct via_request **request);
/* `done` is not called any more. NULL is allowed. Not from `done` of the same request. */
void via_request_cancel(struct via_request *request);

#endif
