/* SPDX-License-Identifier: ISC
 *
 * directory_line: an entry of the directory as a JSON line, the form in which it is loaded and
 * dumped (arda-events(5)).
 *
 * The written form is canonical: known members in a fixed order, unknown ones of users behind them
 * as they came, no blanks. Threads: one at a time per line.
 */
#ifndef ARDA_DIRECTORY_LINE_H
#define ARDA_DIRECTORY_LINE_H

#include "arda/tenant.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* In the order of a dump. */
enum arda_directory_kind {
    ARDA_DIRECTORY_LOOP,
    ARDA_DIRECTORY_USER,
    ARDA_DIRECTORY_KINDS,
};

/* "loop", "user"; static storage. */
const char *arda_directory_kind_name(enum arda_directory_kind kind);
/* BASE_ERR_NOTFOUND for any other name. */
int arda_directory_kind_find(const char *name, enum arda_directory_kind *kind);

/* A zeroed struct is empty. */
struct arda_directory_line {
    enum arda_directory_kind kind;
    char tenant[ARDA_ID_MAX + 1];
    char id[ARDA_ID_MAX + 1];
    struct base_buf value; /* of a user: the JSON object Redis holds; else empty */
};

void arda_directory_line_fini(struct arda_directory_line *line);

/* Reads a line; memory that `line` holds is used again. BASE_ERR_SYNTAX with the member in `why`,
 * such as "email: expected an address, got \"x\""; BASE_ERR_NOMEM. */
int arda_directory_line_parse(const char *text, size_t len, struct arda_directory_line *line,
                              struct base_why *why);
/* Appends it without a line end. BASE_ERR_NOMEM: `out` unchanged. */
int arda_directory_line_write(struct base_buf *out, const struct arda_directory_line *line);

/* Takes a user's object as Redis holds it, or an empty text for one who has nothing yet; members of
 * it that say what the line says, such as userId, are left out. Errors as
 * arda_directory_line_parse. */
int arda_directory_line_set_value(struct arda_directory_line *line, const char *text, size_t len,
                                  struct base_why *why);
/* Sets one member of a user. `json`: the value is JSON; else it is text, or true and false for a
 * member that is a boolean. Errors as arda_directory_line_parse. */
int arda_directory_line_set_member(struct arda_directory_line *line, const char *name, size_t len,
                                   const char *value, bool json, struct base_why *why);

#endif
