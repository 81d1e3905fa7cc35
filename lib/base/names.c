/* SPDX-License-Identifier: ISC
 *
 * Tables of names are short, so they are looked through from the beginning.
 */
#include "base/names.h"

#include <string.h>

int base_names_find(const char *const *names, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] && strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return (int)i;
    return -1;
}
