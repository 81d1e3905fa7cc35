/* SPDX-License-Identifier: ISC */
#include "arda/mail_address.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

#define LOCAL_MAX 64
#define LABEL_MAX 63

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* atext of RFC 5322 section 3.2.3. */
static bool is_atom(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_hyphen_or_alnum(char c)
{
    return is_alnum(c) || c == '-';
}

/* Parts that are not empty, with dots between them. */
static bool is_dotted(struct base_slice text, bool (*is_allowed)(char c), size_t part_max)
{
    size_t part = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool dot = text.data[i] == '.';
        if (dot ? part == 0 : !is_allowed(text.data[i]) || ++part > part_max)
            return false;
        if (dot)
            part = 0;
    }
    return part > 0;
}

static bool is_domain(struct base_slice domain)
{
    if (!is_dotted(domain, is_hyphen_or_alnum, LABEL_MAX))
        return false;
    for (size_t i = 0; i < domain.len; i++) {
        bool first = i == 0 || domain.data[i - 1] == '.';
        bool last = i + 1 == domain.len || domain.data[i + 1] == '.';
        if ((first || last) && domain.data[i] == '-')
            return false;
    }
    return true;
}

int arda_mail_address_check(struct base_slice address, struct base_why *why)
{
    const char *at = address.len > 0 ? memrchr(address.data, '@', address.len) : NULL;
    if (!at)
        return base_why_set(why, BASE_ERR_INVALID, "no @ in the address");
    if (address.len > ARDA_MAIL_ADDRESS_MAX)
        return base_why_set(why, BASE_ERR_INVALID, "the address is longer than %d bytes",
                            ARDA_MAIL_ADDRESS_MAX);
    struct base_slice local = {address.data, (size_t)(at - address.data)};
    struct base_slice domain = {at + 1, address.len - local.len - 1};
    if (local.len > LOCAL_MAX || !is_dotted(local, is_atom, LOCAL_MAX))
        return base_why_set(why, BASE_ERR_INVALID, "what is before the @ cannot be sent to");
    if (!is_domain(domain))
        return base_why_set(why, BASE_ERR_INVALID, "what is behind the @ is no domain");
    return BASE_OK;
}

static bool is_clean(struct base_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7F)
            return false;
    return base_utf8_valid(name.data, name.len);
}

int arda_mail_sender_parse(const char *text, struct base_slice *name, struct base_slice *address,
                           struct base_why *why)
{
    size_t len = strlen(text);
    const char *open = strrchr(text, '<');
    *name = (struct base_slice){text, 0};
    *address = (struct base_slice){text, len};
    if (open) {
        if (text[len - 1] != '>')
            return base_why_set(why, BASE_ERR_INVALID, "expected > at the end");
        *address = (struct base_slice){open + 1, (size_t)(text + len - open) - 2};
        name->len = (size_t)(open - text);
    }
    while (name->len > 0 && name->data[name->len - 1] == ' ')
        name->len--;
    if (!is_clean(*name))
        return base_why_set(why, BASE_ERR_INVALID, "the name has control characters");
    return arda_mail_address_check(*address, why);
}
