/* SPDX-License-Identifier: ISC */
#include "net/codec/negotiate.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define WINDOW_BITS_MIN 8
#define WINDOW_BITS_MAX 15

/* ---- reading a list of `token *( ; name [= value] )` ---- */

struct reader {
    const char *at;
    const char *end;
};

struct parameter {
    struct base_slice name;
    struct base_slice value; /* data NULL: none */
};

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static void skip_blanks(struct reader *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
        in->at++;
}

static bool skip(struct reader *in, char c)
{
    skip_blanks(in);
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    skip_blanks(in);
    return true;
}

static bool read_token(struct reader *in, struct base_slice *token)
{
    const char *start = in->at;
    while (in->at < in->end && is_token_char(*in->at))
        in->at++;
    *token = (struct base_slice){start, (size_t)(in->at - start)};
    return token->len > 0;
}

/* A value may be quoted, but has to be a token all the same. */
static bool read_value(struct reader *in, struct base_slice *value)
{
    if (in->at == in->end || *in->at != '"')
        return read_token(in, value);
    in->at++;
    return read_token(in, value) && in->at < in->end && *in->at++ == '"';
}

/* 1: a parameter. 0: the element has no further one. -1: broken. */
static int next_parameter(struct reader *in, struct parameter *parameter)
{
    *parameter = (struct parameter){{NULL, 0}, {NULL, 0}};
    if (!skip(in, ';'))
        return in->at == in->end || *in->at == ',' ? 0 : -1;
    if (!read_token(in, &parameter->name))
        return -1;
    if (skip(in, '=') && !read_value(in, &parameter->value))
        return -1;
    return 1;
}

/* Goes to the next element and reads its token; empty elements do not count. */
static bool next_element(struct reader *in, struct base_slice *token)
{
    while (skip(in, ','))
        ;
    return read_token(in, token);
}

static bool equals(struct base_slice slice, const char *text)
{
    return slice.len == strlen(text) && memcmp(slice.data, text, slice.len) == 0;
}

/* ---- permessage-deflate ---- */

enum seen {
    SERVER_NO_TAKEOVER = 1 << 0,
    CLIENT_NO_TAKEOVER = 1 << 1,
    SERVER_WINDOW = 1 << 2,
    CLIENT_WINDOW = 1 << 3,
    REFUSED = 1 << 7,
};

/* 8 to 15 without leading zeros; 0 for anything else. */
static unsigned window_bits(struct base_slice value)
{
    unsigned bits = 0;
    if (value.len == 0 || value.len > 2 || value.data[0] == '0')
        return 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return 0;
        bits = bits * 10 + (unsigned)(value.data[i] - '0');
    }
    return bits >= WINDOW_BITS_MIN && bits <= WINDOW_BITS_MAX ? bits : 0;
}

/* What a parameter is, or REFUSED. */
static unsigned judge(const struct parameter *parameter)
{
    bool has_value = parameter->value.data != NULL;
    if (equals(parameter->name, "server_no_context_takeover"))
        return has_value ? REFUSED : SERVER_NO_TAKEOVER;
    if (equals(parameter->name, "client_no_context_takeover"))
        return has_value ? REFUSED : CLIENT_NO_TAKEOVER;
    if (equals(parameter->name, "server_max_window_bits"))
        return window_bits(parameter->value) == WINDOW_BITS_MAX ? SERVER_WINDOW : REFUSED;
    if (equals(parameter->name, "client_max_window_bits"))
        return has_value && !window_bits(parameter->value) ? REFUSED : CLIENT_WINDOW;
    return REFUSED;
}

const char *net_negotiate_deflate(struct base_slice extensions)
{
    if (!extensions.data)
        return NULL;
    struct reader in = {extensions.data, extensions.data + extensions.len};
    struct base_slice name;
    while (next_element(&in, &name)) {
        struct parameter parameter;
        unsigned seen = equals(name, "permessage-deflate") ? 0 : REFUSED;
        int got;
        while ((got = next_parameter(&in, &parameter)) == 1) {
            unsigned what = judge(&parameter);
            seen |= seen & what ? REFUSED : what;
        }
        if (got < 0)
            return NULL;
        if (!(seen & REFUSED))
            return seen & SERVER_WINDOW ? "permessage-deflate; server_no_context_takeover; "
                                          "client_no_context_takeover; server_max_window_bits=15"
                                        : "permessage-deflate; server_no_context_takeover; "
                                          "client_no_context_takeover";
    }
    return NULL;
}

/* ---- gzip ---- */

/* A weight of 0 in one of its spellings: `0`, `0.`, `0.000`. */
static bool is_zero(struct base_slice weight)
{
    if (weight.len == 0 || weight.data[0] != '0')
        return false;
    for (size_t i = 1; i < weight.len; i++)
        if (weight.data[i] != (i == 1 ? '.' : '0'))
            return false;
    return true;
}

bool net_negotiate_gzip(struct base_slice accept_encoding)
{
    if (!accept_encoding.data)
        return false;
    struct reader in = {accept_encoding.data, accept_encoding.data + accept_encoding.len};
    struct base_slice coding;
    bool any = false, named = false, gzip = false;
    while (next_element(&in, &coding)) {
        struct parameter parameter;
        bool wanted = true;
        int got;
        while ((got = next_parameter(&in, &parameter)) == 1)
            if (parameter.name.len == 1 && (*parameter.name.data | 0x20) == 'q')
                wanted = !is_zero(parameter.value);
        if (got < 0)
            return false;
        if (coding.len == 4 && strncasecmp(coding.data, "gzip", 4) == 0) {
            gzip = wanted;
            named = true;
        } else if (equals(coding, "*")) {
            any = wanted;
        }
    }
    return named ? gzip : any;
}
