/* SPDX-License-Identifier: ISC */
#include "relay/frame.h"

#include "base/err.h"
#include "lib/corpus.h"
#include "lib/cuts.h"
#include "lib/test.h"

static const struct base_slice secret = {"a secret that two servers know of", 33};

/* ---- the beginning ---- */

static uint8_t nonce[RELAY_FRAME_NONCE_LEN] = "of the one that has accepted";
static const struct relay_frame_greeting greeting = {
    .from = 0x1234, .to = 0xfedc, .nonce = "other"};

static void a_greeting_is_read_back(void)
{
    uint8_t bytes[RELAY_FRAME_GREETING_LEN];
    struct relay_frame_greeting got;
    CHECK_INT(relay_frame_greet(&greeting, nonce, secret, bytes), 0);
    CHECK_INT(relay_frame_check(bytes, nonce, secret, &got), 0);
    CHECK_INT(got.from, 0x1234);
    CHECK_INT(got.to, 0xfedc);
    CHECK(memcmp(got.nonce, greeting.nonce, sizeof got.nonce) == 0);
}

static void every_bit_of_it_counts(void)
{
    uint8_t bytes[RELAY_FRAME_GREETING_LEN];
    struct relay_frame_greeting got;
    CHECK_INT(relay_frame_greet(&greeting, nonce, secret, bytes), 0);
    for (size_t i = 0; i < 8 * sizeof bytes; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        CHECK_INT(relay_frame_check(bytes, nonce, secret, &got),
                  i < 32 ? BASE_ERR_SYNTAX : BASE_ERR_DENIED);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t i = 0; i < 8 * sizeof nonce; i++) {
        nonce[i / 8] ^= (uint8_t)(1 << i % 8);
        CHECK_INT(relay_frame_check(bytes, nonce, secret, &got), BASE_ERR_DENIED);
        nonce[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    struct base_slice other = {secret.data, secret.len - 1};
    CHECK_INT(relay_frame_check(bytes, nonce, other, &got), BASE_ERR_DENIED);
}

/* Who sends back what it was sent proves nothing. */
static void the_two_proofs_differ(void)
{
    uint8_t bytes[RELAY_FRAME_GREETING_LEN], proof[BASE_SHA256_LEN];
    CHECK_INT(relay_frame_greet(&greeting, nonce, secret, bytes), 0);
    CHECK_INT(relay_frame_prove(&greeting, nonce, secret, proof), 0);
    CHECK(memcmp(proof, bytes + 8 + RELAY_FRAME_NONCE_LEN, sizeof proof) != 0);
}

/* ---- frames ---- */

/* What is read of the bytes in pieces, as a receiver does; the sum of the credit in the end. */
static void read_all(struct cuts cuts, const struct base_buf *bytes, struct base_buf *text)
{
    struct base_buf in = BASE_BUF_INIT;
    for (size_t at = 0, piece; at < bytes->len; at += piece) {
        piece = cuts_piece(&cuts, bytes->len - at);
        base_buf_add(&in, bytes->data + at, piece);
        struct relay_frame frame;
        ssize_t len;
        while ((len = relay_frame_read((struct base_slice){in.data, in.len}, &frame)) > 0) {
            base_buf_printf(text, "%d %u", (int)frame.type, frame.stream);
            if (frame.type == RELAY_FRAME_CREDIT)
                base_buf_printf(text, " %u", relay_frame_credit(&frame));
            else if (frame.data.len > 100)
                base_buf_printf(text, " (%zu)", frame.data.len);
            else if (frame.data.len > 0)
                base_buf_printf(text, " %.*s", (int)frame.data.len, frame.data.data);
            base_buf_add_text(text, "\n");
            base_buf_consume(&in, (size_t)len);
        }
        CHECK_INT(len, 0);
    }
    CHECK_INT(in.len, 0);
    base_buf_fini(&in);
}

static void frames_are_read_back_at_any_cut(void)
{
    static char large[RELAY_FRAME_DATA_MAX + 1000];
    const struct base_slice none = {NULL, 0};
    for (struct cuts cuts = {0}; cuts_run(&cuts);) {
        struct base_buf bytes = BASE_BUF_INIT, text = BASE_BUF_INIT;
        CHECK_INT(relay_frame_add(&bytes, RELAY_FRAME_OPEN, 7, none), 0);
        CHECK_INT(relay_frame_add(&bytes, RELAY_FRAME_DATA, 7, (struct base_slice){"hello", 5}), 0);
        CHECK_INT(relay_frame_add_credit(&bytes, UINT32_MAX, 3000000000u), 0);
        CHECK_INT(
            relay_frame_add(&bytes, RELAY_FRAME_DATA, 8, (struct base_slice){large, sizeof large}),
            0);
        CHECK_INT(relay_frame_add(&bytes, RELAY_FRAME_EOF, 7, none), 0);
        CHECK_INT(relay_frame_add(&bytes, RELAY_FRAME_RESET, 0, none), 0);
        read_all(cuts, &bytes, &text);
        CHECK_BYTES(text.data, text.len,
                    "0 7\n1 7 hello\n4 4294967295 3000000000\n1 8 (65536)\n1 8 (1000)\n2 7\n3 0\n");
        base_buf_fini(&bytes);
        base_buf_fini(&text);
    }
}

static void frames_of_a_wrong_length_or_type_are_refused(void)
{
    static const char bad[][RELAY_FRAME_HEADER_LEN + 1] = {
        "\0\0\0\1\0\0\0\1\0",                               /* OPEN with a byte */
        "\0\0\0\0\0\0\0\1\1",                               /* DATA without */
        "\0\1\0\1\0\0\0\1\1",                               /* ... of 65537 */
        "\xff\xff\xff\xff\0\0\0\1\1", "\0\0\0\1\0\0\0\1\2", /* EOF, RESET with a byte */
        "\0\0\0\1\0\0\0\1\3",         "\0\0\0\3\0\0\0\1\4", /* CREDIT of three bytes, five */
        "\0\0\0\5\0\0\0\1\4",         "\0\0\0\0\0\0\0\1\5", "\0\0\0\0\0\0\0\1\xff",
    };
    struct relay_frame frame;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(relay_frame_read((struct base_slice){bad[i], RELAY_FRAME_HEADER_LEN - 1}, &frame),
                  0);
        CHECK_INT(relay_frame_read((struct base_slice){bad[i], RELAY_FRAME_HEADER_LEN}, &frame),
                  BASE_ERR_SYNTAX);
    }
}

/* All frames are read, or one is refused. */
static void check_file(const struct corpus_file *file)
{
    struct relay_frame frame;
    size_t at = 0;
    ssize_t len;
    while ((len = relay_frame_read((struct base_slice){file->data + at, file->len - at}, &frame)) >
           0)
        at += (size_t)len;
    CHECK_INT(len, file->accept ? 0 : BASE_ERR_SYNTAX);
    CHECK(!file->accept || at == file->len);
}

static void agrees_with_the_corpus(void)
{
    corpus_each("link", check_file);
}

int main(void)
{
    RUN(a_greeting_is_read_back);
    RUN(every_bit_of_it_counts);
    RUN(the_two_proofs_differ);
    RUN(frames_are_read_back_at_any_cut);
    RUN(frames_of_a_wrong_length_or_type_are_refused);
    RUN(agrees_with_the_corpus);
    return test_end();
}
