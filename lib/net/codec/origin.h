/* SPDX-License-Identifier: ISC
 *
 * origin: whose pages may connect: origins of RFC 6454 section 6 as browsers send them, and
 * patterns for those of a domain. No I/O. Threads: any.
 *
 * An allowed origin is `*` (all), `null` or SCHEME://HOST[:PORT]. A host that begins with `*.` is a
 * pattern: the star stands for one label or more. With HOST *.example.com it has a.example.com and
 * a.b.example.com, neither example.com nor evilexample.com, and scheme and port are the same.
 */
#ifndef NET_CODEC_ORIGIN_H
#define NET_CODEC_ORIGIN_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* Appends the form that an allowed origin is compared in, of what a person writes: in lower case,
 * without a slash at its end, without the scheme's own port. `null` is one, `*` is not. `is_url`:
 * it is the address of a page, and its path, query and fragment are left out. BASE_ERR_SYNTAX for
 * what no browser sends as an origin, with what is wrong; BASE_ERR_NOMEM; `out` is then unchanged.
 */
int net_origin_parse(const char *text, bool is_url, struct base_buf *out, struct base_why *why);
/* Whether an origin, as a client has sent it, is an allowed one; letters in either case. */
bool net_origin_matches(const char *allowed, struct base_slice origin);
/* Whether it stands for more than one origin. */
bool net_origin_is_pattern(const char *allowed);

#endif
