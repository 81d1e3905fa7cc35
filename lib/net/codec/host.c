/* SPDX-License-Identifier: ISC */
#include "net/codec/host.h"

#include "base/block.h"

#include <string.h>
#include <strings.h>

/* Without port, brackets and the dot of the root. */
static struct base_slice name_of(struct base_slice host)
{
    const char *close = host.len && *host.data == '[' ? memchr(host.data, ']', host.len) : NULL;
    if (close)
        return (struct base_slice){host.data + 1, (size_t)(close - host.data - 1)};
    const char *colon = host.len ? memchr(host.data, ':', host.len) : NULL;
    if (colon)
        host.len = (size_t)(colon - host.data);
    if (host.len && host.data[host.len - 1] == '.')
        host.len--;
    return host;
}

static bool ends_with(struct base_slice name, const char *end)
{
    size_t len = strlen(end);
    return name.len > len && strncasecmp(name.data + name.len - len, end, len) == 0;
}

bool net_host_is_local(struct base_slice host, const char *const *names, size_t count)
{
    uint8_t bytes[16];
    struct base_slice name = name_of(host);
    if (name.len == 0 || !memchr(name.data, '.', name.len) || ends_with(name, ".localhost") ||
        base_block_address(name, bytes))
        return true;
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == name.len && strncasecmp(names[i], name.data, name.len) == 0)
            return true;
    return false;
}
