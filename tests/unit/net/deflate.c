/* SPDX-License-Identifier: ISC */
#include "net/codec/deflate.h"

#include "base/err.h"
#include "base/mem.h"
#include "lib/cuts.h"
#include "lib/test.h"
#include "lib/trace.h"

#include <zlib.h>

#define MAX 1000000

/* Text that becomes shorter, and does not repeat itself within a few bytes. */
static void fill(char *bytes, size_t len, struct cuts *random)
{
    static const char words[] = "card.transition,tenantId,4f6f3b8a17f44bd0,fromStage,loopId,";
    for (size_t i = 0; i < len; i++)
        bytes[i] =
            cuts_random(random) % 4 ? words[i % (sizeof words - 1)] : (char)cuts_random(random);
}

static void returns_what_was_compressed(void)
{
    static char text[300000];
    static const size_t lens[] = {200, 1024, 65535, 65536, 70000, 300000};
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    struct net_deflate *state = net_deflate_new();
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct base_slice out, back;
        fill(text, lens[i], &random);
        char *copy = trace_copy(text, lens[i]);
        CHECK_INT(net_deflate_message(state, (struct base_slice){copy, lens[i]}, &out), 0);
        free(copy);
        CHECK(out.len < lens[i]);
        copy = trace_copy(out.data, out.len);
        CHECK_INT(net_deflate_expand(state, (struct base_slice){copy, out.len}, lens[i], &back), 0);
        free(copy);
        CHECK(back.len == lens[i] && memcmp(back.data, text, lens[i]) == 0);
    }
    net_deflate_free(state);
}

/* Nothing is carried over: the same message gives the same bytes, on any state. */
static void compresses_without_context(void)
{
    static char text[2000], first[2000];
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    struct net_deflate *state = net_deflate_new(), *other = net_deflate_new();
    struct base_slice message = {text, sizeof text}, out;
    fill(text, sizeof text, &random);
    CHECK_INT(net_deflate_message(state, message, &out), 0);
    size_t len = out.len;
    memcpy(first, out.data, len);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(net_deflate_message(i == 2 ? other : state, message, &out), 0);
        CHECK(out.len == len && memcmp(out.data, first, len) == 0);
        CHECK_INT(net_deflate_gzip(state, message, &out), 0);
    }
    net_deflate_free(state);
    net_deflate_free(other);
}

static void leaves_what_does_not_shrink(void)
{
    static char noise[100000];
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    struct net_deflate *state = net_deflate_new();
    struct base_slice out;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(cuts_random(&random) >> 8);
    CHECK_INT(net_deflate_message(state, (struct base_slice){"", 0}, &out), BASE_ERR_LIMIT);
    CHECK_INT(net_deflate_gzip(state, (struct base_slice){"", 0}, &out), BASE_ERR_LIMIT);
    for (size_t len = 1; len <= sizeof noise; len *= 3) {
        struct base_slice message = {noise, len};
        CHECK_INT(net_deflate_message(state, message, &out), BASE_ERR_LIMIT);
        CHECK_INT(net_deflate_gzip(state, message, &out), BASE_ERR_LIMIT);
    }
    struct base_slice text = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                              63};
    CHECK_INT(net_deflate_message(state, text, &out), 0);
    CHECK_INT(net_deflate_gzip(state, text, &out), 0);
    net_deflate_free(state);
}

/* The messages of RFC 7692 section 7.2.3. */
static void expands_the_examples_of_the_rfc(void)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = {
        {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello"},
        {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello"},
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello"},
        {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, "Hello"},
        {"\x00", 1, ""},
        {"\x00\x00\x00\xff\xff\x00\x00\x00\xff\xff\x00", 11, ""},
        {"\x03\x00\x00", 3, ""},
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", 14, "HelloHello"},
    };
    struct net_deflate *state = net_deflate_new();
    struct base_slice out;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct base_slice message = {cases[i].bytes, cases[i].len};
        CHECK_INT(net_deflate_expand(state, message, strlen(cases[i].text), &out), 0);
        CHECK_BYTES(out.data, out.len, cases[i].text);
    }
    net_deflate_free(state);
}

static void refuses_what_is_broken(void)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},
        {"\x06", 1},                                      /* a block of the reserved type */
        {"\x00\x05\x00\xfa\xfe\x48", 6},                  /* lengths that contradict each other */
        {"\xf2\x48\xcd\xc9\xc9\x07", 6},                  /* cut inside a block */
        {"\x00\x06\x00\xf9\xff\x48\x65\x6c\x6c\x6f", 10}, /* fewer bytes than announced */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\xff", 8},          /* rubbish behind a final block */
        {"\x4b\x04\x12\x00", 4},                          /* a distance beyond the beginning */
        {"\xff\xff\xff\xff\xff", 5},
        {"Hello", 5},
    };
    struct net_deflate *state = net_deflate_new();
    struct base_slice out;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct base_slice message = {cases[i].bytes, cases[i].len};
        CHECK_INT(net_deflate_expand(state, message, MAX, &out), BASE_ERR_SYNTAX);
        CHECK_INT(net_deflate_expand(state, (struct base_slice){"\x00", 1}, MAX, &out), 0);
    }
    net_deflate_free(state);
}

/* A message of one block has no complete beginning. */
static void refuses_every_beginning(void)
{
    static char text[3000];
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    struct net_deflate *state = net_deflate_new();
    for (size_t size = 30; size < sizeof text; size += 400) {
        struct base_slice out, back;
        fill(text, size, &random);
        memset(text, 'a', 20);
        CHECK_INT(net_deflate_message(state, (struct base_slice){text, size}, &out), 0);
        for (size_t len = 0; len < out.len && !test_failed_here; len++) {
            char *copy = trace_copy(out.data, len);
            int got = net_deflate_expand(state, (struct base_slice){copy, len}, MAX, &back);
            if (got != BASE_ERR_SYNTAX)
                printf("# %zu of %zu bytes\n", len, out.len);
            CHECK_INT(got, BASE_ERR_SYNTAX);
            free(copy);
        }
    }
    net_deflate_free(state);
}

/* 100 MB of zeros as a client would send them. */
static char *make_bomb(size_t *len)
{
    enum { ZEROS = 100 * 1000 * 1000, CAP = 200000 };
    static char zeros[100000];
    char *bomb = malloc(CAP);
    z_stream z = {0};
    if (!bomb || deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_out = (unsigned char *)bomb;
    z.avail_out = CAP;
    for (size_t i = 0; i < ZEROS / sizeof zeros; i++) {
        z.next_in = (unsigned char *)zeros;
        z.avail_in = sizeof zeros;
        deflate(&z, i + 1 < ZEROS / sizeof zeros ? Z_NO_FLUSH : Z_SYNC_FLUSH);
    }
    *len = z.total_out - 4;
    deflateEnd(&z);
    return bomb;
}

static void stops_at_the_bound(void)
{
    static char zeros[MAX];
    struct net_deflate *state = net_deflate_new();
    struct base_slice out, back;
    size_t len;
    char *bomb = make_bomb(&len);
    CHECK(len < 110000);
    CHECK_INT(net_deflate_expand(state, (struct base_slice){bomb, len}, MAX, &out), BASE_ERR_LIMIT);
    CHECK_INT(net_deflate_expand(state, (struct base_slice){bomb, len}, 0, &out), BASE_ERR_LIMIT);
    free(bomb);
    for (size_t size = 100; size <= MAX; size *= 10) {
        CHECK_INT(net_deflate_message(state, (struct base_slice){zeros, size}, &out), 0);
        CHECK_INT(net_deflate_expand(state, out, size - 1, &back), BASE_ERR_LIMIT);
        CHECK_INT(net_deflate_expand(state, out, size, &back), 0);
        CHECK_INT(back.len, size);
        CHECK_INT(net_deflate_expand(state, out, size + 1, &back), 0);
    }
    net_deflate_free(state);
}

static void makes_gzip_files(void)
{
    static char text[70000], back[70000];
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    struct net_deflate *state = net_deflate_new();
    for (size_t len = 1024; len <= sizeof text; len += 9853) {
        struct base_slice out;
        z_stream z = {0};
        fill(text, len, &random);
        CHECK_INT(net_deflate_gzip(state, (struct base_slice){text, len}, &out), 0);
        CHECK(out.len < len);
        CHECK_INT(inflateInit2(&z, 15 + 16), Z_OK);
        z.next_in = (unsigned char *)(uintptr_t)out.data;
        z.avail_in = (unsigned)out.len;
        z.next_out = (unsigned char *)back;
        z.avail_out = sizeof back;
        CHECK_INT(inflate(&z, Z_FINISH), Z_STREAM_END);
        CHECK(z.total_out == len && z.avail_in == 0 && memcmp(back, text, len) == 0);
        inflateEnd(&z);
    }
    net_deflate_free(state);
}

/* The n-th allocation fails: the call says so, and the next one succeeds. */
static void survives_every_failing_allocation(void)
{
    static char text[20000];
    struct cuts random = cuts_of(CUTS_RANDOM, cuts_seed());
    struct net_deflate *good = net_deflate_new();
    struct base_slice message = {text, sizeof text}, packed, out;
    fill(text, sizeof text, &random);
    CHECK_INT(net_deflate_message(good, message, &packed), 0);
    bool failed = true;
    long n = 1;
    for (; failed; n++) {
        base_mem_fail(n, 1);
        struct net_deflate *state = net_deflate_new();
        int expanded = state ? net_deflate_expand(state, packed, MAX, &out) : 0;
        int shrunk = state ? net_deflate_message(state, message, &out) : 0;
        failed = base_mem_tries() >= n;
        base_mem_fail(0, 0);
        CHECK((state != NULL) == (n != 1));
        CHECK(expanded == 0 || expanded == BASE_ERR_NOMEM);
        CHECK(shrunk == 0 || shrunk == BASE_ERR_NOMEM);
        CHECK_INT((!state) + (expanded < 0) + (shrunk < 0), failed);
        CHECK(!state || net_deflate_expand(state, packed, MAX, &out) == 0);
        CHECK(!state || (out.len == sizeof text && memcmp(out.data, text, out.len) == 0));
        CHECK(!state || net_deflate_message(state, message, &out) == 0);
        net_deflate_free(state);
    }
    CHECK(n > 8);
    net_deflate_free(good);
}

int main(void)
{
    RUN(returns_what_was_compressed);
    RUN(compresses_without_context);
    RUN(leaves_what_does_not_shrink);
    RUN(expands_the_examples_of_the_rfc);
    RUN(refuses_what_is_broken);
    RUN(refuses_every_beginning);
    RUN(stops_at_the_bound);
    RUN(makes_gzip_files);
    RUN(survives_every_failing_allocation);
    return test_end();
}
