/* SPDX-License-Identifier: ISC
 *
 * net/link: frames lie in the bytes, and read and written again are the same frames; what the other
 * side says of itself is not believed without the proof.
 */
#include "relay/frame.h"

#include "base/err.h"
#include "lib/fuzz.h"
#include "lib/trace.h"

static void check_frame(const struct relay_frame *frame, const char *bytes, size_t size)
{
    FUZZ_CHECK(frame->data.len <= RELAY_FRAME_DATA_MAX);
    FUZZ_CHECK(frame->type != RELAY_FRAME_DATA || frame->data.len > 0);
    if (frame->data.len > 0)
        FUZZ_CHECK(frame->data.data >= bytes && frame->data.data + frame->data.len <= bytes + size);
}

/* The frames at the beginning of the bytes, which are written anew into `again`; how many bytes
 * they are is the result. */
static size_t frames(const char *bytes, size_t size, struct base_buf *again)
{
    struct relay_frame frame;
    ssize_t len;
    size_t at = 0;
    while ((len = relay_frame_read((struct base_slice){bytes + at, size - at}, &frame)) > 0) {
        FUZZ_CHECK((size_t)len <= size - at);
        check_frame(&frame, bytes, size);
        at += (size_t)len;
        if (frame.type == RELAY_FRAME_CREDIT)
            FUZZ_CHECK(relay_frame_add_credit(again, frame.stream, relay_frame_credit(&frame)) ==
                       0);
        else
            FUZZ_CHECK(relay_frame_add(again, frame.type, frame.stream, frame.data) == 0);
    }
    FUZZ_CHECK(len == 0 || len == BASE_ERR_SYNTAX);
    return at;
}

/* Nobody who does not know the secret says the right thing, whatever he says. */
static void check_greeting(const char *bytes)
{
    static const struct base_slice secret = {"a secret of 32 bytes or even more", 33};
    uint8_t nonce[RELAY_FRAME_NONCE_LEN] = {0};
    struct relay_frame_greeting greeting;
    FUZZ_CHECK(relay_frame_check((const uint8_t *)bytes, nonce, secret, &greeting) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_buf again = BASE_BUF_INIT;
    char *bytes = trace_copy((const char *)data, size);
    size_t len = frames(bytes, size, &again);
    FUZZ_CHECK(again.len == len);
    FUZZ_CHECK(len == 0 || memcmp(again.data, bytes, len) == 0);
    if (size >= RELAY_FRAME_GREETING_LEN)
        check_greeting(bytes);
    free(bytes);
    base_buf_fini(&again);
    return 0;
}
