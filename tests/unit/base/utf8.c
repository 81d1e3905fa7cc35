/* SPDX-License-Identifier: ISC */
#include "base/utf8.h"

#include "lib/test.h"

/* Whether these bytes, between each two counts of ASCII up to 9, are taken (the module reads eight
 * bytes at a time where it can); whole, and fed byte by byte and at every cut. */
static bool all_agree(const char *bytes, size_t len, bool want)
{
    char text[32];
    bool agree = true;
    for (size_t around = 0; around < 100; around++) {
        size_t before = around / 10, all = before + len + around % 10;
        memset(text, 'a', sizeof text);
        memcpy(text + before, bytes, len);
        agree &= base_utf8_valid(text, all) == want;
        uint8_t state = BASE_UTF8_START;
        for (size_t i = 0; i < all; i++)
            state = base_utf8_feed(state, text + i, 1);
        agree &= (state == BASE_UTF8_START) == want;
        for (size_t cut = 0; cut <= all; cut++) {
            state = base_utf8_feed(BASE_UTF8_START, text, cut);
            state = base_utf8_feed(state, text + cut, all - cut);
            agree &= (state == BASE_UTF8_START) == want;
        }
    }
    return agree;
}

static size_t encode(uint32_t code, char out[static 4])
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(leads[len] | code);
    return len;
}

static void takes_every_character_and_no_surrogate(void)
{
    char text[4];
    uint32_t wrong = 0;
    for (uint32_t code = 0; code <= 0x1FFFFF; code++) {
        bool want = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        size_t len = encode(code, text);
        wrong += base_utf8_valid(text, len) != want;
        uint32_t got = 0;
        wrong += base_utf8_next(text, 4, &got) != (want ? len : 0) || got != (want ? code : 0);
        wrong += base_utf8_next(text, len - 1, &got) != 0;
    }
    CHECK_INT(wrong, 0);
}

static void judges_all_pairs_and_their_neighbours(void)
{
    /* A lead decides about its first continuation byte: all pairs, made whole with 80s. */
    unsigned wrong = 0;
    for (unsigned lead = 0x80; lead < 0x100; lead++)
        for (unsigned second = 0; second < 0x100; second++) {
            char text[4] = {(char)lead, (char)second, '\x80', '\x80'};
            size_t len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
            bool want = lead >= 0xC2 && lead <= 0xF4 && second >= low && second <= high;
            wrong += base_utf8_valid(text, len) != want;
        }
    CHECK_INT(wrong, 0);
}

static void judges_the_edges_at_every_cut(void)
{
    CHECK(all_agree("", 0, true));
    CHECK(all_agree("\0", 1, true));
    CHECK(all_agree("\xc2\x80", 2, true));
    CHECK(all_agree("\xdf\xbf", 2, true));
    CHECK(all_agree("\xe0\xa0\x80", 3, true));
    CHECK(all_agree("\xed\x9f\xbf", 3, true));
    CHECK(all_agree("\xee\x80\x80", 3, true));
    CHECK(all_agree("\xef\xbf\xbf", 3, true));
    CHECK(all_agree("\xf0\x90\x80\x80", 4, true));
    CHECK(all_agree("\xf4\x8f\xbf\xbf", 4, true));
    CHECK(all_agree("\xc3\xa4xyz\xe2\x82\xac", 8, true));
    CHECK(all_agree("\xc0\x80", 2, false));
    CHECK(all_agree("\xc1\xbf", 2, false));
    CHECK(all_agree("\xe0\x9f\xbf", 3, false));
    CHECK(all_agree("\xed\xa0\x80", 3, false));
    CHECK(all_agree("\xed\xa0\xbd\xed\xb8\x80", 6, false));
    CHECK(all_agree("\xf0\x8f\xbf\xbf", 4, false));
    CHECK(all_agree("\xf4\x90\x80\x80", 4, false));
    CHECK(all_agree("\xf5\x80\x80\x80", 4, false));
    CHECK(all_agree("\xf8\x88\x80\x80\x80", 5, false));
    CHECK(all_agree("\xfe", 1, false));
    CHECK(all_agree("\xff", 1, false));
    CHECK(all_agree("\x80", 1, false));
    CHECK(all_agree("\xc3\xa4\xa4", 3, false));
    CHECK(all_agree("\xc3\xc3\xa4", 3, false));
}

static void a_text_may_not_end_within_a_character(void)
{
    static const char *const texts[] = {"\xc3",     "\xe2\x82", "\xe2",     "\xf0\x9f\x98",
                                        "\xf0\x9f", "\xf0",     "\xe0\xa0", "\xf4\x8f\xbf"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK(all_agree(texts[i], strlen(texts[i]), false));
        CHECK(base_utf8_feed(BASE_UTF8_START, texts[i], strlen(texts[i])) != BASE_UTF8_REJECT);
    }
}

static void what_is_rejected_stays_rejected(void)
{
    uint8_t state = base_utf8_feed(BASE_UTF8_START, "\xff", 1);
    CHECK_INT(state, BASE_UTF8_REJECT);
    CHECK_INT(base_utf8_feed(state, "abcdefgh", 8), BASE_UTF8_REJECT);
    CHECK_INT(base_utf8_feed(state, "", 0), BASE_UTF8_REJECT);
}

static void no_bytes_are_valid(void)
{
    CHECK(base_utf8_valid(NULL, 0));
    CHECK_INT(base_utf8_feed(1, NULL, 0), 1);
}

int main(void)
{
    RUN(takes_every_character_and_no_surrogate);
    RUN(judges_all_pairs_and_their_neighbours);
    RUN(judges_the_edges_at_every_cut);
    RUN(a_text_may_not_end_within_a_character);
    RUN(what_is_rejected_stays_rejected);
    RUN(no_bytes_are_valid);
    return test_end();
}
