/* SPDX-License-Identifier: ISC
 *
 * directory_line: an entry of the directory as a JSON line, the form in which it is loaded and
 * dumped (arda-events(5)).
 *
 * The written form is canonical: kind and tenantId, the parts of the id, the known members in a
 * fixed order, unknown ones of users behind them as they came, no blanks. Threads: one at a time
 * per line.
 */
#ifndef ARDA_DIRECTORY_LINE_H
#define ARDA_DIRECTORY_LINE_H

#include "arda/tenant.h"
#include "base/api.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>

/* In the order of a dump. */
enum arda_directory_kind {
    ARDA_DIRECTORY_DIGEST,
    ARDA_DIRECTORY_LOOP,
    ARDA_DIRECTORY_PREFERENCE,
    ARDA_DIRECTORY_QUIET,
    ARDA_DIRECTORY_TENANT, /* that it is known */
    ARDA_DIRECTORY_USER,
    ARDA_DIRECTORY_WEBHOOK,
    ARDA_DIRECTORY_KINDS,
};

/* "digest", "loop" and so on; static storage. */
ARDA_API const char *arda_directory_kind_name(enum arda_directory_kind kind);
/* BASE_ERR_NOTFOUND for any other name. */
ARDA_API int arda_directory_kind_find(const char *name, enum arda_directory_kind *kind);

#define ARDA_DIRECTORY_ID_MAX (ARDA_ID_MAX + 64)

/* A zeroed struct is empty. */
struct arda_directory_line {
    enum arda_directory_kind kind;
    char tenant[ARDA_ID_MAX + 1];
    /* What tells it from others of its kind and tenant, as Redis has it: the id of a loop or user;
     * USER:TYPE:CHANNEL of a preference, USER:TYPE of a digest, USER of quiet hours, with `*` for
     * null; empty for a tenant and its webhook. */
    char id[ARDA_DIRECTORY_ID_MAX + 1];
    /* A JSON object of its other members; empty for a loop or tenant, which has none. */
    struct base_buf value;
};

ARDA_API void arda_directory_line_fini(struct arda_directory_line *line);

/* Reads a line; memory that `line` holds is used again. BASE_ERR_SYNTAX with the member in `why`,
 * such as "email: expected an address, got \"x\"" (never the value of a secret); BASE_ERR_NOMEM.
 * The tenant is set if the text names one, empty otherwise, in case of an error too. */
ARDA_API int arda_directory_line_parse(const char *text, size_t len,
                                       struct arda_directory_line *line, struct base_why *why);
/* Appends it without a line end. BASE_ERR_NOMEM: `out` unchanged. */
ARDA_API int arda_directory_line_write(struct base_buf *out,
                                       const struct arda_directory_line *line);
/* Shown in place of a secret; no secret looks like it. */
#define ARDA_DIRECTORY_MASK "***"
/* The same with secrets masked, which cannot be loaded. */
ARDA_API int arda_directory_line_write_masked(struct base_buf *out,
                                              const struct arda_directory_line *line);

/* ---- what a line says ---- */

/* A part of the id by the name of its member: userId, loopId, notificationType, channel. Borrowed.
 * False: it is null, or no part of such an id. */
ARDA_API bool arda_directory_line_part(const struct arda_directory_line *line, const char *name,
                                       struct base_slice *part);
/* Another member, borrowed; ABSENT if there is none. */
ARDA_API struct base_json_value arda_directory_line_member(const struct arda_directory_line *line,
                                                           const char *name);

/* ---- changing a line ---- */

/* Sets the id, in the form Redis has, of a line whose kind is set. BASE_ERR_SYNTAX. */
ARDA_API int arda_directory_line_set_id(struct arda_directory_line *line, const char *text,
                                        size_t len, struct base_why *why);
/* Takes an object of the members, or an empty text for none; members of it that say what the line
 * says, such as userId, are left out of a user. Errors as arda_directory_line_parse; names of time
 * zones are not checked. */
ARDA_API int arda_directory_line_set_value(struct arda_directory_line *line, const char *text,
                                           size_t len, struct base_why *why);
/* One member to set. */
struct arda_directory_change {
    struct base_slice name;
    const char *value;
    bool json; /* the value is JSON; else it is text, or true and false for a member that is so */
};
/* Sets members in one go. Errors as arda_directory_line_parse; the line is then as it was. */
ARDA_API int arda_directory_line_change(struct arda_directory_line *line,
                                        const struct arda_directory_change *changes, size_t count,
                                        struct base_why *why);

/* Where names of time zones are looked up, or NULL: there is no data of them on this machine, and
 * only their form is checked. */
ARDA_API const char *arda_directory_zones(void);

#endif
