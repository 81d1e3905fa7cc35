/* SPDX-License-Identifier: ISC */
#include "arda/keys.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

bool arda_prefix_valid(const char *prefix)
{
    size_t len = strlen(prefix);
    if (len < 1 || len > ARDA_PREFIX_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (prefix[i] != ':' && !arda_id_valid(&prefix[i], 1))
            return false;
    return true;
}

size_t arda_key(char out[static ARDA_KEY_MAX], const char *prefix, const char *family,
                const char *id, size_t id_len)
{
    base_assert(id_len <= ARDA_ID_MAX);
    int len = id ? snprintf(out, ARDA_KEY_MAX, "%s:%s:%.*s", prefix, family, (int)id_len, id)
                 : snprintf(out, ARDA_KEY_MAX, "%s:%s", prefix, family);
    base_assert(len > 0 && len < ARDA_KEY_MAX);
    return (size_t)len;
}

size_t arda_mark_key(char out[static ARDA_MARK_KEY_MAX], const char *prefix, const char *tenant,
                     size_t tenant_len, const char *event_id, size_t event_id_len)
{
    base_assert(event_id_len <= ARDA_ID_MAX);
    size_t len = arda_key(out, prefix, "dedupe", tenant_len ? tenant : "global",
                          tenant_len ? tenant_len : sizeof "global" - 1);
    int more = snprintf(out + len, ARDA_MARK_KEY_MAX - len, ":%.*s", (int)event_id_len, event_id);
    base_assert(more > 0 && len + (size_t)more < ARDA_MARK_KEY_MAX);
    return len + (size_t)more;
}

size_t arda_inbox_key(char out[static ARDA_INBOX_KEY_MAX], const char *prefix, const char *family,
                      const char *tenant, const char *user)
{
    size_t len = arda_key(out, prefix, family, tenant, strlen(tenant));
    base_assert(strlen(user) <= ARDA_ID_MAX);
    out[len] = ':';
    return (size_t)(stpcpy(out + len + 1, user) - out);
}
