/* SPDX-License-Identifier: ISC */
#include "base/mask.h"

#include "lib/test.h"

static void check(const char *text, const char *want)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", text);
    base_mask(copy);
    CHECK_STR(copy, want);
}

static void tokens(void)
{
    check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln: No such file", "eyJ***: No such file");
    check("got `eyJhbGciOiJIUzI1NiJ9.eyJzdWIi'", "got `eyJ***'");
    check("`Bearer eyJhbGciOiJIUzI1NiJ9.e.s' twice eyJhbGciOiJIUzI1NiJ9",
          "`Bearer eyJ***' twice eyJ***");
    check("eyJ is a word, eyJay.txt a file", "eyJ is a word, eyJay.txt a file");
}

static void secrets_of_webhooks(void)
{
    check("secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, bad", "secret: whsec_***, bad");
    check("expected \"whsec_\" and the base64", "expected \"whsec_\" and the base64");
}

static void passwords_in_urls(void)
{
    check("redis://user:pass@host:6379/0 is away", "redis://user:***@host:6379/0 is away");
    check("smtp://:p@ss:w@host", "smtp://:***@host");
    check("redis://u:p@h", "redis://u:*@h");
    check("smtp://ann:******@h", "smtp://ann:******@h");
    check("redis://u:@h", "redis://u:@h");
    check("http://host:3000/a@b:c", "http://host:3000/a@b:c");
    check("http://[::1]:80 x://a:b", "http://[::1]:80 x://a:b");
}

static void values_in_queries(void)
{
    check("http://h/p?a=1&token=abcdef&b=2", "http://h/p?a=1&token=***&b=2");
    check("http://h/p?key=ab", "http://h/p?key=**");
    check("what?tokens=1", "what?tokens=1");
}

static void the_rest_stays(void)
{
    check("", "");
    check("line 1: column 2: expected a string as key",
          "line 1: column 2: expected a string as key");
}

static void files_that_may_be_a_secret(void)
{
    CHECK_STR(base_mask_file("secret.txt"), "secret.txt");
    CHECK_STR(base_mask_file("/nowhere/secret"), "/nowhere/secret");
    CHECK_STR(base_mask_file("/tmp/a-long-name-that-nobody-has-made-yet"),
              "/tmp/a-long-name-that-nobody-has-made-yet");
    CHECK_STR(base_mask_file("0123456789abcdef0123456789abcdef"), "***");
    CHECK_STR(base_mask_file("0123456789/bcdef+0123456789abcdef="), "***");
}

int main(void)
{
    RUN(tokens);
    RUN(secrets_of_webhooks);
    RUN(passwords_in_urls);
    RUN(values_in_queries);
    RUN(the_rest_stays);
    RUN(files_that_may_be_a_secret);
    return test_end();
}
