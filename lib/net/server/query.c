/* SPDX-License-Identifier: ISC
 *
 * The query of a request of Engine.IO: which session, which transport, and whether they fit the
 * request and each other.
 */
#include "net/server/internal.h"

#include <string.h>

static void read_parameter(struct net_worker *worker, struct base_slice query, const char *name,
                           char *out, size_t size, bool *present)
{
    struct base_buf *value = &worker->scratch;
    value->len = 0;
    int found = net_http1_query(query, name, value);
    size_t len = found == 1 && value->len < size ? value->len : 0;
    if (len && memchr(value->data, '\0', len))
        len = 0; /* what follows it would be overlooked */
    if (len)
        memcpy(out, value->data, len);
    out[len] = '\0';
    if (present)
        *present = found < 0 || (found == 1 && value->len > 0);
}

void net_query_read(struct net_worker *worker, struct base_slice text, struct net_query *query)
{
    read_parameter(worker, text, "transport", query->transport, sizeof query->transport, NULL);
    read_parameter(worker, text, "sid", query->sid, sizeof query->sid, &query->has_sid);
    read_parameter(worker, text, "EIO", query->eio, sizeof query->eio, NULL);
}

struct base_slice net_query_sid(const struct net_query *query)
{
    return (struct base_slice){query->sid, strlen(query->sid)};
}

static bool deny(struct net_denial *denial, enum net_eio_error error, enum net_refusal refusal,
                 const char *why)
{
    *denial = (struct net_denial){error, {.refusal = refusal, .why = why}};
    return false;
}

static bool verify_session(struct net_conn *conn, const struct net_http1_request *request,
                           const struct net_query *query, struct net_session **session,
                           struct net_denial *denial)
{
    bool websocket = strcmp(query->transport, "websocket") == 0;
    *session = net_session_find(conn->worker, net_query_sid(query));
    if (!*session || (*session)->endpoint != conn->http.endpoint)
        return deny(denial, NET_EIO_SID_UNKNOWN, NET_REFUSED_SESSION, NULL);
    if (websocket && !request->websocket)
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_UPGRADE, NULL);
    /* A second WebSocket for one session is turned away after the handshake. */
    if (websocket != request->websocket || (!websocket && !(*session)->transport->polls))
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_REQUEST,
                    "its session uses another transport");
    return true;
}

bool net_query_verify(struct net_conn *conn, const struct net_http1_request *request,
                      const struct net_query *query, struct net_session **session,
                      struct net_denial *denial)
{
    bool websocket = strcmp(query->transport, "websocket") == 0;
    *session = NULL;
    if (!websocket && strcmp(query->transport, "polling") != 0)
        return deny(denial, NET_EIO_TRANSPORT_UNKNOWN, NET_REFUSED_REQUEST,
                    "transport is neither polling nor websocket");
    if (query->has_sid)
        return verify_session(conn, request, query, session, denial);
    if (request->method != NET_HTTP1_GET)
        return deny(denial, NET_EIO_BAD_METHOD, NET_REFUSED_REQUEST,
                    "a session is opened with GET");
    if (websocket && !request->websocket)
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_UPGRADE, NULL);
    if (request->websocket && !websocket)
        return deny(denial, NET_EIO_BAD_REQUEST, NET_REFUSED_REQUEST,
                    "a WebSocket with transport=polling");
    if (strcmp(query->eio, "4") != 0) {
        deny(denial, NET_EIO_BAD_VERSION, NET_REFUSED_VERSION, NULL);
        denial->refused.what = (struct base_slice){query->eio, strlen(query->eio)};
        return false;
    }
    return true;
}
