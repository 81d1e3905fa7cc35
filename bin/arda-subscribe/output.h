/* SPDX-License-Identifier: ISC
 *
 * output: which events are printed, and as what. Threads: the main one.
 */
#ifndef ARDA_SUBSCRIBE_OUTPUT_H
#define ARDA_SUBSCRIBE_OUTPUT_H

#include "arda/filter.h"
#include "arda/format.h"

#include <stdint.h>

/* The choices of --color, in their order. */
enum output_color { OUTPUT_COLOR_AUTO, OUTPUT_COLOR_ALWAYS, OUTPUT_COLOR_NEVER };

struct output_options {
    struct arda_filter_options filter;
    const char *format; /* as --format has it */
    enum output_color color;
};

struct output {
    struct arda_filter *filter;
    struct arda_format *format;
    uint64_t nameless; /* events left out, since web clients have no name for their type */
};

/* Texts of the options are borrowed until output_fini. 0; BASE_ERR_INVALID with a text that begins
 * with the option that is wrong, BASE_ERR_NOMEM. After a failure there is nothing to release, but
 * output_fini is allowed. */
int output_init(struct output *output, const struct output_options *options, struct base_why *why);
/* Appends the line of an event that is asked for. 1: done; 0: it is not asked for, or has no such
 * line; BASE_ERR_NOMEM with `out` unchanged. */
int output_add(struct output *output, struct base_buf *out, const struct arda_record *record);
/* Says how many events had no line. */
void output_fini(struct output *output);

#endif
