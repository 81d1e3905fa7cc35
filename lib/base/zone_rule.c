/* SPDX-License-Identifier: ISC */
#include "base/zone_rule.h"

#include "base/err.h"

#include <ctype.h>

#define DAY_S      86400
#define HOUR_S     3600
#define HOURS_MAX  167
#define NAME_MIN   3
#define CHANGE_AT  (2 * HOUR_S) /* unless the rule says when */
#define WEEK_LAST  5
#define MONTHS     12
#define LAST_OF(m) (days_before[m] - days_before[(m)-1])

static const int days_before[MONTHS + 1] = {0,   31,  59,  90,  120, 151, 181,
                                            212, 243, 273, 304, 334, 365};

/* ---- reading ---- */

struct reader {
    const char *at, *end;
};

static bool take(struct reader *in, char c)
{
    bool there = in->at < in->end && *in->at == c;
    in->at += there;
    return there;
}

static bool read_number(struct reader *in, int min, int max, int *number)
{
    const char *first = in->at;
    *number = 0;
    for (; in->at < in->end && isdigit((unsigned char)*in->at); in->at++) {
        *number = *number * 10 + (*in->at - '0');
        if (*number > max)
            return false;
    }
    return in->at > first && *number >= min;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct reader *in, int32_t *seconds)
{
    bool negative = take(in, '-');
    int hour, minute = 0, second = 0;
    if (!negative)
        (void)take(in, '+');
    if (!read_number(in, 0, HOURS_MAX, &hour) ||
        (take(in, ':') &&
         (!read_number(in, 0, 59, &minute) || (take(in, ':') && !read_number(in, 0, 59, &second)))))
        return false;
    *seconds = hour * HOUR_S + minute * 60 + second;
    if (negative)
        *seconds = -*seconds;
    return true;
}

/* `CET` or `<+0545>`; what it is does not matter. */
static bool skip_name(struct reader *in)
{
    bool quoted = take(in, '<');
    const char *first = in->at;
    while (in->at < in->end &&
           (isalpha((unsigned char)*in->at) ||
            (quoted && (isdigit((unsigned char)*in->at) || *in->at == '+' || *in->at == '-'))))
        in->at++;
    return in->at - first >= NAME_MIN && (!quoted || take(in, '>'));
}

static bool read_date(struct reader *in, struct base_zone_date *date)
{
    date->second = CHANGE_AT;
    if (take(in, 'M')) {
        date->kind = 'M';
        if (!read_number(in, 1, MONTHS, &date->month) || !take(in, '.') ||
            !read_number(in, 1, WEEK_LAST, &date->week) || !take(in, '.') ||
            !read_number(in, 0, 6, &date->weekday))
            return false;
    } else {
        date->kind = take(in, 'J') ? 'J' : 'D';
        if (!read_number(in, date->kind == 'J', 365, &date->day))
            return false;
    }
    return !take(in, '/') || read_time(in, &date->second);
}

/* A zone of POSIX counts what its clock is behind UTC. */
static bool read_rule(struct reader *in, struct base_zone_rule *rule)
{
    int32_t behind;
    if (!skip_name(in) || !read_time(in, &behind))
        return false;
    rule->standard = rule->daylight = -behind;
    rule->changes = in->at < in->end;
    if (!rule->changes)
        return true;
    rule->daylight = rule->standard + HOUR_S;
    if (!skip_name(in))
        return false;
    if (in->at < in->end && *in->at != ',') {
        if (!read_time(in, &behind))
            return false;
        rule->daylight = -behind;
    }
    return take(in, ',') && read_date(in, &rule->begin) && take(in, ',') &&
           read_date(in, &rule->end) && in->at == in->end;
}

int base_zone_rule_parse(const char *text, size_t len, struct base_zone_rule *rule)
{
    struct reader in = {text, text + len};
    *rule = (struct base_zone_rule){0};
    return read_rule(&in, rule) ? BASE_OK : BASE_ERR_SYNTAX;
}

/* ---- asking ---- */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days from 1970-01-01 to the first day of a year. */
static int64_t year_day(int64_t year)
{
    int64_t before = year - 1;
    return 365 * (year - 1970) + (floor_div(before, 4) - 492) - (floor_div(before, 100) - 19) +
           (floor_div(before, 400) - 4);
}

/* The day of the year that a date is, from 0. */
static int day_of(const struct base_zone_date *date, int64_t year)
{
    bool leap = is_leap(year);
    if (date->kind == 'D')
        return date->day;
    if (date->kind == 'J')
        return date->day - 1 + (leap && date->day > days_before[2]);
    int first = days_before[date->month - 1] + (leap && date->month > 2);
    int count = LAST_OF(date->month) + (leap && date->month == 2);
    /* 1970-01-01 was a Thursday. */
    int weekday = (int)((year_day(year) + first + 4) % 7 + 7) % 7;
    int day = (date->weekday - weekday + 7) % 7 + (date->week - 1) * 7;
    while (day >= count)
        day -= 7;
    return first + day;
}

/* The moment of a change; `offset`: what counted before it. */
static int64_t moment(const struct base_zone_date *date, int64_t year, int32_t offset)
{
    return (year_day(year) + day_of(date, year)) * DAY_S + date->second - offset;
}

int32_t base_zone_rule_at(const struct base_zone_rule *rule, int64_t utc_s, int64_t *until_s)
{
    int64_t latest = INT64_MIN, next = INT64_MAX;
    bool daylight = false;
    *until_s = INT64_MAX;
    if (!rule->changes)
        return rule->standard;
    int64_t year = 1970 + floor_div(utc_s, 31556952); /* off by one at most */
    for (int64_t y = year - 2; y <= year + 2; y++)
        for (int begins = 0; begins < 2; begins++) {
            int64_t at = begins ? moment(&rule->begin, y, rule->standard)
                                : moment(&rule->end, y, rule->daylight);
            if (at > utc_s) {
                next = at < next ? at : next;
            } else if (at >= latest) {
                /* Of two at once the beginning counts: so a rule says that it lasts all year. */
                latest = at;
                daylight = begins != 0;
            }
        }
    *until_s = next;
    return daylight ? rule->daylight : rule->standard;
}
