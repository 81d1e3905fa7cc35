/* SPDX-License-Identifier: ISC
 *
 * downgrade: a map of --downgrade, as downgrade_map.c reads it and downgrade.c applies it. Nobody
 * else includes this.
 */
#ifndef ARDA_PUBLISH_DOWNGRADE_H
#define ARDA_PUBLISH_DOWNGRADE_H

#include "arda-publish/publish.h"

enum kind { RENAME, DROP, CONSTANT };

/* What becomes of a member. */
struct change {
    enum kind kind;
    char *name;
    char *to;               /* RENAME */
    struct base_slice json; /* CONSTANT; in the text of the map */
};

struct downgrade {
    const char *path;
    struct base_buf text;
    char *from, *to;
    const struct arda_event_type *type; /* `to` */
    struct change *changes;
    size_t change_count;
    int64_t from_ms, until_ms;
    bool is_over; /* has been said */
};

/* The name of a member that the change makes, or NULL. */
const char *downgrade_result(const struct change *change);

#endif
