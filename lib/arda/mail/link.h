/* SPDX-License-Identifier: ISC
 *
 * link: which links an e-mail may hold. Threads: any.
 */
#ifndef ARDA_MAIL_LINK_H
#define ARDA_MAIL_LINK_H

#include "base/buf.h"

#include <stdbool.h>

/* Whether it is http:// or https://, a host and characters of RFC 3986 only. */
bool arda_mail_link_is_safe(struct base_slice url);

/* Appends the absolute form of a notification's actionUrl: a path goes behind `public_url` (empty:
 * not known), an http(s) URL stays. Nothing is appended for what is neither, such as javascript: or
 * //host, or gives no safe link. 0 or BASE_ERR_NOMEM; then `out` is as it was. */
int arda_mail_link_add(struct base_buf *out, struct base_slice public_url,
                       struct base_slice action_url);

#endif
