/* SPDX-License-Identifier: ISC
 *
 * zone_rule: the rule by which a zone's clock is put forward and back every year, as the last line
 * of a TZif file has it, such as `CET-1CEST,M3.5.0,M10.5.0/3`. Sources: POSIX.1-2017 section 8.3,
 * with hours from -167 to 167 as in RFC 9636 section 3.3.1. Threads: any.
 */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A day of the year and a time on it. */
struct base_zone_date {
    char kind; /* 'M': month, week and weekday; 'J': 1 to 365, no 29 February; 'D': 0 to 365 */
    int month, week, weekday, day;
    int32_t second; /* of the wall clock before the change */
};

struct base_zone_rule {
    int32_t standard, daylight; /* seconds ahead of UTC */
    bool changes;
    struct base_zone_date begin, end; /* of daylight saving time */
};

/* 0, or BASE_ERR_SYNTAX. */
int base_zone_rule_parse(const char *text, size_t len, struct base_zone_rule *rule);

/* Seconds ahead of UTC at a moment, and the next moment at which that changes (INT64_MAX: never).
 * All in seconds; years 0 to 9999. */
int32_t base_zone_rule_at(const struct base_zone_rule *rule, int64_t utc_s, int64_t *until_s);

#endif
