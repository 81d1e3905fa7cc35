/* SPDX-License-Identifier: ISC */
#include "base/zone_rule.h"

#include "base/err.h"
#include "lib/test.h"

#include <time.h>

#define HOUR_S 3600
#define YEAR_S (INT64_C(365) * 24 * HOUR_S)

/* The C library reads the same rules, in code that is not ours; behind 1970 it follows them. */
static void follows(const char *text)
{
    struct base_zone_rule rule;
    CHECK_INT(base_zone_rule_parse(text, strlen(text), &rule), 0);
    setenv("TZ", text, 1);
    tzset();
    int64_t until = INT64_MIN;
    int32_t offset = 0;
    for (int64_t at = 2 * YEAR_S; at < 140 * YEAR_S; at += HOUR_S / 2) {
        if (at >= until) {
            offset = base_zone_rule_at(&rule, at, &until);
            CHECK(until > at);
        }
        time_t time = (time_t)at;
        struct tm parts;
        localtime_r(&time, &parts);
        if (parts.tm_gmtoff != offset) {
            printf("# %s at %jd\n", text, (intmax_t)at);
            CHECK_INT(offset, parts.tm_gmtoff);
            return;
        }
    }
}

static void rules_are_followed(void)
{
    follows("UTC0");
    follows("<+0545>-5:45");
    follows("CET-1CEST,M3.5.0,M10.5.0/3");
    follows("EST5EDT,M3.2.0,M11.1.0");
    follows("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
    follows("IST-1GMT0,M10.5.0,M3.5.0/1");      /* Dublin: daylight saving time lies behind */
    follows("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"); /* Nuuk: the day before */
    follows("IST-2IDT,M3.4.4/26,M10.5.0");      /* Jerusalem: the day after */
    follows("AAA3BBB,J60/2,J300/2");
    follows("AAA3BBB,59/2,299/2");
}

static void a_rule_may_last_all_year(void)
{
    static const char text[] = "XXX3EDT4,0/0,J365/23";
    struct base_zone_rule rule;
    int64_t until;
    CHECK_INT(base_zone_rule_parse(text, strlen(text), &rule), 0);
    for (int64_t at = 0; at < 10 * YEAR_S; at += HOUR_S)
        CHECK_INT(base_zone_rule_at(&rule, at, &until), -4 * HOUR_S);
}

static void what_is_no_rule_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "C",
        "CE-1",
        "CET",
        "CET-",
        "CET-1CEST",
        "CET-1CEST,",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,",
        "CET-1CEST,M3.5.0,M10.5.0/",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,J0,J10",
        "CET-1CEST,J1,J366",
        "CET-1CEST,366,1",
        "CET-168",
        "CET-1:60",
        "<CET-1",
        "CET-1 ",
        "CET-1CEST-2:00:61,1,2",
        "CET-99999999999999999999",
        "<+05:45>-5:45",
    };
    struct base_zone_rule rule;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (base_zone_rule_parse(texts[i], strlen(texts[i]), &rule) != BASE_ERR_SYNTAX)
            CHECK_STR(texts[i], "refused");
}

int main(void)
{
    RUN(rules_are_followed);
    RUN(a_rule_may_last_all_year);
    RUN(what_is_no_rule_is_refused);
    return test_end();
}
