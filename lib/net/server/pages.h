/* SPDX-License-Identifier: ISC
 *
 * pages: the answers of the pages that daemons have for those who look after them (server.h, a
 * site): /healthz, /readyz, /metrics. Threads: the home loop.
 */
#ifndef NET_SERVER_PAGES_H
#define NET_SERVER_PAGES_H

#include "base/openmetrics.h"
#include "net/server/server.h"

/* All answers here are not to be stored. `type` NULL: without a body. */
void net_pages_answer(struct net_request *request, int status, const char *type,
                      struct base_slice body);
/* {"`what`":true}, or {"`what`":false,"reason":"…"} with 503. */
void net_pages_answer_state(struct net_request *request, const char *what, const char *reason);
/* A text of metrics; `failed`: there is none. */
void net_pages_answer_metrics(struct net_request *request, enum base_metric_form form,
                              struct base_slice text, bool failed);
/* What the peer would rather read; until on_request returns. */
enum base_metric_form net_pages_metric_form(struct net_request *request);

#endif
