/* SPDX-License-Identifier: ISC
 *
 * host: by what name a server is asked. A page of a foreign site can have its own name lead to an
 * address of the reader's machine, and then read what it finds there as its own (DNS rebinding).
 * The name in the Host header is the only thing that gives it away. No I/O. Threads: any.
 */
#ifndef NET_CODEC_HOST_H
#define NET_CODEC_HOST_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a Host header, with or without a port, is none that a foreign site can have: it is absent
 * (data NULL) or empty, an IP address, a name of one label, `localhost`, a name below it, or one of
 * `names`; letters in either case. */
bool net_host_is_local(struct base_slice host, const char *const *names, size_t count);

#endif
