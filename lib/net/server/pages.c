/* SPDX-License-Identifier: ISC
 *
 * States are JSON with a reason, metrics the form that the Accept header asks for.
 */
#include "net/server/pages.h"

#include "net/codec/accept.h"

#include <string.h>

#define JSON "application/json"

void net_pages_answer(struct net_request *request, int status, const char *type,
                      struct base_slice body)
{
    net_request_answer(request, &(struct net_response){.status = status,
                                                       .type = type,
                                                       .headers = "Cache-Control: no-store\r\n",
                                                       .body = body});
}

void net_pages_answer_state(struct net_request *request, const char *what, const char *reason)
{
    struct base_buf json = BASE_BUF_INIT;
    int failed = base_buf_printf(&json, "{\"%s\":%s", what, reason ? "false" : "true");
    if (reason) {
        failed |= base_buf_add_text(&json, ",\"reason\":");
        failed |= base_json_quote(&json, reason, strlen(reason));
    }
    failed |= base_buf_add_text(&json, "}\n");
    struct base_slice body = {json.data, failed ? 0 : json.len};
    net_pages_answer(request, reason ? 503 : 200, JSON, body);
    base_buf_fini(&json);
}

void net_pages_answer_metrics(struct net_request *request, enum base_metric_form form,
                              struct base_slice text, bool failed)
{
    if (failed)
        net_pages_answer(request, 503, NULL, (struct base_slice){NULL, 0});
    else
        net_pages_answer(request, 200, base_metric_content_type(form), text);
}

enum base_metric_form net_pages_metric_form(struct net_request *request)
{
    struct base_slice accept = net_request_header(request, "accept");
    return net_accept_weight(accept, "text/plain") >
                   net_accept_weight(accept, "application/openmetrics-text")
               ? BASE_METRIC_PROMETHEUS
               : BASE_METRIC_OPENMETRICS;
}
