/* SPDX-License-Identifier: ISC
 *
 * http1_lines: finds the end of a section of header or trailer fields, RFC 9112 sections 2.2 and 5,
 * and refuses what parsers let through: bare CR or LF, folded lines, blanks before the colon,
 * characters that are none of a name, control characters. Of http1. Threads: one at a time.
 */
#ifndef NET_CODEC_HTTP1_LINES_H
#define NET_CODEC_HTTP1_LINES_H

#include <stddef.h>
#include <stdint.h>

struct net_http1_lines {
    uint8_t state;
};

/* Begins before a field line, or in front of a request line, which is not looked into. */
void net_http1_lines_init(struct net_http1_lines *lines, int request_line);
/* 1: the section is complete, its empty line included, after `*used` bytes. 0: all bytes taken.
 * BASE_ERR_SYNTAX. */
int net_http1_lines_feed(struct net_http1_lines *lines, const char *data, size_t len, size_t *used);

#endif
