/* SPDX-License-Identifier: ISC
 *
 * Two alphabets that differ in two characters, so decoding computes the others.
 */
#include "base/base64.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

static const char alphabets[2][65] = {
    [BASE_BASE64_STD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE_BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base_base64_encoded_len(enum base_base64_alphabet alphabet, size_t len)
{
    if (alphabet == BASE_BASE64_STD)
        return (len + 2) / 3 * 4;
    return len / 3 * 4 + (len % 3 ? len % 3 + 1 : 0);
}

void base_base64_encode(enum base_base64_alphabet alphabet, const void *bytes, size_t len,
                        char *out)
{
    const unsigned char *in = bytes;
    const char *digits = alphabets[alphabet];
    for (; len >= 3; len -= 3, in += 3) {
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = digits[group >> 6 & 63];
        *out++ = digits[group & 63];
    }
    if (len == 0)
        return;
    uint32_t group = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
    *out++ = digits[group >> 18];
    *out++ = digits[group >> 12 & 63];
    if (len == 2)
        *out++ = digits[group >> 6 & 63];
    if (alphabet == BASE_BASE64_STD) {
        *out++ = '=';
        if (len == 1)
            *out++ = '=';
    }
}

/* The value of a character, -1 for a foreign one. */
static int value_of(enum base_base64_alphabet alphabet, char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == alphabets[alphabet][62])
        return 62;
    return c == alphabets[alphabet][63] ? 63 : -1;
}

/* Takes correct padding off; false when there is any that is wrong. */
static bool strip_padding(enum base_base64_alphabet alphabet, const char *text, size_t *len)
{
    size_t padded = *len;
    while (*len > 0 && text[*len - 1] == '=' && padded - *len < 2)
        --*len;
    return padded == *len || (alphabet == BASE_BASE64_STD && padded % 4 == 0);
}

ssize_t base_base64_decode(enum base_base64_alphabet alphabet, const char *text, size_t len,
                           void *out)
{
    unsigned char *to = out;
    uint32_t group = 0;
    if (!strip_padding(alphabet, text, &len) || len % 4 == 1)
        return BASE_ERR_SYNTAX;
    for (size_t i = 0; i < len; i++) {
        int value = value_of(alphabet, text[i]);
        if (value < 0)
            return BASE_ERR_SYNTAX;
        group = group << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            *to++ = (unsigned char)(group >> 16);
            *to++ = (unsigned char)(group >> 8);
            *to++ = (unsigned char)group;
            group = 0;
        }
    }
    if (len % 4 == 2) {
        if (group & 0x0F)
            return BASE_ERR_SYNTAX;
        *to++ = (unsigned char)(group >> 4);
    } else if (len % 4 == 3) {
        if (group & 0x03)
            return BASE_ERR_SYNTAX;
        *to++ = (unsigned char)(group >> 10);
        *to++ = (unsigned char)(group >> 2);
    }
    return to - (unsigned char *)out;
}
