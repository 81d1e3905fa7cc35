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
    OPT(compare, 0, "compare", FLAG, NULL, NULL, NULL, NULL,                                       \
        "with --via, print only how the events of one tenant differ from those on the bus")        \
    OPT(grace, 0, "grace", DURATION, "TIME", NULL, "5s", NULL,                                     \
        "how much later than one way an event may come the other, with --compare")

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
    SUBSCRIBE_VIA_OPTIONS(OPT)                                                                     \
    BASE_OPT_COMMON_LOG(OPT)

#endif
