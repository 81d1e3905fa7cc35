/* SPDX-License-Identifier: ISC */
#include "arda/redis_url.h"

#include "base/mem.h"
#include "lib/test.h"

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
        "redis://user:hunter2@h:0x10",
        "redis://user:hunter2@h:65536",
        "redis://user:hunter2@h:",
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
    RUN(survives_every_failing_allocation);
    return test_end();
}
