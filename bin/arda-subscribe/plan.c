/* SPDX-License-Identifier: ISC
 *
 * What the options mean together. Without any that names or prints a position the events are
 * printed as they come; else every event is read from its tenant's stream.
 */
#include "arda-subscribe/subscribe.h"

#include "base/clock.h"

#include <string.h>

static int refuse(struct base_why *why, const char *text)
{
    return base_why_set(why, BASE_ERR_INVALID, "%s", text);
}

/* Exactly one way to name tenants. */
static int check_sources(const struct settings *settings, int operand_count, struct base_why *why)
{
    int ways = (operand_count > 0) + settings->all + settings->global + settings->tenants;
    if (ways != 1)
        return refuse(why, "expected one or more tenants, or one of --all, --global and --tenants");
    bool past = settings->since || settings->until || settings->last || settings->follow ||
                settings->cursor;
    if (settings->global && past)
        return refuse(why, "--global: this channel has no past; --all reads that of every tenant");
    if (settings->tenants &&
        (past || settings->count || settings->idle || settings->gaps || settings->fail_on_gap))
        return refuse(why, "--tenants: lists tenants, not events");
    return BASE_OK;
}

static int read_when(const char *option, const char *text, struct arda_when *when,
                     struct base_why *why)
{
    int failed = text ? arda_when_parse(text, base_clock_wall_ms(), when, why) : BASE_OK;
    if (failed)
        base_why_prefix(why, "%s", option);
    return failed;
}

static bool is_after(const struct arda_when *since, const struct arda_when *until)
{
    struct arda_stream_id first, last;
    return arda_when_first(since, &first) && arda_when_last(until, &last) &&
           arda_stream_id_compare(first, last) > 0;
}

static bool is_past(const struct arda_when *when)
{
    struct arda_stream_id last;
    int64_t now_ms = base_clock_wall_ms();
    return arda_when_last(when, &last) && now_ms > 0 && last.ms < (uint64_t)now_ms;
}

static int check_times(const struct settings *settings, const struct plan *plan,
                       struct base_why *why)
{
    const struct arda_when *since = &plan->start.since, *until = &plan->start.until;
    bool from_past = settings->since || settings->last || settings->cursor;
    if (settings->since && settings->last)
        return refuse(why, "--since and --last exclude each other");
    if (since->kind == ARDA_WHEN_END && !settings->follow)
        return refuse(why, "--since=end: nothing is there without --follow");
    if (until->kind == ARDA_WHEN_START)
        return refuse(why, "--until=start: nothing is before it");
    if (until->kind == ARDA_WHEN_END && plan->follow)
        return refuse(why, "--until=end: does not go with following");
    if (is_after(since, until))
        return refuse(why, "--since is after --until");
    if (settings->until && !from_past && is_past(until))
        return refuse(why, "--until is over; --since or --last print the past");
    return BASE_OK;
}

/* What comes on a channel has none. */
static bool needs_position(const char *format)
{
    return strcmp(format, "envelope") == 0 || strstr(format, "%{position}") != NULL;
}

int plan_make(const struct settings *settings, int operand_count, struct plan *plan,
              struct base_why *why)
{
    struct arda_tail_start *start = &plan->start;
    *plan = (struct plan){.follow = false};
    int failed = check_sources(settings, operand_count, why);
    if (!failed)
        failed = read_when("--since", settings->since, &start->since, why);
    if (!failed)
        failed = read_when("--until", settings->until, &start->until, why);
    if (failed)
        return failed;
    start->last = (uint64_t)settings->last;
    plan->follow = settings->follow || !(settings->since || settings->last);
    start->follow = plan->follow;
    start->direct = !(needs_position(settings->format) || settings->follow || settings->since ||
                      settings->last || settings->until || settings->cursor || settings->all);
    return check_times(settings, plan, why);
}
