/* SPDX-License-Identifier: ISC
 *
 * connect: the token to connect with. Threads: any.
 */
#ifndef CLIENT_CONNECT_H
#define CLIENT_CONNECT_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the packet that joins the namespace `/`: with {"token":…} from the file if there is one,
 * else from the text; without both, bare. BASE_ERR_CONFIG with the reason, BASE_ERR_NOMEM. */
int client_connect_packet(const char *token_file, const char *token, struct base_buf *out,
                          struct base_why *why);

#endif
