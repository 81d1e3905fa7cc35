/* SPDX-License-Identifier: ISC */
#include "net/proxy.h"

#include "lib/test.h"

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static bool has(const char *block_text, const char *host)
{
    struct net_block block;
    CHECK_INT(net_block_parse(block_text, &block, NULL), 0);
    return net_block_has(&block, 1, slice(host));
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

static void refuses(const char *text, const char *reason)
{
    struct net_block block;
    struct base_why why;
    CHECK_INT(net_block_parse(text, &block, &why), BASE_ERR_INVALID);
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

static void client_is(const char *peer, const char *forwarded, const char *want)
{
    struct net_block blocks[2];
    net_block_parse("10.0.0.0/8", &blocks[0], NULL);
    net_block_parse("::1", &blocks[1], NULL);
    struct base_slice got = net_proxy_client(blocks, 2, slice(peer), slice(forwarded));
    CHECK_BYTES(got.data, got.len, want);
}

static void the_client_is_the_last_that_is_no_proxy(void)
{
    client_is("1.2.3.4", "5.6.7.8", "1.2.3.4"); /* nobody we believe */
    client_is("10.0.0.1", "", "10.0.0.1");
    client_is("10.0.0.1", "5.6.7.8", "5.6.7.8");
    client_is("10.0.0.1", "6.6.6.6, 5.6.7.8", "5.6.7.8"); /* what the client sent is before */
    client_is("10.0.0.1", "6.6.6.6 ,5.6.7.8\t, 10.9.9.9", "5.6.7.8");
    client_is("::1", "2001:db8::7", "2001:db8::7");
    client_is("10.0.0.1", "5.6.7.8, nonsense", "10.0.0.1");
    client_is("10.0.0.1", "nonsense, 10.0.0.2", "10.0.0.2");
    client_is("10.0.0.1", "10.0.0.3", "10.0.0.3");
}

static void the_last_protocol_counts(void)
{
    CHECK(net_proxy_is_https(slice("https")));
    CHECK(!net_proxy_is_https((struct base_slice){NULL, 0}));
    CHECK(net_proxy_is_https(slice("HTTPS ")));
    CHECK(net_proxy_is_https(slice("http, https")));
    CHECK(!net_proxy_is_https(slice("https, http")));
    CHECK(!net_proxy_is_https(slice("")));
}

int main(void)
{
    RUN(blocks_have_what_begins_alike);
    RUN(bad_blocks_are_explained);
    RUN(the_client_is_the_last_that_is_no_proxy);
    RUN(the_last_protocol_counts);
    return test_end();
}
