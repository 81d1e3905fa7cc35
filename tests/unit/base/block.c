/* SPDX-License-Identifier: ISC */
#include "base/block.h"

#include "lib/test.h"

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static bool has(const char *block_text, const char *host)
{
    struct base_block block;
    CHECK_INT(base_block_parse(block_text, &block, NULL), 0);
    return base_block_has(&block, 1, slice(host));
}

static void blocks_have_what_begins_alike(void)
{
    CHECK(has("10.0.0.0/8", "10.255.0.1"));
    CHECK(!has("10.0.0.0/8", "11.0.0.1"));
    CHECK(has("10.1.2.3", "10.1.2.3"));
    CHECK(!has("10.1.2.3", "10.1.2.2"));
    CHECK(has("192.168.0.0/20", "192.168.15.255"));
    CHECK(!has("192.168.0.0/20", "192.168.16.0"));
    CHECK(has("0.0.0.0/0", "8.8.8.8"));
    CHECK(!has("0.0.0.0/0", "2001:db8::1"));
    CHECK(has("::/0", "8.8.8.8"));
    CHECK(has("fd00::/8", "fdff::1"));
    CHECK(!has("fd00::/8", "fe80::1"));
    CHECK(has("::1", "::1"));
    CHECK(has("10.0.0.1", "::ffff:10.0.0.1"));
    CHECK(!has("10.0.0.1", "nonsense"));
    CHECK(!has("10.0.0.1", ""));
}

static size_t owner_len(const char *host)
{
    uint8_t bytes[16];
    CHECK(base_block_address(slice(host), bytes));
    return base_block_owner_len(bytes);
}

static void a_64_of_ipv6_is_one_owner(void)
{
    CHECK_INT(owner_len("10.0.0.1"), 16);
    CHECK_INT(owner_len("::ffff:10.0.0.1"), 16);
    CHECK_INT(owner_len("2001:db8::1"), 8);
    CHECK_INT(owner_len("::1"), 8);
}

static void refuses(const char *text, const char *reason)
{
    struct base_block block;
    struct base_why why;
    CHECK_INT(base_block_parse(text, &block, &why), BASE_ERR_INVALID);
    CHECK_STR(why.text, reason);
}

static void bad_blocks_are_explained(void)
{
    refuses("10.0.0", "expected an address or a block, got `10.0.0'");
    refuses("", "expected an address or a block, got `'");
    refuses("host/8", "expected an address or a block, got `host/8'");
    refuses("10.0.0.0/33", "expected 0 to 32 bits, got `33'");
    refuses("10.0.0.0/", "expected 0 to 32 bits, got `'");
    refuses("10.0.0.0/+8", "expected 0 to 32 bits, got `+8'");
    refuses("10.0.0.0/8x", "expected 0 to 32 bits, got `8x'");
    refuses("::/129", "expected 0 to 128 bits, got `129'");
}

int main(void)
{
    RUN(blocks_have_what_begins_alike);
    RUN(a_64_of_ipv6_is_one_owner);
    RUN(bad_blocks_are_explained);
    return test_end();
}
