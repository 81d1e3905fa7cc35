/* SPDX-License-Identifier: ISC */
#include "base/opt_values.h"

#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Reads MIN..MAX. */
static bool take_range(const char *range, int64_t *min, int64_t *max)
{
    return base_number_take_i64(&range, min) && strncmp(range, "..", 2) == 0 &&
           (range += 2, base_number_take_i64(&range, max));
}

static bool in_range(int64_t value, const char *range)
{
    int64_t min, max;
    return !range || (take_range(range, &min, &max) && value >= min && value <= max);
}

static int expected_range(const char *what, const char *range, const char *text,
                          struct base_why *why)
{
    int64_t min, max;
    if (range && take_range(range, &min, &max))
        return base_why_set(why, BASE_ERR_INVALID,
                            "expected %s%s%" PRId64 " to %" PRId64 ", got `%s'", what,
                            *what ? " from " : "", min, max, text);
    return base_why_set(why, BASE_ERR_INVALID, "expected %s, got `%s'", *what ? what : "a number",
                        text);
}

int base_opt_parse_int(const char *text, const char *range, int64_t *out, struct base_why *why)
{
    const char *end = text;
    if (!base_number_take_i64(&end, out) || *end || !in_range(*out, range))
        return expected_range("", range, text, why);
    return BASE_OK;
}

int base_opt_parse_size(const char *text, const char *range, int64_t *bytes, struct base_why *why)
{
    static const char units[] = "kmg";
    const char *end = text;
    if (!base_number_take_i64(&end, bytes) || *bytes < 0)
        return expected_range("a size such as 64k", NULL, text, why);
    const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
    int shift = unit ? (int)(unit - units + 1) * 10 : 0;
    if ((unit && end[1]) || (*end && !unit) || *bytes > INT64_MAX >> shift)
        return expected_range("a size such as 64k", NULL, text, why);
    *bytes <<= shift;
    if (!in_range(*bytes, range))
        return expected_range("a size", range, text, why);
    return BASE_OK;
}

/* Milliseconds of a unit, and its length; "ms" before "m". 0 for none. */
static double unit_ms(const char *text, size_t *len)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        *len = strlen(units[i].name);
        if (strncmp(text, units[i].name, *len) == 0)
            return units[i].ms;
    }
    *len = 0;
    return 0;
}

int base_opt_parse_duration(const char *text, int64_t *ms, struct base_why *why)
{
    double total = 0;
    const char *at = text;
    do {
        char *behind;
        size_t digits = strspn(at, "0123456789.");
        if (digits == 0)
            break;
        double number = strtod(at, &behind);
        size_t len;
        double unit = unit_ms(behind, &len);
        bool bare = unit == 0 && !*behind && at == text; /* a bare number is seconds */
        /* strtod also knows 0x10 and 1e3, which are no durations. */
        if (behind != at + digits || (unit == 0 && !bare)) {
            at = "?";
            break;
        }
        total += number * (bare ? 1000 : unit);
        at = behind + len;
    } while (*at);
    if (*at || at == text || !(total < 1e15))
        return base_why_set(why, BASE_ERR_INVALID,
                            "expected a duration such as 1m30s or 500ms, got `%s'", text);
    *ms = (int64_t)(total + 0.5);
    return BASE_OK;
}

int base_opt_parse_choice(const char *text, const char *choices, int *index, struct base_why *why)
{
    size_t len = strlen(text);
    *index = 0;
    for (const char *at = choices;; at++, ++*index) {
        size_t choice_len = strcspn(at, "|");
        if (choice_len == len && memcmp(at, text, len) == 0)
            return BASE_OK;
        at += choice_len;
        if (!*at)
            break;
    }
    return base_why_set(why, BASE_ERR_INVALID, "expected one of %s, got `%s'", choices, text);
}

int base_opt_parse_flag(const char *text, bool *out, struct base_why *why)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off", ""};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (strcasecmp(text, yes[i]) == 0) {
            *out = true;
            return BASE_OK;
        }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (strcasecmp(text, no[i]) == 0) {
            *out = false;
            return BASE_OK;
        }
    return base_why_set(why, BASE_ERR_INVALID, "expected yes or no, got `%s'", text);
}
