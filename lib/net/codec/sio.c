/* SPDX-License-Identifier: ISC */
#include "net/codec/sio.h"

#include "base/err.h"

#include <inttypes.h>
#include <string.h>

#define ACK_DIGITS_MAX 18 /* fits uint64_t; JavaScript's own ids end at 2^53 */

/* --- parsing --- */

struct input {
    const char *at;
    const char *end;
    bool from_server;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_binary(enum net_sio_type type)
{
    return type == NET_SIO_BINARY_EVENT || type == NET_SIO_BINARY_ACK;
}

static const char *read_type(struct input *in, struct net_sio_packet *packet)
{
    if (in->at == in->end)
        return "empty packet";
    char type = *in->at++;
    if (type < NET_SIO_CONNECT || type > NET_SIO_BINARY_ACK)
        return "unknown packet type";
    if (type == NET_SIO_CONNECT_ERROR && !in->from_server)
        return "CONNECT_ERROR from a client";
    packet->type = (enum net_sio_type)type;
    return NULL;
}

static const char *read_attachments(struct input *in, struct net_sio_packet *packet)
{
    if (!is_binary(packet->type))
        return NULL;
    const char *start = in->at;
    for (; in->at < in->end && is_digit(*in->at); in->at++) {
        packet->attachments = packet->attachments * 10 + (unsigned)(*in->at - '0');
        if (packet->attachments > NET_SIO_MAX_ATTACHMENTS)
            return "too many attachments";
    }
    if (in->at == start || in->at == in->end || *in->at != '-')
        return "malformed number of attachments";
    in->at++;
    return NULL;
}

/* Without its comma a namespace goes to the end of the packet. */
static const char *read_namespace(struct input *in, struct net_sio_packet *packet)
{
    packet->nsp = (struct base_slice){"/", 1};
    if (in->at == in->end || *in->at != '/')
        return NULL;
    const char *comma = memchr(in->at, ',', (size_t)(in->end - in->at));
    const char *end = comma ? comma : in->end;
    packet->nsp = (struct base_slice){in->at, (size_t)(end - in->at)};
    in->at = comma ? comma + 1 : in->end;
    return packet->nsp.len > NET_SIO_MAX_NAMESPACE ? "namespace is too long" : NULL;
}

static const char *read_ack(struct input *in, struct net_sio_packet *packet)
{
    const char *start = in->at;
    for (; in->at < in->end && is_digit(*in->at); in->at++) {
        if (in->at - start == ACK_DIGITS_MAX)
            return "acknowledgement id is too large";
        packet->ack = packet->ack * 10 + (unsigned)(*in->at - '0');
    }
    packet->has_ack = in->at > start;
    return NULL;
}

static const char *read_data(struct input *in, struct net_sio_packet *packet)
{
    if (in->at == in->end)
        return NULL;
    if (base_json_check(in->at, (size_t)(in->end - in->at), &packet->data, NULL) < 0)
        return "malformed JSON";
    return NULL;
}

static const char *check_event(struct net_sio_packet *packet)
{
    struct base_json_iter iter;
    if (packet->data.kind != BASE_JSON_ARRAY)
        return "event without an array";
    base_json_iter_init(&iter, &packet->data);
    if (!base_json_iter_next(&iter, NULL, &packet->name))
        return "event without a name";
    if (packet->name.kind == BASE_JSON_NUMBER)
        return NULL;
    if (packet->name.kind != BASE_JSON_STRING)
        return "name of an event is neither string nor number";
    return net_sio_reserved(&packet->name) ? "reserved name of an event" : NULL;
}

static const char *check_data(struct net_sio_packet *packet)
{
    enum base_json_kind kind = packet->data.kind;
    switch (packet->type) {
    case NET_SIO_CONNECT:
        return kind == BASE_JSON_ABSENT || kind == BASE_JSON_OBJECT ? NULL
                                                                    : "CONNECT without an object";
    case NET_SIO_DISCONNECT: return kind == BASE_JSON_ABSENT ? NULL : "DISCONNECT with data";
    case NET_SIO_EVENT:
    case NET_SIO_BINARY_EVENT: return check_event(packet);
    case NET_SIO_ACK:
    case NET_SIO_BINARY_ACK:
        if (!packet->has_ack)
            return "acknowledgement without an id";
        return kind == BASE_JSON_ARRAY ? NULL : "acknowledgement without an array";
    case NET_SIO_CONNECT_ERROR:
        return kind == BASE_JSON_OBJECT || kind == BASE_JSON_STRING
                   ? NULL
                   : "CONNECT_ERROR without a reason";
    }
    return "unknown packet type";
}

static int parse(struct input in, struct net_sio_packet *packet, const char **reason)
{
    static const char *(*const steps[])(struct input *, struct net_sio_packet *) = {
        read_type, read_attachments, read_namespace, read_ack, read_data,
    };
    const char *wrong = NULL;
    *packet = (struct net_sio_packet){0};
    for (size_t i = 0; !wrong && i < sizeof steps / sizeof *steps; i++)
        wrong = steps[i](&in, packet);
    if (!wrong)
        wrong = check_data(packet);
    if (wrong && reason)
        *reason = wrong;
    return wrong ? BASE_ERR_SYNTAX : BASE_OK;
}

int net_sio_parse(const char *text, size_t len, struct net_sio_packet *packet, const char **reason)
{
    return parse((struct input){text, text + len, false}, packet, reason);
}

int net_sio_parse_server(const char *text, size_t len, struct net_sio_packet *packet,
                         const char **reason)
{
    return parse((struct input){text, text + len, true}, packet, reason);
}

bool net_sio_reserved(const struct base_json_value *name)
{
    static const char *const reserved[] = {
        "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (base_json_equals(name, reserved[i], strlen(reserved[i])))
            return true;
    return false;
}

/* --- formatting --- */

/* A packet up to its data, in a buffer that has room for `more` bytes behind it. */
static int begin(struct base_buf *out, enum net_sio_type type, unsigned attachments,
                 struct base_slice nsp, size_t more)
{
    enum { TYPES = 2, COUNT = sizeof "4294967295-" - 1, COMMA = 1 };
    if (base_buf_reserve(out, TYPES + COUNT + nsp.len + COMMA + more) < 0)
        return BASE_ERR_NOMEM;
    out->data[out->len++] = '4';
    out->data[out->len++] = (char)type;
    if (is_binary(type))
        base_buf_printf(out, "%u-", attachments);
    if (nsp.len > 1) {
        base_buf_add(out, nsp.data, nsp.len);
        base_buf_add_byte(out, ',');
    }
    return BASE_OK;
}

/* `{"<key>":"<text>"}` behind the head of a packet; all or nothing. */
static int add_packet(struct base_buf *out, enum net_sio_type type, struct base_slice nsp,
                      const char *key, const char *text)
{
    size_t start = out->len;
    int result = begin(out, type, 0, nsp, strlen(key) + strlen(text) + sizeof "{\"\":\"\"}");
    if (result == 0)
        result = base_buf_printf(out, "{\"%s\":", key);
    if (result == 0)
        result = base_json_quote(out, text, strlen(text));
    if (result == 0)
        result = base_buf_add_byte(out, '}');
    if (result < 0)
        out->len = start;
    return result;
}

int net_sio_format_connect(struct base_buf *out, struct base_slice nsp, const char *sid)
{
    return add_packet(out, NET_SIO_CONNECT, nsp, "sid", sid);
}

int net_sio_format_connect_error(struct base_buf *out, struct base_slice nsp, const char *message)
{
    return add_packet(out, NET_SIO_CONNECT_ERROR, nsp, "message", message);
}

int net_sio_format_disconnect(struct base_buf *out, struct base_slice nsp)
{
    return begin(out, NET_SIO_DISCONNECT, 0, nsp, 0);
}

int net_sio_format_event(struct base_buf *out, struct base_slice nsp, struct base_slice name,
                         struct base_slice arguments, unsigned attachments)
{
    enum net_sio_type type = attachments ? NET_SIO_BINARY_EVENT : NET_SIO_EVENT;
    if (begin(out, type, attachments, nsp, name.len + arguments.len + strlen("[,]")) < 0)
        return BASE_ERR_NOMEM;
    base_buf_add_byte(out, '[');
    base_buf_add(out, name.data, name.len);
    if (arguments.len)
        base_buf_add_byte(out, ',');
    base_buf_add(out, arguments.data, arguments.len);
    base_buf_add_byte(out, ']');
    return BASE_OK;
}

int net_sio_format_ack(struct base_buf *out, struct base_slice nsp, uint64_t ack,
                       struct base_slice arguments, unsigned attachments)
{
    enum net_sio_type type = attachments ? NET_SIO_BINARY_ACK : NET_SIO_ACK;
    size_t id = sizeof "18446744073709551615";
    if (begin(out, type, attachments, nsp, id + arguments.len + strlen("[]")) < 0)
        return BASE_ERR_NOMEM;
    base_buf_printf(out, "%" PRIu64 "[", ack);
    base_buf_add(out, arguments.data, arguments.len);
    base_buf_add_byte(out, ']');
    return BASE_OK;
}
