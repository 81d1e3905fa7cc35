/* SPDX-License-Identifier: ISC
 *
 * sign: signatures of webhooks, as the Standard Webhooks specification has them:
 * HMAC-SHA256 of `id.timestamp.body`, with a secret that is written "whsec_" and base64. Threads:
 * any.
 */
#ifndef ARDA_WEBHOOK_SIGN_H
#define ARDA_WEBHOOK_SIGN_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define ARDA_WEBHOOK_KEY_MIN 24 /* bytes that a secret stands for */
#define ARDA_WEBHOOK_KEY_MAX 64

struct arda_webhook_key {
    uint8_t bytes[ARDA_WEBHOOK_KEY_MAX];
    size_t len;
};

/* Reads a secret. BASE_ERR_INVALID with the reason, which does not quote it. */
int arda_webhook_key_parse(struct base_slice secret, struct arda_webhook_key *key,
                           struct base_why *why);

/* What is signed. `timestamp_s`: seconds since 1970, of the attempt. Borrowed for the call. */
struct arda_webhook_content {
    struct base_slice id;
    int64_t timestamp_s;
    struct base_slice body;
};

/* Appends the value of the header webhook-signature: one signature per key, the newest key's first,
 * parted by blanks, so that a receiver who has either secret is content while they are changed. 0;
 * BASE_ERR_NOMEM, BASE_ERR_INTERNAL: `out` unchanged. */
int arda_webhook_sign(struct base_buf *out, const struct arda_webhook_content *content,
                      const struct arda_webhook_key *keys, size_t key_count);

#endif
