/* SPDX-License-Identifier: ISC
 *
 * output: standard output, written on the loop, so that a reader that has stopped reading stops
 * neither signals nor Redis.
 *
 * What is put into the buffer is written at the end of the loop's turn. To a terminal it goes as
 * base/terminal.h has it: it is JSON lines, or text that is cleaned already. A pipe, terminal or
 * socket takes what it can and is waited for; a regular file takes everything. The program ignores
 * SIGPIPE. Threads: the loop's.
 */
#ifndef APP_OUTPUT_H
#define APP_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

struct uv_loop_s;
struct app_output;

struct app_output_handlers {
    /* Less is waiting than before. */
    void (*on_room)(void *data);
    /* Once: BASE_ERR_CLOSED, the reader is gone; BASE_ERR_IO with the reason. What is put into the
     * buffer afterwards is dropped. */
    void (*on_error)(void *data, int result, const struct base_why *why);
    void *data;
};

/* 0, BASE_ERR_IO with the reason when there is no standard output, BASE_ERR_NOMEM. */
int app_output_open(struct uv_loop_s *loop, const struct app_output_handlers *handlers,
                    struct app_output **output, struct base_why *why);
/* Where to append. What is appended, whole lines, counts once app_output_touch has been called. */
struct base_buf *app_output_buf(struct app_output *output);
void app_output_touch(struct app_output *output);
/* Writes what can be written now, before the end of the turn. May call a handler. */
void app_output_flush(struct app_output *output);
/* Bytes that are not written yet. */
size_t app_output_waiting(const struct app_output *output);
/* Drops what is waiting. No handler is called any more; the struct is freed by the loop. NULL is
 * allowed. */
void app_output_close(struct app_output *output);

#endif
