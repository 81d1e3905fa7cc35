/* SPDX-License-Identifier: ISC */
#ifndef ARDA_SUBSCRIBE_OPTIONS_H
#define ARDA_SUBSCRIBE_OPTIONS_H

#include "base/opt_common.h"

#define SUBSCRIBE_VIA_OPTIONS(OPT)                                                                 \
    OPT(via, 0, "via", TEXT, "URL", NULL, NULL, NULL,                                              \
        "read through the gateway there, as a browser does; http[s]://HOST[:PORT][/PATH]")         \
    OPT(token_file, 0, "token-file", TEXT, "FILE", NULL, NULL, NULL,                               \
        "file with the token for --via; else ARDA_TOKEN is taken")                                 \
    OPT(transport, 0, "transport", CHOICE, "NAME", NULL, "upgrade", "upgrade|websocket|polling",   \
        "of --via; upgrade: polling first, as browsers do")                                        \
    OPT(cacert, 0, "cacert", TEXT, "FILE", NULL, NULL, NULL,                                       \
        "certificates to trust with --via, instead of the system's; PEM")                          \
    OPT(connect_timeout, 0, "connect-timeout", DURATION, "TIME", NULL, "20s", NULL,                \
        "how long the gateway may take to let us in; 0: for ever")                                 \
    OPT(no_reconnect, 0, "no-reconnect", FLAG, NULL, NULL, NULL, NULL,                             \
        "end when the gateway cannot be reached or is lost")                                       \
    OPT(compare, 0, "compare", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "with --via, print only how the events of one tenant differ from those on the bus")        \
    OPT(grace, 0, "grace", DURATION, "TIME", NULL, "5s", NULL,                                     \
        "how much later than one way an event may come the other, with --compare")

#define SUBSCRIBE_OPTIONS(OPT)                                                                     \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(all, 'a', "all", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                                  \
        "the events of every tenant of the directory, new ones too")                               \
    OPT(global, 'g', "global", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "the events of all tenants, from the global channel, live only")                           \
    OPT(tenants, 0, "tenants", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "list the tenants with the length and the last entry of their streams")                    \
    OPT(since, 0, "since", TEXT, "WHEN", NULL, NULL, NULL,                                         \
        "begin there: a time, -10m, a stream id, an eventId, start, or end")                       \
    OPT(until, 0, "until", TEXT, "WHEN", NULL, NULL, NULL,                                         \
        "end there: before a time, or with the event of an id")                                    \
    OPT(last, 0, "last", INT, "N", NULL, "0", "0..1000000000", "begin with the N newest events")   \
    OPT(follow, 'f', "follow", FLAG, NULL, NULL, NULL, NULL,                                       \
        "go on with what is published, after what was")                                            \
    OPT(cursor, 0, "cursor", TEXT, "FILE", NULL, NULL, NULL,                                       \
        "keep how far the output has come in FILE, and begin there the next time")                 \
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
    OPT(idle, 0, "idle", DURATION, "TIME", NULL, "0", NULL,                                        \
        "end when nothing was printed for this long; 0: never")                                    \
    OPT(timeout, 0, "timeout", DURATION, "TIME", NULL, "0", NULL,                                  \
        "end after this time, with exit status 124; 0: never")                                     \
    OPT(gaps, 0, "gaps", FLAG, NULL, NULL, NULL, NULL,                                             \
        "print what was missed among the events, not on standard error")                           \
    OPT(fail_on_gap, 0, "fail-on-gap", FLAG, NULL, NULL, NULL, NULL,                               \
        "end with exit status 1 if anything was missed")                                           \
    OPT(check_every, 0, "check-every", DURATION, "TIME", NULL, "3s", NULL,                         \
        "how often streams are compared with what has come; 0: never")                             \
    OPT(line_buffered, 0, "line-buffered", FLAG, NULL, NULL, NULL, NULL,                           \
        "write each line by itself")                                                               \
    SUBSCRIBE_VIA_OPTIONS(OPT)                                                                     \
    BASE_OPT_COMMON_LOG(OPT)

#endif
