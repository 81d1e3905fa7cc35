/* SPDX-License-Identifier: ISC
 *
 * A text is built in the caller's struct, so an error needs no memory.
 */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *base_err_text(int code)
{
    switch (code) {
    case BASE_OK: return "success";
#define BASE_ERR_CASE_(name, text)                                                                 \
    case name: return text;
        BASE_ERR_MAP(BASE_ERR_CASE_)
#undef BASE_ERR_CASE_
    default: return "unknown error";
    }
}

/* A cut in the middle of a UTF-8 character would make a log line invalid. */
static void trim_to_character(char *text, size_t size)
{
    size_t len = strlen(text);
    if (len + 1 < size)
        return;
    size_t start = len;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (len - (start - 1) < need)
        text[start - 1] = '\0';
}

int base_why_set(struct base_why *why, int code, const char *format, ...)
{
    if (!why)
        return code;
    va_list args;
    va_start(args, format);
    why->code = code;
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    trim_to_character(why->text, sizeof why->text);
    return code;
}

int base_why_errno(struct base_why *why, int code, int errno_value, const char *format, ...)
{
    if (!why)
        return code;
    char text[sizeof why->text], cause[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *reason = strerror_r(errno_value, cause, sizeof cause);
    return base_why_set(why, code, "%s: %s", text, reason);
}

int base_why_prefix(struct base_why *why, const char *format, ...)
{
    if (!why)
        return BASE_OK;
    char old[sizeof why->text], prefix[sizeof why->text];
    memcpy(old, why->text, sizeof old);
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    return base_why_set(why, why->code, "%s: %s", prefix, old);
}

void base_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}
