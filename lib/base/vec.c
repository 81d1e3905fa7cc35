/* SPDX-License-Identifier: ISC
 *
 * The pointer to the items is of any type, so it is copied by its bytes.
 */
#include "base/vec.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

#define FIRST_ITEMS 16

int base_vec_reserve(void *items, size_t *cap, size_t item_size, size_t need)
{
    void *old;
    if (need <= *cap)
        return BASE_OK;
    size_t room = *cap ? *cap : FIRST_ITEMS / 2;
    do {
        if (room > SIZE_MAX / 2 / item_size)
            return BASE_ERR_NOMEM;
        room *= 2;
    } while (room < need);
    memcpy(&old, items, sizeof old);
    void *grown = old ? base_realloc(old, room * item_size) : base_malloc(room * item_size);
    if (!grown)
        return BASE_ERR_NOMEM;
    memcpy(items, &grown, sizeof grown);
    *cap = room;
    return BASE_OK;
}
