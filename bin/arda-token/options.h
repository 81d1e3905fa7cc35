/* SPDX-License-Identifier: ISC */
#ifndef ARDA_TOKEN_OPTIONS_H
#define ARDA_TOKEN_OPTIONS_H

#include "base/opt_common.h"

#define TOKEN_OPTIONS(OPT)                                                                         \
    BASE_OPT_COMMON_JWT(OPT)                                                                       \
    OPT(algorithm, 0, "algorithm", TEXT, "NAME", NULL, NULL, NULL,                                 \
        "mint: how to sign (default: HS256, RS256 or ES256, as the first key is for)")             \
    OPT(tenant, 't', "tenant", TEXT, "ID", NULL, NULL, NULL, "mint: the tenant, claim tenantId")   \
    OPT(user, 'u', "user", TEXT, "ID", NULL, NULL, NULL, "mint: the user, claim sub")              \
    OPT(role, 0, "role", TEXT, "ROLE", NULL, NULL, NULL, "mint: claim role")                       \
    OPT(email, 0, "email", TEXT, "ADDRESS", NULL, NULL, NULL, "mint: claim email")                 \
    OPT(issuer, 0, "issuer", TEXT, "NAME", NULL, NULL, NULL, "mint: claim iss")                    \
    OPT(audience, 0, "audience", TEXT, "NAME", NULL, NULL, NULL, "mint: claim aud")                \
    OPT(ttl, 0, "ttl", DURATION, "TIME", NULL, "15m", NULL,                                        \
        "mint: how long it is valid, in whole seconds")                                            \
    BASE_OPT_COMMON_LOG(OPT)

#endif
