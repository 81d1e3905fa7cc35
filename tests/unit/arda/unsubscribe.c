/* SPDX-License-Identifier: ISC */
#include "arda/notify/unsubscribe.h"

#include "base/mem.h"
#include "lib/test.h"

#define NOW_MS INT64_C(1800000000000)
#define DAY_MS INT64_C(86400000)

static const char secret[] = "a secret that has more than thirty-two bytes";
static const struct arda_unsubscribe ann = {"acme", "ann", ARDA_NOTIFY_PO_CREATED,
                                            ARDA_NOTIFY_EMAIL};
static struct arda_token_key *key;

static int verify(const char *token, size_t len, int64_t now_ms, struct arda_unsubscribe *what)
{
    struct base_why why;
    int result = arda_unsubscribe_verify(key, token, len, now_ms, what, &why);
    CHECK(!result || why.text[0]);
    return result;
}

static struct base_buf mint(void)
{
    struct base_buf token = BASE_BUF_INIT;
    CHECK_INT(arda_unsubscribe_mint(key, &ann, NOW_MS, &token), 0);
    return token;
}

static void a_token_says_what_was_put_into_it(void)
{
    struct base_buf token = mint();
    struct arda_unsubscribe got;
    CHECK_INT(verify(token.data, token.len, NOW_MS, &got), 0);
    CHECK_STR(got.tenant, "acme");
    CHECK_STR(got.user, "ann");
    CHECK_INT(got.type, ARDA_NOTIFY_PO_CREATED);
    CHECK_INT(got.channel, ARDA_NOTIFY_EMAIL);
    base_buf_fini(&token);
}

static void it_ends_after_its_days(void)
{
    struct base_buf token = mint();
    struct arda_unsubscribe got;
    CHECK_INT(verify(token.data, token.len, NOW_MS + 30 * DAY_MS - 1, &got), 0);
    CHECK_INT(verify(token.data, token.len, NOW_MS + 30 * DAY_MS, &got), BASE_ERR_TIMEOUT);
    base_buf_fini(&token);
}

/* A secret that leaks must not make links for ever. */
static void none_lasts_longer_than_its_days(void)
{
    struct base_buf token = BASE_BUF_INIT;
    struct arda_unsubscribe got;
    CHECK_INT(arda_unsubscribe_mint(key, &ann, NOW_MS + DAY_MS, &token), 0);
    CHECK_INT(verify(token.data, token.len, NOW_MS, &got), BASE_ERR_DENIED);
    CHECK_INT(verify(token.data, token.len, NOW_MS + DAY_MS - 300000, &got), 0);
    CHECK_INT(verify(token.data, token.len, NOW_MS + DAY_MS - 301000, &got), BASE_ERR_DENIED);
    base_buf_fini(&token);
}

static void any_change_is_noticed(void)
{
    struct base_buf token = mint();
    struct arda_unsubscribe got;
    for (size_t i = 0; i < token.len; i++) {
        char before = token.data[i];
        token.data[i] = before == 'A' ? 'B' : 'A';
        CHECK_INT(verify(token.data, token.len, NOW_MS, &got), BASE_ERR_DENIED);
        token.data[i] = before;
    }
    for (size_t len = 0; len < token.len; len++)
        CHECK_INT(verify(token.data, len, NOW_MS, &got), BASE_ERR_DENIED);
    base_buf_fini(&token);
}

static void another_secret_does_not_do(void)
{
    struct arda_token_key *other;
    struct base_buf token = mint();
    struct arda_unsubscribe got;
    CHECK_INT(arda_token_key_new("another secret of more than thirty-two bytes", 44, &other, NULL),
              0);
    CHECK_INT(arda_unsubscribe_verify(other, token.data, token.len, NOW_MS, &got, NULL),
              BASE_ERR_DENIED);
    arda_token_key_free(other);
    base_buf_fini(&token);
}

/* Signed with the same secret, but not for this. */
static void the_token_of_a_user_does_not_do(void)
{
    const struct arda_token_request request = {
        .user = "ann", .tenant = "acme", .expires_s = NOW_MS / 1000 + 60};
    struct base_buf token = BASE_BUF_INIT;
    struct arda_unsubscribe got;
    CHECK_INT(arda_token_mint(key, &request, &token, NULL), 0);
    CHECK_INT(verify(token.data, token.len, NOW_MS, &got), BASE_ERR_DENIED);
    base_buf_fini(&token);
}

static void it_is_no_token_of_a_user(void)
{
    struct base_buf token = BASE_BUF_INIT;
    struct arda_claims claims;
    CHECK_INT(arda_unsubscribe_mint(key, &ann, INT64_C(4000000000000), &token), 0);
    CHECK_INT(arda_token_verify(key, token.data, token.len, &claims, NULL), BASE_ERR_DENIED);
    base_buf_fini(&token);
}

static void without_memory_nothing_is_added(void)
{
    int failed = BASE_ERR_NOMEM;
    for (long n = 1; failed; n++) {
        struct base_buf token = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        failed = arda_unsubscribe_mint(key, &ann, NOW_MS, &token);
        base_mem_fail(0, 0);
        CHECK(!failed || (failed == BASE_ERR_NOMEM && token.len == 0));
        base_buf_fini(&token);
    }
    struct base_buf token = mint();
    for (failed = BASE_ERR_NOMEM; failed;) {
        struct arda_unsubscribe got;
        static long n;
        base_mem_fail(++n, 1);
        failed = verify(token.data, token.len, NOW_MS, &got);
        base_mem_fail(0, 0);
        CHECK(!failed || failed == BASE_ERR_NOMEM);
    }
    base_buf_fini(&token);
}

static void load(const char *file, int result, const char *reason)
{
    struct arda_token_key *loaded = key;
    struct base_why why = {0};
    CHECK_INT(arda_unsubscribe_key_load(file, &loaded, &why), result);
    CHECK(result ? loaded == NULL : loaded != NULL);
    CHECK(strstr(why.text, reason));
    arda_token_key_free(loaded);
}

static void the_secret_is_of_a_file_or_the_environment(void)
{
    struct arda_unsubscribe got;
    struct arda_token_key *loaded;
    struct base_buf token = mint();
    unsetenv("ARDA_UNSUBSCRIBE_TOKEN_SECRET");
    unsetenv("UNSUBSCRIBE_TOKEN_SECRET");
    load(NULL, BASE_ERR_NOTFOUND, "--unsubscribe-secret-file");
    setenv("ARDA_UNSUBSCRIBE_TOKEN_SECRET", "", 1);
    setenv("UNSUBSCRIBE_TOKEN_SECRET", secret, 1);
    load("/nonexistent", BASE_ERR_CONFIG, "/nonexistent");
    CHECK_INT(arda_unsubscribe_key_load("", &loaded, NULL), 0);
    CHECK_INT(arda_unsubscribe_verify(loaded, token.data, token.len, NOW_MS, &got, NULL), 0);
    arda_token_key_free(loaded);
    setenv("UNSUBSCRIBE_TOKEN_SECRET", "short", 1);
    load(NULL, BASE_ERR_CONFIG, "UNSUBSCRIBE_TOKEN_SECRET: the secret has 5 bytes");
    setenv("ARDA_UNSUBSCRIBE_TOKEN_SECRET", secret, 1);
    load(NULL, BASE_OK, "");
    base_buf_fini(&token);
}

int main(void)
{
    CHECK_INT(arda_token_key_new(secret, sizeof secret - 1, &key, NULL), 0);
    RUN(a_token_says_what_was_put_into_it);
    RUN(it_ends_after_its_days);
    RUN(none_lasts_longer_than_its_days);
    RUN(any_change_is_noticed);
    RUN(another_secret_does_not_do);
    RUN(the_token_of_a_user_does_not_do);
    RUN(it_is_no_token_of_a_user);
    RUN(without_memory_nothing_is_added);
    RUN(the_secret_is_of_a_file_or_the_environment);
    arda_token_key_free(key);
    return test_end();
}
