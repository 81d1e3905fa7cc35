/* SPDX-License-Identifier: ISC */
#include "arda/mail/text.h"

#include "base/err.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool is_control(const char *at, size_t len)
{
    unsigned char first = (unsigned char)at[0];
    if (len == 1)
        return first < ' ' || first == 0x7F;
    return len == 2 && first == 0xC2 && (unsigned char)at[1] < 0xA0;
}

/* U+2028 and U+2029. */
static bool is_separator(const char *at, size_t len)
{
    return len == 3 && (memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0);
}

static const char *reference(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* What stands for the character, or NULL when it does itself. */
static const char *replacement(const char *at, size_t len, enum arda_mail_kind kind)
{
    if (kind != ARDA_MAIL_HEADER && *at == '\n')
        return "\r\n";
    if (kind != ARDA_MAIL_HEADER && *at == '\t')
        return NULL;
    if (is_control(at, len) || (kind == ARDA_MAIL_HEADER && is_separator(at, len)))
        return " ";
    return kind == ARDA_MAIL_HTML ? reference(*at) : NULL;
}

/* Returns how many bytes it has taken, or BASE_ERR_NOMEM. */
static int add_character(struct base_buf *out, const char *at, size_t left,
                         enum arda_mail_kind kind)
{
    uint32_t code;
    size_t len = base_utf8_next(at, left, &code);
    if (len == 0)
        return base_buf_add_text(out, "\xef\xbf\xbd") < 0 ? BASE_ERR_NOMEM : 1;
    if (*at == '\r' && left > 1 && at[1] == '\n')
        return 1;
    const char *text = replacement(at, len, kind);
    int failed = text ? base_buf_add_text(out, text) : base_buf_add(out, at, len);
    return failed ? failed : (int)len;
}

int arda_mail_text_add(struct base_buf *out, struct base_slice value, enum arda_mail_kind kind)
{
    size_t before = out->len;
    for (size_t i = 0; i < value.len;) {
        int taken = add_character(out, value.data + i, value.len - i, kind);
        if (taken < 0) {
            out->len = before;
            return taken;
        }
        i += (size_t)taken;
    }
    return BASE_OK;
}
