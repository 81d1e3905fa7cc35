/* SPDX-License-Identifier: ISC
 *
 * buf: a growing run of bytes.
 *
 * A zeroed struct (BASE_BUF_INIT) is an empty buffer; base_buf_fini leaves one. `data` is borrowed
 * until the next call that may grow or free the buffer. Functions that add return 0 or
 * BASE_ERR_NOMEM, and then the buffer is as it was before. Threads: one at a time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/api.h"

#include <stddef.h>

/* Bytes that belong to somebody else. */
struct base_slice {
    const char *data;
    size_t len;
};

struct base_buf {
    char *data;
    size_t len;
    size_t cap;
};

#define BASE_BUF_INIT                                                                              \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

ARDA_API void base_buf_fini(struct base_buf *buf);
/* Makes room for `more` bytes behind the last one. */
ARDA_API int base_buf_reserve(struct base_buf *buf, size_t more);
ARDA_API int base_buf_add(struct base_buf *buf, const void *bytes, size_t len);
ARDA_API int base_buf_add_byte(struct base_buf *buf, char byte);
ARDA_API int base_buf_add_text(struct base_buf *buf, const char *text);
ARDA_API int base_buf_printf(struct base_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops the first `len` bytes; `len` must not exceed what is there. */
ARDA_API void base_buf_consume(struct base_buf *buf, size_t len);
/* Puts a NUL behind the bytes (not counted in `len`). Returns the data, or NULL without memory. */
ARDA_API const char *base_buf_cstr(struct base_buf *buf);
/* Hands the bytes over; the buffer is empty afterwards. Free with base_free. */
ARDA_API char *base_buf_take(struct base_buf *buf, size_t *len);

#endif
