/* SPDX-License-Identifier: ISC
 *
 * Lines of files and of standard input, one file after the other.
 *
 * A position is the number of the operand and that of the line.
 */
#include "arda-replay/replay.h"

#include "app/input.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct lines {
    struct app_input *input;
    int file; /* that is read, counted from 1 */
    struct base_place place;
    off_t stdin_from; /* where it stood at first; -1: it is no file */
};

static char *standard_input[] = {(char[]){"-"}, NULL};

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

bool lines_can_repeat(char **operands, int count)
{
    bool reads_stdin = count == 0;
    for (int i = 0; i < count; i++)
        reads_stdin |= is_stdin(operands[i]);
    return !reads_stdin || lseek(STDIN_FILENO, 0, SEEK_CUR) >= 0;
}

static void read_next(struct replay *replay);

static void on_line(void *data, uint64_t number, struct base_slice line)
{
    struct replay *replay = data;
    struct lines *lines = replay->lines;
    lines->place.line = number;
    intake_record(replay, (uint64_t)lines->file, number, &lines->place, line);
}

static void on_bad_line(void *data, uint64_t number, int result)
{
    struct replay *replay = data;
    struct lines *lines = replay->lines;
    char where[BASE_PLACE_MAX];
    lines->place.line = number;
    base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&lines->place, where),
             result == BASE_ERR_LIMIT ? "longer than 16 MiB" : base_err_text(result));
    intake_bad(replay, (uint64_t)lines->file, number);
}

static void on_end(void *data, int result, const struct base_why *why)
{
    struct replay *replay = data;
    struct lines *lines = replay->lines;
    char where[BASE_PLACE_MAX];
    app_input_close(lines->input);
    lines->input = NULL;
    if (result) {
        base_log(BASE_LOG_ERROR, "%s%s", base_place_text(&lines->place, where), why->text);
        replay->status = base_exit_status(result);
    }
    read_next(replay);
}

static int open_file(struct replay *replay, const char *path, struct base_why *why)
{
    struct lines *lines = replay->lines;
    struct app_input_handlers handlers = {on_line, on_bad_line, on_end, replay, PROGRAM};
    lines->place = (struct base_place){is_stdin(path) ? NULL : path, 0};
    if (is_stdin(path) && replay->round > 1 && lines->stdin_from >= 0 &&
        lseek(STDIN_FILENO, lines->stdin_from, SEEK_SET) < 0)
        return base_why_errno(why, BASE_ERR_IO, errno, "%s", path);
    int failed = app_input_open(&replay->loop, path, MAX_LINE_BYTES, &handlers, &lines->input, why);
    if (!failed && replay->paused)
        app_input_pause(lines->input);
    return failed;
}

/* A file that cannot be opened is said, and the others are read. */
static void read_next(struct replay *replay)
{
    struct lines *lines = replay->lines;
    char **files = replay->operand_count ? replay->operands : standard_input;
    int count = replay->operand_count ? replay->operand_count : 1;
    while (lines->file < count) {
        const char *path = files[lines->file++];
        struct base_why why;
        if (open_file(replay, path, &why) == 0)
            return;
        base_log(BASE_LOG_ERROR, "%s", why.text);
        replay->status = BASE_EXIT_IOERR;
    }
    intake_end(replay);
}

static int lines_open(struct replay *replay)
{
    if (!replay->lines) {
        replay->lines = base_calloc(1, sizeof *replay->lines);
        if (!replay->lines) {
            base_log(BASE_LOG_ERROR, "out of memory");
            return BASE_EXIT_SOFTWARE;
        }
        replay->lines->stdin_from = lseek(STDIN_FILENO, 0, SEEK_CUR);
    }
    replay->lines->file = 0;
    read_next(replay);
    return BASE_EXIT_OK;
}

static void lines_pause(struct replay *replay)
{
    if (replay->lines && replay->lines->input)
        app_input_pause(replay->lines->input);
}

static void lines_resume(struct replay *replay)
{
    if (replay->lines && replay->lines->input)
        app_input_resume(replay->lines->input);
}

static void lines_close(struct replay *replay)
{
    if (!replay->lines)
        return;
    app_input_close(replay->lines->input);
    replay->lines->input = NULL;
}

bool lines_may_complain(const struct replay *replay)
{
    return !replay->lines || app_input_may_complain(replay->lines->input);
}

void lines_free(struct replay *replay)
{
    base_free_clear(&replay->lines);
}

const struct source lines_source = {lines_open, lines_pause, lines_resume, lines_close};
