/* SPDX-License-Identifier: ISC */
#include "arda/notify/unsubscribe.h"

#include "arda/token/key.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "base/env_secrets.h"
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#define ISSUER  "arda-notifications"
#define HEADER  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define DAY_S   86400
#define SKEW_S  300 /* by which clocks may differ */
#define MAC_LEN BASE_SHA256_LEN

/* ---- the secret ---- */

int arda_unsubscribe_key_load(const char *file, struct arda_token_key **key, struct base_why *why)
{
    static const char *const names[] = {BASE_ENV_UNSUBSCRIBE_SECRET, "UNSUBSCRIBE_TOKEN_SECRET"};
    return arda_token_secret_load(
        file, names, "set UNSUBSCRIBE_TOKEN_SECRET or give --unsubscribe-secret-file", key, why);
}

/* ---- minting ---- */

static int add_base64(struct base_buf *out, const void *bytes, size_t len)
{
    size_t encoded = base_base64_encoded_len(BASE_BASE64_URL, len);
    if (base_buf_reserve(out, encoded) < 0)
        return BASE_ERR_NOMEM;
    base_base64_encode(BASE_BASE64_URL, bytes, len, out->data + out->len);
    out->len += encoded;
    return BASE_OK;
}

static int add_claims(struct base_buf *out, const struct arda_unsubscribe *what, int64_t now_s)
{
    struct base_buf claims = BASE_BUF_INIT;
    int failed = base_buf_printf(
        &claims,
        "{\"userId\":\"%s\",\"tenantId\":\"%s\",\"notificationType\":\"%s\",\"channel\":\"%s\","
        "\"iss\":\"" ISSUER "\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
        what->user, what->tenant, arda_notify_type_name(what->type),
        arda_notify_channel_name(what->channel), now_s, now_s + ARDA_UNSUBSCRIBE_DAYS * DAY_S);
    if (!failed)
        failed = add_base64(out, claims.data, claims.len);
    base_buf_fini(&claims);
    return failed;
}

int arda_unsubscribe_mint(const struct arda_token_key *key, const struct arda_unsubscribe *what,
                          int64_t now_ms, struct base_buf *out)
{
    size_t before = out->len;
    uint8_t mac[MAC_LEN];
    if (key->kind != TOKEN_SECRET)
        return BASE_ERR_CONFIG;
    int failed = add_base64(out, HEADER, sizeof HEADER - 1);
    if (!failed)
        failed = base_buf_add_byte(out, '.');
    if (!failed)
        failed = add_claims(out, what, now_ms / 1000);
    if (!failed)
        failed = base_crypto_hmac_sha256(key->text, key->len, out->data + before, out->len - before,
                                         mac);
    if (!failed)
        failed = base_buf_add_byte(out, '.');
    if (!failed)
        failed = add_base64(out, mac, sizeof mac);
    if (failed)
        out->len = before;
    return failed;
}

/* ---- verifying ---- */

static int refuse(struct base_why *why, const char *text)
{
    return base_why_set(why, BASE_ERR_DENIED, "%s", text);
}

static int check_signature(const struct arda_token_key *key, const char *token, size_t len,
                           struct base_why *why)
{
    struct token_parts parts;
    uint8_t mac[MAC_LEN], theirs[MAC_LEN + 3];
    if (key->kind != TOKEN_SECRET || arda_token_split(token, len, &parts, NULL) < 0 ||
        parts.signature.len != base_base64_encoded_len(BASE_BASE64_URL, MAC_LEN) ||
        base_base64_decode(BASE_BASE64_URL, parts.signature.data, parts.signature.len, theirs) !=
            MAC_LEN)
        return refuse(why, "the signature is wrong");
    size_t text_len = (size_t)(parts.claims.data + parts.claims.len - token);
    int failed = base_crypto_hmac_sha256(key->text, key->len, token, text_len, mac);
    if (failed)
        return base_why_set(why, failed, "the signature cannot be checked");
    return base_crypto_equal(mac, theirs, MAC_LEN) ? BASE_OK
                                                   : refuse(why, "the signature is wrong");
}

static bool copy_id(const struct base_json_value *value, char out[static ARDA_ID_MAX + 1])
{
    struct base_slice plain;
    if (!base_json_plain(value, &plain) || !arda_id_valid(plain.data, plain.len))
        return false;
    memcpy(out, plain.data, plain.len);
    out[plain.len] = '\0';
    return true;
}

static int read_claims(const struct base_buf *claims, int64_t now_ms, struct arda_unsubscribe *what,
                       struct base_why *why)
{
    enum { ISS, EXP, USER, TENANT, TYPE, CHANNEL, COUNT };
    struct base_json_member wanted[COUNT] = {
        [ISS] = BASE_JSON_WANT("iss"),
        [EXP] = BASE_JSON_WANT("exp"),
        [USER] = BASE_JSON_WANT("userId"),
        [TENANT] = BASE_JSON_WANT("tenantId"),
        [TYPE] = BASE_JSON_WANT("notificationType"),
        [CHANNEL] = BASE_JSON_WANT("channel"),
    };
    struct base_slice type, channel;
    double expires_s;
    if (base_json_pick(claims->data, claims->len, wanted, COUNT, NULL, NULL) < 0 ||
        !base_json_equals(&wanted[ISS].value, ISSUER, sizeof ISSUER - 1))
        return refuse(why, "it is not for this");
    if (!copy_id(&wanted[USER].value, what->user) ||
        !copy_id(&wanted[TENANT].value, what->tenant) ||
        !arda_tenant_valid(what->tenant, strlen(what->tenant)))
        return refuse(why, "it names no user");
    if (!base_json_plain(&wanted[TYPE].value, &type) ||
        !base_json_plain(&wanted[CHANNEL].value, &channel) ||
        arda_notify_type_find(type.data, type.len, &what->type) < 0 ||
        arda_notify_channel_find(channel.data, channel.len, &what->channel) < 0)
        return refuse(why, "it names no type of notification");
    if (base_json_double(&wanted[EXP].value, &expires_s) < 0)
        return refuse(why, "it has no end");
    /* However it is written: 1e400 is infinite. */
    int64_t latest_s = now_ms / 1000 + ARDA_UNSUBSCRIBE_DAYS * DAY_S + SKEW_S;
    if (expires_s > (double)latest_s)
        return refuse(why, "it lasts longer than links do");
    if ((double)now_ms >= expires_s * 1000)
        return base_why_set(why, BASE_ERR_TIMEOUT, "it has expired");
    return BASE_OK;
}

int arda_unsubscribe_verify(const struct arda_token_key *key, const char *token, size_t len,
                            int64_t now_ms, struct arda_unsubscribe *what, struct base_why *why)
{
    struct base_buf header = BASE_BUF_INIT, claims = BASE_BUF_INIT;
    struct base_json_member alg = BASE_JSON_WANT("alg");
    int failed = arda_token_decode(token, len, &header, &claims, why);
    if (failed == BASE_ERR_SYNTAX)
        failed = base_why_set(why, BASE_ERR_DENIED, "it is no token");
    if (!failed && (base_json_pick(header.data, header.len, &alg, 1, NULL, NULL) < 0 ||
                    !base_json_equals(&alg.value, "HS256", 5)))
        failed = refuse(why, "the algorithm is not HS256");
    if (!failed)
        failed = check_signature(key, token, len, why);
    if (!failed)
        failed = read_claims(&claims, now_ms, what, why);
    base_buf_fini(&header);
    base_buf_fini(&claims);
    return failed;
}
