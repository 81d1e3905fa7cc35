/* SPDX-License-Identifier: ISC */
#include "arda/webhook/sign.h"

#include "base/mem.h"
#include "lib/test.h"

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

static struct arda_webhook_key key_of(const char *secret)
{
    struct arda_webhook_key key;
    CHECK_INT(arda_webhook_key_parse(slice(secret), &key, NULL), 0);
    return key;
}

static const struct arda_webhook_content content = {
    .id = {"msg_p5jXN8AQM9LWM0D4loKWxJek", 28},
    .timestamp_s = 1614265330,
    .body = {"{\"test\": 2432232314}", 20},
};

/* The example that the specification's libraries are tested with. */
static void signs_as_the_specification_does(void)
{
    struct arda_webhook_key key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(arda_webhook_sign(&out, &content, &key, 1), 0);
    CHECK_BYTES(out.data, out.len, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    base_buf_fini(&out);
}

static void two_keys_give_two_signatures(void)
{
    struct arda_webhook_key keys[2] = {key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                                       key_of("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")};
    struct base_buf out = BASE_BUF_INIT;
    CHECK_INT(arda_webhook_sign(&out, &content, keys, 2), 0);
    CHECK_INT(out.len, 2 * 47 + 1);
    CHECK(memcmp(out.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,", 51) == 0);
    CHECK(memcmp(out.data, out.data + 48, 47) != 0);
    base_buf_fini(&out);
}

static void refuses(const char *secret, const char *reason)
{
    struct arda_webhook_key key;
    struct base_why why;
    CHECK_INT(arda_webhook_key_parse(slice(secret), &key, &why), BASE_ERR_INVALID);
    CHECK_STR(why.text, reason);
}

static void bad_secrets_are_explained_and_not_quoted(void)
{
    char text[200] = "whsec_";
    refuses("", "expected a secret that begins with whsec_");
    refuses("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "expected a secret that begins with whsec_");
    refuses("whsec_", "expected 24 to 64 bytes in base64 after whsec_");
    refuses("whsec_AAAA", "expected 24 to 64 bytes in base64 after whsec_");
    refuses("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "expected base64 after whsec_");
    memset(text + 6, 'A', 88);
    refuses(text, "expected 24 to 64 bytes in base64 after whsec_");
    memset(text + 6, 'A', sizeof text - 7);
    refuses(text, "expected 24 to 64 bytes in base64 after whsec_");
}

static void a_secret_of_64_bytes_is_taken(void)
{
    char text[] =
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAA==";
    CHECK_INT(key_of(text).len, 64);
}

static void without_memory_nothing_is_added(void)
{
    struct arda_webhook_key key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    int failed = BASE_ERR_NOMEM;
    for (long n = 1; failed; n++) {
        struct base_buf out = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        failed = arda_webhook_sign(&out, &content, &key, 1);
        base_mem_fail(0, 0);
        CHECK(failed == 0 || failed == BASE_ERR_NOMEM);
        CHECK(!failed || out.len == 0);
        base_buf_fini(&out);
    }
}

int main(void)
{
    RUN(signs_as_the_specification_does);
    RUN(two_keys_give_two_signatures);
    RUN(bad_secrets_are_explained_and_not_quoted);
    RUN(a_secret_of_64_bytes_is_taken);
    RUN(without_memory_nothing_is_added);
    return test_end();
}
