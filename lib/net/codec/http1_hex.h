/* SPDX-License-Identifier: ISC
 *
 * http1_hex: hexadecimal digits, of chunk sizes and percent escapes. Of http1. Threads: any.
 */
#ifndef NET_CODEC_HTTP1_HEX_H
#define NET_CODEC_HTTP1_HEX_H

/* 0 to 15, or -1. */
static inline int net_http1_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
