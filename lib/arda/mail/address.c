/* SPDX-License-Identifier: ISC */
#include "arda/mail/address.h"

#include "base/text.h"
#include "base/utf8.h"

#include <idn2.h>
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

/* ---- UTF-8 ---- */

static bool is_ascii(struct base_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] > 0x7F)
            return false;
    return true;
}

/* Spaces that people cannot tell from others, or not see at all, as UTF-8; beside them there are
 * the characters that text.h cleans. */
static const char *const spaces[] = {
    "\xc2\xa0",     /* no-break space */
    "\xc2\xad",     /* soft hyphen */
    "\xe1\x9a\x80", /* ogham space mark */
    "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
    "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
    "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\x8b", /* zero width space */
    "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe2\x81\xa0",                 /* word joiner */
    "\xe3\x80\x80",                                                 /* ideographic space */
    "\xef\xbb\xbf",                                                 /* zero width no-break space */
};

static bool has_spaces(struct base_slice text)
{
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        if (memmem(text.data, text.len, spaces[i], strlen(spaces[i])))
            return true;
    return false;
}

/* A byte of an atom, or of a character beyond ASCII. */
static bool is_atom_or_utf8(char c)
{
    return is_atom(c) || (unsigned char)c > 0x7F;
}

static bool is_local(struct base_slice local)
{
    return local.len <= LOCAL_MAX && is_dotted(local, is_atom_or_utf8, LOCAL_MAX) &&
           base_utf8_valid(local.data, local.len) && base_text_is_clean(local.data, local.len) &&
           !has_spaces(local);
}

/* ---- addresses ---- */

static int bad(struct base_why *why, const char *text)
{
    return base_why_set(why, BASE_ERR_INVALID, "%s", text);
}

static int no_memory(struct base_why *why)
{
    return base_why_set(why, BASE_ERR_NOMEM, "%s", base_err_text(BASE_ERR_NOMEM));
}

static int split(struct base_slice address, struct base_slice *local, struct base_slice *domain,
                 struct base_why *why)
{
    const char *at = address.len > 0 ? memrchr(address.data, '@', address.len) : NULL;
    if (!at)
        return bad(why, "no @ in the address");
    *local = (struct base_slice){address.data, (size_t)(at - address.data)};
    *domain = (struct base_slice){at + 1, address.len - local->len - 1};
    return BASE_OK;
}

static int check(struct base_slice local, struct base_slice domain, struct base_why *why)
{
    if (local.len + 1 + domain.len > ARDA_MAIL_ADDRESS_MAX)
        return base_why_set(why, BASE_ERR_INVALID, "the address is longer than %d bytes",
                            ARDA_MAIL_ADDRESS_MAX);
    if (!is_local(local))
        return bad(why, "the part before the @ is not a mailbox name");
    if (!is_domain(domain))
        return bad(why, "the part after the @ is not a domain");
    return BASE_OK;
}

int arda_mail_address_check(struct base_slice address, struct base_why *why)
{
    struct base_slice local, domain;
    int failed = split(address, &local, &domain, why);
    return failed ? failed : check(local, domain, why);
}

bool arda_mail_address_is_utf8(struct base_slice address)
{
    return !is_ascii(address);
}

/* libidn2 would drop or keep what is ASCII and cannot be in a domain. */
static bool may_be_domain(struct base_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!is_hyphen_or_alnum(c) && c != '.' && (unsigned char)c <= 0x7F)
            return false;
    }
    return text.len <= ARDA_MAIL_ADDRESS_MAX && base_utf8_valid(text.data, text.len);
}

/* The domain in ASCII, to be freed with idn2_free. What is ASCII already does not come here, as
 * libidn2 would refuse some domains that exist, such as one with two hyphens in third place. */
static int convert(struct base_slice domain, char **ascii, struct base_why *why)
{
    const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
    struct base_buf text = BASE_BUF_INIT;
    if (!may_be_domain(domain))
        return bad(why, "the part after the @ is not a domain");
    int failed = base_buf_add(&text, domain.data, domain.len);
    const char *plain = failed ? NULL : base_buf_cstr(&text);
    int code = plain ? idn2_to_ascii_8z(plain, ascii, flags) : IDN2_MALLOC;
    base_buf_fini(&text);
    if (code == IDN2_MALLOC)
        return no_memory(why);
    return code == IDN2_OK
               ? BASE_OK
               : base_why_set(why, BASE_ERR_INVALID, "the part after the @ is not a domain: %s",
                              idn2_strerror(code));
}

static int add_wire(struct base_buf *wire, struct base_slice local, struct base_slice domain,
                    struct base_why *why)
{
    size_t before = wire->len;
    if (base_buf_add(wire, local.data, local.len) == 0 && base_buf_add_byte(wire, '@') == 0 &&
        base_buf_add(wire, domain.data, domain.len) == 0)
        return BASE_OK;
    wire->len = before;
    return no_memory(why);
}

int arda_mail_address_wire(struct base_slice address, struct base_buf *wire, struct base_why *why)
{
    struct base_slice local, domain;
    char *ascii = NULL;
    int failed = split(address, &local, &domain, why);
    if (!failed && !is_ascii(domain)) {
        failed = convert(domain, &ascii, why);
        if (!failed)
            domain = (struct base_slice){ascii, strlen(ascii)};
    }
    if (!failed)
        failed = check(local, domain, why);
    if (!failed && wire)
        failed = add_wire(wire, local, domain, why);
    idn2_free(ascii);
    return failed;
}

/* ---- senders ---- */

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
    return arda_mail_address_wire(*address, NULL, why);
}
