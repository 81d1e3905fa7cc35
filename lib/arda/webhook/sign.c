/* SPDX-License-Identifier: ISC */
#include "arda/webhook/sign.h"

#include "base/base64.h"
#include "base/crypto.h"

#include <inttypes.h>
#include <string.h>

#define MARK          "whsec_"
#define MARK_LEN      (sizeof MARK - 1)
#define TEXT_MAX      (ARDA_WEBHOOK_KEY_MAX / 3 * 4 + 4)
#define SIGNATURE_LEN 44 /* base64 of 32 bytes */

int arda_webhook_key_parse(struct base_slice secret, struct arda_webhook_key *key,
                           struct base_why *why)
{
    uint8_t decoded[TEXT_MAX / 4 * 3 + 3];
    if (secret.len < MARK_LEN || memcmp(secret.data, MARK, MARK_LEN) != 0)
        return base_why_set(why, BASE_ERR_INVALID, "expected a secret that begins with " MARK);
    size_t len = secret.len - MARK_LEN;
    ssize_t got = len <= TEXT_MAX
                      ? base_base64_decode(BASE_BASE64_STD, secret.data + MARK_LEN, len, decoded)
                      : ARDA_WEBHOOK_KEY_MAX + 1;
    if (got < 0)
        return base_why_set(why, BASE_ERR_INVALID, "expected base64 after " MARK);
    if (got < ARDA_WEBHOOK_KEY_MIN || got > ARDA_WEBHOOK_KEY_MAX)
        return base_why_set(why, BASE_ERR_INVALID, "expected %d to %d bytes in base64 after " MARK,
                            ARDA_WEBHOOK_KEY_MIN, ARDA_WEBHOOK_KEY_MAX);
    memcpy(key->bytes, decoded, (size_t)got);
    key->len = (size_t)got;
    return BASE_OK;
}

static int add_signature(struct base_buf *out, const struct base_buf *signed_text,
                         const struct arda_webhook_key *key)
{
    uint8_t mac[BASE_SHA256_LEN];
    char text[SIGNATURE_LEN];
    int failed =
        base_crypto_hmac_sha256(key->bytes, key->len, signed_text->data, signed_text->len, mac);
    if (failed)
        return failed;
    base_base64_encode(BASE_BASE64_STD, mac, sizeof mac, text);
    failed = base_buf_add(out, "v1,", 3);
    return failed ? failed : base_buf_add(out, text, sizeof text);
}

int arda_webhook_sign(struct base_buf *out, const struct arda_webhook_content *content,
                      const struct arda_webhook_key *keys, size_t key_count)
{
    struct base_buf text = BASE_BUF_INIT;
    size_t before = out->len;
    int failed = base_buf_add(&text, content->id.data, content->id.len);
    if (!failed)
        failed = base_buf_printf(&text, ".%" PRId64 ".", content->timestamp_s);
    if (!failed)
        failed = base_buf_add(&text, content->body.data, content->body.len);
    for (size_t i = 0; i < key_count && !failed; i++) {
        if (i > 0)
            failed = base_buf_add_byte(out, ' ');
        if (!failed)
            failed = add_signature(out, &text, &keys[i]);
    }
    if (failed)
        out->len = before;
    base_buf_fini(&text);
    return failed;
}
