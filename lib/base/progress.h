/* SPDX-License-Identifier: ISC
 *
 * progress: how far long work has come, on one line of a terminal that is written over.
 *
 * Shown only when standard error is a terminal, five times a second at most. Messages of the log
 * (log.h) take the line's place, and it comes back below them. Threads: one.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>

/* From now on progress is shown, if `wanted` and standard error is a terminal. */
void base_progress_start(bool wanted);
/* Whether it is time for the line to change; what it takes to make the text can be left undone
 * otherwise. */
bool base_progress_is_due(void);
/* The line from now on, cut to the width of the terminal. */
void base_progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The line is removed, and nothing is shown any more. */
void base_progress_end(void);

#endif
