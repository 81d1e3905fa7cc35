/* SPDX-License-Identifier: ISC
 *
 * url: the parts of a URL with an authority, RFC 3986 section 3. Threads: any.
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Slices of the text that was parsed; data NULL where a part is absent. */
struct base_url {
    struct base_slice scheme;
    struct base_slice user;
    struct base_slice password;
    struct base_slice host;     /* without the brackets of an IPv6 address */
    struct base_slice path;     /* with its slash */
    struct base_slice query;    /* without its question mark */
    struct base_slice fragment; /* without its number sign */
    int port;                   /* -1: none */
};

/* BASE_ERR_SYNTAX with `why`, which never quotes user or password. Where one of these may have been
 * written without percent-encoding, it tells how that is done. */
int base_url_parse(const char *text, struct base_url *url, struct base_why *why);
/* Appends that explanation to the text of `why` (may be NULL), for a URL that was refused because
 * of what it holds. `why->code` is the result, or BASE_OK. */
int base_url_explain(struct base_why *why);
/* Whether there is an `@` after the authority: then path, query and fragment may be parts of a
 * password and must not be shown. */
bool base_url_is_torn(const struct base_url *url);
/* Whether its scheme is this one, in capitals or not (RFC 3986 section 3.1). */
bool base_url_has_scheme(const struct base_url *url, const char *scheme);
/* Appends the percent-decoded bytes. BASE_ERR_SYNTAX for a bad escape, BASE_ERR_NOMEM; `out` is
 * then unchanged. */
int base_url_decode(struct base_slice part, struct base_buf *out);
/* Appends scheme://host[:port], lower case, the scheme's own port left out (RFC 6454). Only for
 * http and https: BASE_ERR_SYNTAX for others, BASE_ERR_NOMEM; `out` is then unchanged. */
int base_url_origin(const char *text, struct base_buf *out, struct base_why *why);
/* Splits "[ADDR]:PORT" or "PORT"; an empty address is left empty, one in brackets loses them.
 * BASE_ERR_SYNTAX. */
int base_url_listen(const char *text, char *host, size_t host_size, uint16_t *port,
                    struct base_why *why);

#endif
