/* SPDX-License-Identifier: ISC */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 64

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* False for what is no address. `v4` may be NULL. */
static bool parse_host(const char *text, uint8_t bytes[static 16], bool *v4)
{
    uint8_t four[4];
    if (v4)
        *v4 = inet_pton(AF_INET, text, four) == 1;
    if (inet_pton(AF_INET, text, four) == 1) {
        memcpy(bytes, mapped_prefix, sizeof mapped_prefix);
        memcpy(bytes + sizeof mapped_prefix, four, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, bytes) == 1;
}

static bool parse_slice(struct base_slice host, uint8_t bytes[static 16])
{
    char text[HOST_MAX];
    if (host.len == 0 || host.len >= sizeof text)
        return false;
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    return parse_host(text, bytes, NULL);
}

int net_block_parse(const char *text, struct net_block *block, struct base_why *why)
{
    char host[HOST_MAX];
    bool v4 = false;
    size_t len = strcspn(text, "/");
    const char *bits_text = text[len] ? text + len + 1 : NULL;
    if (len < sizeof host) {
        memcpy(host, text, len);
        host[len] = '\0';
    }
    if (len >= sizeof host || !parse_host(host, block->bytes, &v4))
        return base_why_set(why, BASE_ERR_INVALID, "expected an address or a block, got `%s'",
                            text);
    unsigned long most = v4 ? 32 : 128, bits = most;
    if (bits_text) {
        char *end;
        bits = strtoul(bits_text, &end, 10);
        if (*end || end == bits_text || bits_text[0] < '0' || bits_text[0] > '9' || bits > most)
            return base_why_set(why, BASE_ERR_INVALID, "expected 0 to %lu bits, got `%s'", most,
                                bits_text);
    }
    block->bits = (uint8_t)(bits + (v4 ? 96 : 0));
    return BASE_OK;
}

static bool block_has(const struct net_block *block, const uint8_t bytes[static 16])
{
    size_t whole = block->bits / 8u, rest = block->bits % 8u;
    if (memcmp(block->bytes, bytes, whole) != 0)
        return false;
    return rest == 0 || (block->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

bool net_block_has(const struct net_block *blocks, size_t count, struct base_slice host)
{
    uint8_t bytes[16];
    if (count == 0 || !parse_slice(host, bytes))
        return false;
    for (size_t i = 0; i < count; i++)
        if (block_has(&blocks[i], bytes))
            return true;
    return false;
}

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

struct base_slice net_proxy_client(const struct net_block *blocks, size_t count,
                                   struct base_slice peer, struct base_slice forwarded_for)
{
    uint8_t bytes[16];
    struct base_slice client = peer;
    while (net_block_has(blocks, count, client) && forwarded_for.len > 0) {
        struct base_slice before = take_last(&forwarded_for);
        if (!parse_slice(before, bytes))
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
