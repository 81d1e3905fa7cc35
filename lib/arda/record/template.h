/* SPDX-License-Identifier: ISC
 *
 * template: lines of a form that the user gives, such as "%{timestamp} %{type} %{event.orderId}".
 *
 *     %{type} %{tenantId} %{timestamp} %{id} %{position} %{channel}    of the record
 *     %{source} %{correlationId}           of the envelope; the second else of the event
 *     %{wsType}                            the name web clients know the type by
 *     %{event} %{envelope}                 as JSON
 *     %{event.PATH} %{envelope.PATH}       a value inside (base/path.h)
 *     %%  \n \t \r \\                      a percent sign, line end, tab, return, backslash
 *
 * Values are written as base/text.h has them, so a line stays a line; what is absent is empty.
 * A line end follows the last character. Threads: one at a time for each template.
 */
#ifndef ARDA_RECORD_TEMPLATE_H
#define ARDA_RECORD_TEMPLATE_H

#include "arda/record.h"
#include "base/err.h"

struct arda_template;

/* `text` is UTF-8, borrowed for the call. 0; BASE_ERR_INVALID with a text that names the column,
 * counted in characters from 1; BASE_ERR_NOMEM. */
int arda_template_new(const char *text, struct arda_template **form, struct base_why *why);
void arda_template_free(struct arda_template *form); /* NULL is allowed */

/* Appends a line. BASE_ERR_NOMEM: `out` is unchanged. */
int arda_template_write(struct arda_template *form, struct base_buf *out,
                        const struct arda_record *record);

#endif
