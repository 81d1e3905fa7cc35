/* SPDX-License-Identifier: ISC
 *
 * listen: sockets that accept connections. Threads: the listener's worker.
 */
#ifndef NET_IO_LISTEN_H
#define NET_IO_LISTEN_H

#include "base/err.h"
#include "net/io/worker.h"

struct net_listener {
    int fd;
    struct net_worker *worker;
    uint64_t resume_us; /* accepting is put off until then; 0: it is not */
    bool starved;       /* connections have had to wait, and may wait still */
    bool of_site;
};

/* Binds and listens: net_server_listen. `reuse`: several listeners share the port. */
int net_listen_open(struct net_listener *listener, const char *host, uint16_t port, bool reuse,
                    struct base_why *why);
void net_listen_accept(struct net_listener *listener);
void net_listen_close(struct net_listener *listener);
/* True when there is no room for another client, who has this descriptor: counts that. */
bool net_listen_refuses(struct net_worker *worker, int fd);
/* Accepts again, if that is due. */
void net_listen_resume(struct net_listener *listener, uint64_t now_us);

#endif
