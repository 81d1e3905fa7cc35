/* SPDX-License-Identifier: ISC */
#include "net/codec/http1_head.h"

#include <string.h>
#include <strings.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef HAVE_LLHTTP
#include <llhttp.h>
typedef llhttp_t tokens;
#else
#include <http_parser.h>
typedef http_parser tokens;
#endif

#define LENGTH_DIGITS_MAX 18 /* of Content-Length; fits int64_t */

struct head {
    struct net_http1_fields *fields;
    struct base_slice target;
    bool in_value; /* the last field's value has begun */
    bool complete;
    int status;
};

void net_http1_fields_fini(struct net_http1_fields *fields)
{
    base_buf_fini(&fields->table);
    base_buf_fini(&fields->joined);
}

void net_http1_fields_reset(struct net_http1_fields *fields, size_t keep_max_bytes)
{
    fields->table.len = 0;
    if (fields->table.cap > keep_max_bytes)
        base_buf_fini(&fields->table);
    base_buf_fini(&fields->joined);
}

static struct net_http1_field *table_of(const struct net_http1_fields *fields, size_t *count)
{
    *count = fields->table.len / sizeof(struct net_http1_field);
    return (struct net_http1_field *)(void *)fields->table.data;
}

static bool same(struct base_slice text, const char *other, size_t len)
{
    return text.len == len && strncasecmp(text.data, other, len) == 0;
}

struct base_slice net_http1_fields_find(const struct net_http1_fields *fields, const char *name)
{
    size_t count, len = strlen(name);
    const struct net_http1_field *table = table_of(fields, &count);
    for (size_t i = 0; i < count; i++)
        if (same(table[i].name, name, len))
            return table[i].value;
    return (struct base_slice){NULL, 0};
}

/* --- from the tokeniser --- */

static int stop(struct head *head, int status)
{
    head->status = status;
    return -1;
}

static int on_url(tokens *parser, const char *at, size_t len)
{
    struct head *head = parser->data;
    if (head->target.len == 0)
        head->target.data = at;
    head->target.len += len;
    return 0;
}

static int on_header_field(tokens *parser, const char *at, size_t len)
{
    struct head *head = parser->data;
    size_t count;
    struct net_http1_field *table = table_of(head->fields, &count);
    if (count > 0 && !head->in_value) {
        table[count - 1].name.len += len;
        return 0;
    }
    if (count == NET_HTTP1_FIELDS_MAX)
        return stop(head, 431);
    struct net_http1_field field = {{at, len}, {at + len, 0}};
    head->in_value = false;
    return base_buf_add(&head->fields->table, &field, sizeof field) < 0 ? stop(head, 500) : 0;
}

static int on_header_value(tokens *parser, const char *at, size_t len)
{
    struct head *head = parser->data;
    size_t count;
    struct net_http1_field *last = table_of(head->fields, &count) + count - 1;
    if (!head->in_value)
        last->value = (struct base_slice){at, 0};
    last->value.len += len;
    head->in_value = true;
    return 0;
}

/* The body is not the tokeniser's business, so it stops here. */
static int on_headers_complete(tokens *parser)
{
    struct head *head = parser->data;
    head->complete = true;
    return -1;
}

static void tokenise(tokens *parser, struct head *head, struct base_slice text)
{
#ifdef HAVE_LLHTTP
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
#else
    http_parser_settings settings;
    http_parser_settings_init(&settings);
#endif
    settings.on_url = on_url;
    settings.on_header_field = on_header_field;
    settings.on_header_value = on_header_value;
    settings.on_headers_complete = on_headers_complete;
#ifdef HAVE_LLHTTP
    llhttp_init(parser, HTTP_REQUEST, &settings);
    parser->data = head;
    llhttp_execute(parser, text.data, text.len);
#else
    http_parser_init(parser, HTTP_REQUEST);
    parser->data = head;
    http_parser_execute(parser, &settings, text.data, text.len);
#endif
}

/* --- fields --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct base_slice trim(struct base_slice text)
{
    while (text.len && is_blank(text.data[text.len - 1]))
        text.len--;
    while (text.len && is_blank(text.data[0]))
        text.data++, text.len--;
    return text;
}

/* Appends the value of the field `i` and those of its namesakes, which leave the table's search
 * order alone: the first is found first. `joined` has been made large enough for all. */
static void join_one(struct net_http1_field *table, size_t count, size_t i, struct base_buf *joined)
{
    size_t start = joined->len;
    for (size_t k = i; k < count; k++) {
        if (!same(table[k].name, table[i].name.data, table[i].name.len))
            continue;
        if (k > i) {
            memcpy(joined->data + joined->len, ", ", 2);
            joined->len += 2;
        }
        if (table[k].value.len)
            memcpy(joined->data + joined->len, table[k].value.data, table[k].value.len);
        joined->len += table[k].value.len;
    }
    table[i].value = (struct base_slice){joined->data + start, joined->len - start};
}

/* Gives the first of several fields with one name the values of all. Slices into `joined` must
 * stay, so it is reserved once: each field has two bytes (colon and CR) to pay for its ", ". */
static int join_fields(struct net_http1_fields *fields, size_t head_len)
{
    size_t count;
    struct net_http1_field *table = table_of(fields, &count);
    for (size_t i = 0; i < count; i++)
        table[i].value = trim(table[i].value);
    for (size_t i = 0; i < count; i++) {
        bool first = true, several = false;
        for (size_t k = 0; k < count && first; k++) {
            if (k == i || !same(table[k].name, table[i].name.data, table[i].name.len))
                continue;
            first = k > i;
            several = true;
        }
        if (!first || !several)
            continue;
        if (!fields->joined.data && base_buf_reserve(&fields->joined, head_len) < 0)
            return 500;
        join_one(table, count, i, &fields->joined);
    }
    return 0;
}

static size_t count_fields(const struct net_http1_fields *fields, const char *name)
{
    size_t count, found = 0, len = strlen(name);
    const struct net_http1_field *table = table_of(fields, &count);
    for (size_t i = 0; i < count; i++)
        found += same(table[i].name, name, len);
    return found;
}

/* Takes the next element of a comma-separated list, without its blanks; empty ones are left out. */
static bool next_element(struct base_slice *list, struct base_slice *element)
{
    while (list->len) {
        const char *comma = memchr(list->data, ',', list->len);
        size_t len = comma ? (size_t)(comma - list->data) : list->len;
        *element = trim((struct base_slice){list->data, len});
        len += comma ? 1 : 0;
        list->data += len;
        list->len -= len;
        if (element->len)
            return true;
    }
    return false;
}

static bool list_has(struct base_slice list, const char *token)
{
    struct base_slice element;
    while (next_element(&list, &element))
        if (same(element, token, strlen(token)))
            return true;
    return false;
}

/* --- what RFC 9112 says of the whole --- */

/* Section 3: single blanks around the target, which consists of visible ASCII characters, and HTTP
 * behind it. The tokenisers pass several blanks, tabs, any byte over 0x7f, and other protocols. */
static bool request_line_allowed(struct base_slice text, struct base_slice target)
{
    static const char protocol[] = " HTTP/";
    const char *blank = memchr(text.data, ' ', text.len);
    if (target.len == 0 || !blank || blank + 1 != target.data)
        return false;
    const char *end = target.data + target.len;
    for (const char *at = target.data; at < end; at++)
        if (*at <= ' ' || *at >= 0x7f || *at == '#')
            return false;
    return (size_t)(text.data + text.len - end) > sizeof protocol &&
           memcmp(end, protocol, sizeof protocol - 1) == 0;
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Section 3.2.2: takes scheme and authority, neither of them empty, off an absolute-form. */
static bool skip_authority(struct base_slice *target)
{
    const char *at = target->data, *end = at + target->len;
    while (at < end && is_alpha(*at))
        at++;
    if (at == target->data || end - at < 3 || memcmp(at, "://", 3) != 0)
        return false;
    const char *authority = at += 3;
    while (at < end && *at != '/' && *at != '?')
        at++;
    *target = (struct base_slice){at, (size_t)(end - at)};
    return at > authority;
}

/* Section 3.2: origin-form, absolute-form, asterisk-form. */
static int split_target(struct base_slice target, struct net_http1_request *request)
{
    if (target.data[0] != '/' && !same(target, "*", 1) && !skip_authority(&target))
        return 400;
    const char *mark = target.len ? memchr(target.data, '?', target.len) : NULL;
    request->path = target;
    request->query = (struct base_slice){target.data + target.len, 0};
    if (mark) {
        request->path.len = (size_t)(mark - target.data);
        request->query = (struct base_slice){mark + 1, target.len - request->path.len - 1};
    }
    if (request->path.len == 0)
        request->path = (struct base_slice){"/", 1};
    return 0;
}

/* Section 6.2. */
static int read_content_length(struct net_http1_fields *fields, struct net_http1_request *request)
{
    struct base_slice value = net_http1_fields_find(fields, "content-length");
    request->content_length = -1;
    if (!value.data)
        return 0;
    if (value.len == 0 || value.len > LENGTH_DIGITS_MAX)
        return 400;
    int64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return 400;
        length = length * 10 + (value.data[i] - '0');
    }
    request->content_length = length;
    return 0;
}

/* Section 6.1: "chunked" and nothing else. It must be last and stand there once; other codings
 * before it are merely not known here. */
static int read_transfer_encoding(struct net_http1_fields *fields, bool http10, bool *chunked)
{
    struct base_slice list = net_http1_fields_find(fields, "transfer-encoding"), element;
    *chunked = false;
    if (!list.data)
        return 0;
    if (http10)
        return 400;
    bool other = false;
    while (next_element(&list, &element)) {
        if (*chunked)
            return 400;
        if (same(element, "chunked", strlen("chunked")))
            *chunked = true;
        else
            other = true;
    }
    if (other)
        return 501;
    return *chunked ? 0 : 400;
}

static int read_method(const tokens *parser, struct net_http1_request *request)
{
    switch (parser->method) {
    case HTTP_GET: request->method = NET_HTTP1_GET; break;
    case HTTP_POST: request->method = NET_HTTP1_POST; break;
    case HTTP_OPTIONS: request->method = NET_HTTP1_OPTIONS; break;
    case HTTP_HEAD: request->method = NET_HTTP1_HEAD_METHOD; break;
    case HTTP_CONNECT: return 501;
    default: request->method = NET_HTTP1_OTHER; break;
    }
    return 0;
}

static void read_connection(const struct net_http1_fields *fields, bool has_body,
                            struct net_http1_request *request)
{
    struct base_slice connection = net_http1_fields_find(fields, "connection");
    struct base_slice upgrade = net_http1_fields_find(fields, "upgrade");
    struct base_slice expect = net_http1_fields_find(fields, "expect");
    request->has_body = has_body;
    request->keep_alive =
        !list_has(connection, "close") && (!request->http10 || list_has(connection, "keep-alive"));
    request->websocket = request->method == NET_HTTP1_GET && !request->http10 && !has_body &&
                         list_has(connection, "upgrade") && list_has(upgrade, "websocket");
    request->expect_continue =
        has_body && !request->http10 && same(expect, "100-continue", strlen("100-continue"));
}

static int check_version_and_host(const tokens *parser, const struct net_http1_fields *fields,
                                  struct net_http1_request *request)
{
    if (parser->http_major != 1 || parser->http_minor > 1)
        return 505;
    request->http10 = parser->http_minor == 0;
    size_t hosts = count_fields(fields, "host");
    return hosts > 1 || (hosts == 0 && !request->http10) ? 400 : 0;
}

int net_http1_head_parse(struct base_slice text, struct net_http1_request *request,
                         struct net_http1_fields *fields, bool *chunked)
{
    struct head head = {.fields = fields};
    tokens parser;
    tokenise(&parser, &head, text);
    if (head.status)
        return head.status;
    if (!head.complete || !request_line_allowed(text, head.target))
        return 400;
    int status = check_version_and_host(&parser, fields, request);
    if (!status)
        status = join_fields(fields, text.len);
    if (!status)
        status = read_method(&parser, request);
    if (!status)
        status = split_target(head.target, request);
    if (!status)
        status = read_content_length(fields, request);
    if (!status)
        status = read_transfer_encoding(fields, request->http10, chunked);
    if (!status && *chunked && request->content_length >= 0)
        status = 400;
    if (!status)
        read_connection(fields, *chunked || request->content_length > 0, request);
    return status;
}
