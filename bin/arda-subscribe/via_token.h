/* SPDX-License-Identifier: ISC
 *
 * via_token: the token to connect with. Threads: any.
 */
#ifndef SUBSCRIBE_VIA_TOKEN_H
#define SUBSCRIBE_VIA_TOKEN_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the packet that joins the namespace `/`: with {"token":…} from the file if there is one,
 * else from the text; without both, bare. BASE_ERR_CONFIG with the reason, BASE_ERR_NOMEM. */
int via_connect_packet(const char *token_file, const char *token, struct base_buf *out,
                       struct base_why *why);

#endif
