/* SPDX-License-Identifier: ISC
 *
 * redis_dial: sockets that are being connected, without waiting. Threads: any.
 */
#ifndef ARDA_BUS_REDIS_DIAL_H
#define ARDA_BUS_REDIS_DIAL_H

#include <sys/socket.h>

/* A descriptor that is non-blocking and becomes writable when the connection stands or has failed,
 * which arda_redis_dial_error tells. -1 with errno. */
int arda_redis_dial(int family, const struct sockaddr *address, socklen_t len);
/* The same to a socket of the file system. */
int arda_redis_dial_unix(const char *path);
/* 0: it stands; else an errno. */
int arda_redis_dial_error(int fd);

#endif
