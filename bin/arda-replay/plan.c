/* SPDX-License-Identifier: ISC
 *
 * What would be replayed: how much, of what, for whom, and when.
 */
#include "arda-replay/replay.h"
#include "arda-replay/tally.h"

#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "base/terminal.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOPS_SHOWN 20 /* the longest ones */
#define SECOND_US   1000000u

struct stop {
    int64_t after_ms; /* the recorded time before it, or none */
    uint64_t wait_us;
};

struct plan {
    uint64_t events;
    int64_t first_ms, last_ms; /* recorded */
    bool has_time;
    uint64_t due_us; /* of the event before */
    int64_t mark_ms; /* likewise its time */
    uint64_t second, second_events, peak, peak_second;
    struct tally types, tenants;
    struct stop stops[STOPS_SHOWN]; /* in order of length */
    uint64_t stop_count;
};

int plan_start(struct replay *replay)
{
    if (!replay->settings.plan)
        return BASE_EXIT_OK;
    replay->plan = base_calloc(1, sizeof *replay->plan);
    if (replay->plan)
        return BASE_EXIT_OK;
    base_log(BASE_LOG_ERROR, "out of memory");
    return BASE_EXIT_SOFTWARE;
}

void plan_free(struct replay *replay)
{
    if (!replay->plan)
        return;
    tally_fini(&replay->plan->types);
    tally_fini(&replay->plan->tenants);
    base_free_clear(&replay->plan);
}

/* ---- collecting ---- */

static void note_stop(struct plan *plan, const struct event *event, uint64_t least_us)
{
    uint64_t wait_us = event->due_us - plan->due_us;
    if (plan->events == 0 || wait_us <= least_us)
        return;
    size_t at = plan->stop_count < STOPS_SHOWN ? (size_t)plan->stop_count : STOPS_SHOWN;
    plan->stop_count++;
    for (; at > 0 && plan->stops[at - 1].wait_us < wait_us; at--)
        if (at < STOPS_SHOWN)
            plan->stops[at] = plan->stops[at - 1];
    if (at < STOPS_SHOWN)
        plan->stops[at] = (struct stop){plan->mark_ms, wait_us};
}

static void note_second(struct plan *plan, const struct event *event)
{
    uint64_t second = event->due_us / SECOND_US;
    if (second != plan->second)
        plan->second_events = 0;
    plan->second = second;
    if (++plan->second_events <= plan->peak)
        return;
    plan->peak = plan->second_events;
    plan->peak_second = second;
}

static void note_time(struct plan *plan, int64_t time_ms)
{
    if (time_ms == BASE_TIMELINE_NO_TIME)
        return;
    if (!plan->has_time || time_ms < plan->first_ms)
        plan->first_ms = time_ms;
    if (!plan->has_time || time_ms > plan->last_ms)
        plan->last_ms = time_ms;
    plan->has_time = true;
}

static int note_names(struct replay *replay, const struct event *event)
{
    struct plan *plan = replay->plan;
    char tenant[ARDA_ID_MAX + 1];
    struct base_buf type = BASE_BUF_INIT;
    int len = rewrite_tenant(replay, &event->record.message, tenant);
    int failed = len > 0 ? tally_add(&plan->tenants, tenant, (size_t)len) : BASE_OK;
    if (!failed && base_json_unescape(&event->record.message.type, &type) == 0)
        failed = tally_add(&plan->types, type.data ? type.data : "", type.len);
    base_buf_fini(&type);
    return failed;
}

void plan_event(struct replay *replay, const struct event *event)
{
    struct plan *plan = replay->plan;
    note_stop(plan, event, (uint64_t)replay->settings.stops * 1000);
    note_second(plan, event);
    note_time(plan, event->time_ms);
    plan->events++;
    plan->due_us = event->due_us;
    plan->mark_ms = event->mark_ms;
    arda_ledger_skip(&replay->ledger, event->ticket);
    if (note_names(replay, event) < 0)
        replay_out_of_memory(replay);
}

/* ---- as JSON ---- */

static void print_time(int64_t ms, bool known)
{
    char text[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(ms, text);
    printf(known ? "\"%s\"" : "null", text);
}

static int print_tally(const char *name, const struct tally *tally)
{
    size_t count;
    struct tally_row *rows = tally_sort(tally, &count);
    struct base_buf text = BASE_BUF_INIT;
    int failed = rows ? BASE_OK : BASE_ERR_NOMEM;
    for (size_t i = 0; i < count && !failed; i++) {
        failed = base_json_quote(&text, rows[i].name, rows[i].len);
        if (!failed)
            failed =
                base_buf_printf(&text, ":%" PRIu64 "%s", rows[i].count, i + 1 < count ? "," : "");
    }
    struct base_buf cleaned = BASE_BUF_INIT;
    if (isatty(STDOUT_FILENO) && text.len > 0) {
        failed |= base_terminal_add(&cleaned, text.data, text.len);
        printf(",\"%s\":{%.*s}", name, (int)cleaned.len, cleaned.data ? cleaned.data : "");
    } else {
        printf(",\"%s\":{%.*s}", name, (int)text.len, text.data ? text.data : "");
    }
    base_buf_fini(&cleaned);
    base_buf_fini(&text);
    base_free(rows);
    return failed;
}

static void print_stops(const struct replay *replay)
{
    const struct plan *plan = replay->plan;
    printf(",\"stops\":{\"longerThanMs\":%" PRId64 ",\"count\":%" PRIu64 ",\"longest\":[",
           replay->settings.stops, plan->stop_count);
    for (size_t i = 0; i < STOPS_SHOWN && i < plan->stop_count; i++) {
        printf("%s{\"after\":", i > 0 ? "," : "");
        print_time(plan->stops[i].after_ms, plan->stops[i].after_ms != BASE_TIMELINE_NO_TIME);
        printf(",\"ms\":%" PRIu64 "}", plan->stops[i].wait_us / 1000);
    }
    printf("]}");
}

static int print_json(const struct replay *replay)
{
    const struct plan *plan = replay->plan;
    const struct counts *counts = &replay->counts;
    printf("{\"plan\":1,\"events\":%" PRIu64 ",\"rounds\":%" PRId64 ",\"filtered\":%" PRIu64
           ",\"badLines\":%" PRIu64 ",\"gaps\":%" PRIu64 ",\"untimed\":%" PRIu64
           ",\"outOfOrder\":%" PRIu64 ",\"first\":",
           plan->events, replay->settings.repeat, counts->filtered, counts->bad_lines, counts->gaps,
           counts->untimed, counts->behind);
    print_time(plan->first_ms, plan->has_time);
    printf(",\"last\":");
    print_time(plan->last_ms, plan->has_time);
    printf(",\"spanMs\":%" PRIu64 ",\"durationMs\":%" PRIu64,
           (uint64_t)plan->last_ms - (uint64_t)plan->first_ms, plan->due_us / 1000);
    int failed = print_tally("types", &plan->types) | print_tally("tenants", &plan->tenants);
    if (replay->settings.instant)
        printf(",\"peak\":null");
    else
        printf(",\"peak\":{\"events\":%" PRIu64 ",\"atMs\":%" PRIu64 "}", plan->peak,
               plan->peak_second * 1000);
    print_stops(replay);
    printf("}\n");
    return failed;
}

/* ---- for a person ---- */

/* 1d2h3m4.5s, with the units that are needed. */
static void print_span(uint64_t ms)
{
    uint64_t s = ms / 1000;
    if (s >= 86400)
        printf("%" PRIu64 "d", s / 86400);
    if (s >= 3600)
        printf("%" PRIu64 "h", s / 3600 % 24);
    if (s >= 60)
        printf("%" PRIu64 "m", s / 60 % 60);
    if (s < 60)
        printf("%" PRIu64 ".%03" PRIu64 "s", s, ms % 1000);
    else
        printf("%" PRIu64 "s", s % 60);
}

static void print_label(const char *label)
{
    printf("%-10s ", label);
}

static int print_rows(const char *label, const struct tally *tally)
{
    size_t count;
    struct tally_row *rows = tally_sort(tally, &count);
    if (!rows)
        return BASE_ERR_NOMEM;
    struct base_buf name = BASE_BUF_INIT;
    int failed = BASE_OK;
    for (size_t i = 0; i < count && !failed; i++) {
        name.len = 0;
        failed = base_text_clean(&name, rows[i].name, rows[i].len);
        print_label(i == 0 ? label : "");
        printf("%.*s %" PRIu64 "\n", (int)name.len, name.data ? name.data : "", rows[i].count);
    }
    base_buf_fini(&name);
    base_free(rows);
    return failed;
}

static void print_count(const char *label, uint64_t count)
{
    if (count == 0)
        return;
    print_label("");
    printf("%s: %" PRIu64 "\n", label, count);
}

static void print_times(const struct replay *replay)
{
    const struct plan *plan = replay->plan;
    char first[BASE_RFC3339_LEN + 1], last[BASE_RFC3339_LEN + 1];
    base_rfc3339_format(plan->first_ms, first);
    base_rfc3339_format(plan->last_ms, last);
    if (plan->has_time) {
        print_label("recorded");
        printf("%s to %s, ", first, last);
        print_span((uint64_t)plan->last_ms - (uint64_t)plan->first_ms);
        putchar('\n');
    }
    print_label("duration");
    print_span(plan->due_us / 1000);
    putchar('\n');
    if (replay->settings.instant || plan->events == 0)
        return;
    print_label("peak");
    printf("%" PRIu64 " in one second, at ", plan->peak);
    print_span(plan->peak_second * 1000);
    putchar('\n');
}

static void print_pauses(const struct replay *replay)
{
    const struct plan *plan = replay->plan;
    char after[BASE_RFC3339_LEN + 1];
    print_label("stops");
    printf("%" PRIu64 " longer than ", plan->stop_count);
    print_span((uint64_t)replay->settings.stops);
    putchar('\n');
    for (size_t i = 0; i < STOPS_SHOWN && i < plan->stop_count; i++) {
        print_label("");
        print_span(plan->stops[i].wait_us / 1000);
        base_rfc3339_format(plan->stops[i].after_ms, after);
        printf(" behind %s\n",
               plan->stops[i].after_ms == BASE_TIMELINE_NO_TIME ? "an event without time" : after);
    }
}

static int print_text(const struct replay *replay)
{
    const struct counts *counts = &replay->counts;
    print_label("events");
    printf("%" PRIu64 "\n", replay->plan->events);
    print_count("left out by --type", counts->filtered);
    print_count("bad lines", counts->bad_lines);
    print_count("gaps in the recording", counts->gaps);
    print_count("without a time", counts->untimed);
    print_count("out of order", counts->behind);
    print_times(replay);
    int failed = print_rows("types", &replay->plan->types);
    failed |= print_rows("tenants", &replay->plan->tenants);
    print_pauses(replay);
    return failed;
}

int plan_print(struct replay *replay)
{
    int format = replay->settings.format;
    bool as_text = format == FORMAT_TEXT || (format == FORMAT_AUTO && isatty(STDOUT_FILENO));
    int failed = as_text ? print_text(replay) : print_json(replay);
    if (failed)
        base_log(BASE_LOG_ERROR, "out of memory");
    return failed ? BASE_EXIT_SOFTWARE : BASE_EXIT_OK;
}
