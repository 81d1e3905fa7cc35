/* SPDX-License-Identifier: ISC
 *
 * Commands as arrays of bulk strings, the one form of RESP in which a request may hold any bytes.
 */
#include "arda/bus/redis_format.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

int arda_redis_add_header(struct base_buf *out, size_t argc)
{
    char text[24];
    int len = snprintf(text, sizeof text, "*%zu\r\n", argc);
    return base_buf_add(out, text, (size_t)len);
}

/* Decimal digits that end at `end`; where they begin is the result. */
static char *put_digits(char *end, uint64_t number)
{
    do {
        *--end = (char)('0' + number % 10);
    } while ((number /= 10) > 0);
    return end;
}

int arda_redis_add_number(struct base_buf *out, uint64_t number)
{
    char digits[24];
    char *at = put_digits(digits + sizeof digits, number);
    return arda_redis_add_argument(out, at, (size_t)(digits + sizeof digits - at));
}

int arda_redis_add_argument(struct base_buf *out, const char *bytes, size_t len)
{
    char digits[24];
    char *at = digits + sizeof digits;
    *--at = '\n';
    *--at = '\r';
    at = put_digits(at, len);
    *--at = '$';
    size_t head = (size_t)(digits + sizeof digits - at);
    if (base_buf_reserve(out, head + len + 2) < 0)
        return BASE_ERR_NOMEM;
    char *to = out->data + out->len;
    memcpy(to, at, head);
    if (len)
        memcpy(to + head, bytes, len);
    memcpy(to + head + len, "\r\n", 2);
    out->len += head + len + 2;
    return BASE_OK;
}

int arda_redis_format(struct base_buf *out, int argc, const char *const *argv,
                      const size_t *argv_len)
{
    size_t before = out->len;
    int failed = arda_redis_add_header(out, (size_t)argc);
    for (int i = 0; i < argc && !failed; i++)
        failed = arda_redis_add_argument(out, argv[i], argv_len ? argv_len[i] : strlen(argv[i]));
    if (failed)
        out->len = before;
    return failed;
}
