/* SPDX-License-Identifier: ISC
 *
 * explain: why somebody did or did not get something. What is found out is gathered here, and
 * printed when there is nothing more to ask.
 */
#ifndef ARDA_DELIVERIES_EXPLAIN_H
#define ARDA_DELIVERIES_EXPLAIN_H

#include "arda-deliveries/deliveries.h"

#include "arda/directory_line.h"
#include "arda/stream_id.h"

/* A tenant's endpoint. A zeroed struct knows of none. */
struct endpoint {
    bool known, enabled;
    struct base_buf host, why;
    struct arda_delivery_facts facts; /* its numbers; texts are not to be used */
};

/* From the directory's entry, and from what daemons have noted. 0 or BASE_ERR_NOMEM. */
int endpoint_take(struct endpoint *endpoint, const struct arda_directory_line *line);
int endpoint_note(struct endpoint *endpoint, const struct arda_delivery_facts *facts);
void endpoint_fini(struct endpoint *endpoint);
/* For a person, without a line end; as JSON. */
int endpoint_print(struct base_buf *out, const struct endpoint *endpoint);
int endpoint_write(struct base_buf *out, const struct endpoint *endpoint);

struct explain {
    int stage;   /* what is asked next */
    bool failed; /* memory ran out */
    bool named;  /* it is about one delivery, which has been found */

    /* What it is about; empty: not known (yet). */
    char user[ARDA_ID_MAX + 1];
    char event[ARDA_NOTIFY_KEY_MAX + 1];
    char notification[ARDA_ID_MAX + 1];
    size_t tenant; /* in tool->tenants */
    bool typed;
    enum arda_notify_type type;

    /* The event and its notification. */
    struct base_buf text; /* as it was published */
    struct arda_stream_id entry;
    bool in_stream;
    struct base_buf event_type, rule, title;
    bool ruled; /* `rule` is what has been found, perhaps that there is none */
    bool shadow, handled, in_inbox;

    /* The directory. */
    bool user_known, active;
    struct base_buf email, time_zone, digest, quiet;
    int digest_rank, quiet_rank; /* how exactly they are meant for the user and type */
    struct arda_notify_preferences *preferences;
    struct endpoint endpoint;

    /* Deliveries of each channel: for a person, or as JSON with commas between. */
    struct base_buf deliveries[ARDA_NOTIFY_CHANNELS];
    uint64_t counts[ARDA_NOTIFY_CHANNELS];
};

/* Why nothing goes by a channel, or NULL: something would. */
const char *explain_obstacle(const struct explain *explain, enum arda_notify_channel channel,
                             unsigned on);
/* Looks for rule, type and notification of the event's text. */
void explain_read_event(struct explain *explain, const char *tenant);
int explain_print(struct tool *tool, struct explain *explain);
int explain_write(struct tool *tool, struct explain *explain);

#endif
