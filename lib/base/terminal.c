/* SPDX-License-Identifier: ISC */
#include "base/terminal.h"

#include "base/err.h"
#include "base/utf8.h"

bool base_terminal_obeys(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0x200E ||
           code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

int base_terminal_add(struct base_buf *out, const char *text, size_t len)
{
    size_t from = 0;
    int failed = BASE_OK;
    for (size_t at = 0, step; at < len; at += step) {
        uint32_t code;
        step = base_utf8_next(text + at, len - at, &code);
        if (step > 0 && (code < 0x20 || !base_terminal_obeys(code)))
            continue;
        if (at > from)
            failed |= base_buf_add(out, text + from, at - from);
        failed |= base_buf_printf(out, "\\u%04x", step > 0 ? (unsigned)code : 0xFFFDu);
        step = step > 0 ? step : 1;
        from = at + step;
    }
    if (len > from)
        failed |= base_buf_add(out, text + from, len - from);
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}
