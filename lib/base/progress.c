/* SPDX-License-Identifier: ISC */
#include "base/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PERIOD_US   200000
#define WIDTH       80 /* of a terminal that does not tell */
#define WIDTH_MAX   400
#define ERASE       "\r\033[K"
#define ERASE_BYTES (sizeof ERASE - 1)

static bool is_shown;
static bool is_there; /* on the screen */
static uint64_t next_us;

static void put(const char *text, size_t len)
{
    /* Nothing can be said about a terminal that cannot be written. */
    if (write(STDERR_FILENO, text, len) < 0)
        return;
}

static void erase(void)
{
    if (!is_there)
        return;
    is_there = false;
    next_us = 0;
    put(ERASE, ERASE_BYTES);
}

void base_progress_start(bool wanted)
{
    is_shown = wanted && isatty(STDERR_FILENO);
    next_us = 0;
    if (is_shown)
        base_log_before(erase);
}

bool base_progress_is_due(void)
{
    return is_shown && base_clock_mono_us() >= next_us;
}

static size_t width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH;
    return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

void base_progress_show(const char *format, ...)
{
    char line[ERASE_BYTES + WIDTH_MAX + 1];
    char *text = line + ERASE_BYTES;
    if (!base_progress_is_due())
        return;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, WIDTH_MAX + 1, format, args);
    va_end(args);
    size_t most = width() - 1, used = len < 0 ? 0 : (size_t)len;
    used = used < WIDTH_MAX ? used : WIDTH_MAX;
    if (used > most)
        used = base_utf8_cut(text, most);
    memcpy(line, ERASE, ERASE_BYTES);
    put(line, ERASE_BYTES + used);
    is_there = true;
    next_us = base_clock_mono_us() + PERIOD_US;
}

void base_progress_end(void)
{
    erase();
    is_shown = false;
    base_log_before(NULL);
}
