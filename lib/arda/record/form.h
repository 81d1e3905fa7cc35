/* SPDX-License-Identifier: ISC
 *
 * form: whether an input is one JSON object a line, by its beginning.
 *
 * `jq .`, an API or a database may write JSON that is not one object a line. Each of its lines is
 * wrong then, and messages about the lines miss the point; the form shows in the first two lines.
 * One wrong line among right ones is not another form. Threads: any.
 */
#ifndef ARDA_RECORD_FORM_H
#define ARDA_RECORD_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum arda_form {
    ARDA_FORM_OPEN,   /* more of the input is needed */
    ARDA_FORM_LINES,  /* lines, right or wrong */
    ARDA_FORM_ARRAY,  /* an array, on one line or many */
    ARDA_FORM_SPREAD, /* an object over several lines */
    ARDA_FORM_JOINED, /* several objects on a line */
    ARDA_FORM_COMMAS, /* an object a line, with a comma after each */
};

/* The form of an input that begins with this text. `is_all`: it has no more, or no more is to be
 * looked at; the result is then not OPEN. */
enum arda_form arda_form_of(const char *text, size_t len, bool is_all);

/* What the input is and the command that makes lines of it; NULL for OPEN and LINES. Static. */
const char *arda_form_help(enum arda_form form);

#endif
