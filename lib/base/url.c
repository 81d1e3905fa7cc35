/* SPDX-License-Identifier: ISC */
#include "base/url.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static struct base_slice slice(const char *from, const char *to)
{
    return (struct base_slice){from, (size_t)(to - from)};
}

static bool parse_port(struct base_slice text, int *port)
{
    *port = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *port > 65535)
            return false;
        *port = *port * 10 + (text.data[i] - '0');
    }
    return text.len > 0 && *port <= 65535;
}

static int bad(struct base_why *why, const char *what)
{
    return base_why_set(why, BASE_ERR_SYNTAX, "not a URL: %s", what);
}

/* host, host:port, [v6] or [v6]:port */
static int parse_host(const char *at, const char *end, struct base_url *url, struct base_why *why)
{
    const char *behind;
    if (at < end && *at == '[') {
        const char *close = memchr(at, ']', (size_t)(end - at));
        if (!close)
            return bad(why, "'[' without ']'");
        url->host = slice(at + 1, close);
        behind = close + 1;
    } else {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        behind = colon ? colon : end;
        url->host = slice(at, behind);
    }
    if (behind == end)
        return BASE_OK;
    if (*behind != ':' || !parse_port(slice(behind + 1, end), &url->port))
        return bad(why, "bad port");
    return BASE_OK;
}

int base_url_explain(struct base_why *why)
{
    char text[sizeof why->text];
    if (!why)
        return BASE_OK;
    memcpy(text, why->text, sizeof text);
    return base_why_set(why, why->code,
                        "%s; in a user or a password, @ : / ? # %% are written as "
                        "%%40 %%3A %%2F %%3F %%23 %%25",
                        text);
}

bool base_url_is_torn(const struct base_url *url)
{
    const struct base_slice parts[] = {url->path, url->query, url->fragment};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].len > 0 && memchr(parts[i].data, '@', parts[i].len))
            return true;
    return false;
}

static int parse(const char *text, struct base_url *url, struct base_why *why)
{
    *url = (struct base_url){.port = -1};
    const char *colon = strstr(text, "://");
    if (!colon || colon == text)
        return bad(why, "no scheme://");
    if (!isalpha((unsigned char)*text))
        return bad(why, "bad scheme");
    for (const char *at = text; at < colon; at++)
        if (!isalnum((unsigned char)*at) && !strchr("+-.", *at))
            return bad(why, "bad scheme");
    url->scheme = slice(text, colon);
    const char *from = colon + 3;
    const char *authority_end = from + strcspn(from, "/?#");
    const char *path_end = authority_end + strcspn(authority_end, "?#");
    if (path_end > authority_end)
        url->path = slice(authority_end, path_end);
    if (*path_end == '?')
        url->query = slice(path_end + 1, path_end + 1 + strcspn(path_end + 1, "#"));
    const char *number_sign = strchr(path_end, '#');
    if (number_sign)
        url->fragment = slice(number_sign + 1, number_sign + strlen(number_sign));
    const char *at_sign = NULL;
    for (const char *at = from; at < authority_end; at++)
        if (*at == '@')
            at_sign = at;
    if (at_sign) {
        const char *split = memchr(from, ':', (size_t)(at_sign - from));
        url->user = slice(from, split ? split : at_sign);
        if (split)
            url->password = slice(split + 1, at_sign);
        from = at_sign + 1;
    }
    return parse_host(from, authority_end, url, why);
}

int base_url_parse(const char *text, struct base_url *url, struct base_why *why)
{
    int failed = parse(text, url, why);
    if (failed && url->scheme.data && strchr(text, '@'))
        base_url_explain(why);
    return failed;
}

bool base_url_has_scheme(const struct base_url *url, const char *scheme)
{
    return url->scheme.len == strlen(scheme) &&
           strncasecmp(url->scheme.data, scheme, url->scheme.len) == 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int base_url_decode(struct base_slice part, struct base_buf *out)
{
    size_t before = out->len;
    if (base_buf_reserve(out, part.len + 1) < 0)
        return BASE_ERR_NOMEM;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        if (c == '%') {
            int high = i + 2 < part.len ? hex(part.data[i + 1]) : -1;
            int low = high >= 0 ? hex(part.data[i + 2]) : -1;
            if (low < 0) {
                out->len = before;
                return BASE_ERR_SYNTAX;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        out->data[out->len++] = c;
    }
    return BASE_OK;
}

int base_url_origin(const char *text, struct base_buf *out, struct base_why *why)
{
    struct base_url url;
    int failed = base_url_parse(text, &url, why);
    if (failed)
        return failed;
    bool http = base_url_has_scheme(&url, "http"), https = base_url_has_scheme(&url, "https");
    if ((!http && !https) || url.host.len == 0)
        return base_why_set(why, BASE_ERR_SYNTAX, "expected http://HOST or https://HOST");
    for (size_t i = 0; i < url.host.len; i++) {
        unsigned char c = (unsigned char)url.host.data[i];
        if (c <= ' ' || c == '"' || c == '*' || c >= 0x7f)
            return base_why_set(why, BASE_ERR_SYNTAX, "bad character in the host");
    }
    bool v6 = memchr(url.host.data, ':', url.host.len) != NULL;
    size_t before = out->len;
    failed = base_buf_printf(out, "%s://%s%.*s%s", http ? "http" : "https", v6 ? "[" : "",
                             (int)url.host.len, url.host.data, v6 ? "]" : "");
    for (size_t i = before; i < out->len; i++)
        out->data[i] = (char)tolower((unsigned char)out->data[i]);
    if (!failed && url.port >= 0 && url.port != (http ? 80 : 443))
        failed = base_buf_printf(out, ":%d", url.port);
    if (failed)
        out->len = before;
    return failed ? base_why_set(why, BASE_ERR_NOMEM, "out of memory") : BASE_OK;
}

int base_url_listen(const char *text, char *host, size_t host_size, uint16_t *port,
                    struct base_why *why)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    struct base_slice address = {text, colon ? (size_t)(colon - text) : 0};
    int number;
    if (address.len >= 2 && address.data[0] == '[' && address.data[address.len - 1] == ']') {
        address.data++;
        address.len -= 2;
    } else if (memchr(address.data, ':', address.len)) {
        address.len = host_size; /* an IPv6 address needs its brackets */
    }
    if (address.len >= host_size || !parse_port(slice(digits, digits + strlen(digits)), &number))
        return base_why_set(why, BASE_ERR_SYNTAX, "expected [ADDR]:PORT, got `%s'", text);
    memcpy(host, address.data, address.len);
    host[address.len] = '\0';
    *port = (uint16_t)number;
    return BASE_OK;
}
