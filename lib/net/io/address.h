/* SPDX-License-Identifier: ISC
 *
 * address: addresses of sockets as text: "127.0.0.1:3000", "[::1]:3000". Threads: any.
 */
#ifndef NET_IO_ADDRESS_H
#define NET_IO_ADDRESS_H

#include "base/buf.h"
#include "net/options.h"

/* Of a listening descriptor. 0, or BASE_ERR_INTERNAL. */
int net_address_own(int fd, char text[static NET_ADDRESS_MAX], uint16_t *port);
/* The peer's; "-" when it has none. */
void net_address_peer(int fd, char text[static NET_ADDRESS_MAX]);
/* Its host alone, without port and brackets; lies in `text`. */
struct base_slice net_address_host(int fd, char text[static NET_ADDRESS_MAX]);
/* Whether an address as text is one of this machine alone. */
bool net_address_is_loopback(const char *text);

#endif
