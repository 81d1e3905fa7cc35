/* SPDX-License-Identifier: ISC */
#include "net/codec/host.h"

#include "lib/test.h"

static const char *const names[] = {"metrics.example.com", "Other.example"};

static bool is_local(const char *host)
{
    return net_host_is_local((struct base_slice){host, strlen(host)}, names, 2);
}

static void addresses_and_short_names_are_local(void)
{
    static const char *const hosts[] = {"",
                                        "127.0.0.1",
                                        "127.0.0.1:9100",
                                        "10.1.2.3:80",
                                        "[::1]",
                                        "[::1]:9100",
                                        "[fd00::1]:1",
                                        "localhost",
                                        "LOCALHOST:9100",
                                        "localhost.",
                                        "a.b.localhost:1",
                                        "gateway-1:9100"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        CHECK(is_local(hosts[i]));
    CHECK(net_host_is_local((struct base_slice){NULL, 0}, NULL, 0));
}

static void given_names_are(void)
{
    CHECK(is_local("metrics.example.com"));
    CHECK(is_local("METRICS.example.com:9100"));
    CHECK(is_local("metrics.example.com."));
    CHECK(is_local("other.example:1"));
}

static void others_are_not(void)
{
    static const char *const hosts[] = {
        "evil.example",           "evil.example:9100",      "evil.example.:9100",
        "127.0.0.1.evil.example", "localhost.evil.example", "x.metrics.example.com",
        "metrics.example.co",     "evillocalhost.x",        "[evil.example]:1"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        CHECK(!is_local(hosts[i]));
}

int main(void)
{
    RUN(addresses_and_short_names_are_local);
    RUN(given_names_are);
    RUN(others_are_not);
    return test_end();
}
