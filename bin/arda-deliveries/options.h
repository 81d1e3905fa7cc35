/* SPDX-License-Identifier: ISC */
#ifndef ARDA_DELIVERIES_OPTIONS_H
#define ARDA_DELIVERIES_OPTIONS_H

#include "base/opt_common.h"

#define DELIVERIES_OPTIONS(OPT)                                                                    \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(tenant, 't', "tenant", TEXT, "TENANT", NULL, NULL, NULL,                                   \
        "deliveries of this tenant (default: of all in the directory)")                            \
    OPT(user, 'u', "user", TEXT, "USER", NULL, NULL, NULL, "to this user")                         \
    OPT(status, 0, "status", TEXT, "LIST", NULL, NULL, NULL,                                       \
        "with one of these: pending, sent, delivered, failed, bounced; commas between them")       \
    OPT(failed, 0, "failed", FLAG, NULL, NULL, NULL, NULL,                                         \
        "the dead letters, short for --status=failed,bounced")                                     \
    OPT(channel, 'c', "channel", CHOICE, "CHANNEL", NULL, "any", "any|email|webhook",              \
        "by this channel")                                                                         \
    OPT(type, 0, "type", TEXT, "TYPE", NULL, NULL, NULL,                                           \
        "of notifications of this type, such as po_created")                                       \
    OPT(event, 'e', "event", TEXT, "ID", NULL, NULL, NULL,                                         \
        "of what this event has become: its eventId, or the cause of a delivery")                  \
    OPT(notification, 0, "notification", TEXT, "ID", NULL, NULL, NULL, "of this notification")     \
    OPT(since, 0, "since", TEXT, "WHEN", NULL, NULL, NULL,                                         \
        "made at this time or later: RFC 3339, seconds since 1970, or -10m")                       \
    OPT(until, 0, "until", TEXT, "WHEN", NULL, NULL, NULL, "made before this time")                \
    OPT(limit, 'n', "limit", INT, "N", NULL, "50", "0..9223372036854775807",                       \
        "list, explain: at most N deliveries; 0: no limit")                                        \
    OPT(json, 0, "json", FLAG, NULL, NULL, NULL, NULL, "print lines of JSON")                      \
    OPT(dry_run, 0, "dry-run", FLAG, NULL, NULL, NULL, NULL,                                       \
        "redrive: print which, and change nothing")                                                \
    OPT(retry_for, 0, "retry-for", DURATION, "TIME", BASE_OPT_SHARED, "30s", NULL,                 \
        "how long to try again while Redis is away")                                               \
    BASE_OPT_COMMON_LOG(OPT)

#endif
