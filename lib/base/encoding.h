/* SPDX-License-Identifier: ISC
 *
 * encoding: what the first bytes of an input say about its form. Everything here reads UTF-8.
 *
 * A byte order mark of UTF-8 (EF BB BF) at the very beginning is no part of the text and is
 * skipped. UTF-16 and UTF-32, known by their marks or by a zero byte among the first two, and what
 * is compressed with gzip, zstd or xz (RFC 1952, RFC 8878, the .xz format) is refused as a whole,
 * with the command that makes text of it. Threads: any.
 */
#ifndef BASE_ENCODING_H
#define BASE_ENCODING_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* Name, what it is, the command that makes UTF-8 of it. */
#define BASE_ENCODING_MAP(X)                                                                       \
    X(BASE_ENCODING_UTF16, "UTF-16", "iconv -f utf-16 -t utf-8")                                   \
    X(BASE_ENCODING_UTF16LE, "UTF-16", "iconv -f utf-16le -t utf-8")                               \
    X(BASE_ENCODING_UTF16BE, "UTF-16", "iconv -f utf-16be -t utf-8")                               \
    X(BASE_ENCODING_UTF32, "UTF-32", "iconv -f utf-32 -t utf-8")                                   \
    X(BASE_ENCODING_UTF32LE, "UTF-32", "iconv -f utf-32le -t utf-8")                               \
    X(BASE_ENCODING_UTF32BE, "UTF-32", "iconv -f utf-32be -t utf-8")                               \
    X(BASE_ENCODING_GZIP, "compressed with gzip", "zcat")                                          \
    X(BASE_ENCODING_ZSTD, "compressed with zstd", "zstdcat")                                       \
    X(BASE_ENCODING_XZ, "compressed with xz", "xzcat")

enum base_encoding {
    BASE_ENCODING_OPEN,  /* more bytes are needed */
    BASE_ENCODING_PLAIN, /* taken for UTF-8 */
    BASE_ENCODING_MARK,  /* UTF-8 after a mark of BASE_ENCODING_MARK_LEN bytes */
#define BASE_ENCODING_ENUM_(name, text, command) name,
    BASE_ENCODING_MAP(BASE_ENCODING_ENUM_)
#undef BASE_ENCODING_ENUM_
};

#define BASE_ENCODING_MARK_LEN 3
#define BASE_ENCODING_HEAD_MAX 5 /* no more bytes than these are OPEN; none of them ends a line */

/* What the input is that begins with these bytes. `is_all`: it has no more, and is never OPEN. */
enum base_encoding base_encoding_of(const char *bytes, size_t len, bool is_all);
/* Whether it can be read. */
bool base_encoding_is_text(enum base_encoding encoding);

/* Fills `why` for what is no text and returns BASE_ERR_SYNTAX. `file` and `program` (both may be
 * NULL) complete the command: `zcat FILE | PROGRAM`. */
int base_encoding_refuse(enum base_encoding encoding, const char *file, const char *program,
                         struct base_why *why);

/* Cuts the mark off a whole text. BASE_ERR_SYNTAX, with the reason, for what is no text. */
int base_encoding_strip(struct base_slice *text, struct base_why *why);
/* The same for the file of a secret, which may be any bytes: refused is only what is UTF-16 or
 * UTF-32 beyond doubt. One line end, LF or CR LF, is cut off, too. */
int base_encoding_strip_secret(struct base_slice *secret, struct base_why *why);

#endif
