/* SPDX-License-Identifier: ISC */
#ifndef ARDA_PUBLISH_OPTIONS_H
#define ARDA_PUBLISH_OPTIONS_H

#include "base/opt_common.h"

#define PUBLISH_OPTIONS(OPT)                                                                       \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(source, 's', "source", TEXT, "NAME", NULL, NULL, NULL,                                     \
        "producer named in the log (default: what an envelope says, else arda-publish)")           \
    OPT(allow_unknown, 0, "allow-unknown", FLAG, NULL, NULL, NULL, NULL,                           \
        "publish events of types that are not in the catalog, too")                                \
    OPT(loose_ids, 0, "loose-ids", FLAG, NULL, NULL, NULL, NULL,                                   \
        "take any identifier where the catalog says UUID")                                         \
    OPT(strict, 0, "strict", FLAG, NULL, NULL, NULL, NULL, "end at the first bad line")            \
    OPT(dry_run, 'n', "dry-run", FLAG, NULL, NULL, NULL, NULL,                                     \
        "print what would be published, and do not ask Redis")                                     \
    OPT(retry_for, 0, "retry-for", DURATION, "TIME", NULL, "30s", NULL,                            \
        "how long to try again while Redis is away")                                               \
    BASE_OPT_COMMON_LOG(OPT)

#endif
