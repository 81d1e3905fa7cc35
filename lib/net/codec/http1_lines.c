/* SPDX-License-Identifier: ISC */
#include "net/codec/http1_lines.h"

#include "base/err.h"

#include <stdbool.h>
#include <string.h>

enum state {
    BEGIN,   /* of a line */
    NAME,    /* behind its first character */
    VALUE,   /* behind the colon, or in the request line */
    LINE_CR, /* its LF must follow */
    LAST_CR, /* of the empty line */
};

void net_http1_lines_init(struct net_http1_lines *lines, int request_line)
{
    lines->state = request_line ? VALUE : BEGIN;
}

/* tchar of RFC 9110 section 5.6.2. */
static bool is_token(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

/* The next state, or a negative number if the character may not stand there. */
static int step(enum state state, char c)
{
    switch (state) {
    case BEGIN:
        if (c == '\r')
            return LAST_CR;
        return is_token(c) ? NAME : BASE_ERR_SYNTAX;
    case NAME:
        if (c == ':')
            return VALUE;
        return is_token(c) ? NAME : BASE_ERR_SYNTAX;
    case VALUE:
        if (c == '\r')
            return LINE_CR;
        return is_control(c) ? BASE_ERR_SYNTAX : VALUE;
    case LINE_CR: return c == '\n' ? BEGIN : BASE_ERR_SYNTAX;
    case LAST_CR: break;
    }
    return BASE_ERR_SYNTAX;
}

int net_http1_lines_feed(struct net_http1_lines *lines, const char *data, size_t len, size_t *used)
{
    for (size_t at = 0; at < len; at++) {
        if (lines->state == LAST_CR && data[at] == '\n') {
            *used = at + 1;
            return 1;
        }
        int next = step(lines->state, data[at]);
        if (next < 0) {
            *used = at;
            return next;
        }
        lines->state = (uint8_t)next;
    }
    *used = len;
    return 0;
}
