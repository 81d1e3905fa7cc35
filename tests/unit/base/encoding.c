/* SPDX-License-Identifier: ISC */
#include "base/encoding.h"

#include "lib/test.h"

struct sample {
    enum base_encoding encoding;
    size_t len;
    const char *bytes;
};

#define SAMPLE(encoding, bytes)                                                                    \
    {                                                                                              \
        encoding, sizeof(bytes) - 1, bytes                                                         \
    }

static const struct sample samples[] = {
    SAMPLE(BASE_ENCODING_PLAIN, ""),
    SAMPLE(BASE_ENCODING_PLAIN, "{"),
    SAMPLE(BASE_ENCODING_PLAIN, "{}\n"),
    SAMPLE(BASE_ENCODING_PLAIN, "\n"),
    SAMPLE(BASE_ENCODING_PLAIN, "\n\n{}"),
    SAMPLE(BASE_ENCODING_PLAIN, "\xef\xbbtext"),
    SAMPLE(BASE_ENCODING_PLAIN, "(text"),
    SAMPLE(BASE_ENCODING_PLAIN, "\x1e{}"),
    SAMPLE(BASE_ENCODING_MARK, "\xef\xbb\xbf"),
    SAMPLE(BASE_ENCODING_MARK, "\xef\xbb\xbf{}"),
    SAMPLE(BASE_ENCODING_UTF16, "\xff\xfe{\0}\0"),
    SAMPLE(BASE_ENCODING_UTF16, "\xfe\xff\0{\0}"),
    SAMPLE(BASE_ENCODING_UTF16, "\xff\xfe"),
    SAMPLE(BASE_ENCODING_UTF16LE, "{\0}\0"),
    SAMPLE(BASE_ENCODING_UTF16BE, "\0{\0}"),
    SAMPLE(BASE_ENCODING_UTF32, "\xff\xfe\0\0{\0\0\0"),
    SAMPLE(BASE_ENCODING_UTF32, "\0\0\xfe\xff\0\0\0{"),
    SAMPLE(BASE_ENCODING_UTF32LE, "{\0\0\0}\0\0\0"),
    SAMPLE(BASE_ENCODING_UTF32BE, "\0\0\0{\0\0\0}"),
    SAMPLE(BASE_ENCODING_GZIP, "\x1f\x8b\x08\0"),
    SAMPLE(BASE_ENCODING_ZSTD, "\x28\xb5\x2f\xfd\x04"),
    SAMPLE(BASE_ENCODING_XZ, "\xfd"
                             "7zXZ\0\0"),
};

#define SAMPLES (sizeof samples / sizeof samples[0])

static void the_whole_is_known(void)
{
    for (size_t i = 0; i < SAMPLES; i++)
        CHECK_INT(base_encoding_of(samples[i].bytes, samples[i].len, true), samples[i].encoding);
}

/* Byte by byte: open, and then what the whole is; never longer than a few bytes. */
static void a_beginning_is_open_until_it_is_known(void)
{
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t len = 0; len <= samples[i].len; len++) {
            enum base_encoding got = base_encoding_of(samples[i].bytes, len, false);
            if (got == BASE_ENCODING_OPEN)
                CHECK(len <= BASE_ENCODING_HEAD_MAX && !memchr(samples[i].bytes, '\n', len));
            else
                CHECK_INT(got, samples[i].encoding);
        }
}

static void what_cannot_be_read_is_named_with_the_command(void)
{
    struct base_why why;
    CHECK_INT(base_encoding_refuse(BASE_ENCODING_GZIP, "day.jsonl.gz", "arda-replay", &why),
              BASE_ERR_SYNTAX);
    CHECK_STR(why.text, "compressed with gzip; zcat day.jsonl.gz | arda-replay");
    base_encoding_refuse(BASE_ENCODING_UTF16, NULL, "arda-publish", &why);
    CHECK_STR(why.text, "UTF-16; iconv -f utf-16 -t utf-8 | arda-publish");
    base_encoding_refuse(BASE_ENCODING_XZ, "a name; rm -r x", "arda-publish", &why);
    CHECK_STR(why.text, "compressed with xz; xzcat | arda-publish");
    base_encoding_refuse(BASE_ENCODING_UTF32, NULL, NULL, &why);
    CHECK_STR(why.text, "UTF-32; iconv -f utf-32 -t utf-8 makes text of it");
}

static void a_whole_text_loses_its_mark(void)
{
    struct base_why why;
    struct base_slice text = {"\xef\xbb\xbfone", 6};
    CHECK_INT(base_encoding_strip(&text, &why), 0);
    CHECK_BYTES(text.data, text.len, "one");
    text = (struct base_slice){"\xff\xfeo\0", 4};
    CHECK_INT(base_encoding_strip(&text, &why), BASE_ERR_SYNTAX);
    text = (struct base_slice){NULL, 0};
    CHECK_INT(base_encoding_strip(&text, &why), 0);
}

static void a_secret_may_be_any_bytes(void)
{
    struct base_why why;
    struct base_slice secret = {"\x1f\x8b random bytes, a zero \0 among", 31};
    CHECK_INT(base_encoding_strip_secret(&secret, &why), 0);
    CHECK_INT(secret.len, 31);
    secret = (struct base_slice){"a\0 random bytes, though the second is zero", 42};
    CHECK_INT(base_encoding_strip_secret(&secret, &why), 0);
    secret = (struct base_slice){"\xef\xbb\xbfsecret", 9};
    CHECK_INT(base_encoding_strip_secret(&secret, &why), 0);
    CHECK_BYTES(secret.data, secret.len, "secret");
    secret = (struct base_slice){"\xef\xbb\xbfsecret\n\r\n", 12};
    CHECK_INT(base_encoding_strip_secret(&secret, &why), 0);
    CHECK_BYTES(secret.data, secret.len, "secret\n");
    secret = (struct base_slice){"\xff\xfes\0e\0c\0r\0e\0t\0\n\0", 16};
    CHECK_INT(base_encoding_strip_secret(&secret, &why), BASE_ERR_SYNTAX);
    secret = (struct base_slice){"s\0e\0c\0r\0e\0t\0", 12};
    CHECK_INT(base_encoding_strip_secret(&secret, &why), BASE_ERR_SYNTAX);
}

int main(void)
{
    RUN(the_whole_is_known);
    RUN(a_beginning_is_open_until_it_is_known);
    RUN(what_cannot_be_read_is_named_with_the_command);
    RUN(a_whole_text_loses_its_mark);
    RUN(a_secret_may_be_any_bytes);
    return test_end();
}
