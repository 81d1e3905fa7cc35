/* SPDX-License-Identifier: ISC
 *
 * What can be done with values that the scanner (json.c) has yielded. Their text has been checked,
 * so nothing here looks for errors but for what has no counterpart outside JSON.
 */
#include "base/json.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No double, and no middle between two, has more significant digits than 767; what follows them can
 * only say whether the number is above the middle. */
#define DIGITS_MAX 768
#define NUMBER_MAX (DIGITS_MAX + 32) /* with sign, one more digit and exponent */

/* ---- iteration ---- */

void base_json_iter_init(struct base_json_iter *iter, const struct base_json_value *value)
{
    base_assert(value->kind == BASE_JSON_ARRAY || value->kind == BASE_JSON_OBJECT);
    iter->at = value->text + 1;
    iter->end = value->text + value->len - 1;
}

static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

static bool is_filler(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ':';
}

static enum base_json_kind kind_of(char first)
{
    switch (first) {
    case '"': return BASE_JSON_STRING;
    case '{': return BASE_JSON_OBJECT;
    case '[': return BASE_JSON_ARRAY;
    case 't': return BASE_JSON_TRUE;
    case 'f': return BASE_JSON_FALSE;
    case 'n': return BASE_JSON_NULL;
    default: return BASE_JSON_NUMBER;
    }
}

static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (at < end && (depth > 0 || !is_filler(*at)));
    return at;
}

static struct base_json_value take_value(struct base_json_iter *iter)
{
    while (iter->at < iter->end && is_filler(*iter->at))
        iter->at++;
    if (iter->at == iter->end)
        return (struct base_json_value){BASE_JSON_ABSENT, NULL, 0};
    const char *from = iter->at;
    iter->at = skip_value(from, iter->end);
    return (struct base_json_value){kind_of(*from), from, (size_t)(iter->at - from)};
}

bool base_json_iter_next(struct base_json_iter *iter, struct base_json_value *key,
                         struct base_json_value *value)
{
    bool object = *iter->end == '}';
    struct base_json_value first = take_value(iter);
    if (first.kind == BASE_JSON_ABSENT)
        return false;
    if (!object) {
        *value = first;
        return true;
    }
    if (key)
        *key = first;
    *value = take_value(iter);
    return true;
}

/* ---- strings ---- */

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

static unsigned hex4(const char *at)
{
    return hex_digit(at[0]) << 12 | hex_digit(at[1]) << 8 | hex_digit(at[2]) << 4 |
           hex_digit(at[3]);
}

static size_t put_utf8(uint32_t code, char out[static 4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* At a backslash: the character it stands for; its length in `out`, 0 for a lone surrogate. */
static size_t take_escape(const char **at, char out[static 4])
{
    static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    char kind = (*at)[1];
    if (kind != 'u') {
        const char *found = strchr(names, kind);
        out[0] = found ? meanings[found - names] : kind;
        *at += 2;
        return 1;
    }
    uint32_t code = hex4(*at + 2);
    *at += 6;
    if (code < 0xD800 || code > 0xDFFF)
        return put_utf8(code, out);
    if (code > 0xDBFF || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0;
    uint32_t low = hex4(*at + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *at += 6;
    return put_utf8(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), out);
}

/* The bytes up to the next escape or the end. */
static size_t plain_run(const char *at, const char *end)
{
    const char *slash = memchr(at, '\\', (size_t)(end - at));
    return (size_t)((slash ? slash : end) - at);
}

bool base_json_equals(const struct base_json_value *string, const char *bytes, size_t len)
{
    if (string->kind != BASE_JSON_STRING)
        return false;
    const char *at = string->text + 1, *end = string->text + string->len - 1;
    while (at < end) {
        char decoded[4];
        const char *piece = at;
        size_t run = plain_run(at, end);
        if (run > 0) {
            at += run;
        } else {
            run = take_escape(&at, decoded);
            piece = decoded;
            if (run == 0)
                return false;
        }
        if (run > len || memcmp(piece, bytes, run) != 0)
            return false;
        bytes += run;
        len -= run;
    }
    return len == 0;
}

ssize_t base_json_copy(const struct base_json_value *string, char *out, size_t size)
{
    size_t len = 0;
    if (string->kind != BASE_JSON_STRING)
        return -1;
    const char *at = string->text + 1, *end = string->text + string->len - 1;
    while (at < end) {
        char decoded[4];
        const char *piece = at;
        size_t run = plain_run(at, end);
        at += run;
        if (run == 0) {
            run = take_escape(&at, decoded);
            piece = decoded;
        }
        if (run == 0 || run >= size - len || memchr(piece, '\0', run))
            return -1;
        memcpy(out + len, piece, run);
        len += run;
    }
    out[len] = '\0';
    return (ssize_t)len;
}

int base_json_unescape(const struct base_json_value *string, struct base_buf *out)
{
    if (string->kind != BASE_JSON_STRING)
        return BASE_ERR_INVALID;
    size_t before = out->len;
    /* The result is never longer than the text. */
    if (base_buf_reserve(out, string->len) < 0)
        return BASE_ERR_NOMEM;
    const char *at = string->text + 1, *end = string->text + string->len - 1;
    while (at < end) {
        size_t run = plain_run(at, end);
        if (run > 0) {
            memcpy(out->data + out->len, at, run);
            at += run;
        } else {
            char decoded[4];
            run = take_escape(&at, decoded);
            if (run == 0) {
                out->len = before;
                return BASE_ERR_SYNTAX;
            }
            memcpy(out->data + out->len, decoded, run);
        }
        out->len += run;
    }
    return BASE_OK;
}

bool base_json_plain(const struct base_json_value *string, struct base_slice *out)
{
    if (string->kind != BASE_JSON_STRING || memchr(string->text, '\\', string->len))
        return false;
    *out = (struct base_slice){string->text + 1, string->len - 2};
    return true;
}

int base_json_quote(struct base_buf *out, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t before = out->len;
    /* Six characters a byte at worst. */
    if (base_buf_reserve(out, len * 6 + 2) < 0)
        return BASE_ERR_NOMEM;
    char *to = out->data + before;
    *to++ = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte > '\\' && byte < 0x7F) { /* most of them */
            *to++ = (char)byte;
            continue;
        }
        bool separator = byte == 0xE2 && len - i >= 3 && (unsigned char)bytes[i + 1] == 0x80 &&
                         ((unsigned char)bytes[i + 2] | 1) == 0xA9;
        if (byte == '"' || byte == '\\') {
            *to++ = '\\';
            *to++ = (char)byte;
        } else if (separator) {
            memcpy(to, (unsigned char)bytes[i + 2] == 0xA8 ? "\\u2028" : "\\u2029", 6);
            to += 6;
            i += 2;
        } else if (byte < 0x20 || byte == 0x7F) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[byte >> 4];
            to[5] = hex[byte & 15];
            to += 6;
        } else {
            *to++ = (char)byte;
        }
    }
    *to++ = '"';
    out->len = (size_t)(to - out->data);
    return BASE_OK;
}

/* ---- numbers ---- */

/* The exponent behind the `e`, cut at a size that no count of digits outweighs. */
static int64_t take_exponent(const char *at, const char *end)
{
    int64_t exponent = 0;
    bool minus = at < end && *at == '-';
    for (at += at < end && (*at == '-' || *at == '+'); at < end; at++)
        if (exponent < INT64_C(100000000000000000))
            exponent = exponent * 10 + (*at - '0');
    return minus ? -exponent : exponent;
}

/* Rewrites a number as its first significant digits and an exponent: the same double. */
static void shorten(const struct base_json_value *number, char out[static NUMBER_MAX])
{
    const char *at = number->text, *end = at + number->len;
    int64_t exponent = 0;
    size_t digits = 0;
    bool fraction = false, more = false;
    char *to = out;
    if (*at == '-')
        *to++ = *at++;
    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        exponent -= fraction;
        if (digits < DIGITS_MAX && (digits > 0 || *at != '0')) {
            *to++ = *at;
            digits++;
        } else if (digits > 0) {
            more |= *at != '0';
            exponent++;
        }
    }
    if (at < end)
        exponent += take_exponent(at + 1, end);
    snprintf(to, (size_t)(out + NUMBER_MAX - to), "%se%" PRId64,
             digits == 0 ? "0"
             : more      ? "1"
                         : "",
             exponent - more);
}

int base_json_double(const struct base_json_value *number, double *out)
{
    char digits[NUMBER_MAX];
    if (number->kind != BASE_JSON_NUMBER)
        return BASE_ERR_INVALID;
    if (number->len < sizeof digits) {
        memcpy(digits, number->text, number->len);
        digits[number->len] = '\0';
    } else {
        shorten(number, digits);
    }
    /* Programs here never call setlocale, so the point is a point. */
    *out = strtod(digits, NULL);
    return BASE_OK;
}
