/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include "base/err.h"
#include "lib/test.h"

#define STD BASE_BASE64_STD
#define URL BASE_BASE64_URL

static void check_encode(enum base_base64_alphabet alphabet, const char *bytes, size_t len,
                         const char *want)
{
    size_t size = base_base64_encoded_len(alphabet, len);
    char *out = malloc(size + 1);
    CHECK_INT(size, strlen(want));
    base_base64_encode(alphabet, bytes, len, out);
    CHECK_BYTES(out, size, want);
    free(out);
}

static ssize_t decode(enum base_base64_alphabet alphabet, const char *text, unsigned char *out)
{
    /* Exactly the room that the header asks for, and no byte behind the text. */
    size_t len = strlen(text);
    char *copy = malloc(len + 1), *room = malloc(len / 4 * 3 + 3);
    memcpy(copy, text, len);
    ssize_t result = base_base64_decode(alphabet, copy, len, room);
    if (result > 0)
        memcpy(out, room, (size_t)result);
    free(copy);
    free(room);
    return result;
}

static void check_decode(enum base_base64_alphabet alphabet, const char *text, const char *want)
{
    unsigned char out[64];
    ssize_t len = decode(alphabet, text, out);
    CHECK(len >= 0);
    if (len >= 0)
        CHECK_BYTES((char *)out, (size_t)len, want);
}

/* RFC 4648 section 10. */
static const char *const vectors[][3] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

static void knows_the_vectors_of_the_rfc(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        check_encode(STD, vectors[i][0], strlen(vectors[i][0]), vectors[i][1]);
        check_encode(URL, vectors[i][0], strlen(vectors[i][0]), vectors[i][2]);
        check_decode(STD, vectors[i][1], vectors[i][0]);
        check_decode(STD, vectors[i][2], vectors[i][0]);
        check_decode(URL, vectors[i][2], vectors[i][0]);
    }
}

static void the_alphabets_differ_in_two_characters(void)
{
    unsigned char out[8];
    check_encode(STD, "\xfb\xff\xfe", 3, "+//+");
    check_encode(URL, "\xfb\xff\xfe", 3, "-__-");
    check_decode(STD, "+//+", "\xfb\xff\xfe");
    check_decode(URL, "-__-", "\xfb\xff\xfe");
    CHECK_INT(decode(URL, "+//+", out), BASE_ERR_SYNTAX);
    CHECK_INT(decode(STD, "-__-", out), BASE_ERR_SYNTAX);
}

static void refuses_wrong_padding(void)
{
    static const char *const texts[] = {
        "=",       "==",       "====", "Zg=",  "Zg===", "Zm8==",    "Zm9v=",    "Zm9v==",
        "Zm9v===", "Zm9v====", "Z===", "Z=g=", "=Zg=",  "Zg==Zg==", "Zm8=Zm8=", "Zg= ="};
    unsigned char out[16];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK_INT(decode(STD, texts[i], out), BASE_ERR_SYNTAX);
    CHECK_INT(decode(URL, "Zg==", out), BASE_ERR_SYNTAX);
    CHECK_INT(decode(URL, "Zm8=", out), BASE_ERR_SYNTAX);
}

static void refuses_what_is_no_canonical_text(void)
{
    static const char *const texts[] = {"Z",    "Zm9vY",  "Zh==",   "Zh",    "Zm9=", "Zm9",
                                        "Z g=", "Zm\n9v", "Zm9v\n", "Zm9v!", "Zm.v", "\xc3\xa4Zm"};
    unsigned char out[16];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        CHECK_INT(decode(STD, texts[i], out), BASE_ERR_SYNTAX);
    CHECK_INT(base_base64_decode(STD, "Zm\0v", 4, out), BASE_ERR_SYNTAX);
}

static void only_the_alphabet_is_in_the_alphabet(void)
{
    unsigned char out[4];
    for (int alphabet = STD; alphabet <= URL; alphabet++) {
        int taken = 0;
        for (int c = 0; c < 256; c++) {
            char text[4] = {'A', (char)c, 'A', 'A'};
            taken += base_base64_decode((enum base_base64_alphabet)alphabet, text, 4, out) == 3;
        }
        CHECK_INT(taken, 64);
    }
}

static void unused_bits_are_zero(void)
{
    unsigned char out[4];
    int taken[2] = {0, 0};
    for (int c = 0; c < 256; c++) {
        char two[] = {'A', (char)c}, three[] = {'A', 'A', (char)c};
        taken[0] += base_base64_decode(URL, two, 2, out) == 1;
        taken[1] += base_base64_decode(URL, three, 3, out) == 2;
    }
    CHECK_INT(taken[0], 64 / 16);
    CHECK_INT(taken[1], 64 / 4);
}

static void gives_back_all_lengths_in_place(void)
{
    unsigned char bytes[256];
    char text[400];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + 13);
    for (int alphabet = STD; alphabet <= URL; alphabet++)
        for (size_t len = 0; len <= sizeof bytes; len++) {
            enum base_base64_alphabet which = (enum base_base64_alphabet)alphabet;
            size_t text_len = base_base64_encoded_len(which, len);
            base_base64_encode(which, bytes, len, text);
            CHECK_INT(base_base64_decode(which, text, text_len, text), len);
            CHECK(memcmp(text, bytes, len) == 0);
        }
}

int main(void)
{
    RUN(knows_the_vectors_of_the_rfc);
    RUN(the_alphabets_differ_in_two_characters);
    RUN(refuses_wrong_padding);
    RUN(refuses_what_is_no_canonical_text);
    RUN(only_the_alphabet_is_in_the_alphabet);
    RUN(unused_bits_are_zero);
    RUN(gives_back_all_lengths_in_place);
    return test_end();
}
