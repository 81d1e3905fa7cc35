/* SPDX-License-Identifier: ISC
 *
 * Names are put together by hand: they are made several times per event, which printf would notice.
 */
#include "arda/name/keys.h"

#include "base/err.h"

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

static size_t add(char *out, size_t len, const char *bytes, size_t more)
{
    memcpy(out + len, bytes, more);
    return len + more;
}

static size_t add_text(char *out, size_t len, const char *text)
{
    return add(out, len, text, strlen(text));
}

const char *arda_key_family(enum arda_key_family family)
{
    static const char *const names[] = {
#define NAME_(code, family, rest, type, content, writers, readers, lifetime) family,
        ARDA_KEY_MAP(NAME_)
#undef NAME_
    };
    return names[family];
}

size_t arda_key(char out[static ARDA_KEY_MAX], const char *prefix, enum arda_key_family family,
                const char *id, size_t id_len)
{
    const char *name = arda_key_family(family);
    base_assert(id_len <= ARDA_ID_MAX &&
                strlen(prefix) + strlen(name) + 3 <= ARDA_KEY_MAX - ARDA_ID_MAX);
    size_t len = add_text(out, 0, prefix);
    out[len++] = ':';
    len = add_text(out, len, name);
    if (id) {
        out[len++] = ':';
        len = add(out, len, id, id_len);
    }
    out[len] = '\0';
    return len;
}

size_t arda_mark_key(char out[static ARDA_MARK_KEY_MAX], const char *prefix, const char *tenant,
                     size_t tenant_len, const char *event_id, size_t event_id_len)
{
    base_assert(event_id_len <= ARDA_ID_MAX);
    size_t len = arda_key(out, prefix, ARDA_KEY_DEDUPE, tenant_len ? tenant : "global",
                          tenant_len ? tenant_len : sizeof "global" - 1);
    out[len++] = ':';
    len = add(out, len, event_id, event_id_len);
    base_assert(len < ARDA_MARK_KEY_MAX);
    out[len] = '\0';
    return len;
}

size_t arda_run_key(char out[static ARDA_MARK_KEY_MAX], const char *prefix, const char *run,
                    size_t run_len, uint64_t number)
{
    char digits[24], *at = digits + sizeof digits;
    size_t len = arda_key(out, prefix, ARDA_KEY_RUN, run, run_len);
    uint64_t chunk = number / ARDA_RUN_CHUNK;
    do {
        *--at = (char)('0' + chunk % 10);
    } while ((chunk /= 10) > 0);
    out[len++] = ':';
    len = add(out, len, at, (size_t)(digits + sizeof digits - at));
    base_assert(len < ARDA_MARK_KEY_MAX);
    out[len] = '\0';
    return len;
}

size_t arda_inbox_key(char out[static ARDA_INBOX_KEY_MAX], const char *prefix,
                      enum arda_key_family family, const char *tenant, const char *user)
{
    size_t len = arda_key(out, prefix, family, tenant, strlen(tenant));
    base_assert(strlen(user) <= ARDA_ID_MAX);
    out[len] = ':';
    return (size_t)(stpcpy(out + len + 1, user) - out);
}
