/* SPDX-License-Identifier: ISC
 *
 * The order of a token's examination: its form, its header, the keys it may be of, its signature,
 * and what it claims. Until the signature is known to be good, nothing but `alg` and `kid` counts.
 * OpenSSL checks signatures with keys that were parsed once; libjwt would parse them each time.
 */
#include "arda/token/internal.h"
#include "base/base64.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* What a header says about the signature, and whose it may be. */
struct proof {
    enum token_algorithm algorithm; /* TOKEN_ALGORITHMS: none that is known */
    const struct arda_token_key *keys[ARDA_KEYRING_MAX];
    size_t key_count;
};

/* ---- header ---- */

static bool is_named(const struct arda_token_key *key, const struct base_json_value *kid)
{
    return *key->kid && base_json_equals(kid, key->kid, strlen(key->kid));
}

/* The key of that name, or those that have none. */
static void choose_keys(const struct arda_keyring *ring, const struct base_json_value *kid,
                        struct proof *proof)
{
    for (size_t i = 0; i < ring->count; i++)
        if (is_named(ring->keys[i], kid)) {
            proof->keys[0] = ring->keys[i];
            proof->key_count = 1;
            return;
        }
    for (size_t i = 0; i < ring->count; i++)
        if (!*ring->keys[i]->kid)
            proof->keys[proof->key_count++] = ring->keys[i];
}

static int refuse_algorithm(unsigned expected, struct base_why *why)
{
    char names[64] = "";
    size_t len = 0;
    for (unsigned i = 0; i < TOKEN_ALGORITHMS; i++)
        if (expected & TOKEN_BIT(i))
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? " or " : "",
                                    arda_token_algorithms[i].name);
    return base_why_set(why, BASE_ERR_DENIED, "the algorithm is not %s", names);
}

/* `alg` is one that is allowed and that a key is for. */
static int check_algorithm(const struct arda_keyring *ring, const struct base_json_value *alg,
                           struct proof *proof, struct base_why *why)
{
    unsigned expected = 0;
    for (size_t i = 0; i < proof->key_count; i++)
        expected |= ring->algorithms & arda_token_algorithms_of(proof->keys[i]->kind);
    for (unsigned i = 0; i < TOKEN_ALGORITHMS; i++)
        if (base_json_equals(alg, arda_token_algorithms[i].name,
                             strlen(arda_token_algorithms[i].name)))
            proof->algorithm = i;
    if (!expected)
        return base_why_set(why, BASE_ERR_DENIED, "there is no key for it");
    return expected & TOKEN_BIT(proof->algorithm) ? BASE_OK : refuse_algorithm(expected, why);
}

static int read_header(const struct arda_keyring *ring, const struct base_buf *header,
                       struct proof *proof, struct base_why *why)
{
    enum { ALG, KID, CRIT };
    struct base_json_member wanted[] = {BASE_JSON_WANT("alg"), BASE_JSON_WANT("kid"),
                                        BASE_JSON_WANT("crit")};
    *proof = (struct proof){.algorithm = TOKEN_ALGORITHMS};
    if (base_json_pick(header->data, header->len, wanted, 3, NULL, NULL) < 0)
        return base_why_set(why, BASE_ERR_DENIED, "the header is no JSON object");
    if (wanted[CRIT].value.kind != BASE_JSON_ABSENT) /* RFC 7515 section 4.1.11 */
        return base_why_set(why, BASE_ERR_DENIED, "the header has a crit");
    if (wanted[KID].value.kind != BASE_JSON_ABSENT && wanted[KID].value.kind != BASE_JSON_STRING)
        return base_why_set(why, BASE_ERR_DENIED, "kid is no string");
    choose_keys(ring, &wanted[KID].value, proof);
    return check_algorithm(ring, &wanted[ALG].value, proof, why);
}

/* ---- signature ---- */

struct signed_text {
    struct base_slice text;
    const unsigned char *signature;
    size_t signature_len;
};

static int check_mac(const struct arda_token_key *key, enum base_hash hash,
                     const struct signed_text *is)
{
    uint8_t mac[BASE_SHA512_LEN];
    int len = base_crypto_hmac(hash, key->text, key->len, is->text.data, is->text.len, mac);
    if (len < 0)
        return len;
    return (size_t)len == is->signature_len &&
                   base_crypto_equal(mac, is->signature, is->signature_len)
               ? BASE_OK
               : BASE_ERR_DENIED;
}

static int check_with(const struct arda_token_key *key, enum token_algorithm algorithm,
                      const struct signed_text *is)
{
    const struct token_algorithm_row *row = &arda_token_algorithms[algorithm];
    if (row->kind != key->kind)
        return BASE_ERR_DENIED;
    if (row->kind == TOKEN_SECRET)
        return check_mac(key, row->hash, is);
    return base_pkey_verify(key->pkey, is->text.data, is->text.len, is->signature,
                            is->signature_len);
}

static int check_signature(const struct proof *proof, const char *token,
                           const struct token_parts *parts, struct base_why *why)
{
    unsigned char signature[BASE_PKEY_MAX_SIGNATURE + 3];
    size_t max_len = base_base64_encoded_len(BASE_BASE64_URL, BASE_PKEY_MAX_SIGNATURE);
    ssize_t len = parts->signature.len > max_len
                      ? -1
                      : base_base64_decode(BASE_BASE64_URL, parts->signature.data,
                                           parts->signature.len, signature);
    if (len < 0)
        return base_why_set(why, BASE_ERR_DENIED, "the signature is wrong");
    size_t text_len = (size_t)(parts->claims.data + parts->claims.len - token);
    struct signed_text is = {{token, text_len}, signature, (size_t)len};
    int failed = BASE_ERR_DENIED;
    for (size_t i = 0; i < proof->key_count && failed == BASE_ERR_DENIED; i++)
        failed = check_with(proof->keys[i], proof->algorithm, &is);
    if (failed == BASE_ERR_DENIED)
        return base_why_set(why, failed, "the signature is wrong");
    return failed ? base_why_set(why, failed, "the signature cannot be checked") : BASE_OK;
}

/* ---- all of it ---- */

int arda_keyring_verify(const struct arda_keyring *ring, const char *token, size_t len,
                        struct arda_claims *claims, struct base_why *why)
{
    struct base_buf header = BASE_BUF_INIT, payload = BASE_BUF_INIT;
    struct token_parts parts;
    struct proof proof;
    int failed = arda_token_decode(token, len, &header, &payload, why);
    if (!failed)
        failed = read_header(ring, &header, &proof, why);
    if (!failed)
        failed = arda_token_split(token, len, &parts, why);
    if (!failed)
        failed = check_signature(&proof, token, &parts, why);
    if (!failed)
        failed = arda_token_read_claims(&payload, ring, claims, why);
    base_buf_fini(&header);
    base_buf_fini(&payload);
    if (failed && why)
        why->code = BASE_ERR_DENIED;
    return failed ? BASE_ERR_DENIED : BASE_OK;
}

int arda_token_verify(const struct arda_token_key *key, const char *token, size_t len,
                      struct arda_claims *claims, struct base_why *why)
{
    const struct arda_keyring ring = {.keys = {key}, .count = 1, .algorithms = TOKEN_USUAL};
    return arda_keyring_verify(&ring, token, len, claims, why);
}
