/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include "base/clock.h"
#include "base/mask.h"
#include "base/number.h"
#include "base/rfc3339.h"
#include "base/terminal.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES      4096
#define LIMIT_PERIOD_US 1000000u

static const char *program_name = "arda";
static enum base_log_format output_format = BASE_LOG_TEXT;
static enum base_log_level max_level = BASE_LOG_INFO;
static bool to_journal;
static void (*before_line)(void);

/* systemd names device and inode of the stream it has connected to the journal. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uint64_t device, inode;
    struct stat status;
    return stream && base_number_take_u64(&stream, &device) && *stream++ == ':' &&
           base_number_take_u64(&stream, &inode) && fstat(STDERR_FILENO, &status) == 0 &&
           status.st_dev == device && status.st_ino == inode;
}

void base_log_init(const char *program, enum base_log_format format, enum base_log_level level)
{
    program_name = program;
    output_format = format;
    max_level = level;
    to_journal = is_journal();
}

void base_log_before(void (*before)(void))
{
    before_line = before;
}

bool base_log_enabled(enum base_log_level level)
{
    return level <= max_level;
}

/* What stands for a byte or character that is not written as it is. */
static int escape(char *out, size_t room, uint32_t code, bool is_utf8)
{
    if (output_format == BASE_LOG_JSON)
        return snprintf(out, room, "\\u%04x", is_utf8 ? (unsigned)code : 0xFFFDu);
    return snprintf(out, room, code < 0x80 || !is_utf8 ? "\\x%02x" : "\\u%04x", (unsigned)code);
}

#define ESCAPE_MAX 6 /* characters */

/* The message, or as much of it as there is room for; `room` counts a NUL. */
static size_t put_message(char *out, size_t room, const char *text)
{
    size_t len = 0;
    for (size_t left = strlen(text), step; left > 0 && len + ESCAPE_MAX < room;
         text += step, left -= step) {
        uint32_t code = (unsigned char)*text;
        size_t size = base_utf8_next(text, left, &code);
        step = size > 0 ? size : 1;
        if (size == 0 || base_terminal_obeys(code)) {
            len += (size_t)escape(out + len, room - len, code, size > 0);
            continue;
        }
        if (output_format == BASE_LOG_JSON && (code == '"' || code == '\\'))
            out[len++] = '\\';
        memcpy(out + len, text, size);
        len += size;
    }
    return len;
}

static void write_line(enum base_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};
    char line[LINE_BYTES];
    size_t len;
    if (output_format == BASE_LOG_JSON) {
        char now[BASE_RFC3339_LEN + 1];
        base_rfc3339_format(base_clock_wall_ms(), now);
        len =
            (size_t)snprintf(line, sizeof line,
                             "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"message\":\"",
                             now, names[level], program_name);
        len += put_message(line + len, sizeof line - len - 4, message);
        memcpy(line + len, "\"}\n", 3);
        len += 3;
    } else {
        len = (size_t)snprintf(line, sizeof line, "%s%s: ", to_journal ? priorities[level] : "",
                               program_name);
        len += put_message(line + len, sizeof line - len - 1, message);
        line[len++] = '\n';
    }
    if (before_line)
        before_line();
    /* Nothing can be said about a log that cannot be written. */
    if (write(STDERR_FILENO, line, len) < 0)
        return;
}

static void __attribute__((format(printf, 2, 0)))
log_args(enum base_log_level level, const char *format, va_list args)
{
    char message[LINE_BYTES - 256];
    vsnprintf(message, sizeof message, format, args);
    base_mask(message);
    write_line(level, message);
}

void base_log(enum base_log_level level, const char *format, ...)
{
    if (!base_log_enabled(level))
        return;
    va_list args;
    va_start(args, format);
    log_args(level, format, args);
    va_end(args);
}

void base_log_limited(struct base_log_limit *limit, enum base_log_level level, const char *format,
                      ...)
{
    if (!base_log_enabled(level))
        return;
    uint64_t now = base_clock_mono_us();
    if (now < __atomic_load_n(&limit->next_us, __ATOMIC_RELAXED)) {
        __atomic_add_fetch(&limit->suppressed, 1, __ATOMIC_RELAXED);
        return;
    }
    __atomic_store_n(&limit->next_us, now + LIMIT_PERIOD_US, __ATOMIC_RELAXED);
    uint64_t suppressed = __atomic_exchange_n(&limit->suppressed, 0, __ATOMIC_RELAXED);
    va_list args;
    va_start(args, format);
    log_args(level, format, args);
    va_end(args);
    if (suppressed)
        base_log(level, "%llu more of these were left out", (unsigned long long)suppressed);
}
