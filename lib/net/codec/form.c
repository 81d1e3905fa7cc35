/* SPDX-License-Identifier: ISC */
#include "net/codec/form.h"

#include "net/codec/http1.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

/* ---- header values: a word, then parameters ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct base_slice *text)
{
    for (; text->len && is_blank(*text->data); text->len--)
        text->data++;
}

static void skip(struct base_slice *text, size_t len)
{
    text->data += len;
    text->len -= len;
}

/* Up to one of the characters in `ends`, without the blanks at its end. */
static struct base_slice take_word(struct base_slice *text, const char *ends)
{
    struct base_slice word = {text->data, 0};
    while (word.len < text->len && !memchr(ends, text->data[word.len], strlen(ends)))
        word.len++;
    skip(text, word.len);
    while (word.len && is_blank(word.data[word.len - 1]))
        word.len--;
    return word;
}

static bool equals(struct base_slice word, const char *text)
{
    return word.len == strlen(text) && strncasecmp(word.data, text, word.len) == 0;
}

/* Behind the opening quote. */
static int take_quoted(struct base_slice *text, struct base_slice *value)
{
    const char *end = text->len ? memchr(text->data, '"', text->len) : NULL;
    if (!end)
        return BASE_ERR_SYNTAX;
    *value = (struct base_slice){text->data, (size_t)(end - text->data)};
    skip(text, value->len + 1);
    if (memchr(value->data, '\\', value->len))
        return BASE_ERR_SYNTAX;
    skip_blanks(text);
    return text->len == 0 || *text->data == ';' ? BASE_OK : BASE_ERR_SYNTAX;
}

/* 1: a parameter; 0: there is no further one; BASE_ERR_SYNTAX. */
static int next_parameter(struct base_slice *text, struct base_slice *name,
                          struct base_slice *value)
{
    if (text->len == 0)
        return 0;
    skip(text, 1); /* the semicolon */
    skip_blanks(text);
    *name = take_word(text, "=;");
    *value = (struct base_slice){text->data, 0};
    if (text->len == 0 || *text->data == ';')
        return name->len ? BASE_ERR_SYNTAX : 1;
    skip(text, 1);
    skip_blanks(text);
    if (text->len == 0 || *text->data != '"') {
        *value = take_word(text, ";");
        return 1;
    }
    skip(text, 1);
    return take_quoted(text, value) < 0 ? BASE_ERR_SYNTAX : 1;
}

/* As next_parameter, for the one of that name. */
static int find_parameter(struct base_slice text, const char *name, struct base_slice *value)
{
    struct base_slice found;
    int result;
    while ((result = next_parameter(&text, &found, value)) == 1)
        if (equals(found, name))
            return 1;
    return result;
}

/* ---- multipart ---- */

/* A body that is read part by part. `line` is CR LF, two hyphens and the boundary: what ends a
 * part. */
struct reader {
    struct base_slice rest;
    char line[BOUNDARY_MAX + 4];
    size_t line_len;
};

static const char *find(struct base_slice text, const char *what, size_t len)
{
    return text.len >= len ? memmem(text.data, text.len, what, len) : NULL;
}

/* Behind the line of a boundary: 1: a part begins; 0: that was the last one; BASE_ERR_SYNTAX. */
static int pass_line(struct reader *reader)
{
    struct base_slice *rest = &reader->rest;
    if (rest->len >= 2 && memcmp(rest->data, "--", 2) == 0)
        return 0;
    skip_blanks(rest);
    if (rest->len < 2 || memcmp(rest->data, "\r\n", 2) != 0)
        return BASE_ERR_SYNTAX;
    skip(rest, 2);
    return 1;
}

/* Goes to the first part, which may have other text before it. */
static int begin(struct reader *reader, struct base_slice boundary)
{
    memcpy(reader->line, "\r\n--", 4);
    memcpy(reader->line + 4, boundary.data, boundary.len);
    reader->line_len = boundary.len + 4;
    size_t bare = reader->line_len - 2; /* at the very beginning no CR LF is before it */
    if (reader->rest.len >= bare && memcmp(reader->rest.data, reader->line + 2, bare) == 0) {
        skip(&reader->rest, bare);
        return pass_line(reader);
    }
    const char *at = find(reader->rest, reader->line, reader->line_len);
    if (!at)
        return BASE_ERR_SYNTAX;
    skip(&reader->rest, (size_t)(at - reader->rest.data) + reader->line_len);
    return pass_line(reader);
}

/* Reads the header lines of a part; whether it is the field. */
static int read_headers(struct reader *reader, const char *name, bool *wanted)
{
    static const char disposition[] = "content-disposition:";
    *wanted = false;
    for (;;) {
        const char *end = find(reader->rest, "\r\n", 2);
        if (!end)
            return BASE_ERR_SYNTAX;
        struct base_slice line = {reader->rest.data, (size_t)(end - reader->rest.data)}, value;
        skip(&reader->rest, line.len + 2);
        if (line.len == 0)
            return BASE_OK;
        size_t len = sizeof disposition - 1;
        if (line.len < len || strncasecmp(line.data, disposition, len) != 0)
            continue;
        skip(&line, len);
        skip_blanks(&line);
        if (!equals(take_word(&line, ";"), "form-data") || find_parameter(line, "name", &value) < 1)
            return BASE_ERR_SYNTAX;
        *wanted = value.len == strlen(name) && memcmp(value.data, name, value.len) == 0;
    }
}

/* 1: a part, `wanted` if it is the field; 0: there is no further one; BASE_ERR_SYNTAX. */
static int take_part(struct reader *reader, const char *name, bool *wanted,
                     struct base_slice *content)
{
    if (read_headers(reader, name, wanted) < 0)
        return BASE_ERR_SYNTAX;
    const char *end = find(reader->rest, reader->line, reader->line_len);
    if (!end)
        return BASE_ERR_SYNTAX;
    *content = (struct base_slice){reader->rest.data, (size_t)(end - reader->rest.data)};
    skip(&reader->rest, content->len + reader->line_len);
    return 1;
}

static int find_part(struct base_slice parameters, struct base_slice body, const char *name,
                     struct base_buf *out)
{
    struct reader reader = {.rest = body};
    struct base_slice boundary, content;
    bool wanted;
    if (find_parameter(parameters, "boundary", &boundary) < 1 || boundary.len == 0 ||
        boundary.len > BOUNDARY_MAX)
        return BASE_ERR_SYNTAX;
    int result = begin(&reader, boundary);
    while (result == 1) {
        if (take_part(&reader, name, &wanted, &content) < 0)
            return BASE_ERR_SYNTAX;
        if (wanted)
            return base_buf_add(out, content.data, content.len) < 0 ? BASE_ERR_NOMEM : 1;
        result = pass_line(&reader);
    }
    return result;
}

int net_form_value(struct base_slice type, struct base_slice body, const char *name,
                   struct base_buf *out)
{
    struct base_slice word = {NULL, 0};
    if (type.data) {
        skip_blanks(&type);
        word = take_word(&type, ";");
    }
    if (equals(word, "application/x-www-form-urlencoded"))
        return net_http1_query(body, name, out);
    if (equals(word, "multipart/form-data"))
        return find_part(type, body, name, out);
    return BASE_ERR_INVALID;
}
