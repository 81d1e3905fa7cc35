/* SPDX-License-Identifier: ISC */
#include "net/codec/eio.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define BASE64_MARK 'b' /* in a body, instead of a type: a MESSAGE of bytes */

int net_eio_parse(char *message, size_t len, bool binary, struct net_eio_packet *packet)
{
    if (binary) {
        *packet = (struct net_eio_packet){NET_EIO_MESSAGE, true, message, len};
        return BASE_OK;
    }
    if (len == 0 || message[0] < NET_EIO_OPEN || message[0] > NET_EIO_NOOP)
        return BASE_ERR_SYNTAX;
    *packet = (struct net_eio_packet){(enum net_eio_type)message[0], false, message + 1, len - 1};
    return BASE_OK;
}

static int parse_encoded(char *text, size_t len, struct net_eio_packet *packet)
{
    if (len == 0 || text[0] != BASE64_MARK) {
        if (!base_utf8_valid(text, len))
            return BASE_ERR_SYNTAX;
        return net_eio_parse(text, len, false, packet);
    }
    /* The decoder may write a few bytes more than it yields, though never more than it has read. */
    ssize_t bytes = base_base64_decode(BASE_BASE64_STD, text + 1, len - 1, text + 1);
    if (bytes < 0)
        return BASE_ERR_SYNTAX;
    return net_eio_parse(text + 1, (size_t)bytes, true, packet);
}

int net_eio_payload_next(char *body, size_t len, size_t *at, struct net_eio_packet *packet)
{
    /* Behind the last packet `*at` is len + 1, so that a separator at the end is told from it. */
    if (*at > len)
        return 0;
    if (*at == len) /* an empty packet; an empty body may have no pointer */
        return BASE_ERR_SYNTAX;
    char *text = body + *at;
    size_t left = len - *at;
    const char *end = memchr(text, NET_EIO_SEPARATOR, left);
    size_t text_len = end ? (size_t)(end - text) : left;
    int result = text_len ? parse_encoded(text, text_len, packet) : BASE_ERR_SYNTAX;
    if (result < 0)
        return result;
    *at += text_len + 1;
    return 1;
}

int net_eio_payload_add(struct base_buf *body, enum net_eio_type type, bool binary,
                        const char *data, size_t len)
{
    size_t encoded = binary ? base_base64_encoded_len(BASE_BASE64_STD, len) : len;
    if (base_buf_reserve(body, encoded + 2) < 0)
        return BASE_ERR_NOMEM;
    if (body->len)
        body->data[body->len++] = NET_EIO_SEPARATOR;
    body->data[body->len++] = binary ? BASE64_MARK : (char)type;
    if (binary)
        base_base64_encode(BASE_BASE64_STD, data, len, body->data + body->len);
    else if (len)
        memcpy(body->data + body->len, data, len);
    body->len += encoded;
    return BASE_OK;
}

int net_eio_format_open(struct base_buf *out, const struct net_eio_open *open)
{
    return base_buf_printf(out,
                           "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%" PRIu32
                           ",\"pingTimeout\":%" PRIu32 ",\"maxPayload\":%" PRIu32 "}",
                           open->sid, open->upgrade ? "\"websocket\"" : "", open->ping_interval_ms,
                           open->ping_timeout_ms, open->max_payload_bytes);
}
