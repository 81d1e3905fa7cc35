/* SPDX-License-Identifier: ISC */
#include "net/codec/origin.h"

#include "base/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253 /* bytes of a name, RFC 1035 */

static bool equals(struct base_slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

/* ---- what a person writes ---- */

static int wrong(struct base_why *why, const char *what)
{
    return base_why_set(why, BASE_ERR_SYNTAX, "%s", what);
}

/* As browsers write it: the shortest form, and no dots in an IPv4-mapped one. */
static int add_ipv6(struct base_buf *out, struct base_slice host, struct base_why *why)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (host.len >= sizeof text)
        return wrong(why, "not an IPv6 address in the brackets");
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET6, text, &address) != 1)
        return wrong(why, "not an IPv6 address in the brackets");
    const uint8_t *bytes = address.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address))
        return base_buf_printf(out, "[::ffff:%x:%x]", bytes[12] << 8 | bytes[13],
                               bytes[14] << 8 | bytes[15]);
    inet_ntop(AF_INET6, &address, text, sizeof text);
    return base_buf_printf(out, "[%s]", text);
}

/* A host whose last label is a number is an IPv4 address, or nothing that a browser connects to. */
static bool ends_in_number(struct base_slice host)
{
    size_t digits = 0;
    while (digits < host.len && isdigit((unsigned char)host.data[host.len - 1 - digits]))
        digits++;
    return digits > 0 && (digits == host.len || host.data[host.len - 1 - digits] == '.');
}

static bool is_ipv4(struct base_slice host)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET, text, &address) == 1;
}

static int check_name(struct base_slice host, bool http, struct base_why *why)
{
    bool pattern = host.len >= 2 && memcmp(host.data, "*.", 2) == 0;
    struct base_slice name = host;
    if (pattern)
        name = (struct base_slice){host.data + 2, host.len - 2};
    if (host.len > HOST_MAX)
        return wrong(why, "the host is too long");
    if (memchr(name.data, '*', name.len) || (pattern && (!name.len || *name.data == '.')))
        return wrong(why, "a star can only be the whole first label of a host, as in "
                          "https://*.example.com");
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c >= 0x80)
            return wrong(why, "the host is not in ASCII: write it as browsers send it, xn--...");
        if (!isalnum(c) && !strchr("-._~!$&'()+,;=", c))
            return wrong(why, "bad character in the host");
    }
    if (http && ends_in_number(name) && (pattern || !is_ipv4(name)))
        return wrong(why, "the host is not an IPv4 address, and ends in a number");
    return BASE_OK;
}

static int add_host(struct base_buf *out, const struct base_url *url, bool http,
                    struct base_why *why)
{
    if (memchr(url->host.data, ':', url->host.len))
        return add_ipv6(out, url->host, why);
    int failed = check_name(url->host, http, why);
    return failed ? failed : base_buf_add(out, url->host.data, url->host.len);
}

static int add_origin(struct base_buf *out, const struct base_url *url, struct base_why *why)
{
    bool https = base_url_has_scheme(url, "https"),
         http = https || base_url_has_scheme(url, "http");
    bool usual = http && url->port == (https ? 443 : 80);
    bool file = base_url_has_scheme(url, "file");
    size_t before = out->len;
    if (url->host.len == 0 && !file)
        return wrong(why, "no host");
    if (url->host.len > 0 && file)
        return wrong(why, "pages of files have the origin null, or file:// without a host");
    int failed = base_buf_add(out, url->scheme.data, url->scheme.len);
    if (!failed)
        failed = base_buf_add_text(out, "://");
    if (!failed && !file)
        failed = add_host(out, url, http, why);
    if (!failed && url->port >= 0 && !usual)
        failed = base_buf_printf(out, ":%d", url->port);
    for (size_t i = before; i < out->len; i++)
        out->data[i] = (char)tolower((unsigned char)out->data[i]);
    return failed;
}

/* What would be ignored: somebody expects it to have an effect. */
static int check_parts(const struct base_url *url, bool is_url, struct base_why *why)
{
    const char *part = url->user.data       ? "a user or a password (@)"
                       : is_url             ? NULL
                       : url->query.data    ? "a query (?)"
                       : url->fragment.data ? "a fragment (#)"
                       : url->path.len > 1  ? "a path (/)"
                                            : NULL;
    return part ? base_why_set(why, BASE_ERR_SYNTAX, "%s, which no origin has", part) : BASE_OK;
}

int net_origin_parse(const char *text, bool is_url, struct base_buf *out, struct base_why *why)
{
    struct base_url url;
    size_t before = out->len;
    int failed = BASE_OK;
    if (strcasecmp(text, "null") == 0) {
        failed = base_buf_add_text(out, "null");
    } else {
        failed = base_url_parse(text, &url, why);
        if (!failed)
            failed = add_origin(out, &url, why);
        if (!failed)
            failed = check_parts(&url, is_url, why);
    }
    if (failed)
        out->len = before;
    return failed == BASE_ERR_NOMEM ? base_why_set(why, failed, "out of memory") : failed;
}

/* ---- what a client sends ---- */

static const char *find_star(const char *allowed)
{
    const char *colon = strstr(allowed, "://*.");
    return colon ? colon + 3 : NULL;
}

bool net_origin_is_pattern(const char *allowed)
{
    return strcmp(allowed, "*") == 0 || find_star(allowed);
}

/* Labels and the dots between them. */
static bool are_labels(const char *at, size_t len)
{
    bool any = false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)at[i];
        if (c == '.' ? !any : (!isalnum(c) && c != '-' && c != '_'))
            return false;
        any = c != '.';
    }
    return any;
}

bool net_origin_matches(const char *allowed, struct base_slice origin)
{
    const char *star = find_star(allowed);
    if (strcmp(allowed, "*") == 0)
        return true;
    if (!star)
        return equals(origin, allowed);
    size_t head = (size_t)(star - allowed), tail = strlen(star + 1);
    if (origin.len <= head + tail || origin.len > head + HOST_MAX + tail)
        return false;
    size_t len = origin.len - head - tail;
    return strncasecmp(origin.data, allowed, head) == 0 &&
           strncasecmp(origin.data + head + len, star + 1, tail) == 0 &&
           are_labels(origin.data + head, len);
}
