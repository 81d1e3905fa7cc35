/* SPDX-License-Identifier: ISC
 *
 * strtoull stops at the first character that is no digit and reports what is out of range in errno;
 * the first character is looked at before, since it would skip blanks and take a sign.
 */
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

bool base_number_take_u64(const char **text, uint64_t *out)
{
    if (**text < '0' || **text > '9')
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(*text, &end, 10);
    if (errno)
        return false;
    *out = number;
    *text = end;
    return true;
}

bool base_number_take_i64(const char **text, int64_t *out)
{
    const char *digits = *text + (**text == '-');
    if (*digits < '0' || *digits > '9')
        return false;
    char *end;
    errno = 0;
    long long number = strtoll(*text, &end, 10);
    if (errno)
        return false;
    *out = number;
    *text = end;
    return true;
}
