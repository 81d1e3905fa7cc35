/* SPDX-License-Identifier: ISC
 *
 * Frames are a header of fixed length and data. Greeting and proof are HMACs over the role of who
 * makes them, both numbers and both nonces, so that neither side can be answered with its own
 * words.
 */
#include "relay/frame.h"

#include "base/err.h"

#include <string.h>

static const char magic[4] = {'A', 'L', 'K', '1'};

/* What is proved: which side one is, and both sides' numbers and nonces. */
#define ROLE_LEN   1
#define PROVEN_LEN (ROLE_LEN + 8 + 2 * RELAY_FRAME_NONCE_LEN)

static void put16(uint8_t *out, uint16_t number)
{
    out[0] = (uint8_t)(number >> 8);
    out[1] = (uint8_t)number;
}

static void put32(uint8_t *out, uint32_t number)
{
    put16(out, (uint16_t)(number >> 16));
    put16(out + 2, (uint16_t)number);
}

static uint16_t get16(const uint8_t *in)
{
    return (uint16_t)(in[0] << 8 | in[1]);
}

static uint32_t get32(const uint8_t *in)
{
    return (uint32_t)get16(in) << 16 | get16(in + 2);
}

/* ---- the beginning ---- */

static void put_head(const struct relay_frame_greeting *greeting, uint8_t out[static 8])
{
    memcpy(out, magic, sizeof magic);
    put16(out + 4, greeting->from);
    put16(out + 6, greeting->to);
}

static int prove(char role, const struct relay_frame_greeting *greeting, const uint8_t *nonce,
                 struct base_slice secret, uint8_t out[static BASE_SHA256_LEN])
{
    uint8_t proven[PROVEN_LEN];
    proven[0] = (uint8_t)role;
    put_head(greeting, proven + ROLE_LEN);
    memcpy(proven + ROLE_LEN + 8, nonce, RELAY_FRAME_NONCE_LEN);
    memcpy(proven + ROLE_LEN + 8 + RELAY_FRAME_NONCE_LEN, greeting->nonce, RELAY_FRAME_NONCE_LEN);
    return base_crypto_hmac_sha256(secret.data, secret.len, proven, sizeof proven, out);
}

int relay_frame_greet(const struct relay_frame_greeting *greeting, const uint8_t *theirs,
                      struct base_slice secret, uint8_t out[static RELAY_FRAME_GREETING_LEN])
{
    put_head(greeting, out);
    memcpy(out + 8, greeting->nonce, RELAY_FRAME_NONCE_LEN);
    return prove('c', greeting, theirs, secret, out + 8 + RELAY_FRAME_NONCE_LEN);
}

int relay_frame_check(const uint8_t greeting[static RELAY_FRAME_GREETING_LEN], const uint8_t *nonce,
                      struct base_slice secret, struct relay_frame_greeting *out)
{
    uint8_t proof[BASE_SHA256_LEN];
    if (memcmp(greeting, magic, sizeof magic) != 0)
        return BASE_ERR_SYNTAX;
    out->from = get16(greeting + 4);
    out->to = get16(greeting + 6);
    memcpy(out->nonce, greeting + 8, RELAY_FRAME_NONCE_LEN);
    int failed = prove('c', out, nonce, secret, proof);
    if (failed)
        return failed;
    return base_crypto_equal(proof, greeting + 8 + RELAY_FRAME_NONCE_LEN, sizeof proof)
               ? BASE_OK
               : BASE_ERR_DENIED;
}

int relay_frame_prove(const struct relay_frame_greeting *greeting, const uint8_t *nonce,
                      struct base_slice secret, uint8_t out[static BASE_SHA256_LEN])
{
    return prove('a', greeting, nonce, secret, out);
}

/* ---- frames ---- */

static bool is_well_formed(const struct relay_frame *frame)
{
    switch (frame->type) {
    case RELAY_FRAME_DATA: return frame->data.len > 0 && frame->data.len <= RELAY_FRAME_DATA_MAX;
    case RELAY_FRAME_CREDIT: return frame->data.len == 4;
    case RELAY_FRAME_OPEN:
    case RELAY_FRAME_EOF:
    case RELAY_FRAME_RESET: return frame->data.len == 0;
    }
    return false;
}

ssize_t relay_frame_read(struct base_slice bytes, struct relay_frame *frame)
{
    const uint8_t *head = (const uint8_t *)bytes.data;
    if (bytes.len < RELAY_FRAME_HEADER_LEN)
        return 0;
    frame->stream = get32(head + 4);
    frame->type = (enum relay_frame_type)head[8];
    frame->data = (struct base_slice){bytes.data + RELAY_FRAME_HEADER_LEN, get32(head)};
    if (!is_well_formed(frame))
        return BASE_ERR_SYNTAX;
    size_t len = RELAY_FRAME_HEADER_LEN + frame->data.len;
    return len <= bytes.len ? (ssize_t)len : 0;
}

uint32_t relay_frame_credit(const struct relay_frame *frame)
{
    return get32((const uint8_t *)frame->data.data);
}

static int add(struct base_buf *out, enum relay_frame_type type, uint32_t stream,
               struct base_slice data)
{
    uint8_t head[RELAY_FRAME_HEADER_LEN];
    put32(head, (uint32_t)data.len);
    put32(head + 4, stream);
    head[8] = (uint8_t)type;
    if (base_buf_reserve(out, sizeof head + data.len) < 0 ||
        base_buf_add(out, head, sizeof head) < 0)
        return BASE_ERR_NOMEM;
    return data.len ? base_buf_add(out, data.data, data.len) : BASE_OK;
}

int relay_frame_add(struct base_buf *out, enum relay_frame_type type, uint32_t stream,
                    struct base_slice data)
{
    size_t before = out->len;
    while (data.len > RELAY_FRAME_DATA_MAX) {
        if (add(out, type, stream, (struct base_slice){data.data, RELAY_FRAME_DATA_MAX}) < 0) {
            out->len = before;
            return BASE_ERR_NOMEM;
        }
        data.data += RELAY_FRAME_DATA_MAX;
        data.len -= RELAY_FRAME_DATA_MAX;
    }
    int failed = add(out, type, stream, data);
    if (failed)
        out->len = before;
    return failed;
}

int relay_frame_add_credit(struct base_buf *out, uint32_t stream, uint32_t bytes)
{
    uint8_t data[4];
    put32(data, bytes);
    return add(out, RELAY_FRAME_CREDIT, stream,
               (struct base_slice){(const char *)data, sizeof data});
}
