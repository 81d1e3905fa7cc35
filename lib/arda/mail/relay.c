/* SPDX-License-Identifier: ISC
 *
 * The URL is taken apart by base/url.h; what SMTP has no use for is refused.
 */
#include "arda/mail/relay.h"

#include "base/mem.h"
#include "base/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Letters, digits and `others` only. */
static bool is_made_of(struct base_slice text, const char *others)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' ||
            (!isalnum((unsigned char)text.data[i]) && !strchr(others, text.data[i])))
            return false;
    return true;
}

static bool is_loopback(struct base_slice host)
{
    char text[64];
    struct in_addr v4;
    struct in6_addr v6;
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, text, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(text, "localhost") == 0;
}

/* ---- checks ---- */

static int bad(struct base_why *why, const char *text)
{
    return base_why_set(why, BASE_ERR_CONFIG, "%s", text);
}

static int check(const struct base_url *url, struct base_why *why)
{
    bool v6 = url->host.len > 0 && memchr(url->host.data, ':', url->host.len);
    struct base_slice name = url->path;
    if (!base_url_has_scheme(url, "smtp") && !base_url_has_scheme(url, "smtps"))
        return bad(why, "expected smtp:// or smtps://");
    if (url->host.len == 0)
        return bad(why, "no host");
    if (!is_made_of(url->host, v6 ? ":." : "-._"))
        return bad(why, "bad character in the host");
    if (url->port == 0)
        return bad(why, "bad port");
    if (name.len > 0) {
        name.data++;
        name.len--;
    }
    if (!is_made_of(name, "-.") || url->query.data || url->fragment.data) {
        bad(why, "after the host there may be a port, and a name for us after a slash, but "
                 "nothing else");
        if (base_url_is_torn(url))
            base_url_explain(why);
        return BASE_ERR_CONFIG;
    }
    if (url->user.data && url->user.len == 0)
        return bad(why, "a password without a user");
    return BASE_OK;
}

/* ---- parts ---- */

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    base_free(text);
}

/* `what` in the reason. */
static int take_decoded(struct base_slice part, const char *what, char **out, struct base_why *why)
{
    struct base_buf decoded = BASE_BUF_INIT;
    int failed = base_url_decode(part, &decoded);
    if (failed == BASE_ERR_SYNTAX)
        base_why_set(why, BASE_ERR_CONFIG, "the %s is not percent-encoded", what);
    for (size_t i = 0; !failed && i < decoded.len; i++)
        if ((unsigned char)decoded.data[i] < ' ' || decoded.data[i] == 0x7F)
            failed = base_why_set(why, BASE_ERR_CONFIG, "a control character in the %s", what);
    if (!failed && !base_buf_cstr(&decoded))
        failed = BASE_ERR_NOMEM;
    if (failed == BASE_ERR_NOMEM)
        no_memory(why);
    if (failed) {
        if (decoded.data)
            explicit_bzero(decoded.data, decoded.len);
        base_buf_fini(&decoded);
        return failed == BASE_ERR_NOMEM ? failed : BASE_ERR_CONFIG;
    }
    *out = base_buf_take(&decoded, NULL);
    return BASE_OK;
}

static int take_printed(struct base_buf *text, char **out)
{
    if (!base_buf_cstr(text))
        return BASE_ERR_NOMEM;
    *out = base_buf_take(text, NULL);
    return BASE_OK;
}

static int add_place(struct base_buf *out, const struct base_url *url)
{
    bool v6 = memchr(url->host.data, ':', url->host.len) != NULL;
    int failed = base_buf_printf(out, "%s%.*s%s", v6 ? "[" : "", (int)url->host.len, url->host.data,
                                 v6 ? "]" : "");
    if (!failed && url->port > 0)
        failed = base_buf_printf(out, ":%d", url->port);
    return failed;
}

static int take_places(const struct base_url *url, struct arda_mail_relay *relay)
{
    struct base_buf name = BASE_BUF_INIT, whole = BASE_BUF_INIT;
    int failed = add_place(&name, url);
    if (!failed)
        failed = take_printed(&name, &relay->name);
    if (!failed)
        failed = base_buf_printf(&whole, "%s://%s%.*s", relay->tls ? "smtps" : "smtp", relay->name,
                                 (int)url->path.len, url->path.len > 0 ? url->path.data : "");
    if (!failed)
        failed = take_printed(&whole, &relay->url);
    base_buf_fini(&name);
    base_buf_fini(&whole);
    return failed;
}

int arda_mail_relay_parse(const char *text, struct arda_mail_relay *relay, struct base_why *why)
{
    struct base_url url;
    *relay = (struct arda_mail_relay){0};
    if (base_url_parse(text, &url, why) < 0)
        return why ? why->code = BASE_ERR_CONFIG : BASE_ERR_CONFIG;
    int failed = check(&url, why);
    if (failed)
        return failed;
    relay->tls = base_url_has_scheme(&url, "smtps");
    relay->loopback = is_loopback(url.host);
    if (take_places(&url, relay) < 0)
        failed = no_memory(why);
    if (!failed && url.user.data)
        failed = take_decoded(url.user, "user", &relay->user, why);
    if (!failed && url.user.data)
        failed = take_decoded(url.password, "password", &relay->password, why);
    if (failed)
        arda_mail_relay_fini(relay);
    return failed;
}

void arda_mail_relay_fini(struct arda_mail_relay *relay)
{
    base_free(relay->url);
    base_free(relay->name);
    wipe(relay->user);
    wipe(relay->password);
    *relay = (struct arda_mail_relay){0};
}
