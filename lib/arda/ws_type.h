/* SPDX-License-Identifier: ISC
 *
 * ws_type: the names that web clients know events by, the WSEventType of the catalog's section 5.
 * Threads: any.
 */
#ifndef ARDA_WS_TYPE_H
#define ARDA_WS_TYPE_H

#include "base/json.h"

#include <stdbool.h>

struct arda_ws_row {
    const char *type;  /* of the event; NULL: no event yet leads here */
    const char *field; /* that decides, or NULL: any event of the type */
    const char *value; /* it must have */
    const char *ws_type;
    bool planned;
};

/* The first row that fits an event is its row; ends with a NULL ws_type. */
extern const struct arda_ws_row arda_ws_rows[];

/* The WSEventType of an event, which the scanner has yielded; static storage. NULL when it has
 * none. */
const char *arda_ws_type(const struct base_json_value *event);

#endif
