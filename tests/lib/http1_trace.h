/* SPDX-License-Identifier: ISC
 *
 * http1_trace: what net/http1 makes of a client's bytes, as text. Per request a line of its head
 * (`GET "/path" "query" 1.1 keep length=5`), a line for each header in question, and `done "body"`.
 * At the end `error 400`, or `upgraded "bytes behind"`.
 */
#ifndef TEST_HTTP1_TRACE_H
#define TEST_HTTP1_TRACE_H

#include "base/err.h"
#include "lib/cuts.h"
#include "lib/trace.h"
#include "net/codec/http1.h"

enum http1_trace_end { HTTP1_GOES_ON, HTTP1_FAILED, HTTP1_UPGRADED };

static inline void http1_trace_head(struct trace *trace, const struct net_http1_request *request)
{
    static const char *const methods[] = {"GET", "POST", "OPTIONS", "HEAD", "OTHER"};
    fputs(methods[request->method], trace->out);
    trace_bytes(trace, request->path.data, request->path.len);
    trace_bytes(trace, request->query.data, request->query.len);
    fputs(request->http10 ? " 1.0" : " 1.1", trace->out);
    fputs(request->keep_alive ? " keep" : " close", trace->out);
    fputs(request->websocket ? " websocket" : "", trace->out);
    fputs(request->expect_continue ? " continue" : "", trace->out);
    if (request->content_length >= 0)
        fprintf(trace->out, " length=%" PRId64, request->content_length);
    fputc('\n', trace->out);
}

static inline void http1_trace_headers(struct trace *trace, struct net_http1 *http)
{
    static const char *const names[] = {"cookie", "origin", "x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct base_slice value = net_http1_header(http, names[i]);
        if (!value.data)
            continue;
        fprintf(trace->out, "%s:", names[i]);
        trace_bytes(trace, value.data, value.len);
        fputc('\n', trace->out);
    }
}

static inline enum http1_trace_end http1_trace_error(struct trace *trace, struct net_http1 *http,
                                                     int error)
{
    size_t used = 1;
    int status = net_http1_status(http);
    bool fits = status == 500   ? error == BASE_ERR_NOMEM
                : status == 413 ? error == BASE_ERR_LIMIT
                : status == 431 ? error == BASE_ERR_LIMIT
                                : error == BASE_ERR_SYNTAX;
    fprintf(trace->out, "error %d%s\n", status, fits ? "" : ", which does not fit the result");
    if (net_http1_feed(http, SIZE_MAX, "GET", 3, &used) != error || used != 0)
        fputs("another result after an error\n", trace->out);
    return HTTP1_FAILED;
}

/* One piece, in memory of its own that goes when it has been read; `*used` of it, all unless it is
 * the last. */
static inline enum http1_trace_end http1_trace_piece(struct trace *trace, struct net_http1 *http,
                                                     size_t max, const char *bytes, size_t len,
                                                     size_t *used)
{
    char *piece = trace_copy(bytes, len);
    enum http1_trace_end end = HTTP1_GOES_ON;
    int event;
    *used = 0;
    do {
        size_t taken;
        event = net_http1_feed(http, max, piece + *used, len - *used, &taken);
        *used += taken;
        if (event == NET_HTTP1_HEAD) {
            http1_trace_head(trace, net_http1_request(http));
        } else if (event == NET_HTTP1_DONE) {
            struct net_http1_request *request = net_http1_request(http);
            http1_trace_headers(trace, http);
            fputs("done", trace->out);
            trace_bytes(trace, request->body.data, request->body.len);
            fputc('\n', trace->out);
            end = request->websocket ? HTTP1_UPGRADED : HTTP1_GOES_ON;
        } else if (event < 0) {
            end = http1_trace_error(trace, http, event);
        } else if (*used != len) {
            fputs("bytes were left\n", trace->out);
        }
    } while (end == HTTP1_GOES_ON && (event == NET_HTTP1_HEAD || (event > 0 && *used < len)));
    free(piece);
    return end;
}

/* With a new parser; "no parser\n" without memory for it. */
static inline char *http1_trace(struct cuts cuts, size_t max, const char *data, size_t len)
{
    struct trace trace;
    struct net_http1 *http = net_http1_new();
    enum http1_trace_end end = HTTP1_GOES_ON;
    size_t at = 0, used;
    trace_begin(&trace);
    if (!http)
        fputs("no parser\n", trace.out);
    while (http && end == HTTP1_GOES_ON && at < len) {
        size_t piece = cuts_piece(&cuts, len - at);
        end = http1_trace_piece(&trace, http, max, data + at, piece, &used);
        at += used;
    }
    if (end == HTTP1_UPGRADED) {
        fputs("upgraded", trace.out);
        trace_bytes(&trace, data + at, len - at);
        fputc('\n', trace.out);
    }
    net_http1_free(http);
    return trace_end(&trace);
}

#endif
