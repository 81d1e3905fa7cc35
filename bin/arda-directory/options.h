/* SPDX-License-Identifier: ISC */
#ifndef ARDA_DIRECTORY_OPTIONS_H
#define ARDA_DIRECTORY_OPTIONS_H

#include "base/opt_common.h"

#define DIRECTORY_OPTIONS(OPT)                                                                     \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(strict, 0, "strict", FLAG, NULL, NULL, NULL, NULL,                                         \
        "load: end at the first bad line, and store nothing")                                      \
    OPT(replace, 0, "replace", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "load: remove what the input lacks of its tenants")                                        \
    OPT(secrets, 0, "secrets", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "dump, get: show the secrets of webhooks, which are masked otherwise")                     \
    OPT(retry_for, 0, "retry-for", DURATION, "TIME", BASE_OPT_SHARED, "30s", NULL,                 \
        "how long to try again while Redis is away")                                               \
    BASE_OPT_COMMON_LOG(OPT)

#endif
