/* SPDX-License-Identifier: ISC
 *
 * ws_type: the names that web clients know events by, the WSEventType of the catalog's section 5,
 * and behind its rows those that services publish besides. Threads: any.
 */
#ifndef ARDA_WS_TYPE_H
#define ARDA_WS_TYPE_H

#include "base/api.h"
#include "base/json.h"

#include <stdbool.h>

struct arda_ws_row {
    const char *type;  /* of the event */
    const char *field; /* that decides: toStage or orderType; NULL: any event of the type */
    const char *value; /* it must have */
    const char *ws_type;
    bool catalog; /* whether the catalog has the row */
};

/* The first row that fits an event is its row; ends with a NULL ws_type. */
ARDA_API extern const struct arda_ws_row arda_ws_rows[];

/* The WSEventType of an event, which the scanner has yielded; static storage. NULL when it has
 * none. */
ARDA_API const char *arda_ws_type(const struct base_json_value *event);

#endif
