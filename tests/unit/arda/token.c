/* SPDX-License-Identifier: ISC */
#include "arda/token.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "lib/test.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_S  1770552896
#define HS256  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define IDS    "\"sub\":\"u1\",\"tenantId\":\"t1\""

static struct arda_token_key *key;
static struct arda_claims claims;
static struct base_why why;

static int64_t fixed_wall_ms(void)
{
    return NOW_S * 1000LL;
}

/* ---- tokens of any content, rightly signed ---- */

static void add_base64url(struct base_buf *out, const void *bytes, size_t len)
{
    size_t encoded = base_base64_encoded_len(BASE_BASE64_URL, len);
    CHECK_INT(base_buf_reserve(out, encoded + 1), 0);
    base_base64_encode(BASE_BASE64_URL, bytes, len, out->data + out->len);
    out->len += encoded;
}

static void add_parts(struct base_buf *out, const char *header, const char *payload)
{
    add_base64url(out, header, strlen(header));
    CHECK_INT(base_buf_add_byte(out, '.'), 0);
    add_base64url(out, payload, strlen(payload));
}

static void sign(struct base_buf *out, const EVP_MD *digest)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    CHECK(HMAC(digest, SECRET, (int)strlen(SECRET), (const unsigned char *)out->data, out->len, mac,
               &len) != NULL);
    CHECK_INT(base_buf_add_byte(out, '.'), 0);
    add_base64url(out, mac, len);
}

static int verify_bytes(const char *token, size_t len)
{
    why = (struct base_why){0, ""};
    return arda_token_verify(key, token, len, &claims, &why);
}

static int verify(const char *header, const char *payload)
{
    struct base_buf token = BASE_BUF_INIT;
    add_parts(&token, header, payload);
    sign(&token, EVP_sha256());
    int result = verify_bytes(token.data, token.len);
    base_buf_fini(&token);
    return result;
}

static void check_denied(int result, const char *reason)
{
    CHECK_INT(result, BASE_ERR_DENIED);
    CHECK_INT(why.code, BASE_ERR_DENIED);
    CHECK_STR(why.text, reason);
}

static void refuses(const char *payload, const char *reason)
{
    check_denied(verify(HS256, payload), reason);
}

/* ---- what is accepted ---- */

static void reads_the_claims(void)
{
    CHECK_INT(verify(HS256, "{" IDS ",\"role\":\"admin\",\"exp\":1770552897,\"x\":[{}]}"), 0);
    CHECK_STR(claims.user, "u1");
    CHECK_STR(claims.tenant, "t1");
    CHECK_STR(claims.role, "admin");
    CHECK(claims.expires_ms == (NOW_S + 1) * 1000LL);
    CHECK_INT(verify("{\"alg\":\"HS256\"}", "{" IDS "}"), 0);
    CHECK_STR(claims.role, "");
    CHECK_INT(claims.expires_ms, 0);
}

static void a_role_may_be_missing_or_odd(void)
{
    char payload[256], role[ARDA_TOKEN_ROLE_MAX + 2];
    memset(role, 'r', sizeof role);
    role[ARDA_TOKEN_ROLE_MAX + 1] = '\0';
    snprintf(payload, sizeof payload, "{" IDS ",\"role\":\"%s\"}", role);
    CHECK_INT(verify(HS256, payload), 0);
    CHECK_STR(claims.role, "");
    snprintf(payload, sizeof payload, "{" IDS ",\"role\":\"%s\"}", role + 1);
    CHECK_INT(verify(HS256, payload), 0);
    CHECK_STR(claims.role, role + 1);
    CHECK_INT(verify(HS256, "{" IDS ",\"role\":[\"admin\"]}"), 0);
    CHECK_STR(claims.role, "");
}

static void minted_tokens_verify(void)
{
    const struct arda_token_request request = {"u1",  "t1",  "admin",   "a@example.org",
                                               "iss", "aud", NOW_S - 1, NOW_S + 60};
    struct base_buf token = BASE_BUF_INIT, header = BASE_BUF_INIT, payload = BASE_BUF_INIT;
    CHECK_INT(base_buf_add_text(&token, "Bearer "), 0);
    CHECK_INT(arda_token_mint(key, &request, &token, &why), 0);
    CHECK_BYTES(token.data, 7, "Bearer ");
    base_buf_consume(&token, 7);
    CHECK_INT(verify_bytes(token.data, token.len), 0);
    CHECK_STR(claims.user, "u1");
    CHECK_STR(claims.tenant, "t1");
    CHECK_STR(claims.role, "admin");
    CHECK(claims.expires_ms == (NOW_S + 60) * 1000LL);
    CHECK_INT(arda_token_decode(token.data, token.len, &header, &payload, &why), 0);
    struct base_json_member wanted[] = {BASE_JSON_WANT("iss"), BASE_JSON_WANT("aud"),
                                        BASE_JSON_WANT("email"), BASE_JSON_WANT("iat")};
    CHECK_INT(base_json_pick(payload.data, payload.len, wanted, 4, NULL, NULL), 0);
    CHECK(base_json_equals(&wanted[0].value, "iss", 3));
    CHECK(base_json_equals(&wanted[1].value, "aud", 3));
    CHECK(base_json_equals(&wanted[2].value, "a@example.org", 13));
    CHECK_BYTES(wanted[3].value.text, wanted[3].value.len, "1770552895");
    base_buf_fini(&token);
    base_buf_fini(&header);
    base_buf_fini(&payload);
}

static void minting_leaves_out_what_is_not_given(void)
{
    const struct arda_token_request request = {
        .user = "u1", .tenant = "t1", .issued_s = NOW_S, .expires_s = NOW_S + 1};
    struct base_buf token = BASE_BUF_INIT, header = BASE_BUF_INIT, payload = BASE_BUF_INIT;
    CHECK_INT(arda_token_mint(key, &request, &token, &why), 0);
    CHECK_INT(arda_token_decode(token.data, token.len, &header, &payload, &why), 0);
    CHECK(!memmem(payload.data, payload.len, "role", 4));
    CHECK(!memmem(payload.data, payload.len, "iss", 3));
    base_buf_fini(&token);
    base_buf_fini(&header);
    base_buf_fini(&payload);
}

static void minting_refuses_what_a_gateway_would(void)
{
    static const struct arda_token_request requests[] = {
        {.user = "u1"},
        {.tenant = "t1"},
        {.user = "u1", .tenant = "global"},
        {.user = "u1", .tenant = ""},
        {.user = "u:1", .tenant = "t1"},
        {.user = "", .tenant = "t1"},
    };
    struct base_buf token = BASE_BUF_INIT;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        CHECK_INT(arda_token_mint(key, &requests[i], &token, &why), BASE_ERR_INVALID);
    CHECK_INT(token.len, 0);
    base_buf_fini(&token);
}

/* ---- algorithms and signatures ---- */

static void other_algorithms_are_refused(void)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"NONE\"}",
        "{\"alg\":\"hs256\"}",
        "{\"alg\":\"Hs256\"}",
        "{\"alg\":\"HS384\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"RS256\"}",
        "{\"alg\":\"ES256\"}",
        "{\"alg\":\"HS256 \"}",
        "{\"alg\":\"HS25\"}",
        "{\"alg\":\"\"}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":null}",
        "{\"typ\":\"JWT\"}",
        "{}",
        "{\"alg\":\"HS256\",\"alg\":\"none\"}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        check_denied(verify(headers[i], "{" IDS "}"), "the algorithm is not HS256");
}

/* Signed as it says, with the same secret. */
static void a_good_hs384_is_refused(void)
{
    struct base_buf token = BASE_BUF_INIT;
    add_parts(&token, "{\"alg\":\"HS384\",\"typ\":\"JWT\"}", "{" IDS "}");
    sign(&token, EVP_sha384());
    check_denied(verify_bytes(token.data, token.len), "the algorithm is not HS256");
    base_buf_fini(&token);
}

/* RFC 7519 section 4 leaves the choice; JSON.parse, and so other services, take the last. */
static void of_doubled_members_the_last_counts(void)
{
    CHECK_INT(verify(HS256, "{" IDS ",\"tenantId\":\"t2\"}"), 0);
    CHECK_STR(claims.tenant, "t2");
    CHECK_INT(verify("{\"alg\":\"none\",\"alg\":\"HS256\"}", "{" IDS "}"), 0);
    refuses("{" IDS ",\"exp\":1870552896,\"exp\":1}", "expired 1770552895 s ago");
    refuses("{" IDS ",\"tenantId\":\"global\"}", "tenantId is missing or no id");
}

static void good_token(struct base_buf *token)
{
    add_parts(token, HS256, "{" IDS "}");
    sign(token, EVP_sha256());
}

/* Any other character at any place. In the last one of a signature are bits that mean nothing. */
static void no_character_may_change(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct base_buf token = BASE_BUF_INIT;
    good_token(&token);
    CHECK_INT(verify_bytes(token.data, token.len), 0);
    for (size_t i = 0; i < token.len; i++) {
        char was = token.data[i];
        token.data[i] = was == 'A' ? 'B' : 'A';
        CHECK_INT(verify_bytes(token.data, token.len), BASE_ERR_DENIED);
        token.data[i] = was;
    }
    char last = token.data[token.len - 1];
    for (const char *other = alphabet; *other; other++) {
        token.data[token.len - 1] = *other;
        CHECK_INT(verify_bytes(token.data, token.len), *other == last ? 0 : BASE_ERR_DENIED);
    }
    base_buf_fini(&token);
}

static void signatures_of_other_lengths_are_refused(void)
{
    struct base_buf token = BASE_BUF_INIT;
    good_token(&token);
    for (size_t len = 0; len < token.len; len++)
        CHECK_INT(verify_bytes(token.data, len), BASE_ERR_DENIED);
    CHECK_INT(base_buf_add_byte(&token, 'A'), 0);
    CHECK_INT(verify_bytes(token.data, token.len), BASE_ERR_DENIED);
    token.data[token.len - 1] = '=';
    CHECK_INT(verify_bytes(token.data, token.len), BASE_ERR_DENIED);
    token.data[token.len - 1] = '\0';
    CHECK_INT(verify_bytes(token.data, token.len), BASE_ERR_DENIED);
    base_buf_fini(&token);
}

static void another_key_is_refused(void)
{
    struct arda_token_key *other;
    struct base_buf token = BASE_BUF_INIT;
    CHECK_INT(arda_token_key_new(SECRET "x", strlen(SECRET) + 1, &other, NULL), 0);
    good_token(&token);
    CHECK_INT(arda_token_verify(other, token.data, token.len, &claims, NULL), BASE_ERR_DENIED);
    arda_token_key_free(other);
    base_buf_fini(&token);
}

/* ---- form ---- */

static void odd_forms_are_refused(void)
{
    static const char *const tokens[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.",
        ".b.c",
        "a..c",
        "a.b.c.d",
        "a b.c.d",
        "eyJhbGciOiJub25lIn0.e30.",
        "e30=.e30.e30",
        "e30.e3/.e30",
        "Bearer e30.e30.e30",
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        printf("# %s\n", tokens[i]);
        CHECK_INT(verify_bytes(tokens[i], strlen(tokens[i])), BASE_ERR_DENIED);
        CHECK(why.text[0] != '\0');
    }
}

static void four_parts_are_refused(void)
{
    struct base_buf token = BASE_BUF_INIT;
    good_token(&token);
    CHECK_INT(base_buf_add_text(&token, ".e30"), 0);
    check_denied(verify_bytes(token.data, token.len), "a part is empty or not base64url");
    base_buf_fini(&token);
}

/* Rightly signed and of exactly the bound, or a little over it. */
static void the_bound_is_8192_bytes(void)
{
    for (int over = 0; over < 2; over++) {
        struct base_buf payload = BASE_BUF_INIT, token = BASE_BUF_INIT;
        CHECK_INT(base_buf_add_text(&payload, "{" IDS ",\"x\":\""), 0);
        /* 36 characters of header, 43 of signature, two dots: 8111 are left for the payload. */
        while (base_base64_encoded_len(BASE_BASE64_URL, payload.len + 2) < 8111 + (size_t)over)
            CHECK_INT(base_buf_add_byte(&payload, 'x'), 0);
        CHECK_INT(base_buf_add_text(&payload, "\"}"), 0);
        CHECK(base_buf_cstr(&payload) != NULL);
        add_parts(&token, HS256, payload.data);
        sign(&token, EVP_sha256());
        CHECK_INT(token.len > ARDA_TOKEN_MAX_BYTES, over);
        CHECK_INT(verify_bytes(token.data, token.len), over ? BASE_ERR_DENIED : 0);
        base_buf_fini(&payload);
        base_buf_fini(&token);
    }
}

static void payloads_that_are_no_object_are_refused(void)
{
    static const char *const payloads[] = {"[]", "null", "\"sub\"", "{", "{" IDS "}x", "{'sub':1}"};
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        CHECK_INT(verify(HS256, payloads[i]), BASE_ERR_DENIED);
        CHECK(strstr(why.text, "the payload is no JSON object") == why.text);
    }
    CHECK_INT(verify("[\"HS256\"]", "{" IDS "}"), BASE_ERR_DENIED);
    CHECK(strstr(why.text, "the header is no JSON object") == why.text);
}

/* ---- claims ---- */

static void times_are_kept(void)
{
    refuses("{" IDS ",\"exp\":1770552895}", "expired 1 s ago");
    refuses("{" IDS ",\"exp\":1770552896}", "expired 0 s ago");
    refuses("{" IDS ",\"exp\":1770552895.5}", "expired 0 s ago");
    refuses("{" IDS ",\"exp\":0}", "expired 1770552896 s ago");
    refuses("{" IDS ",\"exp\":-5}", "expired 1770552901 s ago");
    refuses("{" IDS ",\"nbf\":1770552897}", "not valid for another 1 s");
    refuses("{" IDS ",\"nbf\":1770552896.001}", "not valid for another 1 s");
    CHECK_INT(verify(HS256, "{" IDS ",\"exp\":1770552896.5,\"nbf\":1770552896}"), 0);
    CHECK(claims.expires_ms == NOW_S * 1000LL + 500);
    CHECK_INT(verify(HS256, "{" IDS ",\"nbf\":0,\"exp\":1.770552897e9}"), 0);
    CHECK_INT(verify(HS256, "{" IDS ",\"iat\":1870552896}"), 0); /* says nothing about now */
}

static void times_are_numbers(void)
{
    static const char *const values[] = {"\"1870552896\"", "null",  "true", "[1870552896]", "{}",
                                         "1e12",           "1e300", "-1e12"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char payload[128];
        snprintf(payload, sizeof payload, "{" IDS ",\"exp\":%s}", values[i]);
        refuses(payload, "exp is no time");
        snprintf(payload, sizeof payload, "{" IDS ",\"nbf\":%s}", values[i]);
        refuses(payload, "nbf is no time");
    }
    CHECK_INT(verify(HS256, "{" IDS ",\"exp\":1e400}"), BASE_ERR_DENIED);
}

static void both_ids_are_needed(void)
{
    static const char too_long[] =
        "\"01234567890123456789012345678901234567890123456789012345678901234\"";
    const char *const bad[] = {"\"\"",         "5",        "null",    "[\"x\"]",
                               "\"a b\"",      "\"a:b\"",  "\"a/b\"", "\"\\u0061\"",
                               "\"\xc3\xa9\"", "\"a\\n\"", "\"*\"",   too_long};
    char payload[256];
    refuses("{\"tenantId\":\"t1\"}", "sub is missing or no id");
    refuses("{\"sub\":\"u1\"}", "tenantId is missing or no id");
    refuses("{\"sub\":\"u1\",\"tenantId\":\"global\"}", "tenantId is missing or no id");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(payload, sizeof payload, "{\"sub\":%s,\"tenantId\":\"t1\"}", bad[i]);
        refuses(payload, "sub is missing or no id");
        snprintf(payload, sizeof payload, "{\"sub\":\"u1\",\"tenantId\":%s}", bad[i]);
        refuses(payload, "tenantId is missing or no id");
    }
    CHECK_INT(verify(HS256, "{\"sub\":\"global\",\"tenantId\":\"t1\"}"), 0);
}

static void reasons_do_not_quote_the_token(void)
{
    refuses("{\"sub\":\"hunter 2\",\"tenantId\":\"t1\"}", "sub is missing or no id");
    CHECK_INT(verify(HS256, "{\"sub\":\"hunter2\" \"hunter2\"}"), BASE_ERR_DENIED);
    CHECK(!strstr(why.text, "hunter"));
    CHECK_INT(verify("{\"alg\":\"hunter2\"}", "{}"), BASE_ERR_DENIED);
    CHECK(!strstr(why.text, "hunter"));
}

/* Those of jansson, which reads and writes for libjwt, fail here too. */
static void verifying_survives_every_failing_allocation(void)
{
    struct base_buf token = BASE_BUF_INIT;
    int result = BASE_ERR_DENIED;
    good_token(&token);
    for (long n = 1; result && n < 1000; n++) {
        base_mem_fail(n, 1);
        result = verify_bytes(token.data, token.len);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_DENIED && why.text[0]));
    }
    CHECK_INT(result, 0);
    base_buf_fini(&token);
}

/* libjwt 1.10 writes a token without looking whether jansson had the memory: left out here. */
static void minting_survives_every_failing_allocation(void)
{
    const struct arda_token_request request = {"u1", "t1", "r", "e", "i", "a", NOW_S, NOW_S + 60};
    int result = BASE_ERR_NOMEM;
    json_set_alloc_funcs(malloc, free);
    for (long n = 1; result && n < 1000; n++) {
        struct base_buf token = BASE_BUF_INIT;
        base_mem_fail(n, 1);
        result = arda_token_mint(key, &request, &token, &why);
        base_mem_fail(0, 0);
        CHECK(result == 0 || (result == BASE_ERR_NOMEM && token.len == 0));
        if (!result) {
            CHECK_INT(verify_bytes(token.data, token.len), 0);
            CHECK_STR(claims.role, "r");
        }
        base_buf_fini(&token);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    base_clock_replace(NULL, fixed_wall_ms);
    json_set_alloc_funcs(base_malloc, base_free);
    if (arda_token_key_new(SECRET, strlen(SECRET), &key, NULL) < 0)
        return EXIT_FAILURE;
    RUN(reads_the_claims);
    RUN(a_role_may_be_missing_or_odd);
    RUN(minted_tokens_verify);
    RUN(minting_leaves_out_what_is_not_given);
    RUN(minting_refuses_what_a_gateway_would);
    RUN(other_algorithms_are_refused);
    RUN(a_good_hs384_is_refused);
    RUN(of_doubled_members_the_last_counts);
    RUN(no_character_may_change);
    RUN(signatures_of_other_lengths_are_refused);
    RUN(another_key_is_refused);
    RUN(odd_forms_are_refused);
    RUN(four_parts_are_refused);
    RUN(the_bound_is_8192_bytes);
    RUN(payloads_that_are_no_object_are_refused);
    RUN(times_are_kept);
    RUN(times_are_numbers);
    RUN(both_ids_are_needed);
    RUN(reasons_do_not_quote_the_token);
    RUN(verifying_survives_every_failing_allocation);
    RUN(minting_survives_every_failing_allocation);
    arda_token_key_free(key);
    return test_end();
}
