/* SPDX-License-Identifier: ISC */
#ifndef ARDA_PUBLISH_OPTIONS_H
#define ARDA_PUBLISH_OPTIONS_H

#include "base/opt_common.h"

#define PUBLISH_OPTIONS(OPT)                                                                       \
    BASE_OPT_COMMON_REDIS(OPT)                                                                     \
    OPT(tenant, 't', "tenant", TEXT, "TENANT", NULL, NULL, NULL,                                   \
        "tenant of the events that name none")                                                     \
    OPT(source, 's', "source", TEXT, "NAME", NULL, NULL, NULL,                                     \
        "producer named in the log (default: what an envelope says, else arda-publish)")           \
    OPT(correlation_id, 0, "correlation-id", TEXT, "ID", NULL, NULL, NULL,                         \
        "correlationId of the envelopes (default: what an envelope says)")                         \
    OPT(envelope, 0, "envelope", FLAG, NULL, NULL, NULL, NULL,                                     \
        "wrap events in their envelopes on the channels, too")                                     \
    OPT(no_stream, 0, "no-stream", FLAG, NULL, NULL, NULL, NULL, "publish on the channels alone")  \
    OPT(stream_maxlen, 0, "stream-maxlen", INT, "N", BASE_OPT_NO_ENV, "10000", "1..1000000000",    \
        "about how many entries a stream keeps")                                                   \
    OPT(allow_unknown, 0, "allow-unknown", FLAG, NULL, NULL, NULL, NULL,                           \
        "publish events of types that are not in the catalog, too")                                \
    OPT(loose_ids, 0, "loose-ids", FLAG, NULL, NULL, NULL, NULL,                                   \
        "take any identifier where the catalog says UUID")                                         \
    OPT(downgrade, 0, "downgrade", LIST, "MAP", NULL, NULL, NULL,                                  \
        "publish events of a new type together with their form of the old one; may be repeated")   \
    OPT(strict, 0, "strict", FLAG, NULL, NULL, NULL, NULL, "end at the first bad line")            \
    OPT(dry_run, 'n', "dry-run", FLAG, NULL, NULL, NULL, NULL,                                     \
        "print what would be published, and do not ask Redis")                                     \
    OPT(ack, 'a', "ack", FLAG, NULL, NULL, NULL, NULL, "print a JSON line per confirmed event")    \
    OPT(rate, 0, "rate", INT, "N", NULL, "0", "0..1000000",                                        \
        "at most N events a second; 0: as they come")                                              \
    BASE_OPT_COMMON_MAX_EVENT(OPT)                                                                 \
    OPT(idempotency_key, 'k', "idempotency-key", TEXT, "KEY", NULL, NULL, NULL,                    \
        "derive missing eventIds from this and the lines, so that a repeated run changes nothing") \
    OPT(dedupe_for, 0, "dedupe-for", DURATION, "TIME", BASE_OPT_SHARED, "1d", NULL,                \
        "how long Redis remembers which events were published; 0: not")                            \
    OPT(retry_for, 0, "retry-for", DURATION, "TIME", BASE_OPT_SHARED, "30s", NULL,                 \
        "how long to try again while Redis is away")                                               \
    OPT(unsent, 'u', "unsent", TEXT, "FILE", NULL, NULL, NULL,                                     \
        "write what could not be confirmed there, as input for the next run")                      \
    OPT(schema, 0, "schema", TEXT, "TYPE", BASE_OPT_NO_ENV, NULL, NULL,                            \
        "print the JSON Schema of an event type and exit")                                         \
    BASE_OPT_COMMON_LOG(OPT)

#endif
