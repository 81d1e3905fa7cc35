/* SPDX-License-Identifier: ISC */
#ifndef ARDA_NOTIFYD_OPTIONS_H
#define ARDA_NOTIFYD_OPTIONS_H

#include "base/opt_common.h"

#define NOTIFYD_OPTIONS(OPT)                                                                       \
    OPT(since, 's', "since", TEXT, "WHEN", NULL, NULL, NULL,                                       \
        "begin there in streams that nobody has read: start, a time, -10m, a stream id")           \
    OPT(retain, 0, "retain", TEXT, "[AGE][,COUNT]", NULL, NULL, NULL,                              \
        "keep no older notifications, and no more of each user")                                   \
    OPT(print, 'p', "print", FLAG, NULL, NULL, NULL, NULL,                                         \
        "write each new notification to standard output, a JSON object a line")                    \
    OPT(dry_run, 'n', "dry-run", FLAG, NULL, NULL, NULL, NULL,                                     \
        "write nothing to Redis; print what would become of each event")                           \
    OPT(explain, 0, "explain", FLAG, NULL, NULL, NULL, NULL,                                       \
        "print what would become of the events of standard input, and why")                        \
    OPT(redrive, 0, "redrive", FLAG, NULL, NULL, NULL, NULL,                                       \
        "process the dead letters again, all or those that are named, and end")                    \
    OPT(rules, 0, "rules", FLAG, NULL, NULL, NULL, NULL,                                           \
        "print which event becomes which notification, and end")                                   \
    OPT(json, 0, "json", FLAG, NULL, NULL, NULL, NULL, "with --rules: a JSON object a line")       \
    OPT(admin, 0, "admin", TEXT, "[ADDR]:PORT", NULL, NULL, NULL,                                  \
        "where to serve /metrics, /healthz and /readyz; without it, nowhere")                      \
    OPT(drain, 0, "drain", DURATION, "TIME", NULL, "5s", NULL,                                     \
        "how long events that are being processed may take at the end")                            \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    BASE_OPT_COMMON_LOG(OPT)

#endif
