/* SPDX-License-Identifier: ISC */
#include "net/codec/http1_chunked.h"

#include "base/err.h"
#include "net/codec/http1_hex.h"

/* What a body may carry besides data: this much, and so many bytes for each byte of data, so that
 * chunks of one byte with a short extension pass. */
#define OVERHEAD_MAX      16384
#define OVERHEAD_PER_BYTE 32

#define SIZE_MAX_CHUNK (UINT64_MAX >> 5) /* a further digit cannot overflow */

enum state {
    SIZE_FIRST, /* the first digit */
    SIZE,
    SIZE_BLANK, /* behind blanks that follow the size */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILERS,
};

static int step_size(struct net_http1_chunked *chunked, char c)
{
    int digit = net_http1_hex_digit(c);
    if (digit >= 0) {
        if (chunked->left > SIZE_MAX_CHUNK)
            return BASE_ERR_LIMIT;
        chunked->left = chunked->left << 4 | (unsigned)digit;
        return SIZE;
    }
    if (chunked->state == SIZE_FIRST)
        return BASE_ERR_SYNTAX;
    switch (c) {
    case '\r': return SIZE_LF;
    case ';': return EXTENSION;
    case ' ':
    case '\t': return SIZE_BLANK;
    default: return BASE_ERR_SYNTAX;
    }
}

/* The next state, or a negative number. */
static int step(struct net_http1_chunked *chunked, char c)
{
    switch ((enum state)chunked->state) {
    case SIZE_FIRST:
    case SIZE: return step_size(chunked, c);
    case SIZE_BLANK:
        if (c == ' ' || c == '\t')
            return SIZE_BLANK;
        if (c == '\r')
            return SIZE_LF;
        return c == ';' ? EXTENSION : BASE_ERR_SYNTAX;
    case EXTENSION:
        if (c == '\r')
            return SIZE_LF;
        return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f ? BASE_ERR_SYNTAX : EXTENSION;
    case SIZE_LF:
        if (c != '\n')
            return BASE_ERR_SYNTAX;
        net_http1_lines_init(&chunked->trailers, 0);
        return chunked->left ? DATA : TRAILERS;
    case DATA_CR: return c == '\r' ? DATA_LF : BASE_ERR_SYNTAX;
    case DATA_LF: return c == '\n' ? SIZE_FIRST : BASE_ERR_SYNTAX;
    case DATA:
    case TRAILERS: break;
    }
    return BASE_ERR_INTERNAL;
}

static int take_data(struct net_http1_chunked *chunked, struct base_buf *body, const char *data,
                     size_t len, size_t *used)
{
    size_t take = len < chunked->left ? len : (size_t)chunked->left;
    if (base_buf_add(body, data, take) < 0)
        return BASE_ERR_NOMEM;
    *used += take;
    chunked->left -= take;
    if (chunked->left == 0)
        chunked->state = DATA_CR;
    return BASE_OK;
}

static int count_overhead(struct net_http1_chunked *chunked, size_t more, size_t body_len)
{
    chunked->overhead += more;
    uint64_t max = OVERHEAD_MAX + (uint64_t)body_len * OVERHEAD_PER_BYTE;
    return chunked->overhead > max ? BASE_ERR_LIMIT : BASE_OK;
}

static int take_trailers(struct net_http1_chunked *chunked, size_t body_len, const char *data,
                         size_t len, size_t *used)
{
    size_t taken;
    int result = net_http1_lines_feed(&chunked->trailers, data, len, &taken);
    *used += taken;
    if (count_overhead(chunked, taken, body_len) < 0)
        return BASE_ERR_LIMIT;
    return result;
}

static int take_framing(struct net_http1_chunked *chunked, size_t max_body_bytes, size_t body_len,
                        char c, size_t *used)
{
    int next = step(chunked, c);
    if (next < 0)
        return next;
    chunked->state = (uint8_t)next;
    ++*used;
    if (body_len > max_body_bytes || chunked->left > max_body_bytes - body_len)
        return BASE_ERR_LIMIT;
    return count_overhead(chunked, 1, body_len);
}

int net_http1_chunked_feed(struct net_http1_chunked *chunked, size_t max_body_bytes,
                           struct base_buf *body, const char *data, size_t len, size_t *used)
{
    int result = 0;
    *used = 0;
    while (result == 0 && *used < len) {
        const char *at = data + *used;
        size_t left = len - *used;
        if (chunked->state == DATA)
            result = take_data(chunked, body, at, left, used);
        else if (chunked->state == TRAILERS)
            result = take_trailers(chunked, body->len, at, left, used);
        else
            result = take_framing(chunked, max_body_bytes, body->len, *at, used);
    }
    return result;
}
