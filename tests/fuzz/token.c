/* SPDX-License-Identifier: ISC
 *
 * arda/token: a text taken for a token, and, so that the fuzzer gets past the signature, one that
 * is made of the lines of the input (header, claims) and signed. Whatever is let in has an
 * algorithm, ids and times that may be let in.
 */
#include "arda/token.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "lib/fuzz.h"

#define SECRET "a-secret-of-thirty-two-bytes-or-more"

static const struct arda_token_key *key(void)
{
    static struct arda_token_key *key;
    if (!key)
        FUZZ_CHECK(arda_token_key_new(SECRET, strlen(SECRET), &key, NULL) == 0);
    return key;
}

static void check_accepted(const char *token, size_t len, const struct arda_claims *claims)
{
    struct base_buf header = BASE_BUF_INIT, text = BASE_BUF_INIT;
    struct base_json_member alg = BASE_JSON_WANT("alg");
    FUZZ_CHECK(len <= ARDA_TOKEN_MAX_BYTES);
    FUZZ_CHECK(arda_id_valid(claims->user, strlen(claims->user)));
    FUZZ_CHECK(arda_tenant_valid(claims->tenant, strlen(claims->tenant)));
    FUZZ_CHECK(!claims->expires_ms || claims->expires_ms > base_clock_wall_ms() - 60000);
    FUZZ_CHECK(arda_token_decode(token, len, &header, &text, NULL) == 0);
    FUZZ_CHECK(base_json_pick(header.data, header.len, &alg, 1, NULL, NULL) == 0);
    FUZZ_CHECK(base_json_equals(&alg.value, "HS256", 5));
    base_buf_fini(&header);
    base_buf_fini(&text);
}

static void verify(const char *token, size_t len)
{
    struct base_buf header = BASE_BUF_INIT, claims_text = BASE_BUF_INIT;
    struct arda_claims claims;
    struct base_why why;
    int failed = arda_token_verify(key(), token, len, &claims, &why);
    FUZZ_CHECK(failed == 0 || failed == BASE_ERR_DENIED);
    if (!failed)
        check_accepted(token, len, &claims);
    (void)arda_token_decode(token, len, &header, &claims_text, &why);
    base_buf_fini(&header);
    base_buf_fini(&claims_text);
}

static void add_part(struct base_buf *token, const void *bytes, size_t len)
{
    size_t encoded = base_base64_encoded_len(BASE_BASE64_URL, len);
    FUZZ_CHECK(base_buf_reserve(token, encoded + 1) == 0);
    base_base64_encode(BASE_BASE64_URL, bytes, len, token->data + token->len);
    token->len += encoded;
}

static void verify_signed(const char *text, size_t size)
{
    const char *line_end = memchr(text, '\n', size);
    size_t header_len = line_end ? (size_t)(line_end - text) : size;
    size_t claims_at = line_end ? header_len + 1 : size;
    uint8_t mac[BASE_SHA256_LEN];
    struct base_buf token = BASE_BUF_INIT;
    add_part(&token, text, header_len);
    base_buf_add_byte(&token, '.');
    add_part(&token, text + claims_at, size - claims_at);
    FUZZ_CHECK(base_crypto_hmac_sha256(SECRET, strlen(SECRET), token.data, token.len, mac) == 0);
    base_buf_add_byte(&token, '.');
    add_part(&token, mac, sizeof mac);
    verify(token.data, token.len);
    base_buf_fini(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    verify((const char *)data, size);
    verify_signed((const char *)data, size);
    return 0;
}
