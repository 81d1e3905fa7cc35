/* SPDX-License-Identifier: ISC
 *
 * arda-replay: recorded events once more, with their timing.
 */
#include "arda-replay/replay.h"
#include "option_tables.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct base_opt rows[] = {REPLAY_OPTIONS(BASE_OPT_ROW)};

static const struct base_opt_program program = {
    .name = PROGRAM,
    .operands = "[FILE...]",
    .about = "Publish recorded events once more, with the pauses between them. Lines are those "
             "that arda-subscribe prints; without files standard input is read.",
    .after = "example: arda-replay --speed 10 --shadow -test day.jsonl",
    .rows = rows,
    .row_count = BASE_OPT_COUNT_OF(rows),
    .tables = option_tables,
    .table_count = OPTION_TABLE_COUNT,
};

/* ---- ending ---- */

void replay_end(struct replay *replay, int status)
{
    if (replay->ending)
        return;
    replay->ending = true;
    if (!replay->status)
        replay->status = status;
    replay->source->close(replay);
    bus_close(replay);
    printer_close(replay);
    pace_end(replay);
    checkpoint_close(replay);
    uv_close((uv_handle_t *)&replay->next_round, NULL);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&replay->signals[i], NULL);
}

void replay_out_of_memory(struct replay *replay)
{
    base_log(BASE_LOG_ERROR, "out of memory");
    replay_end(replay, BASE_EXIT_SOFTWARE);
}

static bool is_done(const struct replay *replay)
{
    if (!replay->read_all || replay->queued > 0)
        return false;
    return replay->plan || replay->sink->is_idle(replay);
}

void replay_end_when_done(struct replay *replay)
{
    if (replay->ending || !is_done(replay))
        return;
    int refused = replay->outbox ? base_exit_status(app_outbox_refusal(replay->outbox)) : 0;
    replay->is_complete = !refused;
    replay_end(replay, replay->counts.bad_lines ? BASE_EXIT_DATAERR : refused);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct replay *replay = handle->data;
    replay->signal = number;
    replay_end(replay, BASE_EXIT_OK);
}

/* ---- events that are done ---- */

void replay_settled(struct replay *replay, const struct event *event, uint64_t sent_us)
{
    uint64_t due_us = replay->start_us + event->due_us;
    if (sent_us) {
        replay->counts.sent++;
        replay->settled_us = base_clock_mono_us();
        if (!replay->settings.instant)
            base_quantile_add(&replay->late_us, sent_us > due_us ? sent_us - due_us : 0);
    }
    if (event->mark_ms == BASE_TIMELINE_NO_TIME)
        arda_ledger_skip(&replay->ledger, event->ticket);
    else
        arda_ledger_done(&replay->ledger, event->ticket, event->mark_ms, event->due_us);
    checkpoint_change(replay, replay->settings.print);
}

void replay_refused(struct replay *replay, const struct event *event, size_t bytes)
{
    char where[BASE_PLACE_MAX];
    event_place(replay, event, where);
    if (bytes > 0)
        base_log(BASE_LOG_ERROR, "%sthe event has %zu bytes, more than --max-event=%" PRId64, where,
                 bytes, replay->settings.max_event);
    else
        base_log(BASE_LOG_ERROR, "%swith --set it is not an event", where);
    replay->counts.bad_lines++;
    replay_settled(replay, event, 0);
}

/* ---- beginning ---- */

static void start_loop(struct replay *replay)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    uv_loop_init(&replay->loop);
    uv_timer_init(&replay->loop, &replay->next_round);
    replay->next_round.data = replay;
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&replay->loop, &replay->signals[i]);
        replay->signals[i].data = replay;
        uv_signal_start(&replay->signals[i], on_signal, numbers[i]);
    }
}

/* Given, that of the checkpoint, or a new one. */
static int name_run(struct replay *replay)
{
    const struct settings *settings = &replay->settings;
    if (settings->run)
        snprintf(replay->run, sizeof replay->run, "%s", settings->run);
    else if (!replay->run[0] && base_id_uuid7(replay->run) < 0) {
        base_log(BASE_LOG_ERROR, "no random numbers");
        return BASE_EXIT_SOFTWARE;
    }
    if (!settings->plan && !settings->keep_ids)
        base_log(BASE_LOG_INFO, "run %s", replay->run);
    return BASE_EXIT_OK;
}

static int start_round(struct replay *replay)
{
    const struct arda_ledger_position *done = checkpoint_done(replay);
    replay->round = done ? done->round : 1;
    if (checkpoint_is_complete(replay)) {
        base_log(BASE_LOG_INFO, "%s: everything was sent before", replay->settings.checkpoint);
        replay->read_all = true;
        return BASE_EXIT_OK;
    }
    return replay->source->open(replay);
}

static int start(struct replay *replay)
{
    const struct settings *settings = &replay->settings;
    replay->source = settings->from_stream ? &stream_source : &lines_source;
    replay->sink = settings->print ? &print_sink : &bus_sink;
    int failed = plan_start(replay);
    failed = failed ? failed : checkpoint_start(replay);
    failed = failed ? failed : name_run(replay);
    failed = failed ? failed : intake_start(replay);
    failed = failed ? failed : pace_start(replay);
    if (!failed && settings->from_stream)
        failed = bus_open(replay);
    if (!failed && !replay->plan)
        failed = replay->sink->start(replay);
    failed = failed ? failed : checkpoint_begin(replay);
    base_progress_start(!settings->plan && !settings->quiet);
    replay->has_started = !failed;
    return failed ? failed : start_round(replay);
}

static void run(struct replay *replay)
{
    start_loop(replay);
    int failed = start(replay);
    if (failed)
        replay_end(replay, failed);
    else
        replay_end_when_done(replay);
    uv_run(&replay->loop, UV_RUN_DEFAULT);
    uv_loop_close(&replay->loop);
}

/* ---- after the end ---- */

/* What was sent and not confirmed has been said; this is what was not sent. */
static void say_unsent(const struct replay *replay)
{
    char where[BASE_PLACE_MAX];
    if (replay->status != BASE_EXIT_TEMPFAIL || replay->queued == 0)
        return;
    const struct event *first = base_container(replay->queue.next, struct event, link);
    base_log(BASE_LOG_ERROR, "%snot sent, nor what follows", event_place(replay, first, where));
}

static void check_lateness(struct replay *replay)
{
    uint64_t most_us = (uint64_t)replay->settings.max_late * 1000;
    if (most_us == 0 || replay->late_us.max <= most_us)
        return;
    base_log(BASE_LOG_ERROR, "an event was %.3f ms late, --max-late allows %" PRId64 " ms",
             (double)replay->late_us.max / 1000, replay->settings.max_late);
    if (replay->status == BASE_EXIT_OK)
        replay->status = BASE_EXIT_NO;
}

/* A mistaken name must not look like a success. A plan says itself that it is empty. */
static void check_nothing(struct replay *replay)
{
    const struct counts *counts = &replay->counts;
    if (replay->plan || !replay->is_complete || replay->status || replay->signal ||
        replay->reader_gone || counts->sent + counts->duplicates > 0)
        return;
    if (counts->filtered > 0)
        base_log(BASE_LOG_ERROR, "nothing was replayed: no event passes --type");
    else if (replay->settings.from_stream)
        base_log(BASE_LOG_ERROR, "nothing was replayed: the stream of %s has no such events",
                 replay->settings.from_stream);
    else
        base_log(BASE_LOG_ERROR, "nothing was replayed: the input has no events");
    replay->status = BASE_EXIT_NO;
}

static void finish(struct replay *replay)
{
    int failed = BASE_EXIT_OK;
    if (replay->plan && replay->is_complete)
        failed = plan_print(replay);
    else if (!replay->plan)
        failed =
            checkpoint_finish(replay, replay->is_complete && replay->status != BASE_EXIT_TEMPFAIL);
    if (failed && replay->status == BASE_EXIT_OK)
        replay->status = failed;
    base_progress_end();
    say_unsent(replay);
    if (!replay->plan && !replay->reader_gone && replay->has_started)
        report_print(replay);
    check_lateness(replay);
    check_nothing(replay);
    if (fclose(stdout) != 0 && replay->status == BASE_EXIT_OK) {
        base_log(BASE_LOG_ERROR, "cannot write: %s", strerror(errno));
        replay->status = BASE_EXIT_IOERR;
    }
}

static void free_all(struct replay *replay)
{
    intake_fini(replay);
    app_outbox_free(replay->outbox);
    printer_free(replay);
    lines_free(replay);
    stream_free(replay);
    tenants_fini(replay);
    rewrite_fini(replay);
    checkpoint_free(replay);
    plan_free(replay);
    base_opt_fini(&program, &replay->settings);
}

/* The shell is to see what ended it. */
static void pass_signal(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    static struct replay replay;
    replay.operand_count = base_opt_start(&program, &replay.settings, argc, argv, &replay.operands);
    int failed = settings_check(&replay);
    if (failed) {
        base_opt_fini(&program, &replay.settings);
        return failed;
    }
    run(&replay);
    finish(&replay);
    free_all(&replay);
    if (replay.reader_gone)
        pass_signal(SIGPIPE);
    if (replay.signal && replay.status == BASE_EXIT_OK)
        pass_signal(replay.signal);
    return replay.status;
}
