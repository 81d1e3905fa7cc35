/* SPDX-License-Identifier: ISC
 *
 * directory: what Redis knows of tenants, users and loops (arda-events(5)). Threads: the loop's.
 *
 * Functions that return int give 0 and call back later, or BASE_ERR_UNAVAILABLE while Redis is away
 * or BASE_ERR_NOMEM, and then never call back. Results they call back with: 0; BASE_ERR_CLOSED, the
 * answer was lost; BASE_ERR_AGAIN, Redis cannot just now; BASE_ERR_DENIED or BASE_ERR_INTERNAL,
 * refused, with the reason in `why`.
 */
#ifndef ARDA_DIRECTORY_H
#define ARDA_DIRECTORY_H

#include "arda/directory_line.h"

struct arda_bus;

/* ---- questions ---- */

/* `result`: 1 yes, 0 no, negative: the directory could not be read (BASE_ERR_UNAVAILABLE,
 * BASE_ERR_CLOSED, BASE_ERR_NOMEM, BASE_ERR_INTERNAL for an error of Redis). May be called before
 * the asking function has returned. */
typedef void (*arda_directory_answer_fn)(void *data, int result);

/* Whether the loop exists and belongs to the tenant. */
void arda_directory_has_loop(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                             const char *loop, size_t loop_len, arda_directory_answer_fn done,
                             void *data);
void arda_directory_has_tenant(struct arda_bus *bus, const char *tenant, size_t tenant_len,
                               arda_directory_answer_fn done, void *data);

/* ---- reading and writing ---- */

typedef void (*arda_directory_done_fn)(void *data, int result, const struct base_why *why);

/* Stores an entry, in place of a former one with its id, and makes its tenant known. The line is
 * borrowed for the call. */
int arda_directory_put(struct arda_bus *bus, const struct arda_directory_line *line,
                       arda_directory_done_fn done, void *data);
/* Removes the entry with the line's kind, tenant and id; BASE_ERR_NOTFOUND when there was none. */
int arda_directory_remove(struct arda_bus *bus, const struct arda_directory_line *line,
                          arda_directory_done_fn done, void *data);
/* Fills the value of `line`, which must live until `done`; BASE_ERR_NOTFOUND, or BASE_ERR_SYNTAX
 * for an entry that makes no sense. */
int arda_directory_get(struct arda_bus *bus, struct arda_directory_line *line,
                       arda_directory_done_fn done, void *data);

struct arda_directory_list {
    void (*on_tenant)(void *data, const char *tenant, size_t len);
    /* The line is borrowed for the call. */
    void (*on_line)(void *data, const struct arda_directory_line *line);
    /* An entry of Redis that makes no sense; the reason names it. */
    void (*on_bad)(void *data, const struct base_why *why);
    arda_directory_done_fn done;
    void *data;
};

/* Every tenant, sorted by bytes, to on_tenant. `list` is copied. */
int arda_directory_tenants(struct arda_bus *bus, const struct arda_directory_list *list);
/* The entries of one kind of a tenant, sorted by bytes, to on_line. BASE_ERR_INVALID for a tenant
 * id that is none. */
int arda_directory_entries(struct arda_bus *bus, const char *tenant, enum arda_directory_kind kind,
                           const struct arda_directory_list *list);

#endif
