/* SPDX-License-Identifier: ISC */
#include "arda/mail/link.h"

#include "base/err.h"

#include <string.h>
#include <strings.h>

/* Bytes of `http://` or `https://`, 0 for anything else. */
static size_t scheme_len(struct base_slice url)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i]);
        if (url.len > len && strncasecmp(url.data, schemes[i], len) == 0)
            return len;
    }
    return 0;
}

static bool is_url_character(char c)
{
    return c > ' ' && c < 0x7F && !strchr("\"<>\\^`{|}", c);
}

bool arda_mail_link_is_safe(struct base_slice url)
{
    size_t host = scheme_len(url);
    if (host == 0 || strchr("/?#:@", url.data[host]))
        return false;
    for (size_t i = host; i < url.len; i++)
        if (!is_url_character(url.data[i]))
            return false;
    return true;
}

int arda_mail_link_add(struct base_buf *out, struct base_slice public_url,
                       struct base_slice action_url)
{
    size_t before = out->len;
    int failed = BASE_OK;
    if (action_url.len == 0)
        return BASE_OK;
    if (action_url.data[0] == '/') {
        if (public_url.len == 0 || (action_url.len > 1 && action_url.data[1] == '/'))
            return BASE_OK;
        while (public_url.len > 0 && public_url.data[public_url.len - 1] == '/')
            public_url.len--;
        failed = base_buf_add(out, public_url.data, public_url.len);
    }
    if (!failed)
        failed = base_buf_add(out, action_url.data, action_url.len);
    if (failed ||
        !arda_mail_link_is_safe((struct base_slice){out->data + before, out->len - before}))
        out->len = before;
    return failed;
}
