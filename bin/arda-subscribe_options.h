/* SPDX-License-Identifier: ISC */
#ifndef ARDA_SUBSCRIBE_OPTIONS_H
#define ARDA_SUBSCRIBE_OPTIONS_H

#include "base/opt_common.h"

#define SUBSCRIBE_OPTIONS(OPT)                                                                     \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(global, 'g', "global", FLAG, NULL, NULL, NULL, NULL,                                       \
        "the events of all tenants, from the global channel")                                      \
    OPT(type, 't', "type", LIST, "GLOB", NULL, NULL, NULL,                                         \
        "only events whose type matches; may be given several times")                              \
    OPT(loop, 0, "loop", LIST, "LOOPID", NULL, NULL, NULL,                                         \
        "only events of this kanban loop; may be given several times")                             \
    OPT(count, 'n', "count", INT, "N", NULL, "0", "0..9223372036854775807",                        \
        "end after N events; 0: never")                                                            \
    OPT(timeout, 0, "timeout", DURATION, "TIME", NULL, "0", NULL,                                  \
        "end after this time, with exit status 124; 0: never")                                     \
    OPT(line_buffered, 0, "line-buffered", FLAG, NULL, NULL, NULL, NULL,                           \
        "write each line by itself")                                                               \
    BASE_OPT_COMMON_LOG(OPT)

#endif
