/* SPDX-License-Identifier: ISC
 *
 * Inputs, one after the other, line by line, as fast as events are confirmed and --rate allows.
 *
 * Reading pauses while too much is held, or until the next event is due. When the program ends
 * early and --unsent is given, files are read to their end all the same, so that nothing is missing
 * from what is to be published later; a pipe may have no end and is left.
 */
#include "arda-publish/publish.h"

#include "base/exit.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

#define MAX_LINE_BYTES (16 << 20)
#define NS_PER_S       1000000000u
#define NS_PER_MS      1000000u
#define SLACK_NS       100000000u /* by which events may be late without being spread anew */

/* ---- pace ---- */

/* Nanoseconds until the next event is due. */
static uint64_t pace_wait(const struct publisher *publisher)
{
    uint64_t now = uv_hrtime();
    bool due = publisher->settings.rate == 0 || publisher->pace.next_ns <= now;
    return due || publisher->draining ? 0 : publisher->pace.next_ns - now;
}

/* An event has gone. The next is due so long behind the time of this one, not behind its delay;
 * only after a longer rest the schedule begins anew, so that no burst follows it. */
static void pace_step(struct publisher *publisher)
{
    struct pace *pace = &publisher->pace;
    uint64_t rate = (uint64_t)publisher->settings.rate, now = uv_hrtime();
    if (rate == 0)
        return;
    if (pace->next_ns + SLACK_NS < now)
        pace->next_ns = now;
    pace->next_ns += (NS_PER_S + pace->rest) / rate;
    pace->rest = (NS_PER_S + pace->rest) % rate;
}

static void on_due(uv_timer_t *timer)
{
    reading_go_on(timer->data);
}

/* ---- pausing ---- */

static void pause_if_needed(struct publisher *publisher)
{
    uint64_t wait_ns = pace_wait(publisher);
    if (!publisher->input || publisher->paused)
        return;
    if (wait_ns > 0)
        uv_timer_start(&publisher->pace.timer, on_due, (wait_ns + NS_PER_MS - 1) / NS_PER_MS, 0);
    if (wait_ns == 0 && (publisher->draining || !sending_is_full(publisher)))
        return;
    publisher->paused = true;
    app_input_pause(publisher->input);
}

void reading_go_on(struct publisher *publisher)
{
    if (publisher->ending || !publisher->paused || !publisher->input ||
        !sending_has_room(publisher))
        return;
    uint64_t wait_ns = pace_wait(publisher);
    if (wait_ns > 0) {
        uv_timer_start(&publisher->pace.timer, on_due, (wait_ns + NS_PER_MS - 1) / NS_PER_MS, 0);
        return;
    }
    publisher->paused = false;
    app_input_resume(publisher->input);
}

/* ---- lines ---- */

void reading_close(struct publisher *publisher)
{
    app_input_close(publisher->input);
    publisher->input = NULL;
}

static void bad_line(struct publisher *publisher)
{
    publisher->bad_lines++;
    if (!publisher->settings.strict || publisher->draining)
        return;
    reading_close(publisher);
    publisher->read_all = true; /* of what there is to read */
}

static void take_line(struct publisher *publisher, struct base_slice line)
{
    struct outgoing *event = sending_blank(publisher);
    int failed = event ? prepare(publisher, line, event) : BASE_ERR_NOMEM;
    if (!failed && publisher->draining) {
        unsent_add(publisher->unsent, event);
        sending_drop(event);
    } else if (!failed) {
        sending_take(publisher, event);
        pace_step(publisher);
    } else {
        if (event)
            sending_drop(event);
        if (failed == BASE_ERR_SYNTAX)
            bad_line(publisher);
        else
            publisher_out_of_memory(publisher);
    }
}

static void on_line(void *data, uint64_t number, struct base_slice line)
{
    struct publisher *publisher = data;
    publisher->place.line = number;
    take_line(publisher, line);
    pause_if_needed(publisher);
    publisher_end_when_done(publisher);
}

static void on_bad_line(void *data, uint64_t number, int result)
{
    struct publisher *publisher = data;
    char where[BASE_PLACE_MAX];
    publisher->place.line = number;
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&publisher->place, where),
             result == BASE_ERR_LIMIT ? "longer than 16 MiB" : base_err_text(result));
    bad_line(publisher);
    publisher_end_when_done(publisher);
}

/* ---- inputs ---- */

static void read_next(struct publisher *publisher);

static void on_input_end(void *data, int result, const struct base_why *why)
{
    struct publisher *publisher = data;
    char where[BASE_PLACE_MAX];
    reading_close(publisher);
    if (result) {
        base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&publisher->place, where), why->text);
        publisher->status = base_exit_status(result);
    }
    read_next(publisher);
}

/* False, said, when it cannot be opened. */
static bool open_input(struct publisher *publisher, const char *path)
{
    struct app_input_handlers handlers = {on_line, on_bad_line, on_input_end, publisher, PROGRAM};
    struct base_why why;
    publisher->place = (struct base_place){strcmp(path, "-") == 0 ? NULL : path, 0};
    if (app_input_open(&publisher->loop, path, MAX_LINE_BYTES, &handlers, &publisher->input, &why) <
        0) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        publisher->status = publisher->status ? publisher->status : BASE_EXIT_IOERR;
        return false;
    }
    return true;
}

/* A file that cannot be opened is said, and the others are read. */
static void read_next(struct publisher *publisher)
{
    while (publisher->next_operand < publisher->operand_count) {
        if (!open_input(publisher, publisher->operands[publisher->next_operand++]))
            continue;
        if (!publisher->draining || app_input_is_file(publisher->input)) {
            publisher->paused = false;
            pause_if_needed(publisher);
            return;
        }
        reading_close(publisher);
        base_log(BASE_LOG_ERROR, "%s: was not read",
                 publisher->place.file ? publisher->place.file : "standard input");
    }
    publisher->read_all = true;
    publisher_end_when_done(publisher);
}

static void read_arguments(struct publisher *publisher)
{
    struct base_buf line = BASE_BUF_INIT;
    int failed = arguments_to_json(publisher->operands, publisher->operand_count, &line);
    publisher->read_all = true;
    if (!failed)
        take_line(publisher, (struct base_slice){line.data, line.len});
    else if (failed == BASE_ERR_SYNTAX)
        bad_line(publisher);
    else
        publisher_out_of_memory(publisher);
    base_buf_fini(&line);
    publisher_end_when_done(publisher);
}

void reading_start(struct publisher *publisher)
{
    static char *standard_input[] = {"-", NULL};
    if (arguments_are_event(publisher->operands, publisher->operand_count)) {
        read_arguments(publisher);
        return;
    }
    if (publisher->operand_count == 0) {
        publisher->operands = standard_input;
        publisher->operand_count = 1;
    }
    read_next(publisher);
}

/* ---- ending early ---- */

void reading_stop(struct publisher *publisher)
{
    if (!publisher->read_all && publisher->input && publisher->unsent &&
        app_input_is_file(publisher->input)) {
        publisher->paused = true;
        app_input_pause(publisher->input);
        return;
    }
    publisher->left_unread = !publisher->read_all && publisher->input && publisher->place.line > 0;
    reading_close(publisher);
}

void reading_report(const struct publisher *publisher)
{
    char where[BASE_PLACE_MAX];
    struct base_place file = {publisher->place.file, 0};
    if (publisher->left_unread)
        base_log(BASE_LOG_ERROR, "%snothing after line %" PRIu64 " was read",
                 base_place_text(&file, where), publisher->place.line);
}

void reading_drain(struct publisher *publisher)
{
    publisher->draining = true;
    if (publisher->input) {
        publisher->paused = false;
        app_input_resume(publisher->input);
    } else {
        read_next(publisher);
    }
}
