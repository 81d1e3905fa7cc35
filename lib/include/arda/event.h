/* SPDX-License-Identifier: ISC
 *
 * event: the event types of the catalog as one table, and checking an event against it.
 *
 * Validation, the help of arda-publish, arda-events(5) and the tests all follow from the table in
 * event_table.c. Source: catalog section 6. Threads: any.
 */
#ifndef ARDA_EVENT_H
#define ARDA_EVENT_H

#include "base/api.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* Kind of a field, its name in texts for a person. */
#define ARDA_FIELD_MAP(X)                                                                          \
    X(ARDA_FIELD_UUID, "a UUID")                                                                   \
    X(ARDA_FIELD_UUIDS, "an array of UUIDs")                                                       \
    X(ARDA_FIELD_TIMESTAMP, "an RFC 3339 timestamp with a zone")                                   \
    X(ARDA_FIELD_CHOICE, "one of a list")                                                          \
    X(ARDA_FIELD_TEXT, "a string")                                                                 \
    X(ARDA_FIELD_NAME, "a string that is not empty")                                               \
    X(ARDA_FIELD_PERCENT, "a number from 0 to 100")                                                \
    X(ARDA_FIELD_VERSION, "a positive whole number")

enum arda_field_kind {
#define ARDA_FIELD_ENUM_(kind, text) kind,
    ARDA_FIELD_MAP(ARDA_FIELD_ENUM_)
#undef ARDA_FIELD_ENUM_
};

struct arda_field {
    const char *name;
    enum arda_field_kind kind;
    const char *choices; /* of CHOICE: "a|b|c"; else NULL */
    bool optional;       /* may be missing; null does not stand for it */
    bool nullable;       /* null is a value of it */
    const char *about;
};

struct arda_event_type {
    const char *name;
    const char *section;             /* of the catalog */
    const char *about;               /* when it is emitted */
    const struct arda_field *fields; /* ends with a NULL name */
    const char *const *producers;    /* ends with NULL */
};

/* All types in the catalog's order; ends with a NULL name. */
ARDA_API extern const struct arda_event_type arda_event_types[];
/* What every event may carry besides, whatever its type; ends with a NULL name. */
ARDA_API extern const struct arda_field arda_event_extras[];

/* NULL for a type the catalog does not know. */
ARDA_API const struct arda_event_type *arda_event_find(const char *name, size_t len);
ARDA_API const struct arda_field *arda_event_field(const struct arda_event_type *type,
                                                   const char *name, size_t len);
ARDA_API const char *arda_field_kind_text(enum arda_field_kind kind);

/* Told each thing that is wrong, such as "toStage" (an element: "linkedCardIds[2]") and
 * "\"tirggered\" is not one of created, triggered"; both borrowed for the call. */
typedef void (*arda_complain_fn)(void *data, const char *field, const char *text);

/* Checks the members of `event`, an object that the scanner has yielded, against `type` (NULL: only
 * what every event may carry). Unknown members are no error. `loose_ids`: where a UUID is asked
 * for, any identifier of the wire will do. Returns how many things are wrong. */
ARDA_API size_t arda_event_check(const struct arda_event_type *type,
                                 const struct base_json_value *event, bool loose_ids,
                                 arda_complain_fn complain, void *data);

#endif
