/* SPDX-License-Identifier: ISC
 *
 * notify_ids: by what an event is known to the notification step, and the ids of all that becomes
 * of it. Every id is derived, so that whoever does a step again makes the same ids. Threads: any.
 *
 * Ids are UUIDs of version 8 (RFC 9562 section 5.8): 48 bits of milliseconds, so that they sort by
 * age, then SHA-256 over the texts named below, each with a NUL behind it.
 */
#ifndef ARDA_NOTIFY_IDS_H
#define ARDA_NOTIFY_IDS_H

#include "arda/message.h"
#include "arda/notify_channels.h"
#include "base/api.h"

#include <stdint.h>

#define ARDA_NOTIFY_ID_LEN  36 /* characters, without the NUL */
#define ARDA_NOTIFY_KEY_MAX 71 /* of an event key, without the NUL */

/* What all readers of an event agree on, whether it came on a channel or from the stream, bare or
 * in an envelope. */
struct arda_notify_cause {
    /* The message's id where that is an identifier of the wire, else "id:" and the SHA-256 of the
     * id, else "event:" and the SHA-256 of the event's text. */
    char key[ARDA_NOTIFY_KEY_MAX + 1];
    /* Of the id if it is a UUID of version 7, else the event's timestamp; -1: neither. */
    int64_t time_ms;
    /* The id as a JSON string, for eventId and correlationId; it points into the message, and is
     * empty without an id or for one that is longer than ARDA_NOTIFY_ID_TEXT_MAX. */
    struct base_slice id;
};

#define ARDA_NOTIFY_ID_TEXT_MAX 256 /* bytes, with quotes and escapes */

/* BASE_ERR_NOMEM, BASE_ERR_INTERNAL. */
ARDA_API int arda_notify_cause_of(const struct arda_message *message,
                                  struct arda_notify_cause *cause);

/* A notification: milliseconds `time_ms`, or for -1 of the hash; hash of tenant, key, user, type.
 * Each text has at most ARDA_NOTIFY_KEY_MAX bytes. All three give 0 or BASE_ERR_INTERNAL. */
ARDA_API int arda_notify_id(int64_t time_ms, struct base_slice tenant, const char *key,
                            struct base_slice user, struct base_slice type,
                            char out[static ARDA_NOTIFY_ID_LEN + 1]);
/* Its notification.created: the time of the notification; hash of its id and that word. */
ARDA_API int arda_notify_event_id(const char notification[static ARDA_NOTIFY_ID_LEN],
                                  char out[static ARDA_NOTIFY_ID_LEN + 1]);
/* Its delivery: the time of the notification; hash of its id and the channel's name. */
ARDA_API int arda_notify_delivery_id(const char notification[static ARDA_NOTIFY_ID_LEN],
                                     enum arda_notify_channel channel,
                                     char out[static ARDA_NOTIFY_ID_LEN + 1]);

#endif
