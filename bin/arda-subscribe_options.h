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
    OPT(card, 0, "card", LIST, "CARDID", NULL, NULL, NULL,                                         \
        "only events of this card, or of an order linked to it; may be repeated")                  \
    OPT(order, 0, "order", LIST, "ORDER", NULL, NULL, NULL,                                        \
        "only events of the order with this id or number; may be given several times")             \
    OPT(user, 0, "user", LIST, "USERID", NULL, NULL, NULL,                                         \
        "only events of this user; may be given several times")                                    \
    OPT(correlation, 0, "correlation", LIST, "ID", NULL, NULL, NULL,                               \
        "only events with this correlationId; may be given several times")                         \
    OPT(match, 0, "match", LIST, "FIELD=VALUE", NULL, NULL, NULL,                                  \
        "only events whose field has this value; FIELD!=VALUE: has not; may be repeated")          \
    OPT(format, 'F', "format", TEXT, "FORMAT", NULL, "json", NULL,                                 \
        "json, envelope, ws, pretty, or a template such as '%{type} %{event.orderId}'")            \
    OPT(color, 0, "color", CHOICE, "WHEN", NULL, "auto", "auto|always|never",                      \
        "whether --format=pretty has colors")                                                      \
    OPT(count, 'n', "count", INT, "N", NULL, "0", "0..9223372036854775807",                        \
        "end after N events; 0: never")                                                            \
    OPT(timeout, 0, "timeout", DURATION, "TIME", NULL, "0", NULL,                                  \
        "end after this time, with exit status 124; 0: never")                                     \
    OPT(line_buffered, 0, "line-buffered", FLAG, NULL, NULL, NULL, NULL,                           \
        "write each line by itself")                                                               \
    BASE_OPT_COMMON_LOG(OPT)

#endif
