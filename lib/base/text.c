/* SPDX-License-Identifier: ISC
 *
 * All functions append to a buffer, and what cannot reach a terminal as it stands is escaped by the
 * list of base/terminal.h.
 */
#include "base/text.h"

#include "base/err.h"
#include "base/rfc3339.h"
#include "base/terminal.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int base_text_flat(struct base_buf *out, struct base_slice json)
{
    size_t from = out->len;
    if (base_buf_add(out, json.data, json.len) < 0)
        return BASE_ERR_NOMEM;
    for (int i = 0; i < 2; i++) {
        char *at = out->data + from, *end = out->data + out->len;
        while ((at = memchr(at, "\n\r"[i], (size_t)(end - at))))
            *at++ = ' ';
    }
    return BASE_OK;
}

/* ---- cleaning ---- */

#define REPLACEMENT 0xFFFD /* for what is no UTF-8 */

static int add_escape(struct base_buf *out, uint32_t code)
{
    switch (code) {
    case '\n': return base_buf_add_text(out, "\\n");
    case '\r': return base_buf_add_text(out, "\\r");
    case '\t': return base_buf_add_text(out, "\\t");
    default: return base_buf_printf(out, "\\u%04x", (unsigned)code);
    }
}

/* `json`: blanks between tokens stay blanks. Inside its strings there are no bare controls. */
static int clean(struct base_buf *out, const char *bytes, size_t len, bool json)
{
    size_t from = 0, at = 0, step;
    int failed = BASE_OK;
    for (; at < len; at += step) {
        uint32_t code;
        step = base_utf8_next(bytes + at, len - at, &code);
        if (step > 0 && !base_terminal_obeys(code))
            continue;
        code = step > 0 ? code : REPLACEMENT;
        step = step > 0 ? step : 1;
        failed |= base_buf_add(out, bytes + from, at - from);
        failed |= json && code < 0x20 ? base_buf_add_byte(out, ' ') : add_escape(out, code);
        from = at + step;
    }
    if (len > from) /* without bytes there may be no pointer */
        failed |= base_buf_add(out, bytes + from, len - from);
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

int base_text_clean(struct base_buf *out, const char *bytes, size_t len)
{
    return clean(out, bytes, len, false);
}

bool base_text_is_clean(const char *bytes, size_t len)
{
    for (size_t at = 0, step; at < len; at += step) {
        uint32_t code;
        step = base_utf8_next(bytes + at, len - at, &code);
        if (step == 0 || base_terminal_obeys(code))
            return false;
    }
    return true;
}

int base_text_json(struct base_buf *out, const char *json, size_t len)
{
    return clean(out, json, len, true);
}

int base_text_value(struct base_buf *out, const struct base_json_value *value)
{
    struct base_slice plain;
    if (value->kind == BASE_JSON_ABSENT)
        return BASE_OK;
    if (value->kind != BASE_JSON_STRING)
        return base_text_json(out, value->text, value->len);
    if (base_json_plain(value, &plain))
        return base_text_clean(out, plain.data, plain.len);
    struct base_buf decoded = BASE_BUF_INIT;
    int failed = base_json_unescape(value, &decoded);
    if (failed == BASE_ERR_SYNTAX)
        failed = base_text_clean(out, value->text + 1, value->len - 2);
    else if (!failed)
        failed = base_text_clean(out, decoded.data, decoded.len);
    base_buf_fini(&decoded);
    return failed;
}

/* ---- times ---- */

int base_text_time(struct base_buf *out, const char *bytes, size_t len)
{
    char text[32];
    struct tm parts;
    int64_t ms;
    if (base_rfc3339_parse(bytes, len, &ms) < 0)
        return base_text_clean(out, bytes, len);
    time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
    if (!localtime_r(&seconds, &parts) ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        return base_text_clean(out, bytes, len);
    return base_buf_add_text(out, text);
}

/* ---- what others have written ---- */

static int add_line(struct base_buf *out, const char *bytes, size_t len)
{
    bool blank = true; /* none at the beginning */
    for (size_t at = 0, step; at < len; at += step) {
        uint32_t code;
        size_t character = base_utf8_next(bytes + at, len - at, &code);
        bool is_space = memchr(" \t\r\n\v\f", bytes[at], 6) != NULL;
        step = character > 0 ? character : 1;
        if (is_space && blank)
            continue;
        blank = is_space;
        const char *shown = is_space ? " " : character > 0 ? bytes + at : "?";
        if (base_buf_add(out, shown, step) < 0)
            return BASE_ERR_NOMEM;
    }
    if (blank && out->len > 0)
        out->len--;
    return BASE_OK;
}

void base_text_excerpt(char *text, size_t size, const char *bytes, size_t len)
{
    struct base_buf line = BASE_BUF_INIT, clean_line = BASE_BUF_INIT;
    text[0] = '\0';
    if (add_line(&line, bytes, len) == BASE_OK && line.len > 0 &&
        base_text_clean(&clean_line, line.data, line.len) == BASE_OK) {
        size_t fits =
            clean_line.len < size ? clean_line.len : base_utf8_cut(clean_line.data, size - 1);
        memcpy(text, clean_line.data, fits);
        text[fits] = '\0';
    }
    base_buf_fini(&line);
    base_buf_fini(&clean_line);
}

const char *base_text_age(int64_t ms, char out[static BASE_TEXT_AGE_MAX])
{
    int64_t seconds = ms > 0 ? ms / 1000 : 0;
    int64_t hours = seconds / 3600;
    if (seconds < 60)
        snprintf(out, BASE_TEXT_AGE_MAX, "%" PRId64 " s", seconds);
    else if (seconds < 3600)
        snprintf(out, BASE_TEXT_AGE_MAX, "%" PRId64 " min", seconds / 60);
    else if (hours < 48)
        snprintf(out, BASE_TEXT_AGE_MAX, "%" PRId64 " h", hours);
    else
        snprintf(out, BASE_TEXT_AGE_MAX, "%" PRId64 " d", hours / 24);
    return out;
}
