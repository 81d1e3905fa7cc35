/* SPDX-License-Identifier: ISC
 *
 * ws_trace: what net/ws makes of a client's bytes, as text: `text "a"`, `ping ""`,
 * `close 1000 "bye"`, and at the end `violation 1002`, `nomem 1011` or `midway`. A message that is
 * said to be compressed has an asterisk: `text* "\xf2…"`.
 */
#ifndef TEST_WS_TRACE_H
#define TEST_WS_TRACE_H

#include "base/err.h"
#include "lib/cuts.h"
#include "lib/trace.h"
#include "net/codec/ws.h"

static inline void ws_trace_event(struct trace *trace, const struct net_ws_event *event)
{
    switch (event->opcode) {
    case NET_WS_TEXT: fputs("text", trace->out); break;
    case NET_WS_BINARY: fputs("binary", trace->out); break;
    case NET_WS_PING: fputs("ping", trace->out); break;
    case NET_WS_PONG: fputs("pong", trace->out); break;
    case NET_WS_CLOSE: fprintf(trace->out, "close %u", event->code); break;
    case NET_WS_CONTINUATION: fputs("continuation?", trace->out); break;
    }
    if (event->compressed)
        fputc('*', trace->out);
    trace_bytes(trace, event->data, event->len);
    fputc('\n', trace->out);
}

/* One piece, in memory of its own that goes when it has been read. False after a failure. */
static inline bool ws_trace_piece(struct trace *trace, struct net_ws *ws, size_t max,
                                  const char *bytes, size_t len)
{
    char *piece = trace_copy(bytes, len);
    struct net_ws_event event;
    size_t at = 0, used;
    int got;
    while ((got = net_ws_next(ws, max, piece + at, len - at, &used, &event)) == 1) {
        ws_trace_event(trace, &event);
        at += used;
    }
    if (got < 0)
        fprintf(trace->out, "%s %u\n", got == BASE_ERR_NOMEM ? "nomem" : "violation", event.code);
    else if (at + used != len)
        fputs("bytes were left\n", trace->out);
    free(piece);
    return got == 0;
}

static inline char *ws_trace_as(bool compressed, struct cuts cuts, size_t max, const char *data,
                                size_t len)
{
    struct trace trace;
    struct net_ws ws = {0};
    size_t at = 0, piece;
    bool good = true;
    if (compressed)
        net_ws_allow_compressed(&ws);
    trace_begin(&trace);
    for (; good && at < len; at += piece) {
        piece = cuts_piece(&cuts, len - at);
        good = ws_trace_piece(&trace, &ws, max, data + at, piece);
    }
    if (net_ws_midway(&ws))
        fputs("midway\n", trace.out);
    /* Behind the end nothing is an event. */
    if (!good)
        ws_trace_piece(&trace, &ws, max, "\x89\x80\0\0\0\0", 6);
    net_ws_fini(&ws);
    return trace_end(&trace);
}

static inline char *ws_trace(struct cuts cuts, size_t max, const char *data, size_t len)
{
    return ws_trace_as(false, cuts, max, data, len);
}

#endif
