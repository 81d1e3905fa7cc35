/* SPDX-License-Identifier: ISC */
#include "base/err.h"
#include "net/codec/http1.h"
#include "net/codec/http1_hex.h"

#include <string.h>

/* The byte at `*at`, which moves on; -1 for a bad escape. */
static int next_byte(struct base_slice text, size_t *at)
{
    char c = text.data[(*at)++];
    if (c == '+')
        return ' ';
    if (c != '%')
        return (unsigned char)c;
    if (text.len - *at < 2)
        return -1;
    int high = net_http1_hex_digit(text.data[*at]), low = net_http1_hex_digit(text.data[*at + 1]);
    *at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool decodes_to(struct base_slice text, const char *name)
{
    size_t at = 0;
    while (at < text.len) {
        int byte = next_byte(text, &at);
        if (byte <= 0 || byte != (unsigned char)*name)
            return false;
        name++;
    }
    return *name == '\0';
}

static int decode(struct base_slice text, struct base_buf *out)
{
    if (base_buf_reserve(out, text.len) < 0)
        return BASE_ERR_NOMEM;
    size_t start = out->len;
    for (size_t at = 0; at < text.len;) {
        int byte = next_byte(text, &at);
        if (byte < 0) {
            out->len = start;
            return BASE_ERR_SYNTAX;
        }
        out->data[out->len++] = (char)byte;
    }
    return 1;
}

int net_http1_query(struct base_slice query, const char *name, struct base_buf *out)
{
    while (query.len) {
        const char *end = memchr(query.data, '&', query.len);
        struct base_slice pair = {query.data, end ? (size_t)(end - query.data) : query.len};
        const char *equals = memchr(pair.data, '=', pair.len);
        size_t name_len = equals ? (size_t)(equals - pair.data) : pair.len;
        struct base_slice value = {pair.data + pair.len, 0};
        if (equals)
            value = (struct base_slice){equals + 1, pair.len - name_len - 1};
        if (decodes_to((struct base_slice){pair.data, name_len}, name))
            return decode(value, out);
        size_t used = pair.len + (end ? 1 : 0);
        query = (struct base_slice){query.data + used, query.len - used};
    }
    return 0;
}
