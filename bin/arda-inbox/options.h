/* SPDX-License-Identifier: ISC */
#ifndef ARDA_INBOX_OPTIONS_H
#define ARDA_INBOX_OPTIONS_H

#include "base/opt_common.h"

#define INBOX_OPTIONS(OPT)                                                                         \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(tenant, 't', "tenant", TEXT, "TENANT", NULL, NULL, NULL, "whose users they are")           \
    OPT(user, 'u', "user", TEXT, "USER", NULL, NULL, NULL,                                         \
        "whose inbox it is; add: the only recipient (default: all active users)")                  \
    OPT(json, 0, "json", FLAG, NULL, NULL, NULL, NULL, "print rows and numbers as lines of JSON")  \
    OPT(unread, 0, "unread", FLAG, NULL, NULL, NULL, NULL,                                         \
        "list, count: only what has not been read")                                                \
    OPT(limit, 'n', "limit", INT, "N", NULL, "50", "0..9223372036854775807",                       \
        "list: at most N rows; watch: end after N; 0: no limit")                                   \
    OPT(before, 0, "before", TEXT, "ID", NULL, NULL, NULL,                                         \
        "list: begin after this row, the last one of the previous page")                           \
    OPT(all, 0, "all", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL, "read, unread, rm: all there are") \
    OPT(type, 0, "type", TEXT, "TYPE", NULL, NULL, NULL,                                           \
        "add: type of the notification, such as system_alert")                                     \
    OPT(title, 0, "title", TEXT, "TEXT", NULL, NULL, NULL, "add: its title")                       \
    OPT(body, 0, "body", TEXT, "TEXT", NULL, NULL, NULL, "add: further text")                      \
    OPT(action_url, 0, "action-url", TEXT, "URL", NULL, NULL, NULL,                                \
        "add: where a click on it leads")                                                          \
    OPT(metadata, 0, "metadata", TEXT, "JSON", NULL, NULL, NULL, "add: an object for programs")    \
    OPT(id, 0, "id", TEXT, "ID", NULL, NULL, NULL,                                                 \
        "add: what is added once, however often it is tried (default: a new one)")                 \
    OPT(timeout, 0, "timeout", DURATION, "TIME", NULL, "0", NULL,                                  \
        "watch: end after this time, with exit status 124; 0: never")                              \
    OPT(retry_for, 0, "retry-for", DURATION, "TIME", BASE_OPT_SHARED, "30s", NULL,                 \
        "how long to try again while Redis is away")                                               \
    BASE_OPT_COMMON_LOG(OPT)

#endif
