/* SPDX-License-Identifier: ISC
 *
 * log: messages for a person or a log collector, on standard error.
 *
 * As text each line is `program: message`, with a journald priority (`<3>`) before it when standard
 * error is the journal; as JSON one object a line:
 * {"time":"…Z","level":"warning","program":"arda-gateway","message":"…"}. What a terminal obeys
 * (base/terminal.h) and what is not UTF-8 is written as `\xNN` or `\uNNNN`, so that a peer cannot
 * forge lines; in JSON as `\uNNNN` and `\ufffd`. A line has at most 4 KB. Nothing secret goes in
 * here; what looks like it is masked (base/mask.h).
 * Threads: any, once base_log_init has returned; a line is one write.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum base_log_level { BASE_LOG_ERROR, BASE_LOG_WARNING, BASE_LOG_INFO, BASE_LOG_DEBUG };
enum base_log_format { BASE_LOG_TEXT, BASE_LOG_JSON };

/* `program` is borrowed for ever. Messages above `level` are not written. Without this call:
 * "arda", text, BASE_LOG_INFO. */
void base_log_init(const char *program, enum base_log_format format, enum base_log_level level);
bool base_log_enabled(enum base_log_level level);

void base_log(enum base_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Called before each line that is written, to make room for it; NULL: nothing is. */
void base_log_before(void (*before)(void));

/* For messages that a peer can cause: at most one per second and place. Those left out are counted
 * and named with the next one. A zeroed static struct per place. */
struct base_log_limit {
    uint64_t next_us;
    uint64_t suppressed;
};

void base_log_limited(struct base_log_limit *limit, enum base_log_level level, const char *format,
                      ...) __attribute__((format(printf, 3, 4)));

#endif
