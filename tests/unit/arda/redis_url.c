/* SPDX-License-Identifier: ISC */
#include "arda/bus/redis_url.h"

#include "base/mem.h"
#include "lib/test.h"

#include <stdbool.h>

static void check_text(const char *got, const char *want)
{
    CHECK_STR(got ? got : "(none)", want ? want : "(none)");
}

static const struct good {
    const char *url, *host, *path, *user, *password;
    int port, db;
    const char *name;
} good[] = {
    {"redis://127.0.0.1:6379", "127.0.0.1", NULL, NULL, NULL, 6379, 0, "127.0.0.1:6379"},
    {"redis://cache", "cache", NULL, NULL, NULL, 6379, 0, "cache:6379"},
    {"redis://cache/", "cache", NULL, NULL, NULL, 6379, 0, "cache:6379"},
    {"redis://", "127.0.0.1", NULL, NULL, NULL, 6379, 0, "127.0.0.1:6379"},
    {"redis://:7000/15", "127.0.0.1", NULL, NULL, NULL, 7000, 15, "127.0.0.1:7000"},
    {"redis://[::1]:7000/2", "::1", NULL, NULL, NULL, 7000, 2, "::1:7000"},
    {"redis://:secret@h", "h", NULL, NULL, "secret", 6379, 0, "h:6379"},
    {"redis://u:s@h:1/3", "h", NULL, "u", "s", 1, 3, "h:1"},
    {"redis://u%40x:%3a%2F%25@h", "h", NULL, "u@x", ":/%", 6379, 0, "h:6379"},
    {"redis://u:a@b:c@h", "h", NULL, "u", "a@b:c", 6379, 0, "h:6379"},
    {"redis://u:@h", "h", NULL, "u", "", 6379, 0, "h:6379"},
    {"redis://:@h", "h", NULL, NULL, NULL, 6379, 0, "h:6379"},
    {"redis://u@h", "h", NULL, "u", NULL, 6379, 0, "h:6379"},
    {"redis://h/65535", "h", NULL, NULL, NULL, 6379, 65535, "h:6379"},
    {"unix:///run/redis.sock", NULL, "/run/redis.sock", NULL, NULL, 0, 0, "/run/redis.sock"},
    {"unix:///run/r%20s?db=4", NULL, "/run/r s", NULL, NULL, 0, 4, "/run/r s"},
    {"redis://h?db=3", "h", NULL, NULL, NULL, 6379, 3, "h:6379"},
    {"redis://h/?db=3", "h", NULL, NULL, NULL, 6379, 3, "h:6379"},
    {"redis://h/3?db=3&db=3", "h", NULL, NULL, NULL, 6379, 3, "h:6379"},
    {"redis://h?", "h", NULL, NULL, NULL, 6379, 0, "h:6379"},
    {"redis://u:p%23%2F%3F@h", "h", NULL, "u", "p#/?", 6379, 0, "h:6379"},
    {"unix:///run/a@b.sock?db=2", NULL, "/run/a@b.sock", NULL, NULL, 0, 2, "/run/a@b.sock"},
    {"REDIS://h:1/2", "h", NULL, NULL, NULL, 1, 2, "h:1"},
    {"Unix:///r.sock", NULL, "/r.sock", NULL, NULL, 0, 0, "/r.sock"},
    {"unix://:pw@/r.sock?db=1", NULL, "/r.sock", NULL, "pw", 0, 1, "/r.sock"},
};

static void reads_what_it_must(void)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct good *row = &good[i];
        struct arda_redis_url url;
        struct base_why why = {0, ""};
        printf("# %s\n", row->url);
        CHECK_INT(arda_redis_url_parse(row->url, &url, &why), 0);
        check_text(url.host, row->host);
        check_text(url.path, row->path);
        check_text(url.user, row->user);
        check_text(url.password, row->password);
        CHECK_INT(url.port, row->port);
        CHECK_INT(url.db, row->db);
        CHECK_STR(url.name, row->name);
        arda_redis_url_fini(&url);
        CHECK(!url.host && !url.path && !url.user && !url.password);
    }
}

static void refuses_the_rest_without_quoting_secrets(void)
{
    static const char *const bad[] = {
        "",
        "127.0.0.1:6379",
        "redis:/127.0.0.1",
        "http://user:hunter2@h",
        "rediss://user:hunter2@h",
        "RedisS://user:hunter2@h",
        "redis://user:hunter2@h:0x10",
        "redis://user:hunter2@h:65536",
        "redis://user:hunter2@h:",
        "redis://user:hunter2@h:0",
        "redis://user:hunter2@[::1",
        "redis://user:hunter2@h/x",
        "redis://user:hunter2@h/1/",
        "redis://user:hunter2@h/-1",
        "redis://user:hunter2@h/65536",
        "redis://user:hunter2@h/655359",
        "redis://user:hunter2@h/18446744073709551616",
        "redis://user:hunter2%@h",
        "redis://user:hunter2%0@h",
        "redis://user:hunter2%zz@h",
        "redis://user:hunter2%00@h",
        "redis://user%00:hunter2@h",
        "redis://user:hunter2@h%00",
        "unix://",
        "unix:///",
        "unix://user:hunter2@/r.sock?db",
        "unix://user:hunter2@/r.sock?db=",
        "unix://user:hunter2@/r.sock?db=x",
        "unix://user:hunter2@/r.sock?database=1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arda_redis_url url;
        struct base_why why = {0, ""};
        printf("# %s\n", bad[i]);
        CHECK_INT(arda_redis_url_parse(bad[i], &url, &why), BASE_ERR_CONFIG);
        CHECK_INT(why.code, BASE_ERR_CONFIG);
        CHECK(why.text[0] != '\0');
        CHECK(!strstr(why.text, "hunter2") && !strstr(why.text, "user:"));
        CHECK(!url.host && !url.path && !url.user && !url.password);
    }
}

/* What is refused is named, and how a password is written, but not the password. */
static void names_the_part(void)
{
    static const struct {
        const char *url, *want;
        bool explains;
    } rows[] = {
        {"redis://h/2?db=3", "two different databases", false},
        {"redis://h?db=3&db=4", "two different databases", false},
        {"unix:///r?db=3&db=4", "two different databases", false},
        {"redis://h?ssl=true", "the parameter `ssl'", false},
        {"redis://user:hunter2@h?timeout=5", "the parameter `timeout'", false},
        {"redis://h?db=1&protocol=3", "the parameter `protocol'", false},
        {"redis://h?DB=1", "the parameter `DB'", false},
        {"unix:///r?ssl=true", "the parameter `ssl'", false},
        {"redis://h?db=", "a number up to 65535", false},
        {"redis://h?db", "a number up to 65535", false},
        {"redis://h?db=1x", "a number up to 65535", false},
        {"redis://h/one", "the path of a Redis URL", false},
        {"redis://h#3", "a fragment", false},
        {"unix:///r#3", "a fragment", false},
        {"unix://run/redis.sock", "a host in unix://", false},
        {"redis://user:hunter2:@/x#w/rd@h:6379", "a fragment", true},
        {"redis://user:p@hunter2#w/rd@h:6379", "a fragment", true},
        {"redis://user:p@hunter2/rd@h:6379", "the path of a Redis URL", true},
        {"redis://user:p@h?hunter2@h:6379", "no other parameter", true},
        {"redis://user:hunter2/x@h:6379", "not a URL: bad port", true},
        {"redis://user:hunter2?x@h:6379", "not a URL: bad port", true},
        {"redis://user:hunter2#x@h:6379", "not a URL: bad port", true},
        {"redis://user:hunter2%@h:6379", "bad percent escape", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arda_redis_url url;
        struct base_why why = {0, ""};
        printf("# %s\n", rows[i].url);
        CHECK_INT(arda_redis_url_parse(rows[i].url, &url, &why), BASE_ERR_CONFIG);
        CHECK(strstr(why.text, rows[i].want) != NULL);
        CHECK_INT(strstr(why.text, "%40 %3A %2F %3F %23 %25") != NULL, rows[i].explains);
        CHECK(!strstr(why.text, "hunter2"));
    }
}

static void survives_every_failing_allocation(void)
{
    static const char *const urls[] = {"redis://user:pass@host:1/2", "unix://user:pass@/r?db=1"};
    for (size_t i = 0; i < 2; i++) {
        int result = BASE_ERR_NOMEM;
        for (long n = 1; result && n < 100; n++) {
            struct arda_redis_url url;
            base_mem_fail(n, 1);
            result = arda_redis_url_parse(urls[i], &url, NULL);
            base_mem_fail(0, 0);
            CHECK(result == 0 || result == BASE_ERR_NOMEM);
            CHECK(result == 0 || (!url.host && !url.path && !url.user && !url.password));
            arda_redis_url_fini(&url);
        }
        CHECK_INT(result, 0);
    }
}

int main(void)
{
    RUN(reads_what_it_must);
    RUN(refuses_the_rest_without_quoting_secrets);
    RUN(names_the_part);
    RUN(survives_every_failing_allocation);
    return test_end();
}
