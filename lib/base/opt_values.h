/* SPDX-License-Identifier: ISC
 *
 * opt_values: from the text of an option to its value, for opt.c. Threads: any.
 */
#ifndef BASE_OPT_VALUES_H
#define BASE_OPT_VALUES_H

#include "base/opt.h"

/* Whole text or nothing. 0, or BASE_ERR_INVALID with `why` set to what was expected and the text
 * that was there: "expected 1 to 1000000, got `12x'". */
int base_opt_parse_int(const char *text, const char *range, int64_t *out, struct base_why *why);
int base_opt_parse_size(const char *text, const char *range, int64_t *bytes, struct base_why *why);
int base_opt_parse_duration(const char *text, int64_t *ms, struct base_why *why);
int base_opt_parse_choice(const char *text, const char *choices, int *index, struct base_why *why);
int base_opt_parse_flag(const char *text, bool *out, struct base_why *why);

#endif
