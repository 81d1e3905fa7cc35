/* SPDX-License-Identifier: ISC */
#include "net/codec/http1.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/codec/http1_chunked.h"
#include "net/codec/http1_head.h"
#include "net/codec/http1_lines.h"

#include <string.h>

/* Larger buffers do not survive a request. */
#define KEEP_MAX 2048

enum phase {
    IDLE,      /* nothing, or blank lines */
    IDLE_CR,   /* the CR of a blank line */
    IN_HEAD,   /* until its empty line */
    IN_BODY,   /* the head has been announced */
    COMPLETE,  /* ... the whole, too */
    ABANDONED, /* after an error */
};

struct net_http1 {
    enum phase phase;
    int status; /* after an error */
    int error;
    bool chunked;
    size_t head_max;
    struct net_http1_lines lines;
    struct net_http1_chunked chunks;
    struct base_buf head;
    struct net_http1_fields fields;
    struct net_http1_request request;
};

struct net_http1 *net_http1_new(void)
{
    struct net_http1 *http = base_calloc(1, sizeof *http);
    if (http)
        http->head_max = NET_HTTP1_HEAD_MAX;
    return http;
}

void net_http1_limit_head(struct net_http1 *http, size_t max_bytes)
{
    http->head_max = max_bytes;
}

void net_http1_free(struct net_http1 *http)
{
    if (!http)
        return;
    net_http1_fields_fini(&http->fields);
    base_buf_fini(&http->head);
    base_buf_fini(&http->request.body);
    base_free(http);
}

static void reset_buf(struct base_buf *buf)
{
    buf->len = 0;
    if (buf->cap > KEEP_MAX)
        base_buf_fini(buf);
}

void net_http1_reset(struct net_http1 *http)
{
    reset_buf(&http->head);
    reset_buf(&http->request.body);
    net_http1_fields_reset(&http->fields, KEEP_MAX);
    http->request = (struct net_http1_request){.body = http->request.body};
    http->chunks = (struct net_http1_chunked){0};
    http->chunked = false;
    http->phase = IDLE;
    http->status = http->error = 0;
}

bool net_http1_idle(const struct net_http1 *http)
{
    return http->phase == IDLE;
}

int net_http1_status(const struct net_http1 *http)
{
    return http->status;
}

struct net_http1_request *net_http1_request(struct net_http1 *http)
{
    return &http->request;
}

struct base_slice net_http1_head(const struct net_http1 *http)
{
    return (struct base_slice){http->head.data, http->head.len};
}

struct base_slice net_http1_header(struct net_http1 *http, const char *name)
{
    return net_http1_fields_find(&http->fields, name);
}

static int fail(struct net_http1 *http, int error, int status)
{
    http->phase = ABANDONED;
    http->error = error;
    http->status = status;
    return error;
}

static int fail_with_status(struct net_http1 *http, int status)
{
    if (status == 500)
        return fail(http, BASE_ERR_NOMEM, status);
    return fail(http, status == 431 ? BASE_ERR_LIMIT : BASE_ERR_SYNTAX, status);
}

static int fail_with_error(struct net_http1 *http, int error)
{
    if (error == BASE_ERR_NOMEM)
        return fail(http, error, 500);
    return fail(http, error, error == BASE_ERR_LIMIT ? 413 : 400);
}

/* Blank lines before a request, RFC 9112 section 2.2. */
static int skip_blank_lines(struct net_http1 *http, const char *data, size_t len, size_t *used)
{
    for (; *used < len; ++*used) {
        char c = data[*used];
        if (http->phase == IDLE_CR && c != '\n')
            return fail_with_error(http, BASE_ERR_SYNTAX);
        if (http->phase == IDLE_CR) {
            http->phase = IDLE;
        } else if (c == '\r') {
            http->phase = IDLE_CR;
        } else {
            net_http1_lines_init(&http->lines, 1);
            http->phase = IN_HEAD;
            return BASE_OK;
        }
    }
    return BASE_OK;
}

static int finish_head(struct net_http1 *http)
{
    struct base_slice head = {http->head.data, http->head.len};
    int status = net_http1_head_parse(head, &http->request, &http->fields, &http->chunked);
    if (status)
        return fail_with_status(http, status);
    http->phase = IN_BODY;
    return NET_HTTP1_HEAD;
}

static int take_head(struct net_http1 *http, const char *data, size_t len, size_t *used)
{
    size_t room = http->head_max - http->head.len, taken;
    bool too_long = len - *used > room;
    const char *piece = data + *used;
    int result = net_http1_lines_feed(&http->lines, piece, too_long ? room : len - *used, &taken);
    *used += taken;
    if (result < 0)
        return fail_with_error(http, result);
    if (result == 0 && too_long)
        return fail_with_status(http, 431);
    if (base_buf_add(&http->head, piece, taken) < 0)
        return fail_with_error(http, BASE_ERR_NOMEM);
    return result == 1 ? finish_head(http) : NET_HTTP1_MORE;
}

/* A body whose length was announced. 1: complete. */
static int take_counted(struct net_http1 *http, size_t max_body_bytes, const char *data, size_t len,
                        size_t *used)
{
    struct net_http1_request *request = &http->request;
    if (request->content_length <= 0)
        return 1;
    if ((uint64_t)request->content_length > max_body_bytes)
        return BASE_ERR_LIMIT;
    size_t left = (size_t)request->content_length - request->body.len;
    size_t take = len < left ? len : left;
    if (base_buf_add(&request->body, data, take) < 0)
        return BASE_ERR_NOMEM;
    *used = take;
    return take == left;
}

static int take_body(struct net_http1 *http, size_t max_body_bytes, const char *data, size_t len,
                     size_t *used)
{
    int result;
    if (http->chunked)
        result = net_http1_chunked_feed(&http->chunks, max_body_bytes, &http->request.body, data,
                                        len, used);
    else
        result = take_counted(http, max_body_bytes, data, len, used);
    if (result < 0)
        return fail_with_error(http, result);
    if (result == 0)
        return NET_HTTP1_MORE;
    http->phase = COMPLETE;
    return NET_HTTP1_DONE;
}

int net_http1_feed(struct net_http1 *http, size_t max_body_bytes, const char *data, size_t len,
                   size_t *used)
{
    *used = 0;
    if (http->phase == ABANDONED)
        return http->error;
    if (http->phase == IN_BODY)
        return take_body(http, max_body_bytes, data, len, used);
    if (len == 0)
        return http->phase == COMPLETE ? NET_HTTP1_DONE : NET_HTTP1_MORE;
    if (http->phase == COMPLETE)
        net_http1_reset(http);
    if (http->phase != IN_HEAD && skip_blank_lines(http, data, len, used) < 0)
        return http->error;
    if (http->phase != IN_HEAD)
        return NET_HTTP1_MORE;
    return take_head(http, data, len, used);
}
