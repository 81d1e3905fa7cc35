/* SPDX-License-Identifier: ISC
 *
 * The beginnings are one table. An input is OPEN while its bytes are the beginning of a row that is
 * longer, so a reader that receives single bytes waits for five at most.
 */
#include "base/encoding.h"

#include <stdio.h>
#include <string.h>

/* In this order: a longer one before those it begins with. */
static const struct beginning {
    enum base_encoding encoding;
    unsigned char len;
    unsigned char bytes[6];
} beginnings[] = {
    {BASE_ENCODING_MARK, 3, {0xEF, 0xBB, 0xBF}},
    {BASE_ENCODING_UTF32, 4, {0xFF, 0xFE, 0x00, 0x00}},
    {BASE_ENCODING_UTF32, 4, {0x00, 0x00, 0xFE, 0xFF}},
    {BASE_ENCODING_UTF16, 2, {0xFF, 0xFE}},
    {BASE_ENCODING_UTF16, 2, {0xFE, 0xFF}},
    {BASE_ENCODING_UTF32BE, 3, {0x00, 0x00, 0x00}},
    {BASE_ENCODING_UTF16BE, 1, {0x00}},
    {BASE_ENCODING_GZIP, 2, {0x1F, 0x8B}},
    {BASE_ENCODING_ZSTD, 4, {0x28, 0xB5, 0x2F, 0xFD}},
    {BASE_ENCODING_XZ, 6, {0xFD, '7', 'z', 'X', 'Z', 0x00}},
};

#define BEGINNINGS (sizeof beginnings / sizeof beginnings[0])

/* A character of ASCII whose second byte is zero: UTF-16 or UTF-32 with its low byte first. A line
 * end stands for itself, so that an empty line is not held back. */
static enum base_encoding low_byte_first(const unsigned char *bytes, size_t len, bool is_all)
{
    if (len == 0)
        return is_all ? BASE_ENCODING_PLAIN : BASE_ENCODING_OPEN;
    if (bytes[0] == '\n' || (len > 1 && bytes[1] != 0))
        return BASE_ENCODING_PLAIN;
    if (len < 4 && !is_all && (len < 3 || bytes[2] == 0))
        return BASE_ENCODING_OPEN;
    if (len < 2)
        return BASE_ENCODING_PLAIN;
    return len >= 4 && bytes[2] == 0 && bytes[3] == 0 ? BASE_ENCODING_UTF32LE
                                                      : BASE_ENCODING_UTF16LE;
}

enum base_encoding base_encoding_of(const char *text, size_t len, bool is_all)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < BEGINNINGS && len > 0; i++) {
        const struct beginning *row = &beginnings[i];
        size_t both = len < row->len ? len : row->len;
        if (memcmp(bytes, row->bytes, both) != 0)
            continue;
        if (len >= row->len)
            return row->encoding;
        if (!is_all)
            return BASE_ENCODING_OPEN;
    }
    return low_byte_first(bytes, len, is_all);
}

bool base_encoding_is_text(enum base_encoding encoding)
{
    return encoding <= BASE_ENCODING_MARK;
}

/* ---- messages ---- */

/* Whether a shell takes the name as it stands, and the command fits a message. */
static bool is_plain_name(const char *file)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789._/+,:@%=-";
    return file && *file && *file != '-' && !file[strspn(file, plain)] && strlen(file) <= 100;
}

int base_encoding_refuse(enum base_encoding encoding, const char *file, const char *program,
                         struct base_why *why)
{
    static const char *const texts[][2] = {
#define ROW_(name, text, command) [name] = {text, command},
        BASE_ENCODING_MAP(ROW_)
#undef ROW_
    };
    const char *text = texts[encoding][0], *command = texts[encoding][1];
    if (!program)
        return base_why_set(why, BASE_ERR_SYNTAX, "%s; %s makes text of it", text, command);
    bool named = is_plain_name(file);
    return base_why_set(why, BASE_ERR_SYNTAX, "%s; %s%s%s | %s", text, command, named ? " " : "",
                        named ? file : "", program);
}

/* ---- whole texts ---- */

static void cut_mark(struct base_slice *text, enum base_encoding encoding)
{
    if (encoding != BASE_ENCODING_MARK)
        return;
    text->data += BASE_ENCODING_MARK_LEN;
    text->len -= BASE_ENCODING_MARK_LEN;
}

int base_encoding_strip(struct base_slice *text, struct base_why *why)
{
    enum base_encoding encoding = base_encoding_of(text->data, text->len, true);
    if (!base_encoding_is_text(encoding))
        return base_encoding_refuse(encoding, NULL, NULL, why);
    cut_mark(text, encoding);
    return BASE_OK;
}

/* A third of zero bytes is what text of UTF-16 has at least, and random bytes never. */
static bool is_wide(struct base_slice secret, enum base_encoding encoding)
{
    size_t zeros = 0;
    for (size_t i = 0; i < secret.len; i++)
        zeros += secret.data[i] == '\0';
    return encoding >= BASE_ENCODING_UTF16 && encoding <= BASE_ENCODING_UTF32BE &&
           zeros >= secret.len / 3;
}

int base_encoding_strip_secret(struct base_slice *secret, struct base_why *why)
{
    enum base_encoding encoding = base_encoding_of(secret->data, secret->len, true);
    if (is_wide(*secret, encoding))
        return base_encoding_refuse(encoding, NULL, NULL, why);
    cut_mark(secret, encoding);
    for (const char *end = "\n\r"; *end; end++)
        if (secret->len > 0 && secret->data[secret->len - 1] == *end)
            secret->len--;
    return BASE_OK;
}
