/* SPDX-License-Identifier: ISC */
#include "base/block.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

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

bool base_block_address(struct base_slice host, uint8_t bytes[static 16])
{
    char text[HOST_MAX];
    if (host.len == 0 || host.len >= sizeof text)
        return false;
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    return parse_host(text, bytes, NULL);
}

size_t base_block_owner_len(const uint8_t bytes[static 16])
{
    return memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0 ? 16 : 8;
}

int base_block_parse(const char *text, struct base_block *block, struct base_why *why)
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

bool base_block_has_address(const struct base_block *block, const uint8_t bytes[static 16])
{
    size_t whole = block->bits / 8u, rest = block->bits % 8u;
    if (memcmp(block->bytes, bytes, whole) != 0)
        return false;
    return rest == 0 || (block->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

bool base_block_has(const struct base_block *blocks, size_t count, struct base_slice host)
{
    uint8_t bytes[16];
    if (count == 0 || !base_block_address(host, bytes))
        return false;
    for (size_t i = 0; i < count; i++)
        if (base_block_has_address(&blocks[i], bytes))
            return true;
    return false;
}
