/* SPDX-License-Identifier: ISC
 *
 * redis_url: where Redis is, from redis://[user:pass@]host:port/db or unix:///path, each with ?db=n
 * if need be. What else a URL may have is refused, not ignored.
 * Threads: any.
 */
#ifndef ARDA_BUS_REDIS_URL_H
#define ARDA_BUS_REDIS_URL_H

#include "base/err.h"

#define ARDA_REDIS_PORT 6379

/* Strings are owned; NULL where absent. */
struct arda_redis_url {
    char *host;
    char *path; /* of a Unix socket; then there is no host */
    char *user;
    char *password;
    int port;
    int db;
    char name[128]; /* for messages: host:port or the path, never a password */
};

/* BASE_ERR_CONFIG with `why`, which names no user or password; BASE_ERR_NOMEM. */
int arda_redis_url_parse(const char *text, struct arda_redis_url *url, struct base_why *why);
void arda_redis_url_fini(struct arda_redis_url *url);

#endif
