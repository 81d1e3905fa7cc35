/* SPDX-License-Identifier: ISC */
#include "net/codec/proxy.h"

#include <strings.h>

/* Cuts the last value off a list that commas part, without the blanks around it. */
static struct base_slice take_last(struct base_slice *list)
{
    size_t from = list->len;
    if (from == 0) /* a header that is not there has no data either */
        return *list;
    while (from > 0 && list->data[from - 1] != ',')
        from--;
    struct base_slice last = {list->data + from, list->len - from};
    list->len = from > 0 ? from - 1 : 0;
    while (last.len > 0 && (*last.data == ' ' || *last.data == '\t')) {
        last.data++;
        last.len--;
    }
    while (last.len > 0 && (last.data[last.len - 1] == ' ' || last.data[last.len - 1] == '\t'))
        last.len--;
    return last;
}

struct base_slice net_proxy_client(const struct base_block *blocks, size_t count,
                                   struct base_slice peer, struct base_slice forwarded_for)
{
    uint8_t bytes[16];
    struct base_slice client = peer;
    while (base_block_has(blocks, count, client) && forwarded_for.len > 0) {
        struct base_slice before = take_last(&forwarded_for);
        if (!base_block_address(before, bytes))
            break;
        client = before;
    }
    return client;
}

bool net_proxy_is_https(struct base_slice forwarded_proto)
{
    struct base_slice last = take_last(&forwarded_proto);
    return last.len == 5 && strncasecmp(last.data, "https", 5) == 0;
}
