/* SPDX-License-Identifier: ISC */
#include "arda/delivery/hold.h"

#include "base/err.h"
#include "base/rfc3339.h"
#include "lib/test.h"

#include <unistd.h>

#define FOLDER    "/usr/share/zoneinfo"
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static const char *const names[] = {
    "UTC",         "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Apia"};

#define NAMES (sizeof names / sizeof names[0])

static bool have_zones;

static struct base_slice slice(const char *text)
{
    return (struct base_slice){text, strlen(text)};
}

/* NULL, so UTC, where there is no data of zones. */
static struct base_zone *load(const char *name)
{
    struct base_zone *zone = NULL;
    if (have_zones)
        CHECK_INT(base_zone_load(FOLDER, name, strlen(name), &zone), 0);
    return zone;
}

static int64_t at(const char *text)
{
    char full[32];
    int64_t ms = 0;
    snprintf(full, sizeof full, "%s:00Z", text);
    CHECK_INT(base_rfc3339_parse(full, strlen(full), &ms), 0);
    return ms;
}

static struct arda_schedule schedule(const char *text)
{
    struct arda_schedule schedule = {0};
    CHECK_INT(arda_hold_schedule_parse(slice(text), &schedule), 0);
    return schedule;
}

static struct arda_quiet quiet(const char *text)
{
    struct arda_quiet quiet = {0};
    CHECK_INT(arda_hold_quiet_parse(slice(text), &quiet), 0);
    return quiet;
}

static void entries_are_read(void)
{
    static const char *const schedules[] = {
        "",           "hour",        "hourly ",     "Hourly",       "daily",       "daily@",
        "daily@8:00", "daily@24:00", "daily@08:60", "daily@08:00 ", "daily@0a:00", "daily@08-00"};
    static const char *const quiets[] = {"",
                                         "22:00",
                                         "22:00-",
                                         "22:00-7:00",
                                         "22:00-22:00",
                                         "24:00-07:00",
                                         "22:00-07:60",
                                         "22:00 07:00",
                                         "22:00-07:00 ",
                                         "-1:00-07:00"};
    struct arda_schedule read;
    struct arda_quiet hours;
    CHECK(schedule("hourly").hourly);
    CHECK(!schedule("daily@08:05").hourly);
    CHECK_INT(schedule("daily@08:05").minute, 8 * 60 + 5);
    CHECK_INT(schedule("daily@23:59").minute, 24 * 60 - 1);
    CHECK_INT(quiet("22:30-07:00").from, 22 * 60 + 30);
    CHECK_INT(quiet("22:30-07:00").to, 7 * 60);
    for (size_t i = 0; i < sizeof schedules / sizeof schedules[0]; i++)
        CHECK_INT(arda_hold_schedule_parse(slice(schedules[i]), &read), BASE_ERR_SYNTAX);
    for (size_t i = 0; i < sizeof quiets / sizeof quiets[0]; i++)
        CHECK_INT(arda_hold_quiet_parse(slice(quiets[i]), &hours), BASE_ERR_SYNTAX);
}

/* Of every quarter of an hour of a year, and a millisecond before: behind it, at that time of the
 * day or where the clock has skipped it, and nothing is between. */
static void a_daily_moment_comes_once_a_day(void)
{
    static const char *const times[] = {"daily@00:00", "daily@02:30", "daily@08:00", "daily@23:45"};
    for (size_t n = 0; n < NAMES; n++)
        for (size_t t = 0; t < sizeof times / sizeof times[0]; t++) {
            struct base_zone *zone = load(names[n]);
            struct arda_schedule daily = schedule(times[t]);
            int64_t begin = base_zone_utc(zone, at("2026-01-01T00:00"));
            int64_t end = base_zone_utc(zone, at("2027-01-01T00:00"));
            int64_t want = arda_hold_schedule_next(&daily, zone, begin - 1);
            int moments = 0;
            for (int64_t ms = begin; ms < end; ms += 15 * MINUTE_MS) {
                int64_t next = arda_hold_schedule_next(&daily, zone, ms);
                int64_t off = base_zone_wall(zone, next) % DAY_MS - daily.minute * MINUTE_MS;
                bool skipped = base_zone_change(zone, next - 1) == next && off > 0 && off < HOUR_MS;
                CHECK(next > ms && (off == 0 || skipped));
                CHECK_INT(arda_hold_schedule_next(&daily, zone, next - 1), next);
                if (ms >= want) {
                    moments++;
                    want = next;
                }
                CHECK_INT(next, want);
            }
            CHECK_INT(moments + (want < end), 365);
            base_zone_free(zone);
        }
}

static void hourly_is_whenever_the_clock_shows_a_full_hour(void)
{
    struct arda_schedule hourly = schedule("hourly");
    for (size_t n = 0; n < NAMES; n++) {
        struct base_zone *zone = load(names[n]);
        int64_t want = 0;
        for (int64_t ms = at("2027-01-01T00:00"); ms >= at("2026-01-01T00:00");
             ms -= 5 * MINUTE_MS) {
            if (want)
                CHECK_INT(arda_hold_schedule_next(&hourly, zone, ms), want);
            if (base_zone_wall(zone, ms) % HOUR_MS == 0)
                want = ms;
        }
        int64_t early = arda_hold_schedule_next(&hourly, zone, at("1969-06-01T00:01"));
        CHECK_INT(base_zone_wall(zone, early) % HOUR_MS, 0);
        base_zone_free(zone);
    }
}

/* Known dates, times of UTC. */
static void clocks_that_change(void)
{
    static const struct {
        const char *zone, *entry, *after, *want;
    } rows[] = {
        {"Europe/Berlin", "daily@08:00", "2026-03-28T12:00", "2026-03-29T06:00"},
        {"Europe/Berlin", "daily@08:00", "2026-03-29T06:00", "2026-03-30T06:00"},
        {"Europe/Berlin", "daily@02:30", "2026-03-28T12:00", "2026-03-29T01:00"},
        {"Europe/Berlin", "daily@02:30", "2026-03-29T01:00", "2026-03-30T00:30"},
        {"Europe/Berlin", "daily@02:30", "2026-10-24T12:00", "2026-10-25T00:30"},
        {"Europe/Berlin", "daily@02:30", "2026-10-25T00:30", "2026-10-26T01:30"},
        {"Europe/Berlin", "daily@02:30", "2026-10-25T01:10", "2026-10-26T01:30"},
        {"America/New_York", "daily@08:00", "2026-03-08T01:00", "2026-03-08T12:00"},
        {"America/New_York", "daily@08:00", "2026-07-01T01:00", "2026-07-01T12:00"},
        {"America/New_York", "daily@08:00", "2026-11-01T01:00", "2026-11-01T13:00"},
        {"Asia/Kathmandu", "hourly", "2026-07-01T00:00", "2026-07-01T00:15"},
        {"Asia/Kathmandu", "daily@00:00", "2026-07-01T00:00", "2026-07-01T18:15"},
        {"Australia/Lord_Howe", "hourly", "2026-10-03T14:30", "2026-10-03T16:00"},
        {"Australia/Lord_Howe", "hourly", "2026-04-04T14:00", "2026-04-04T15:30"},
        {"Pacific/Apia", "daily@08:00", "2011-12-29T20:00", "2011-12-30T10:00"},
        {"Pacific/Apia", "daily@08:00", "2011-12-30T10:00", "2011-12-30T18:00"},
    };
    for (size_t i = 0; have_zones && i < sizeof rows / sizeof rows[0]; i++) {
        struct base_zone *zone = load(rows[i].zone);
        struct arda_schedule entry = schedule(rows[i].entry);
        int64_t got = arda_hold_schedule_next(&entry, zone, at(rows[i].after));
        if (got != at(rows[i].want)) {
            printf("# %s %s after %s\n", rows[i].zone, rows[i].entry, rows[i].after);
            CHECK_INT(got, at(rows[i].want));
        }
        base_zone_free(zone);
    }
}

static void quiet_hours_end(void)
{
    static const char *const entries[] = {"22:00-07:00", "12:30-13:45", "00:00-23:59",
                                          "04:00-03:59"};
    for (size_t n = 0; n < NAMES; n++)
        for (size_t e = 0; e < sizeof entries / sizeof entries[0]; e++) {
            struct base_zone *zone = load(names[n]);
            struct arda_quiet hours = quiet(entries[e]);
            for (int64_t ms = at("2026-01-01T00:00"); ms < at("2027-01-01T00:00");
                 ms += 7 * MINUTE_MS) {
                int64_t minute = base_zone_wall(zone, ms) % DAY_MS / MINUTE_MS;
                int64_t end = arda_hold_quiet_end(&hours, zone, ms);
                bool within = hours.from < hours.to ? minute >= hours.from && minute < hours.to
                                                    : minute >= hours.from || minute < hours.to;
                CHECK((end > ms) == within);
                CHECK(end >= ms && end - ms <= DAY_MS + HOUR_MS);
                CHECK(!within || base_zone_wall(zone, end) % DAY_MS == hours.to * MINUTE_MS);
                CHECK_INT(arda_hold_quiet_end(&hours, zone, end), end);
            }
            base_zone_free(zone);
        }
}

/* The hour that is there twice is quiet as far as its first time is. */
static void quiet_hours_when_clocks_change(void)
{
    static const struct {
        const char *zone, *entry, *when, *want;
    } rows[] = {
        {"Europe/Berlin", "22:00-07:00", "2026-03-28T23:00", "2026-03-29T05:00"},
        {"Europe/Berlin", "22:00-07:00", "2026-10-24T23:00", "2026-10-25T06:00"},
        {"Europe/Berlin", "22:00-02:15", "2026-10-25T00:14", "2026-10-25T00:15"},
        {"Europe/Berlin", "22:00-02:15", "2026-10-25T01:10", "2026-10-25T01:10"},
        {"Europe/Berlin", "22:00-02:30", "2026-03-29T00:59", "2026-03-29T01:00"},
        {"Europe/Berlin", "02:10-02:50", "2026-03-29T01:00", "2026-03-29T01:00"},
        {"Europe/Berlin", "02:10-04:00", "2026-03-29T01:00", "2026-03-29T02:00"},
        {"Europe/Berlin", "02:30-08:00", "2026-10-25T01:10", "2026-10-25T07:00"},
        {"Pacific/Apia", "22:00-07:00", "2011-12-30T09:00", "2011-12-30T17:00"},
    };
    for (size_t i = 0; have_zones && i < sizeof rows / sizeof rows[0]; i++) {
        struct base_zone *zone = load(rows[i].zone);
        struct arda_quiet entry = quiet(rows[i].entry);
        int64_t got = arda_hold_quiet_end(&entry, zone, at(rows[i].when));
        if (got != at(rows[i].want)) {
            printf("# %s %s at %s\n", rows[i].zone, rows[i].entry, rows[i].when);
            CHECK_INT(got, at(rows[i].want));
        }
        base_zone_free(zone);
    }
}

static void both_together(void)
{
    static const struct {
        const char *digest, *quiet, *created, *now, *want; /* want "": now */
        bool collects, into_digest;
    } rows[] = {
        {"", "", "2026-07-01T10:00", "2026-07-01T10:00", "", true, false},
        {"daily@08:00", "", "2026-07-01T10:00", "2026-07-01T10:00", "2026-07-02T08:00", true, true},
        {"daily@08:00", "", "2026-07-01T10:00", "2026-07-01T11:00", "2026-07-02T08:00", true, true},
        {"daily@08:00", "", "2026-07-01T10:00", "2026-07-01T10:00", "", false, false},
        {"hourly", "", "2026-07-01T10:00", "2026-07-01T10:20", "2026-07-01T11:00", true, true},
        {"", "22:00-07:00", "2026-07-01T23:00", "2026-07-01T23:00", "2026-07-02T07:00", true,
         false},
        {"", "22:00-07:00", "2026-07-01T23:00", "2026-07-02T07:00", "", false, false},
        {"", "22:00-07:00", "2026-07-01T23:00", "2026-07-02T23:00", "2026-07-03T07:00", false,
         false},
        /* The digest lies in quiet hours: behind them. */
        {"daily@06:00", "22:00-07:00", "2026-07-01T10:00", "2026-07-01T10:00", "2026-07-02T07:00",
         true, true},
        {"hourly", "22:00-07:00", "2026-07-01T21:30", "2026-07-01T21:30", "2026-07-02T07:00", true,
         true},
        /* Quiet now, but not when the digest goes. */
        {"daily@08:00", "22:00-07:00", "2026-07-01T23:00", "2026-07-01T23:00", "2026-07-02T08:00",
         true, true},
        /* A digest that was due in quiet hours and is late, then those count. */
        {"daily@08:00", "22:00-07:00", "2026-07-01T10:00", "2026-07-03T23:00", "2026-07-04T07:00",
         true, true},
        {"weekly", "now-then", "2026-07-01T10:00", "2026-07-01T10:00", "", true, false},
        {"weekly", "22:00-07:00", "2026-07-01T23:00", "2026-07-01T23:00", "2026-07-02T07:00", true,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct arda_hold hold = {.digest = slice(rows[i].digest),
                                       .quiet = slice(rows[i].quiet),
                                       .created_ms = at(rows[i].created),
                                       .collects = rows[i].collects};
        bool digest = !rows[i].into_digest;
        int64_t got = arda_hold_until(&hold, at(rows[i].now), &digest);
        CHECK_INT(got, rows[i].want[0] ? at(rows[i].want) : 0);
        CHECK_INT(digest, rows[i].into_digest);
        if (test_failed_here)
            printf("# row %zu\n", i);
    }
}

static void a_missed_moment_is_now(void)
{
    const struct arda_hold hold = {
        .digest = slice("daily@08:00"), .created_ms = at("2026-07-01T07:00"), .collects = true};
    int64_t now = at("2026-07-03T12:00");
    bool digest = false;
    CHECK_INT(arda_hold_until(&hold, now, &digest), now + ARDA_HOLD_COLLECT_MS);
    CHECK(digest);
}

int main(void)
{
    have_zones = access(FOLDER "/Europe/Berlin", R_OK) == 0;
    if (!have_zones)
        printf("# no time zones in " FOLDER "\n");
    RUN(entries_are_read);
    RUN(a_daily_moment_comes_once_a_day);
    RUN(hourly_is_whenever_the_clock_shows_a_full_hour);
    RUN(clocks_that_change);
    RUN(quiet_hours_end);
    RUN(quiet_hours_when_clocks_change);
    RUN(both_together);
    RUN(a_missed_moment_is_now);
    return test_end();
}
