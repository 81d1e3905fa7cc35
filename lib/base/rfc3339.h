/* SPDX-License-Identifier: ISC
 *
 * rfc3339: timestamps as RFC 3339 writes them.
 *
 * Written times are UTC with milliseconds and Z. Read ones need a zone; dates are checked as dates
 * (no 30 February), a leap second is accepted where one may be, fractions of any length are
 * cut to milliseconds. Threads: any.
 */
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

#define BASE_RFC3339_LEN 24 /* 2026-02-08T12:34:56.789Z, without the NUL */

/* `ms` since 1970; years 0000 to 9999, anything else is clamped to them. */
void base_rfc3339_format(int64_t ms, char out[static BASE_RFC3339_LEN + 1]);
/* 0, or BASE_ERR_SYNTAX. */
int base_rfc3339_parse(const char *text, size_t len, int64_t *ms);
/* A STRING that is one, however it is written: some writers of JSON escape the plus sign of a zone.
 * 0, or BASE_ERR_SYNTAX, for other kinds too. */
int base_rfc3339_of_json(const struct base_json_value *value, int64_t *ms);

#endif
