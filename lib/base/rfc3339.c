/* SPDX-License-Identifier: ISC
 *
 * Days and dates after Howard Hinnant, "chrono-compatible low-level date algorithms": the year
 * begins in March, so that the leap day is its last one.
 */
#include "base/rfc3339.h"

#include "base/err.h"

#include <stdbool.h>

#define DAY_MS 86400000
#define MIN_MS (-62167219200000LL) /* 0000-01-01T00:00:00.000Z */
#define MAX_MS 253402300799999LL   /* 9999-12-31T23:59:59.999Z */

static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* So many digits, and what stands behind them. An event has one or two times, and printf costs more
 * than checking the event. */
static char *put(char *to, unsigned number, int digits, char behind)
{
    for (int i = digits; i-- > 0; number /= 10)
        to[i] = (char)('0' + number % 10);
    to[digits] = behind;
    return to + digits + 1;
}

void base_rfc3339_format(int64_t ms, char out[static BASE_RFC3339_LEN + 1])
{
    ms = ms < MIN_MS ? MIN_MS : ms > MAX_MS ? MAX_MS : ms;
    int64_t days = (ms - (ms < 0 ? DAY_MS - 1 : 0)) / DAY_MS;
    unsigned of_day = (unsigned)(ms - days * DAY_MS);
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * of_year + 2) / 153;
    unsigned day = of_year - (153 * shifted + 2) / 5 + 1;
    unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
    unsigned year = (unsigned)((int64_t)year_of_era + era * 400 + (month <= 2));
    char *to = put(out, year, 4, '-');
    to = put(to, month, 2, '-');
    to = put(to, day, 2, 'T');
    to = put(to, of_day / 3600000, 2, ':');
    to = put(to, of_day / 60000 % 60, 2, ':');
    to = put(to, of_day / 1000 % 60, 2, '.');
    *put(to, of_day % 1000, 3, 'Z') = '\0';
}

/* Exactly `digits` digits; false for anything else. */
static bool take_number(const char **at, const char *end, int digits, int *number)
{
    *number = 0;
    for (; digits > 0; digits--, (*at)++) {
        if (*at == end || **at < '0' || **at > '9')
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, const char *end, const char *any)
{
    for (; *at != end && *any; any++)
        if (**at == *any) {
            (*at)++;
            return true;
        }
    return false;
}

static bool take_date(const char **at, const char *end, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_number(at, end, 4, &year) || !take_char(at, end, "-") ||
        !take_number(at, end, 2, &month) || !take_char(at, end, "-") ||
        !take_number(at, end, 2, &day) || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > lengths[month - 1] + (month == 2 && leap))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool take_time(const char **at, const char *end, int64_t *ms, bool *leap_second)
{
    int hour, minute, second, digit;
    if (!take_number(at, end, 2, &hour) || !take_char(at, end, ":") ||
        !take_number(at, end, 2, &minute) || !take_char(at, end, ":") ||
        !take_number(at, end, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    *ms = ((hour * 60 + minute) * 60 + second) * 1000LL;
    *leap_second = second == 60;
    if (!take_char(at, end, "."))
        return true;
    int scale = 100;
    if (!take_number(at, end, 1, &digit))
        return false;
    do {
        *ms += digit * scale;
        scale /= 10;
    } while (take_number(at, end, 1, &digit));
    return true;
}

static bool take_zone(const char **at, const char *end, int64_t *offset_ms)
{
    int hour, minute;
    *offset_ms = 0;
    if (take_char(at, end, "Zz"))
        return true;
    bool west = *at != end && **at == '-';
    if (!take_char(at, end, "+-") || !take_number(at, end, 2, &hour) || !take_char(at, end, ":") ||
        !take_number(at, end, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *offset_ms = (hour * 60 + minute) * (west ? -60000LL : 60000LL);
    return true;
}

int base_rfc3339_parse(const char *text, size_t len, int64_t *ms)
{
    const char *at = text, *end = len ? text + len : text;
    int64_t days, time_ms, offset_ms;
    bool leap_second;
    if (!take_date(&at, end, &days) || !take_char(&at, end, "Tt ") ||
        !take_time(&at, end, &time_ms, &leap_second) || !take_zone(&at, end, &offset_ms) ||
        at != end)
        return BASE_ERR_SYNTAX;
    int64_t result = days * DAY_MS + time_ms - offset_ms;
    /* A leap second is the last one of a UTC day; here it is the first one of the next. */
    if (leap_second && (result % DAY_MS + DAY_MS) % DAY_MS >= 1000)
        return BASE_ERR_SYNTAX;
    *ms = result;
    return BASE_OK;
}

#define ESCAPED_MAX 64 /* bytes of a time that is written with escapes */

int base_rfc3339_of_json(const struct base_json_value *value, int64_t *ms)
{
    struct base_slice plain;
    char text[ESCAPED_MAX];
    if (base_json_plain(value, &plain))
        return base_rfc3339_parse(plain.data, plain.len, ms);
    ssize_t len = base_json_copy(value, text, sizeof text);
    return len < 0 ? BASE_ERR_SYNTAX : base_rfc3339_parse(text, (size_t)len, ms);
}
