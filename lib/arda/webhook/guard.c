/* SPDX-License-Identifier: ISC */
#include "arda/webhook/guard.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define V4(a, b, c, d, len)                                                                        \
    {                                                                                              \
        {[10] = 0xff, 0xff, a, b, c, d}, 96 + (len)                                                \
    }
#define V6(len, ...)                                                                               \
    {                                                                                              \
        {__VA_ARGS__}, len                                                                         \
    }

static const struct {
    struct base_block block;
    const char *what;
} refused[] = {
    {V4(0, 0, 0, 0, 8), "an address of this host"},
    {V4(10, 0, 0, 0, 8), "a private address"},
    {V4(100, 64, 0, 0, 10), "an address shared by a provider"},
    {V4(127, 0, 0, 0, 8), "a loopback address"},
    {V4(169, 254, 0, 0, 16), "a link-local address"}, /* the metadata services of clouds, too */
    {V4(172, 16, 0, 0, 12), "a private address"},
    {V4(192, 0, 0, 0, 24), "a reserved address"},
    {V4(192, 0, 2, 0, 24), "an address for documentation"},
    {V4(192, 88, 99, 0, 24), "a reserved address"},
    {V4(192, 168, 0, 0, 16), "a private address"},
    {V4(198, 18, 0, 0, 15), "an address for benchmarks"},
    {V4(198, 51, 100, 0, 24), "an address for documentation"},
    {V4(203, 0, 113, 0, 24), "an address for documentation"},
    {V4(224, 0, 0, 0, 4), "a multicast address"},
    {V4(240, 0, 0, 0, 4), "a reserved address"},
    {V6(128, 0), "an address of this host"},
    {V6(128, [15] = 1), "a loopback address"},
    {V6(48, 0, 0x64, 0xff, 0x9b, 0, 1), "a private address"},
    {V6(64, 1), "a discarded address"},
    {V6(23, 0x20, 1), "a reserved address"}, /* Teredo among them */
    {V6(32, 0x20, 1, 0x0d, 0xb8), "an address for documentation"},
    {V6(20, 0x3f, 0xff), "an address for documentation"},
    {V6(16, 0x5f, 0), "a reserved address"},
    {V6(7, 0xfc), "a private address"},
    {V6(10, 0xfe, 0x80), "a link-local address"},
    {V6(10, 0xfe, 0xc0), "a site-local address"},
    {V6(8, 0xff), "a multicast address"},
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* Where in the address an IPv4 one stands; 0: nowhere. */
static size_t find_v4(const uint8_t bytes[static 16])
{
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t compatible[12] = {0};
    static const uint8_t six_to_four[2] = {0x20, 2};
    if (memcmp(bytes, nat64, sizeof nat64) == 0)
        return 12;
    if (memcmp(bytes, compatible, sizeof compatible) == 0 && (bytes[12] || bytes[13] || bytes[14]))
        return 12;
    return memcmp(bytes, six_to_four, sizeof six_to_four) == 0 ? 2 : 0;
}

static bool is_allowed(const uint8_t bytes[static 16], const struct base_block *allowed,
                       size_t allowed_count)
{
    for (size_t i = 0; i < allowed_count; i++)
        if (base_block_has_address(&allowed[i], bytes))
            return true;
    return false;
}

const char *arda_webhook_guard(const struct sockaddr *address, const struct base_block *allowed,
                               size_t allowed_count)
{
    uint8_t bytes[16];
    if (address->sa_family == AF_INET) {
        memcpy(bytes, mapped, sizeof mapped);
        memcpy(bytes + sizeof mapped, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof bytes);
    } else {
        return "no internet address";
    }
    if (is_allowed(bytes, allowed, allowed_count))
        return NULL;
    size_t v4 = find_v4(bytes);
    if (v4 > 0) {
        memmove(bytes + sizeof mapped, bytes + v4, 4);
        memcpy(bytes, mapped, sizeof mapped);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (base_block_has_address(&refused[i].block, bytes))
            return refused[i].what;
    bool is_v4 = memcmp(bytes, mapped, sizeof mapped) == 0;
    return is_v4 || bytes[0] >> 5 == 1 ? NULL : "a reserved address"; /* all else but 2000::/3 */
}
