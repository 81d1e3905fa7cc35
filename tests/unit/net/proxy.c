/* SPDX-License-Identifier: ISC */
#include "net/codec/proxy.h"

#include "lib/test.h"

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static void client_is(const char *peer, const char *forwarded, const char *want)
{
    struct base_block blocks[2];
    base_block_parse("10.0.0.0/8", &blocks[0], NULL);
    base_block_parse("::1", &blocks[1], NULL);
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
    RUN(the_client_is_the_last_that_is_no_proxy);
    RUN(the_last_protocol_counts);
    return test_end();
}
