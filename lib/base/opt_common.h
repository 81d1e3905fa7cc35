/* SPDX-License-Identifier: ISC
 *
 * opt_common: rows that programs share, for their option tables (opt.h).
 */
#ifndef BASE_OPT_COMMON_H
#define BASE_OPT_COMMON_H

#include "base/opt.h"

#define BASE_OPT_COMMON_REDIS(OPT)                                                                 \
    OPT(redis, 'r', "redis", TEXT, "URL", "REDIS_URL", "redis://127.0.0.1:6379", NULL,             \
        "Redis, as redis://[user:pass@]host:port/db or unix:///path?db=n")                         \
    OPT(prefix, 0, "prefix", TEXT, "NAME", NULL, "arda", NULL,                                     \
        "first part of the names of all channels and keys")

#define BASE_OPT_COMMON_LOG(OPT)                                                                   \
    OPT(log_format, 0, "log-format", CHOICE, "FORMAT", NULL, "text", "text|json",                  \
        "how messages on standard error are written")                                              \
    OPT(verbose, 'v', "verbose", COUNT, NULL, NULL, NULL, NULL, "say more")                        \
    OPT(quiet, 'q', "quiet", FLAG, NULL, NULL, NULL, NULL, "say nothing but errors")

#define BASE_OPT_COMMON_SECRET(OPT)                                                                \
    OPT(jwt_secret_file, 0, "jwt-secret-file", TEXT, "FILE", NULL, NULL, NULL,                     \
        "file with the secret of the tokens; else JWT_SECRET is taken")

#endif
