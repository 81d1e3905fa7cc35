/* SPDX-License-Identifier: ISC
 *
 * The file that tells how far a replay has come: one JSON object, replaced as a whole.
 *
 * It is written before the first event is sent, since the run has to be known then, and when
 * something is done: at once where a line is written, soon where Redis has confirmed an event; what
 * was confirmed meanwhile is known to Redis by its id.
 */
#include "arda-replay/replay.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SOON_MS    100
#define MOST_BYTES (64 << 20)
#define VERSION    1

struct checkpoint {
    uv_timer_t timer;
    bool is_read;  /* from a file that was there */
    bool is_begun; /* the file is ours to write */
    bool complete;
    bool is_ending;
    bool in_place;        /* see base_file_replace */
    struct base_buf text; /* to be written */

    /* what was read */
    struct arda_ledger_position done;
    bool has_done;
    struct arda_ledger_run *runs; /* beyond it */
    size_t run_count;
    struct arda_ledger_position runs_end;
    int64_t time_ms, due_at_ms;
    bool has_time;

    struct arda_stream_id first, last;
    bool has_range;
};

/* ---- reading ---- */

enum member {
    VERSION_,
    COMMAND,
    RUN,
    COMPLETE,
    DONE,
    ALSO,
    TIME,
    DUE_AT,
    SHIFTED,
    SHIFT,
    FIRST,
    LAST,
    SENT,
    DUPLICATES,
    BAD_LINES,
    MEMBERS
};

static const struct base_json_member wanted[MEMBERS] = {
    [VERSION_] = BASE_JSON_WANT("checkpoint"),
    [COMMAND] = BASE_JSON_WANT("command"),
    [RUN] = BASE_JSON_WANT("run"),
    [COMPLETE] = BASE_JSON_WANT("complete"),
    [DONE] = BASE_JSON_WANT("done"),
    [ALSO] = BASE_JSON_WANT("also"),
    [TIME] = BASE_JSON_WANT("time"),
    [DUE_AT] = BASE_JSON_WANT("dueAt"),
    [SHIFTED] = BASE_JSON_WANT("shiftedRound"),
    [SHIFT] = BASE_JSON_WANT("shift"),
    [FIRST] = BASE_JSON_WANT("first"),
    [LAST] = BASE_JSON_WANT("last"),
    [SENT] = BASE_JSON_WANT("sent"),
    [DUPLICATES] = BASE_JSON_WANT("duplicates"),
    [BAD_LINES] = BASE_JSON_WANT("badLines"),
};

static bool read_number(const struct base_json_value *value, int64_t *out)
{
    double number;
    if (base_json_double(value, &number) < 0 || !(number > -9e15 && number < 9e15))
        return false;
    *out = (int64_t)number;
    return true;
}

static bool read_count(const struct base_json_value *value, uint64_t *out)
{
    int64_t number;
    if (!read_number(value, &number) || number < 0)
        return false;
    *out = (uint64_t)number;
    return true;
}

/* A string of a few characters, with a NUL. */
static bool read_text(const struct base_json_value *value, char *out, size_t room)
{
    struct base_slice plain;
    if (!base_json_plain(value, &plain) || plain.len >= room)
        return false;
    memcpy(out, plain.data, plain.len);
    out[plain.len] = '\0';
    return true;
}

/* Reads ROUND:MAJOR-MINOR and moves `*text` past it. */
static bool take_position(const char **text, struct arda_ledger_position *position)
{
    return base_number_take_u64(text, &position->round) && *(*text)++ == ':' &&
           base_number_take_u64(text, &position->major) && *(*text)++ == '-' &&
           base_number_take_u64(text, &position->minor);
}

static bool read_run(const struct base_json_value *value, struct arda_ledger_run *run)
{
    char text[160];
    const char *rest = text;
    return read_text(value, text, sizeof text) && take_position(&rest, &run->first) &&
           strncmp(rest, "..", 2) == 0 && (rest += 2, take_position(&rest, &run->last)) &&
           *rest == '\0';
}

static bool read_runs(struct checkpoint *checkpoint, const struct base_json_value *array)
{
    struct base_json_iter iter;
    struct base_json_value value;
    size_t count = 0;
    if (array->kind != BASE_JSON_ARRAY)
        return false;
    base_json_iter_init(&iter, array);
    while (base_json_iter_next(&iter, NULL, &value))
        count++;
    checkpoint->runs = base_calloc(count + 1, sizeof *checkpoint->runs);
    if (!checkpoint->runs)
        return false;
    base_json_iter_init(&iter, array);
    while (base_json_iter_next(&iter, NULL, &value)) {
        struct arda_ledger_run *run = &checkpoint->runs[checkpoint->run_count++];
        if (!read_run(&value, run))
            return false;
        if (arda_ledger_compare(&run->last, &checkpoint->runs_end) > 0)
            checkpoint->runs_end = run->last;
    }
    return true;
}

static bool read_ids(struct checkpoint *checkpoint, const struct base_json_member *found)
{
    struct base_slice first, last;
    if (found[FIRST].value.kind == BASE_JSON_ABSENT)
        return true;
    checkpoint->has_range = true;
    return base_json_plain(&found[FIRST].value, &first) &&
           base_json_plain(&found[LAST].value, &last) &&
           arda_stream_id_parse(first.data, first.len, &checkpoint->first) &&
           arda_stream_id_parse(last.data, last.len, &checkpoint->last);
}

static bool read_done(struct checkpoint *checkpoint, const struct base_json_value *value)
{
    char text[80];
    const char *rest = text;
    if (value->kind == BASE_JSON_ABSENT)
        return true;
    checkpoint->has_done = true;
    return read_text(value, text, sizeof text) && take_position(&rest, &checkpoint->done) &&
           *rest == '\0';
}

static bool read_members(struct replay *replay, const struct base_json_member *found,
                         char command[static BASE_UUID_LEN + 1], char run[static ARDA_ID_MAX + 1])
{
    struct checkpoint *checkpoint = replay->checkpoint;
    int64_t version;
    checkpoint->complete = found[COMPLETE].value.kind == BASE_JSON_TRUE;
    checkpoint->has_time = read_number(&found[TIME].value, &checkpoint->time_ms) &&
                           read_number(&found[DUE_AT].value, &checkpoint->due_at_ms);
    if (!read_count(&found[SHIFTED].value, &replay->shifted_round) ||
        !read_number(&found[SHIFT].value, &replay->shift_ms))
        replay->shifted_round = 0;
    return read_number(&found[VERSION_].value, &version) && version == VERSION &&
           read_text(&found[COMMAND].value, command, BASE_UUID_LEN + 1) &&
           read_text(&found[RUN].value, run, ARDA_ID_MAX + 1) && arda_id_valid(run, strlen(run)) &&
           read_done(checkpoint, &found[DONE].value) && read_runs(checkpoint, &found[ALSO].value) &&
           read_ids(checkpoint, found) && read_count(&found[SENT].value, &replay->counts.sent) &&
           read_count(&found[DUPLICATES].value, &replay->counts.duplicates) &&
           read_count(&found[BAD_LINES].value, &replay->counts.bad_lines);
}

static int refuse(const struct replay *replay, const char *why)
{
    base_log(BASE_LOG_ERROR, "%s: %s", replay->settings.checkpoint, why);
    return BASE_EXIT_DATAERR;
}

static int read_text_of_file(struct replay *replay, const struct base_buf *text)
{
    struct base_json_member found[MEMBERS];
    char command[BASE_UUID_LEN + 1], run[ARDA_ID_MAX + 1];
    struct base_slice bytes = {text->data ? text->data : "", text->len};
    struct base_why why;
    if (base_encoding_strip(&bytes, &why) < 0)
        return refuse(replay, why.text);
    memcpy(found, wanted, sizeof found);
    if (base_json_pick(bytes.data, bytes.len, found, MEMBERS, NULL, NULL) < 0 ||
        !read_members(replay, found, command, run))
        return refuse(replay, "not a checkpoint that this version has written");
    if (strcmp(command, replay->wishes.command) != 0)
        return refuse(replay, "the checkpoint of another command");
    if (replay->settings.run && strcmp(replay->settings.run, run) != 0)
        return refuse(replay, "the checkpoint of another run");
    memcpy(replay->run, run, sizeof run);
    replay->checkpoint->is_read = true;
    replay->counts.sent_before = replay->counts.sent;
    return BASE_EXIT_OK;
}

/* ---- writing ---- */

static int add_position(struct base_buf *out, const struct arda_ledger_position *position)
{
    return base_buf_printf(out, "%" PRIu64 ":%" PRIu64 "-%" PRIu64, position->round,
                           position->major, position->minor);
}

static int add_run(struct base_buf *out, bool *first, const struct arda_ledger_run *run)
{
    int failed = base_buf_add_text(out, *first ? "\"" : ",\"");
    *first = false;
    failed |= add_position(out, &run->first) | base_buf_add_text(out, "..");
    return failed | add_position(out, &run->last) | base_buf_add_byte(out, '"');
}

/* Runs that were read count until all before them is done, too. */
static int add_runs(const struct replay *replay, struct base_buf *out,
                    const struct arda_ledger_position *done)
{
    const struct checkpoint *checkpoint = replay->checkpoint;
    struct arda_ledger_run run;
    size_t cursor = 0;
    bool first = true;
    int failed = base_buf_add_text(out, ",\"also\":[");
    for (size_t i = 0; i < checkpoint->run_count; i++)
        if (arda_ledger_compare(&checkpoint->runs[i].last, done) > 0)
            failed |= add_run(out, &first, &checkpoint->runs[i]);
    while (arda_ledger_next_run(&replay->ledger, &cursor, &run))
        failed |= add_run(out, &first, &run);
    return failed | base_buf_add_byte(out, ']');
}

/* Where the schedule stands: the latest recorded time up to `done`, and when that was due. */
static int add_time(const struct replay *replay, struct base_buf *out)
{
    const struct checkpoint *checkpoint = replay->checkpoint;
    const struct arda_ledger *ledger = &replay->ledger;
    if (ledger->has_time) {
        int64_t ago_ms =
            ((int64_t)base_clock_mono_us() - (int64_t)(replay->start_us + ledger->due_us)) / 1000;
        return base_buf_printf(out, ",\"time\":%" PRId64 ",\"dueAt\":%" PRId64, ledger->time_ms,
                               base_clock_wall_ms() - ago_ms);
    }
    if (checkpoint->has_time)
        return base_buf_printf(out, ",\"time\":%" PRId64 ",\"dueAt\":%" PRId64, checkpoint->time_ms,
                               checkpoint->due_at_ms);
    return BASE_OK;
}

static int add_range(const struct checkpoint *checkpoint, struct base_buf *out)
{
    char first[ARDA_STREAM_ID_LEN + 1], last[ARDA_STREAM_ID_LEN + 1];
    if (!checkpoint->has_range)
        return BASE_OK;
    arda_stream_id_format(checkpoint->first, first);
    arda_stream_id_format(checkpoint->last, last);
    return base_buf_printf(out, ",\"first\":\"%s\",\"last\":\"%s\"", first, last);
}

static int add_text(const struct replay *replay, struct base_buf *out)
{
    const struct checkpoint *checkpoint = replay->checkpoint;
    const struct arda_ledger_position *done = checkpoint_done(replay);
    static const struct arda_ledger_position nothing = {0, 0, 0};
    int failed = base_buf_printf(out,
                                 "{\"checkpoint\":%d,\"command\":\"%s\",\"run\":\"%s\","
                                 "\"complete\":%s",
                                 VERSION, replay->wishes.command, replay->run,
                                 checkpoint->complete ? "true" : "false");
    if (done) {
        failed |= base_buf_add_text(out, ",\"done\":\"") | add_position(out, done);
        failed |= base_buf_add_byte(out, '"');
    }
    failed |= add_runs(replay, out, done ? done : &nothing);
    failed |= add_time(replay, out) | add_range(checkpoint, out);
    if (replay->shifted_round)
        failed |= base_buf_printf(out, ",\"shiftedRound\":%" PRIu64 ",\"shift\":%" PRId64,
                                  replay->shifted_round, replay->shift_ms);
    return failed |
           base_buf_printf(
               out, ",\"sent\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"badLines\":%" PRIu64 "}\n",
               replay->counts.sent, replay->counts.duplicates, replay->counts.bad_lines);
}

static int write_file(struct replay *replay)
{
    struct checkpoint *checkpoint = replay->checkpoint;
    struct base_why why;
    checkpoint->text.len = 0;
    if (add_text(replay, &checkpoint->text)) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    int failed = base_file_replace(replay->settings.checkpoint, checkpoint->text.data,
                                   checkpoint->text.len, &checkpoint->in_place, &why);
    if (failed)
        base_log(BASE_LOG_ERROR, "%s", why.text);
    return base_exit_status(failed);
}

/* ---- while it goes on ---- */

static void on_timer(uv_timer_t *timer)
{
    struct replay *replay = timer->data;
    int failed = write_file(replay);
    if (failed)
        replay_end(replay, failed);
}

void checkpoint_change(struct replay *replay, bool at_once)
{
    struct checkpoint *checkpoint = replay->checkpoint;
    if (!checkpoint || checkpoint->is_ending)
        return;
    if (at_once)
        on_timer(&checkpoint->timer);
    else if (!uv_is_active((uv_handle_t *)&checkpoint->timer))
        uv_timer_start(&checkpoint->timer, on_timer, SOON_MS, 0);
}

const struct arda_ledger_position *checkpoint_done(const struct replay *replay)
{
    const struct checkpoint *checkpoint = replay->checkpoint;
    if (replay->ledger.done.round)
        return &replay->ledger.done;
    return checkpoint && checkpoint->has_done ? &checkpoint->done : NULL;
}

bool checkpoint_is_read(const struct replay *replay)
{
    return replay->checkpoint && replay->checkpoint->is_read;
}

bool checkpoint_has(const struct replay *replay, const struct arda_ledger_position *position)
{
    const struct checkpoint *checkpoint = replay->checkpoint;
    if (!checkpoint)
        return false;
    if (checkpoint->has_done && arda_ledger_compare(position, &checkpoint->done) <= 0)
        return true;
    if (arda_ledger_compare(position, &checkpoint->runs_end) > 0)
        return false;
    for (size_t i = 0; i < checkpoint->run_count; i++)
        if (arda_ledger_compare(position, &checkpoint->runs[i].first) >= 0 &&
            arda_ledger_compare(position, &checkpoint->runs[i].last) <= 0)
            return true;
    return false;
}

bool checkpoint_time(const struct replay *replay, int64_t *time_ms, int64_t *ago_ms)
{
    const struct checkpoint *checkpoint = replay->checkpoint;
    if (!checkpoint || !checkpoint->has_time)
        return false;
    *time_ms = checkpoint->time_ms;
    *ago_ms = base_clock_wall_ms() - checkpoint->due_at_ms;
    if (*ago_ms < 0) /* the clock was set back */
        *ago_ms = 0;
    return true;
}

bool checkpoint_range(const struct replay *replay, struct arda_stream_id *first,
                      struct arda_stream_id *last)
{
    const struct checkpoint *checkpoint = replay->checkpoint;
    if (!checkpoint || !checkpoint->has_range)
        return false;
    *first = checkpoint->first;
    *last = checkpoint->last;
    return true;
}

void checkpoint_set_range(struct replay *replay, struct arda_stream_id first,
                          struct arda_stream_id last)
{
    if (!replay->checkpoint)
        return;
    replay->checkpoint->first = first;
    replay->checkpoint->last = last;
    replay->checkpoint->has_range = true;
    checkpoint_change(replay, true);
}

/* ---- beginning and end ---- */

/* A pipe would be waited for, and a device would be read for good. */
static bool is_special(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

int checkpoint_start(struct replay *replay)
{
    struct base_buf text = BASE_BUF_INIT;
    struct base_why why;
    if (!replay->settings.checkpoint || replay->plan)
        return BASE_EXIT_OK;
    replay->checkpoint = base_calloc(1, sizeof *replay->checkpoint);
    if (!replay->checkpoint) {
        base_log(BASE_LOG_ERROR, "out of memory");
        return BASE_EXIT_SOFTWARE;
    }
    uv_timer_init(&replay->loop, &replay->checkpoint->timer);
    replay->checkpoint->timer.data = replay;
    if (is_special(replay->settings.checkpoint)) {
        base_log(BASE_LOG_ERROR, "%s: not a file", replay->settings.checkpoint);
        return BASE_EXIT_CANTCREAT;
    }
    int failed = base_file_read(replay->settings.checkpoint, MOST_BYTES, &text, &why);
    int status = BASE_EXIT_OK;
    if (!failed && text.len > 0) /* one that is mounted has to be there, and is empty at first */
        status = read_text_of_file(replay, &text);
    else if (failed && failed != BASE_ERR_NOTFOUND) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        status = base_exit_status(failed);
    }
    base_buf_fini(&text);
    return status;
}

int checkpoint_begin(struct replay *replay)
{
    struct checkpoint *checkpoint = replay->checkpoint;
    int status = checkpoint && !checkpoint->complete ? write_file(replay) : BASE_EXIT_OK;
    if (checkpoint && !status)
        checkpoint->is_begun = true;
    return status;
}

bool checkpoint_is_complete(const struct replay *replay)
{
    return replay->checkpoint && replay->checkpoint->complete;
}

void checkpoint_close(struct replay *replay)
{
    if (replay->checkpoint && !replay->checkpoint->is_ending)
        uv_close((uv_handle_t *)&replay->checkpoint->timer, NULL);
    if (replay->checkpoint)
        replay->checkpoint->is_ending = true;
}

int checkpoint_finish(struct replay *replay, bool complete)
{
    struct checkpoint *checkpoint = replay->checkpoint;
    if (!checkpoint || checkpoint->complete || !checkpoint->is_begun)
        return BASE_EXIT_OK;
    checkpoint->complete = complete;
    return write_file(replay);
}

void checkpoint_free(struct replay *replay)
{
    if (!replay->checkpoint)
        return;
    base_free(replay->checkpoint->runs);
    base_buf_fini(&replay->checkpoint->text);
    base_free_clear(&replay->checkpoint);
}
