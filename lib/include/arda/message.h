/* SPDX-License-Identifier: ISC
 *
 * message: what travels on a channel, read in either of its two forms.
 *
 * An object with a string `type` is a bare event whatever else it has; one without, but with an
 * object `event`, is an envelope (catalog section 10, design of the bus). Unknown fields and
 * unknown types are no concern here. Parsing copies nothing. Threads: any.
 */
#ifndef ARDA_MESSAGE_H
#define ARDA_MESSAGE_H

#include "base/api.h"
#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* Why a message is dropped: name of the counter, text of the log. */
#define ARDA_DROP_MAP(X)                                                                           \
    X(ARDA_DROP_NOT_JSON, "not_json", "not JSON")                                                  \
    X(ARDA_DROP_NOT_OBJECT, "not_object", "not a JSON object")                                     \
    X(ARDA_DROP_NO_TYPE, "no_type", "no string \"type\"")                                          \
    X(ARDA_DROP_FOREIGN_TENANT, "foreign_tenant", "\"tenantId\" is not the channel's")             \
    X(ARDA_DROP_DUPLICATE, "duplicate", "an id that was seen before")

enum arda_drop {
    ARDA_DROP_NONE = 0,
#define ARDA_DROP_ENUM_(code, name, text) code,
    ARDA_DROP_MAP(ARDA_DROP_ENUM_)
#undef ARDA_DROP_ENUM_
        ARDA_DROP_COUNT
};

ARDA_API const char *arda_drop_name(enum arda_drop drop);
ARDA_API const char *arda_drop_text(enum arda_drop drop);

/* All positions point into the text that was parsed, or (tenant) into the argument. */
struct arda_message {
    struct base_slice text;      /* the whole message */
    struct base_slice event;     /* the event's text alone, unchanged, without blanks around */
    struct base_json_value type; /* a STRING, escapes and all: legal as it stands in JSON */
    struct base_slice tenant;    /* of the channel, else the event's; empty: none */
    struct base_json_value id;   /* the envelope's `id`, else the event's `eventId`; ABSENT when
                                    missing, not a string, or empty */
    struct base_json_value timestamp; /* the event's; may be ABSENT or of any kind */
    struct base_json_value envelope;  /* the envelope, ABSENT for a bare event */
};

/* `tenant` is the tenant of the channel the text came on, or NULL for the global channel, where a
 * `tenantId` that is there must be a valid tenant id. ARDA_DROP_NONE, or why it is to be dropped;
 * `error` (may be NULL) tells where the JSON is broken. */
ARDA_API enum arda_drop arda_message_parse(const char *text, size_t len, const char *tenant,
                                           size_t tenant_len, struct arda_message *message,
                                           struct base_json_error *error);

#endif
