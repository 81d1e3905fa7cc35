/* SPDX-License-Identifier: ISC
 *
 * Memory doubles, so that appending costs a constant amount per byte on average.
 */
#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAP 64

void base_buf_fini(struct base_buf *buf)
{
    base_free(buf->data);
    *buf = (struct base_buf)BASE_BUF_INIT;
}

int base_buf_reserve(struct base_buf *buf, size_t more)
{
    if (more <= buf->cap - buf->len)
        return BASE_OK;
    if (more > SIZE_MAX / 2 - buf->len)
        return BASE_ERR_NOMEM;
    size_t need = buf->len + more;
    size_t cap = buf->cap ? buf->cap : FIRST_CAP;
    while (cap < need)
        cap *= 2;
    char *data = base_realloc(buf->data, cap);
    if (!data)
        return BASE_ERR_NOMEM;
    buf->data = data;
    buf->cap = cap;
    return BASE_OK;
}

int base_buf_add(struct base_buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return BASE_OK;
    if (base_buf_reserve(buf, len) < 0)
        return BASE_ERR_NOMEM;
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    return BASE_OK;
}

int base_buf_add_byte(struct base_buf *buf, char byte)
{
    return base_buf_add(buf, &byte, 1);
}

int base_buf_add_text(struct base_buf *buf, const char *text)
{
    return base_buf_add(buf, text, strlen(text));
}

int base_buf_printf(struct base_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    int result = BASE_ERR_NOMEM;
    if (len >= 0 && base_buf_reserve(buf, (size_t)len + 1) == 0) {
        vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
        result = BASE_OK;
    }
    va_end(again);
    return result;
}

void base_buf_consume(struct base_buf *buf, size_t len)
{
    base_assert(len <= buf->len);
    buf->len -= len;
    if (buf->len)
        memmove(buf->data, buf->data + len, buf->len);
}

const char *base_buf_cstr(struct base_buf *buf)
{
    if (base_buf_reserve(buf, 1) < 0)
        return NULL;
    buf->data[buf->len] = '\0';
    return buf->data;
}

char *base_buf_take(struct base_buf *buf, size_t *len)
{
    char *data = buf->data;
    if (len)
        *len = buf->len;
    *buf = (struct base_buf)BASE_BUF_INIT;
    return data;
}
