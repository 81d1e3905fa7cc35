/* SPDX-License-Identifier: ISC
 *
 * input: lines from standard input or a file, handled on the loop as they come.
 *
 * A pipe or terminal is read when it has something; a regular file a block a turn. An input whose
 * beginning shows that it is no UTF-8 (base/encoding.h) is not read; one that is JSON and not lines
 * of it (arda/record/form.h) is read, and one line of help is logged. Threads: the loop's.
 */
#ifndef APP_INPUT_H
#define APP_INPUT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct uv_loop_s;
struct app_input;

struct app_input_handlers {
    /* A line without its end, borrowed for the call; numbers count from 1. Blank lines are left
     * out. */
    void (*on_line)(void *data, uint64_t number, struct base_slice line);
    /* A line that was left out: BASE_ERR_LIMIT (too long) or BASE_ERR_NOMEM. Reading goes on. */
    void (*on_bad_line)(void *data, uint64_t number, int result);
    /* Once: all has been read (0); reading failed (BASE_ERR_IO, with the reason); or it is no text
     * (BASE_ERR_SYNTAX, with the reason), and there was no line. */
    void (*on_end)(void *data, int result, const struct base_why *why);
    void *data;
    const char *program; /* as it is called to read lines of standard input, for the help */
};

/* `path`, borrowed until it is closed, may be "-", standard input. 0; BASE_ERR_IO with the reason
 * when it cannot be opened, BASE_ERR_NOMEM. Handlers are not called before this has returned. */
int app_input_open(struct uv_loop_s *loop, const char *path, size_t max_line_bytes,
                   const struct app_input_handlers *handlers, struct app_input **input,
                   struct base_why *why);
/* A regular file or the like: always ready, and with an end. */
bool app_input_is_file(const struct app_input *input);
/* Takes effect after the line being handled; without effect after app_input_close. */
void app_input_pause(struct app_input *input);
void app_input_resume(struct app_input *input);
/* Asked before a message about a wrong line is logged. After help for the whole input only the
 * first few are; the others are counted, and their number is logged in the end. NULL: always. */
bool app_input_may_complain(struct app_input *input);
/* No handler is called any more; the struct is freed by the loop. May be called by a handler. */
void app_input_close(struct app_input *input);

#endif
