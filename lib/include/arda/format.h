/* SPDX-License-Identifier: ISC
 *
 * format: one of the forms in which events are printed, as --format names it. Threads: one at a
 * time for each format.
 */
#ifndef ARDA_FORMAT_H
#define ARDA_FORMAT_H

#include "arda/record.h"
#include "base/api.h"
#include "base/err.h"

#include <stdbool.h>

struct arda_format;

/* "json", "envelope", "ws" (arda/record.h), "pretty" (arda/record/pretty.h), or a text with a `%`:
 * a template (arda/record/template.h). `color` is for "pretty". 0; BASE_ERR_INVALID with what is
 * wrong with the text, BASE_ERR_NOMEM. */
ARDA_API int arda_format_new(const char *text, bool color, struct arda_format **format,
                             struct base_why *why);
ARDA_API void arda_format_free(struct arda_format *format); /* NULL is allowed */

/* Appends a line with its end. 1; 0 when the form has no line for the event (ws: a type that web
 * clients have no name for); BASE_ERR_NOMEM with `out` unchanged. */
ARDA_API int arda_format_write(struct arda_format *format, struct base_buf *out,
                               const struct arda_record *record);

#endif
