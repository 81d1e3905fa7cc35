/* SPDX-License-Identifier: ISC */
#ifndef ARDA_GATEWAY_SETTINGS_H
#define ARDA_GATEWAY_SETTINGS_H

#include "arda-gateway/options.h"

#include "net/server/server.h"

struct settings {
    GATEWAY_OPTIONS(BASE_OPT_MEMBER)
};

/* ---- limits.c ---- */

/* What the endpoint and the server point to; lives as long as they do. */
struct limits {
    char *path;     /* of the endpoint */
    char **origins; /* each ours */
    size_t origin_count;
    struct base_block *proxies;
    size_t proxy_count;
};

/* Fills in the path, the bounds and who may connect. 0; BASE_ERR_CONFIG or BASE_ERR_INVALID with
 * the option's name, BASE_ERR_NOMEM. */
int limits_apply(const struct settings *settings, struct limits *limits,
                 struct net_endpoint *endpoint, struct net_server_options *options,
                 struct base_why *why);
void limits_fini(struct limits *limits);

#endif
