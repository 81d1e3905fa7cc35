/* SPDX-License-Identifier: ISC
 *
 * notify_channels: the types and channels of notifications, and which channels are on for whom
 * (catalog section 8). Threads: any; a set of preferences, one at a time.
 */
#ifndef ARDA_NOTIFY_CHANNELS_H
#define ARDA_NOTIFY_CHANNELS_H

#include "base/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Name on the wire. */
#define ARDA_NOTIFY_CHANNEL_MAP(X)                                                                 \
    X(ARDA_NOTIFY_IN_APP, "in_app")                                                                \
    X(ARDA_NOTIFY_EMAIL, "email")                                                                  \
    X(ARDA_NOTIFY_WEBHOOK, "webhook")

enum arda_notify_channel {
#define ARDA_NOTIFY_CHANNEL_ENUM_(channel, name) channel,
    ARDA_NOTIFY_CHANNEL_MAP(ARDA_NOTIFY_CHANNEL_ENUM_)
#undef ARDA_NOTIFY_CHANNEL_ENUM_
        ARDA_NOTIFY_CHANNELS
};

/* Some channels as bits. */
#define ARDA_NOTIFY_BIT(channel) (1u << (channel))

/* Name on the wire; on by default: in_app, email, webhook. */
#define ARDA_NOTIFY_TYPE_MAP(X)                                                                    \
    X(ARDA_NOTIFY_CARD_TRIGGERED, "card_triggered", 1, 0, 0)                                       \
    X(ARDA_NOTIFY_PO_CREATED, "po_created", 1, 1, 0)                                               \
    X(ARDA_NOTIFY_PO_SENT, "po_sent", 1, 0, 0)                                                     \
    X(ARDA_NOTIFY_PO_RECEIVED, "po_received", 1, 1, 0)                                             \
    X(ARDA_NOTIFY_STOCKOUT_WARNING, "stockout_warning", 1, 1, 0)                                   \
    X(ARDA_NOTIFY_RELOWISA_RECOMMENDATION, "relowisa_recommendation", 1, 0, 0)                     \
    X(ARDA_NOTIFY_EXCEPTION_ALERT, "exception_alert", 1, 1, 1)                                     \
    X(ARDA_NOTIFY_WO_STATUS_CHANGE, "wo_status_change", 1, 0, 0)                                   \
    X(ARDA_NOTIFY_TRANSFER_STATUS_CHANGE, "transfer_status_change", 1, 0, 0)                       \
    X(ARDA_NOTIFY_SYSTEM_ALERT, "system_alert", 1, 1, 0)

enum arda_notify_type {
#define ARDA_NOTIFY_TYPE_ENUM_(type, name, in_app, email, webhook) type,
    ARDA_NOTIFY_TYPE_MAP(ARDA_NOTIFY_TYPE_ENUM_)
#undef ARDA_NOTIFY_TYPE_ENUM_
        ARDA_NOTIFY_TYPES
};

/* Static storage. */
ARDA_API const char *arda_notify_channel_name(enum arda_notify_channel channel);
ARDA_API const char *arda_notify_type_name(enum arda_notify_type type);
/* BASE_ERR_NOTFOUND for any other name. */
ARDA_API int arda_notify_channel_find(const char *name, size_t len,
                                      enum arda_notify_channel *channel);
ARDA_API int arda_notify_type_find(const char *name, size_t len, enum arda_notify_type *type);

/* The catalog's defaults, as bits. */
ARDA_API unsigned arda_notify_defaults(enum arda_notify_type type);

/* ---- preferences of a tenant ---- */

struct arda_notify_preferences;

/* One that has none; NULL without memory. */
ARDA_API struct arda_notify_preferences *arda_notify_preferences_new(void);
ARDA_API void
arda_notify_preferences_free(struct arda_notify_preferences *preferences); /* NULL is allowed */

/* Sets one in place of a former one; `user` NULL: the tenant's default. BASE_ERR_NOMEM. */
ARDA_API int arda_notify_preferences_set(struct arda_notify_preferences *preferences,
                                         const char *user, size_t user_len,
                                         enum arda_notify_type type,
                                         enum arda_notify_channel channel, bool on);

/* The same from a field of the hash PREFIX:preferences:TENANT, `{userId or *}:{type}:{channel}`,
 * and its value, "0" or "1". BASE_ERR_SYNTAX for anything else, a type that is not known too:
 * nothing has changed, go on. */
ARDA_API int arda_notify_preferences_set_field(struct arda_notify_preferences *preferences,
                                               const char *field, size_t field_len,
                                               const char *value, size_t value_len);

/* Who has decided: text for a person. */
#define ARDA_NOTIFY_SOURCE_MAP(X)                                                                  \
    X(ARDA_NOTIFY_BY_USER, "the user's preference")                                                \
    X(ARDA_NOTIFY_BY_TENANT, "the tenant's default")                                               \
    X(ARDA_NOTIFY_BY_CATALOG, "the catalog's default")

enum arda_notify_source {
#define ARDA_NOTIFY_SOURCE_ENUM_(source, text) source,
    ARDA_NOTIFY_SOURCE_MAP(ARDA_NOTIFY_SOURCE_ENUM_)
#undef ARDA_NOTIFY_SOURCE_ENUM_
};

ARDA_API const char *arda_notify_source_text(enum arda_notify_source source);

/* Which channels are on for a user and a type, as bits: for each the user's preference, else the
 * tenant's default, else the catalog's. `sources` (may be NULL) says for each channel which of them
 * it was. Never fails. */
ARDA_API unsigned arda_notify_resolve(const struct arda_notify_preferences *preferences,
                                      const char *user, size_t user_len, enum arda_notify_type type,
                                      enum arda_notify_source sources[ARDA_NOTIFY_CHANNELS]);

#endif
