/* SPDX-License-Identifier: ISC */
#include "arda/mail/relay.h"

#include "base/mem.h"
#include "lib/test.h"

#include <string.h>

static void parts(void)
{
    static const struct {
        const char *text, *url, *name, *user, *password;
        bool tls, loopback;
    } rows[] = {
        {"smtp://mail.acme.example", "smtp://mail.acme.example", "mail.acme.example", NULL, NULL,
         false, false},
        {"SMTPS://u:p@mail.acme.example:465/me.example", "smtps://mail.acme.example:465/me.example",
         "mail.acme.example:465", "u", "p", true, false},
        {"smtp://ann%40acme.example:p%2Fa%3As%23s%C3%BC@relay:587/", "smtp://relay:587/",
         "relay:587", "ann@acme.example", "p/a:s#s\xc3\xbc", false, false},
        {"smtp://a:b@c@relay", "smtp://relay", "relay", "a", "b@c", false, false},
        {"smtp://user@relay", "smtp://relay", "relay", "user", "", false, false},
        {"smtp://localhost:25", "smtp://localhost:25", "localhost:25", NULL, NULL, false, true},
        {"smtp://LOCALHOST", "smtp://LOCALHOST", "LOCALHOST", NULL, NULL, false, true},
        {"smtp://127.8.9.10", "smtp://127.8.9.10", "127.8.9.10", NULL, NULL, false, true},
        {"smtp://[::1]:2525", "smtp://[::1]:2525", "[::1]:2525", NULL, NULL, false, true},
        {"smtp://[2001:db8::1]", "smtp://[2001:db8::1]", "[2001:db8::1]", NULL, NULL, false, false},
        {"smtp://localhost.acme.example", "smtp://localhost.acme.example", "localhost.acme.example",
         NULL, NULL, false, false},
        {"smtp://128.0.0.1", "smtp://128.0.0.1", "128.0.0.1", NULL, NULL, false, false},
        {"smtp://127.1", "smtp://127.1", "127.1", NULL, NULL, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arda_mail_relay relay;
        struct base_why why = {0, ""};
        CHECK_INT(arda_mail_relay_parse(rows[i].text, &relay, &why), 0);
        CHECK_STR(why.text, "");
        CHECK_STR(relay.url, rows[i].url);
        CHECK_STR(relay.name, rows[i].name);
        CHECK((relay.user != NULL) == (rows[i].user != NULL));
        if (relay.user && rows[i].user) {
            CHECK_STR(relay.user, rows[i].user);
            CHECK_STR(relay.password, rows[i].password);
        }
        CHECK_INT(relay.tls, rows[i].tls);
        CHECK_INT(relay.loopback, rows[i].loopback);
        arda_mail_relay_fini(&relay);
    }
}

static void refusals(void)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "not a URL: no scheme://"},
        {"mail.acme.example", "not a URL: no scheme://"},
        {"http://u:s3cret@mail", "expected smtp:// or smtps://"},
        {"smtp://", "no host"},
        {"smtp://u:s3cret@", "no host"},
        {"smtp://mail acme", "bad character in the host"},
        {"smtp://mail\r\nRCPT", "bad character in the host"},
        {"smtp://m%61il", "bad character in the host"},
        {"smtp://m\xc3\xbcller", "bad character in the host"},
        {"smtp://[::1%25eth0]", "bad character in the host"},
        {"smtp://mail:0", "bad port"},
        {"smtp://mail:70000", "not a URL: bad port"},
        {"smtp://user:s3c/ret@mail",
         "not a URL: bad port; in a user or a password, @ : / ? # % are written as "
         "%40 %3A %2F %3F %23 %25"},
        {"smtp://user:s@c/ret@mail",
         "after the host there may be a port, and a name for us after a slash, but nothing else; "
         "in a user or a password, @ : / ? # % are written as %40 %3A %2F %3F %23 %25"},
        {"smtp://mail#x", "after the host there may be a port, and a name for us after a slash, "
                          "but nothing else"},
        {"smtp://mail/a/b", "after the host there may be a port, and a name for us after a "
                            "slash, but nothing else"},
        {"smtp://mail/a%0d%0aMAIL", "after the host there may be a port, and a name for us after "
                                    "a slash, but nothing else"},
        {"smtp://mail?x=1", "after the host there may be a port, and a name for us after a "
                            "slash, but nothing else"},
        {"smtp://:s3cret@mail", "a password without a user"},
        {"smtp://u%zz:s3cret@mail", "the user is not percent-encoded"},
        {"smtp://u:s3cret%4@mail", "the password is not percent-encoded"},
        {"smtp://u%0a:s3cret@mail", "a control character in the user"},
        {"smtp://u:s3cret%00@mail", "a control character in the password"},
        {"smtp://u:s3cret%7f@mail", "a control character in the password"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arda_mail_relay relay;
        struct base_why why = {0, ""};
        CHECK_INT(arda_mail_relay_parse(rows[i].text, &relay, &why), BASE_ERR_CONFIG);
        CHECK_STR(why.text, rows[i].why);
        CHECK_INT(why.code, BASE_ERR_CONFIG);
        CHECK(!relay.url && !relay.name && !relay.user && !relay.password);
        CHECK_INT(arda_mail_relay_parse(rows[i].text, &relay, NULL), BASE_ERR_CONFIG);
    }
}

static void memory_may_be_short(void)
{
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 50; n++) {
        struct arda_mail_relay relay;
        struct base_why why;
        base_mem_fail(n, 1);
        result = arda_mail_relay_parse("smtp://u:p@mail:25/me", &relay, &why);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && why.code == BASE_ERR_NOMEM));
        arda_mail_relay_fini(&relay);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    RUN(parts);
    RUN(refusals);
    RUN(memory_may_be_short);
    return test_end();
}
