/* SPDX-License-Identifier: ISC */
#include "arda/webhook/guard.h"

#include "lib/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    storage.ss_family = AF_INET;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        return storage;
    storage.ss_family = AF_INET6;
    CHECK_INT(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
    return storage;
}

static const char *judge(const char *text)
{
    struct sockaddr_storage address = address_of(text);
    const char *what = arda_webhook_guard((struct sockaddr *)&address, NULL, 0);
    return what ? what : "";
}

static void ordinary_addresses_pass(void)
{
    static const char *const texts[] = {
        "8.8.8.8",          "1.1.1.1",        "11.0.0.1",     "172.15.255.255", "172.32.0.1",
        "192.167.1.1",      "100.63.0.1",     "100.128.0.1",  "169.253.1.1",    "223.1.1.1",
        "126.0.0.1",        "128.0.0.1",      "2606:4700::1", "2a00::1",        "::ffff:8.8.8.8",
        "64:ff9b::808:808", "2002:808:808::1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK_STR(judge(texts[i]), "");
}

static void special_addresses_do_not(void)
{
    CHECK_STR(judge("127.0.0.1"), "a loopback address");
    CHECK_STR(judge("127.255.255.254"), "a loopback address");
    CHECK_STR(judge("0.0.0.0"), "an address of this host");
    CHECK_STR(judge("10.1.2.3"), "a private address");
    CHECK_STR(judge("172.16.0.1"), "a private address");
    CHECK_STR(judge("172.31.255.255"), "a private address");
    CHECK_STR(judge("192.168.1.1"), "a private address");
    CHECK_STR(judge("100.64.0.1"), "an address shared by a provider");
    CHECK_STR(judge("169.254.169.254"), "a link-local address");
    CHECK_STR(judge("198.18.0.1"), "an address for benchmarks");
    CHECK_STR(judge("224.0.0.1"), "a multicast address");
    CHECK_STR(judge("239.255.255.255"), "a multicast address");
    CHECK_STR(judge("255.255.255.255"), "a reserved address");
    CHECK_STR(judge("::"), "an address of this host");
    CHECK_STR(judge("::1"), "a loopback address");
    CHECK_STR(judge("fd00:ec2::254"), "a private address");
    CHECK_STR(judge("fe80::1"), "a link-local address");
    CHECK_STR(judge("febf::1"), "a link-local address");
    CHECK_STR(judge("fec0::1"), "a site-local address");
    CHECK_STR(judge("ff02::1"), "a multicast address");
    CHECK_STR(judge("2001:db8::1"), "an address for documentation");
    CHECK_STR(judge("2001::1"), "a reserved address");
    CHECK_STR(judge("::5"), "a reserved address");
    CHECK_STR(judge("4000::1"), "a reserved address");
}

static void what_an_address_carries_counts(void)
{
    CHECK_STR(judge("::ffff:127.0.0.1"), "a loopback address");
    CHECK_STR(judge("::ffff:169.254.169.254"), "a link-local address");
    CHECK_STR(judge("::127.0.0.1"), "a loopback address");
    CHECK_STR(judge("64:ff9b::10.0.0.1"), "a private address");
    CHECK_STR(judge("2002:7f00:1::1"), "a loopback address");
    CHECK_STR(judge("2002:c0a8:101::1"), "a private address");
}

static void what_is_allowed_passes(void)
{
    struct base_block allowed[2];
    CHECK_INT(base_block_parse("127.0.0.0/8", &allowed[0], NULL), 0);
    CHECK_INT(base_block_parse("fd00::/8", &allowed[1], NULL), 0);
    static const struct {
        const char *text;
        bool passes;
    } cases[] = {{"127.0.0.1", true},
                 {"::ffff:127.0.0.1", true},
                 {"fd12::1", true},
                 {"10.0.0.1", false},
                 {"::1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_storage address = address_of(cases[i].text);
        CHECK(!arda_webhook_guard((struct sockaddr *)&address, allowed, 2) == cases[i].passes);
    }
}

static void other_families_do_not_pass(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CHECK_STR(arda_webhook_guard((struct sockaddr *)&address, NULL, 0), "no internet address");
}

int main(void)
{
    RUN(ordinary_addresses_pass);
    RUN(special_addresses_do_not);
    RUN(what_an_address_carries_counts);
    RUN(what_is_allowed_passes);
    RUN(other_families_do_not_pass);
    return test_end();
}
