/* SPDX-License-Identifier: ISC */
#ifndef ARDA_REPLAY_OPTIONS_H
#define ARDA_REPLAY_OPTIONS_H

#include "base/opt_common.h"

#define REPLAY_OPTIONS(OPT)                                                                        \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(from_stream, 0, "from-stream", TEXT, "TENANT", NULL, NULL, NULL,                           \
        "read the stream of this tenant instead of files")                                         \
    OPT(since, 0, "since", TEXT, "POSITION", NULL, "start", NULL,                                  \
        "where in the stream to begin: a time, -10m, a stream id, an eventId, start")              \
    OPT(until, 0, "until", TEXT, "POSITION", NULL, "end", NULL,                                    \
        "where in the stream to end; end: the newest entry there is at the start")                 \
    OPT(type, 't', "type", LIST, "GLOB", NULL, NULL, NULL,                                         \
        "only events whose type matches; may be given several times")                              \
    OPT(speed, 's', "speed", TEXT, "FACTOR", NULL, "1", NULL,                                      \
        "how much faster than recorded, 0.01 to 1000")                                             \
    OPT(max_gap, 0, "max-gap", DURATION, "TIME", NULL, "0", NULL,                                  \
        "wait this long between two events at most; 0: as recorded")                               \
    OPT(rate, 0, "rate", TEXT, "N", NULL, "0", NULL,                                               \
        "N events a second, 0.001 to 1000000, whatever was recorded; 0: as recorded")              \
    OPT(instant, 0, "instant", FLAG, NULL, NULL, NULL, NULL, "do not wait at all")                 \
    OPT(repeat, 0, "repeat", INT, "N", NULL, "1", "0..1000000000",                                 \
        "replay everything N times; 0: for ever")                                                  \
    OPT(reorder_window, 0, "reorder-window", DURATION, "TIME", NULL, "0", NULL,                    \
        "put events that are out of order by less than this in order")                             \
    OPT(run, 0, "run", TEXT, "ID", BASE_OPT_NO_ENV, NULL, NULL,                                    \
        "what new eventIds are derived from, with the old ones (default: random, and reported)")   \
    OPT(keep_ids, 0, "keep-ids", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                          \
        "keep eventIds, and leave out what the bus has seen")                                      \
    OPT(dedupe_for, 0, "dedupe-for", DURATION, "TIME", BASE_OPT_SHARED, "1d", NULL,                \
        "how long Redis remembers which events were published; 0: not")                            \
    OPT(tenant, 0, "tenant", TEXT, "TENANT", BASE_OPT_NO_ENV, NULL, NULL,                          \
        "replay as events of this tenant")                                                         \
    OPT(shadow, 0, "shadow", TEXT, "SUFFIX", BASE_OPT_NO_ENV, NULL, NULL,                          \
        "replay into shadow tenants, whose ids end in this: nothing is delivered outside")         \
    OPT(map_ids, 0, "map-ids", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                            \
        "replace cards, loops, orders, users and other UUIDs by new ones")                         \
    OPT(retime, 0, "retime", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                              \
        "shift the times in the events to now, keeping their distances")                           \
    OPT(set, 0, "set", LIST, "FIELD=VALUE", BASE_OPT_NO_ENV, NULL, NULL,                           \
        "set a member of each event, to JSON or else a string; may be given several times")        \
    OPT(print, 0, "stdout", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                               \
        "print the events instead of publishing them")                                             \
    OPT(envelope, 0, "envelope", FLAG, NULL, NULL, NULL, NULL,                                     \
        "wrap events in their envelopes on the channels, and on standard output")                  \
    OPT(plan, 'n', "plan", FLAG, NULL, BASE_OPT_NO_ENV, NULL, NULL,                                \
        "print what would be replayed, and send nothing")                                          \
    OPT(stops, 0, "stops", DURATION, "TIME", NULL, "1m", NULL,                                     \
        "pauses longer than this are listed by the plan")                                          \
    OPT(format, 0, "format", CHOICE, "FORMAT", NULL, "auto", "auto|text|json",                     \
        "how plan and report are written")                                                         \
    BASE_OPT_COMMON_MAX_EVENT(OPT)                                                                 \
    OPT(checkpoint, 0, "checkpoint", TEXT, "FILE", NULL, NULL, NULL,                               \
        "keep here how far it has come, and go on from there")                                     \
    OPT(max_late, 0, "max-late", DURATION, "TIME", NULL, "0", NULL,                                \
        "exit with 1 if an event was later than this; 0: never")                                   \
    OPT(retry_for, 0, "retry-for", DURATION, "TIME", BASE_OPT_SHARED, "30s", NULL,                 \
        "how long to try again while Redis is away")                                               \
    BASE_OPT_COMMON_LOG(OPT)

#endif
