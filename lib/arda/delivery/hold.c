/* SPDX-License-Identifier: ISC */
#include "arda/delivery/hold.h"

#include "base/err.h"

#include <ctype.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define TIME_LEN  5
#define DAILY     "daily@"
#define DAILY_LEN (sizeof DAILY - 1)

static bool is_digits(const char *text)
{
    return isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]);
}

/* "HH:MM" */
static bool read_time(const char *text, int *minute)
{
    if (!is_digits(text) || text[2] != ':' || !is_digits(text + 3))
        return false;
    int hours = (text[0] - '0') * 10 + (text[1] - '0');
    int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    *minute = hours * 60 + minutes;
    return hours < 24 && minutes < 60;
}

/* The day since 1970 that a clock shows. */
static int64_t day_of(int64_t wall_ms)
{
    return wall_ms / DAY_MS - (wall_ms % DAY_MS < 0);
}

static int64_t moment(const struct base_zone *zone, int64_t day, int minute)
{
    return base_zone_utc(zone, day * DAY_MS + minute * MINUTE_MS);
}

/* ---- schedules ---- */

int arda_hold_schedule_parse(struct base_slice text, struct arda_schedule *schedule)
{
    *schedule = (struct arda_schedule){.hourly = true};
    if (text.len == 6 && memcmp(text.data, "hourly", 6) == 0)
        return BASE_OK;
    schedule->hourly = false;
    if (text.len != DAILY_LEN + TIME_LEN || memcmp(text.data, DAILY, DAILY_LEN) != 0 ||
        !read_time(text.data + DAILY_LEN, &schedule->minute))
        return BASE_ERR_SYNTAX;
    return BASE_OK;
}

static int64_t next_hour(const struct base_zone *zone, int64_t after_ms)
{
    int64_t from_ms = after_ms + 1;
    for (;;) {
        int64_t past = base_zone_wall(zone, from_ms) % HOUR_MS;
        int64_t next_ms =
            past == 0 ? from_ms : from_ms + HOUR_MS - (past < 0 ? past + HOUR_MS : past);
        int64_t change_ms = base_zone_change(zone, from_ms);
        if (next_ms < change_ms)
            return next_ms;
        from_ms = change_ms;
    }
}

int64_t arda_hold_schedule_next(const struct arda_schedule *schedule, const struct base_zone *zone,
                                int64_t after_ms)
{
    if (schedule->hourly)
        return next_hour(zone, after_ms);
    for (int64_t day = day_of(base_zone_wall(zone, after_ms)) - 1;; day++) {
        int64_t at_ms = moment(zone, day, schedule->minute);
        if (at_ms > after_ms)
            return at_ms;
    }
}

/* ---- quiet hours ---- */

int arda_hold_quiet_parse(struct base_slice text, struct arda_quiet *quiet)
{
    if (text.len != 2 * TIME_LEN + 1 || !read_time(text.data, &quiet->from) ||
        text.data[TIME_LEN] != '-' || !read_time(text.data + TIME_LEN + 1, &quiet->to) ||
        quiet->from == quiet->to)
        return BASE_ERR_SYNTAX;
    return BASE_OK;
}

/* Those of one day may touch those of the next, when a clock skips what is between them. */
int64_t arda_hold_quiet_end(const struct arda_quiet *quiet, const struct base_zone *zone,
                            int64_t at_ms)
{
    int64_t today = day_of(base_zone_wall(zone, at_ms));
    bool over_night = quiet->to < quiet->from;
    for (int64_t day = today - 2; day <= today + 2; day++) {
        int64_t from_ms = moment(zone, day, quiet->from);
        int64_t to_ms = moment(zone, day + over_night, quiet->to);
        if (from_ms <= at_ms && at_ms < to_ms)
            at_ms = to_ms;
    }
    return at_ms;
}

/* ---- both ---- */

int64_t arda_hold_until(const struct arda_hold *hold, int64_t now_ms, bool *digest)
{
    struct arda_schedule schedule;
    struct arda_quiet quiet;
    int64_t until_ms = now_ms;
    *digest = hold->collects && hold->digest.len > 0 &&
              arda_hold_schedule_parse(hold->digest, &schedule) == BASE_OK;
    if (*digest) {
        until_ms = arda_hold_schedule_next(&schedule, hold->zone, hold->created_ms);
        if (until_ms <= now_ms)
            until_ms = now_ms + ARDA_HOLD_COLLECT_MS;
    }
    if (hold->quiet.len > 0 && arda_hold_quiet_parse(hold->quiet, &quiet) == BASE_OK)
        until_ms = arda_hold_quiet_end(&quiet, hold->zone, until_ms);
    return until_ms > now_ms ? until_ms : 0;
}
