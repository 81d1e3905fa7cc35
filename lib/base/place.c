/* SPDX-License-Identifier: ISC */
#include "base/place.h"

#include <inttypes.h>
#include <stdio.h>

const char *base_place_text(const struct base_place *place, char out[static BASE_PLACE_MAX])
{
    int len = place->file ? snprintf(out, BASE_PLACE_MAX, "%.255s: ", place->file) : 0;
    out[len] = '\0';
    if (place->line > 0)
        snprintf(out + len, BASE_PLACE_MAX - (size_t)len, "line %" PRIu64 ": ", place->line);
    return out;
}
