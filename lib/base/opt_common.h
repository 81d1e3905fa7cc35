/* SPDX-License-Identifier: ISC
 *
 * opt_common: rows that programs share, for their option tables (opt.h).
 */
#ifndef BASE_OPT_COMMON_H
#define BASE_OPT_COMMON_H

#include "base/opt.h"

#define BASE_OPT_COMMON_REDIS(OPT)                                                                 \
    OPT(redis, 'r', "redis", TEXT, "URL", BASE_OPT_SHARED_OR("REDIS_URL"),                         \
        "redis://127.0.0.1:6379", NULL,                                                            \
        "Redis, as redis://[user:pass@]host:port/db or unix:///path?db=n")                         \
    OPT(prefix, 0, "prefix", TEXT, "NAME", BASE_OPT_SHARED, "arda", NULL,                          \
        "first part of the names of all channels and keys")

/* The largest event. Twice this must fit into what Redis keeps for a subscriber. */
#define BASE_OPT_COMMON_MAX_EVENT(OPT)                                                             \
    OPT(max_event, 0, "max-event", SIZE, "BYTES", BASE_OPT_SHARED, "4m", "1..1073741824",          \
        "longest event, as it is published")

#define BASE_OPT_COMMON_LOG(OPT)                                                                   \
    OPT(log_format, 0, "log-format", CHOICE, "FORMAT", BASE_OPT_SHARED, "text", "text|json",       \
        "how messages on standard error are written")                                              \
    OPT(verbose, 'v', "verbose", COUNT, NULL, BASE_OPT_SHARED, NULL, NULL, "say more")             \
    OPT(quiet, 'q', "quiet", FLAG, NULL, BASE_OPT_SHARED, NULL, NULL, "say nothing but errors")

#define BASE_OPT_COMMON_JWT(OPT)                                                                   \
    OPT(jwt_secret_file, 0, "jwt-secret-file", TEXT, "FILE", BASE_OPT_SHARED, NULL, NULL,          \
        "file with the secret of the tokens; else JWT_SECRET is taken")                            \
    OPT(jwt_key, 0, "jwt-key", LIST, "[KID=]FILE", BASE_OPT_SHARED, NULL, NULL,                    \
        "another key of the tokens: PEM of RSA or P-256, or a secret; may be repeated")            \
    OPT(jwt_algorithms, 0, "jwt-algorithms", TEXT, "LIST", BASE_OPT_SHARED, "HS256,RS256,ES256",   \
        NULL,                                                                                      \
        "those that are allowed, of HS256, HS384 and HS512 for secrets, RS256 for RSA, ES256 for " \
        "P-256")                                                                                   \
    OPT(jwt_issuer, 0, "jwt-issuer", TEXT, "NAME", BASE_OPT_SHARED, NULL, NULL,                    \
        "accept tokens of this issuer (iss) only")                                                 \
    OPT(jwt_audience, 0, "jwt-audience", TEXT, "NAME", BASE_OPT_SHARED, NULL, NULL,                \
        "accept tokens for this audience (aud) only")                                              \
    OPT(jwt_leeway, 0, "jwt-leeway", DURATION, "TIME", BASE_OPT_SHARED, "0", NULL,                 \
        "how far clocks may differ: exp may be past, or nbf ahead, by this much")                  \
    OPT(jwt_require_exp, 0, "jwt-require-exp", FLAG, NULL, BASE_OPT_SHARED, NULL, NULL,            \
        "refuse tokens that do not expire (without exp)")

#endif
