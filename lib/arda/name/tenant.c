/* SPDX-License-Identifier: ISC
 *
 * Ids of tenants, users and loops have one alphabet; a tenant may not be called as the channel of
 * all.
 */
#include "arda/tenant.h"

#include <string.h>

static bool is_id_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool arda_id_valid(const char *id, size_t len)
{
    if (len < 1 || len > ARDA_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_id_character(id[i]))
            return false;
    return true;
}

bool arda_tenant_valid(const char *id, size_t len)
{
    return arda_id_valid(id, len) && !(len == 6 && memcmp(id, "global", 6) == 0);
}
