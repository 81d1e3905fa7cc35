/* SPDX-License-Identifier: ISC
 *
 * form: a field of a form in the body of a POST, in the two forms that browsers send:
 * application/x-www-form-urlencoded, and multipart/form-data (RFC 7578). No I/O. Threads: any.
 */
#ifndef NET_CODEC_FORM_H
#define NET_CODEC_FORM_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the value of the field `name` to `out`; of several the first counts. `type` is the
 * request's Content-Type. 1: found; 0: absent; BASE_ERR_INVALID: the type is another one, or none;
 * BASE_ERR_SYNTAX: the body is not of its type, as far as it was looked at; BASE_ERR_NOMEM; `out`
 * is unchanged unless it was found. Boundaries and names with a backslash are not understood: they
 * are BASE_ERR_SYNTAX. */
int net_form_value(struct base_slice type, struct base_slice body, const char *name,
                   struct base_buf *out);

#endif
