/* SPDX-License-Identifier: ISC */
#include "base/zone.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "lib/test.h"

#include <time.h>
#include <unistd.h>

#define FOLDER    "/usr/share/zoneinfo"
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static const char *const names[] = {
    "Europe/Berlin",     "America/New_York", "Australia/Lord_Howe",
    "Asia/Kathmandu",    "Pacific/Apia",     "Africa/Casablanca",
    "America/Nuuk",      "Europe/Dublin",    "America/Scoresbysund",
    "Asia/Gaza",         "Antarctica/Troll", "Etc/GMT+5",
    "Pacific/Kwajalein", "America/Caracas",  "UTC",
};

#define NAMES (sizeof names / sizeof names[0])

static struct base_zone *load(const char *name)
{
    struct base_zone *zone;
    CHECK_INT(base_zone_load(FOLDER, name, strlen(name), &zone), 0);
    return zone;
}

/* "2026-03-29T02:30" of a wall clock, or of UTC. */
static int64_t at(const char *text)
{
    char full[32];
    int64_t ms = 0;
    snprintf(full, sizeof full, "%s:00Z", text);
    CHECK_INT(base_rfc3339_parse(full, strlen(full), &ms), 0);
    return ms;
}

static void clocks_show_what_the_c_library_says(void)
{
    for (size_t i = 0; i < NAMES; i++) {
        struct base_zone *zone = load(names[i]);
        bool right = true;
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t ms = at("1900-01-01T00:00"); right && ms < at("2120-01-01T00:00");
             ms += 23 * HOUR_MS / 2) {
            time_t time = (time_t)(ms / 1000);
            struct tm parts;
            localtime_r(&time, &parts);
            right = base_zone_wall(zone, ms) == ms + parts.tm_gmtoff * INT64_C(1000);
            if (!right) {
                printf("# %s at %jd\n", names[i], (intmax_t)ms);
                CHECK_INT(base_zone_wall(zone, ms) - ms, parts.tm_gmtoff * 1000);
            }
        }
        base_zone_free(zone);
    }
}

/* Known dates, also the seconds before and behind. */
static void changes_are_where_they_were(void)
{
    static const struct {
        const char *zone, *utc;
        int before_min, after_min;
    } rows[] = {
        {"Europe/Berlin", "2026-03-29T01:00", 60, 120},
        {"Europe/Berlin", "2026-10-25T01:00", 120, 60},
        {"Europe/Berlin", "2060-03-28T01:00", 60, 120},
        {"America/New_York", "2026-03-08T07:00", -300, -240},
        {"America/New_York", "2026-11-01T06:00", -240, -300},
        {"America/New_York", "2099-11-01T06:00", -240, -300},
        {"Australia/Lord_Howe", "2026-04-04T15:00", 660, 630},
        {"Australia/Lord_Howe", "2026-10-03T15:30", 630, 660},
        {"Asia/Kathmandu", "1985-12-31T18:30", 330, 345},
        {"Pacific/Apia", "2011-12-30T10:00", -600, 840},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct base_zone *zone = load(rows[i].zone);
        int64_t ms = at(rows[i].utc);
        CHECK_INT(base_zone_wall(zone, ms - 1), ms - 1 + rows[i].before_min * MINUTE_MS);
        CHECK_INT(base_zone_wall(zone, ms), ms + rows[i].after_min * MINUTE_MS);
        CHECK_INT(base_zone_change(zone, ms - 1), ms);
        CHECK(base_zone_change(zone, ms) > ms);
        base_zone_free(zone);
    }
}

static void wall_times_become_moments(void)
{
    static const struct {
        const char *zone, *wall, *utc;
    } rows[] = {
        {"Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59"},
        {"Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00"}, /* skipped */
        {"Europe/Berlin", "2026-03-29T02:59", "2026-03-29T01:00"},
        {"Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00"},
        {"Europe/Berlin", "2026-03-29T03:01", "2026-03-29T01:01"},
        {"Europe/Berlin", "2026-10-25T01:59", "2026-10-24T23:59"},
        {"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"}, /* twice */
        {"Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00"},
        {"America/New_York", "2026-03-08T02:15", "2026-03-08T07:00"},
        {"America/New_York", "2026-11-01T01:15", "2026-11-01T05:15"},
        {"Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45"},
        {"Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30"},
        {"Asia/Kathmandu", "2026-07-01T08:00", "2026-07-01T02:15"},
        {"Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59"},
        {"Pacific/Apia", "2011-12-30T08:00", "2011-12-30T10:00"}, /* a day that was none */
        {"Pacific/Apia", "2011-12-31T08:00", "2011-12-30T18:00"},
        {"Europe/Berlin", "2060-03-28T02:30", "2060-03-28T01:00"},
        {"Europe/Berlin", "2060-10-31T02:30", "2060-10-31T00:30"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct base_zone *zone = load(rows[i].zone);
        if (base_zone_utc(zone, at(rows[i].wall)) != at(rows[i].utc)) {
            printf("# %s %s\n", rows[i].zone, rows[i].wall);
            CHECK_INT(base_zone_utc(zone, at(rows[i].wall)), at(rows[i].utc));
        }
        base_zone_free(zone);
    }
}

/* Of every quarter of an hour of two years: there and back. */
static void there_and_back(void)
{
    for (size_t i = 0; i < NAMES; i++) {
        struct base_zone *zone = load(names[i]);
        int64_t latest = INT64_MIN;
        for (int64_t wall = at("2010-12-30T00:00"); wall < at("2012-12-30T00:00");
             wall += 15 * MINUTE_MS) {
            int64_t ms = base_zone_utc(zone, wall), shown = base_zone_wall(zone, ms);
            bool first = base_zone_wall(zone, ms - 1) < wall;
            CHECK(ms >= latest && first);
            CHECK(shown == wall || (shown > wall && base_zone_change(zone, ms - 1) == ms));
            latest = ms;
        }
        base_zone_free(zone);
    }
}

static void none_is_utc(void)
{
    CHECK_INT(base_zone_wall(NULL, 1234), 1234);
    CHECK_INT(base_zone_utc(NULL, 1234), 1234);
    CHECK(base_zone_change(NULL, 1234) == INT64_MAX);
    base_zone_free(NULL);
}

static void names_that_are_none(void)
{
    static const char *const bad[] = {"",     "/",  "/etc/passwd", "../x", "a/../b",
                                      "a//b", "a/", "5a",          "a b",  "a.b",
                                      ".",    "-x", "a/-b/c",      "\xc3", "%41"};
    char text[BASE_ZONE_NAME_MAX + 2];
    struct base_zone *zone;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!base_zone_name_valid(bad[i], strlen(bad[i])));
        CHECK_INT(base_zone_load(FOLDER, bad[i], strlen(bad[i]), &zone), BASE_ERR_INVALID);
        CHECK(zone == NULL);
    }
    memset(text, 'a', sizeof text);
    CHECK(base_zone_name_valid(text, BASE_ZONE_NAME_MAX));
    CHECK(!base_zone_name_valid(text, BASE_ZONE_NAME_MAX + 1));
    CHECK(!base_zone_name_valid("a\0b", 3));
    CHECK_INT(base_zone_load(FOLDER, "Mars/Base", 9, &zone), BASE_ERR_NOTFOUND);
    CHECK(base_zone_load(FOLDER, "Europe", 6, &zone) < 0); /* a folder */
    CHECK(zone == NULL);
}

static bool read_berlin(struct base_buf *bytes)
{
    return base_file_read(FOLDER "/Europe/Berlin", BASE_ZONE_FILE_MAX, bytes, NULL) == 0;
}

/* A file that is cut is refused, whatever the length. */
static void cut_files(void)
{
    struct base_buf bytes = BASE_BUF_INIT;
    CHECK(read_berlin(&bytes));
    for (size_t len = 0; len < bytes.len; len++) {
        char *copy = base_memdup(bytes.data, len); /* its end is watched */
        struct base_zone *zone;
        CHECK_INT(base_zone_parse((struct base_slice){copy, len}, &zone), BASE_ERR_SYNTAX);
        CHECK(zone == NULL);
        base_free(copy);
    }
    base_buf_fini(&bytes);
}

/* Wrong bytes anywhere: refused, or some zone whose answers end. */
static void damaged_files(void)
{
    struct base_buf bytes = BASE_BUF_INIT;
    CHECK(read_berlin(&bytes));
    for (size_t i = 0; i < bytes.len; i++)
        for (int n = 0; n < 4; n++) {
            static const char wrong[] = {0x00, 0x7F, (char)0x80, (char)0xFF};
            char was = bytes.data[i];
            struct base_zone *zone;
            bytes.data[i] = wrong[n];
            int failed = base_zone_parse((struct base_slice){bytes.data, bytes.len}, &zone);
            CHECK(failed == 0 || failed == BASE_ERR_SYNTAX);
            for (int64_t year = 0; !failed && year < 200; year += 19) {
                int64_t ms = year * 365 * DAY_MS;
                CHECK(base_zone_wall(zone, base_zone_utc(zone, ms)) >= ms);
                CHECK(base_zone_change(zone, ms) > ms);
            }
            base_zone_free(zone);
            bytes.data[i] = was;
        }
    base_buf_fini(&bytes);
}

static void memory_may_be_short(void)
{
    int result = BASE_ERR_NOMEM;
    for (long n = 1; result && n < 50; n++) {
        struct base_zone *zone;
        base_mem_fail(n, 1);
        result = base_zone_load(FOLDER, "Europe/Berlin", 13, &zone);
        base_mem_fail(0, 0);
        CHECK((result == 0) == (zone != NULL));
        CHECK(result == 0 || result == BASE_ERR_NOMEM);
        base_zone_free(zone);
    }
    CHECK_INT(result, 0);
}

int main(void)
{
    RUN(none_is_utc);
    RUN(names_that_are_none);
    if (access(FOLDER "/Europe/Berlin", R_OK) < 0) {
        printf("# no time zones in " FOLDER "\n");
        return test_end();
    }
    RUN(clocks_show_what_the_c_library_says);
    RUN(changes_are_where_they_were);
    RUN(wall_times_become_moments);
    RUN(there_and_back);
    RUN(cut_files);
    RUN(damaged_files);
    RUN(memory_may_be_short);
    return test_end();
}
