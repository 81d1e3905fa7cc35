/* SPDX-License-Identifier: ISC */
#include "arda-subscribe/output.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Only a terminal gets colors unasked, and not when its user or its kind is against it. */
static bool wants_color(enum output_color color)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (color != OUTPUT_COLOR_AUTO)
        return color == OUTPUT_COLOR_ALWAYS;
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

int output_init(struct output *output, const struct output_options *options, struct base_why *why)
{
    *output = (struct output){.nameless = 0};
    int failed = arda_filter_new(&options->filter, &output->filter, why);
    if (failed)
        return failed;
    failed = arda_format_new(options->format, wants_color(options->color), &output->format, why);
    if (failed) {
        arda_filter_free(output->filter);
        *output = (struct output){.nameless = 0};
        base_why_prefix(why, "--format");
    }
    return failed;
}

int output_add(struct output *output, struct base_buf *out, const struct arda_record *record)
{
    int result = arda_filter_match(output->filter, &record->message);
    if (result != 1)
        return result;
    result = arda_format_write(output->format, out, record);
    output->nameless += result == 0;
    return result;
}

void output_fini(struct output *output)
{
    if (output->nameless)
        base_log(BASE_LOG_INFO, "%" PRIu64 " %s no name for web clients and %s left out",
                 output->nameless, output->nameless == 1 ? "event has" : "events have",
                 output->nameless == 1 ? "was" : "were");
    arda_filter_free(output->filter);
    arda_format_free(output->format);
}
